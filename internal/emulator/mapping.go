// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import "net/http"

// mappingOperations tie domains to main streaming domains. The limit of the first is not in our sources: 30 per second
// is what most operations on domains have.
var mappingOperations = []operation{
	{"AddLiveDomainMapping", anyVerb, perSecond(30), []string{"PushDomain", "PullDomain"}, addMapping},
	{"DescribeLiveDomainMapping", getOnly, perMinute(500), []string{"DomainName"}, describeMapping},
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
	if d, ok := s.registry.domain(pull); !ok || d.account != r.account || d.kind != StreamingDomain || s.registry.isPlay(pull) {
		return nil, errPullDomain
	}
	s.registry.mapDomain(push, pull)
	return nil, nil
}

// describeMapping lists the domains that belong together: the main streaming domain, type vhost, the ingest domains,
// type publish, and the sub-streaming domains, type play. Whether the domain that is asked about is among them is
// undocumented, and a switch.
func describeMapping(s *Server, r *request) (fields, error) {
	name := r.params["DomainName"]
	if d, ok := s.registry.domain(name); !ok || d.account != r.account {
		return nil, errDomainNotFound
	}
	models := []fields{}
	for _, m := range s.registry.mapping(name) {
		if m.name != name || !r.switches.MappingOmitsQueried {
			models = append(models, fields{"DomainName": m.name, "Type": m.kind})
		}
	}
	return fields{"LiveDomainModels": fields{"LiveDomainModel": models}}, nil
}
