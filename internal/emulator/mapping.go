// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"slices"
)

// mappingOperations tie ingest domains to streaming domains. Their limits are not in our sources: 30 per second is what
// most operations on domains have.
var mappingOperations = []operation{
	{"AddLiveDomainMapping", anyVerb, perSecond(30), []string{"PushDomain", "PullDomain"}, addMapping},
	{"DescribeLiveDomainMapping", anyVerb, perSecond(30), []string{"DomainName"}, describeMapping},
}

// The texts of these two are not in our sources.
var (
	errPushDomain = serviceError(http.StatusBadRequest, "InvalidPushDomain", "Specified PushDomain is invalid.")
	errPullDomain = serviceError(http.StatusBadRequest, "InvalidPullDomain", "Specified PullDomain is invalid.")
)

func addMapping(s *Server, r *request) (fields, error) {
	push, pull := r.params["PushDomain"], r.params["PullDomain"]
	if d, ok := s.registry.domain(push); !ok || d.account != r.account || d.kind != IngestDomain {
		return nil, errPushDomain
	}
	if d, ok := s.registry.domain(pull); !ok || d.account != r.account || d.kind != StreamingDomain {
		return nil, errPullDomain
	}
	s.registry.mapDomain(push, pull)
	return nil, nil
}

// describeMapping lists the streaming domain, type vhost, and the ingest domains mapped to it, type push. That second
// name is undocumented.
func describeMapping(s *Server, r *request) (fields, error) {
	name := r.params["DomainName"]
	d, ok := s.registry.domain(name)
	if !ok || d.account != r.account {
		return nil, errDomainNotFound
	}
	streaming := name
	if d.kind == IngestDomain {
		streaming, ok = s.registry.streamingOf(name)
	}
	models := []fields{}
	if ok {
		models = append(models, fields{"DomainName": streaming, "Type": "vhost"})
		for _, ingest := range slices.Sorted(slices.Values(s.registry.ingestsOf(streaming))) {
			models = append(models, fields{"DomainName": ingest, "Type": "push"})
		}
	}
	return fields{"LiveDomainModels": fields{"LiveDomainModel": models}}, nil
}
