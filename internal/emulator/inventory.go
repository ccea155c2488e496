// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// inventoryOperations are those that tell which domains an account has.
var inventoryOperations = []operation{
	{"DescribeLiveUserDomains", anyVerb, perSecond(100), nil, describeDomains},
	{"DescribeLiveDomainDetail", anyVerb, perSecond(50), []string{"DomainName"}, describeDomain},
}

const (
	// maxDomainsPage is the largest page of domains. A larger one is asked for by public tools: it is answered with this.
	maxDomainsPage = 50
	// What all domains have in common here.
	domainStatus = "online"
	domainRegion = "cn-shanghai"
	domainGroup  = "rg-emulated"
	// domainTime is when each domain was created, and last modified.
	domainTime = "2024-01-02T03:04:05Z"
)

var searches = map[string]func(name, part string) bool{
	"":            strings.Contains,
	"fuzzy_match": strings.Contains,
	"pre_match":   strings.HasPrefix,
	"suf_match":   strings.HasSuffix,
	"full_match":  func(name, part string) bool { return name == part },
}

func describeDomains(s *Server, r *request) (fields, error) {
	size, sizeOK := r.params.number("PageSize", defaultPageSize, maxPageNumber)
	number, numberOK := r.params.number("PageNumber", 1, maxPageNumber)
	matches, searchOK := searches[r.params["DomainSearchType"]]
	kind := DomainKind(r.params["LiveDomainType"])
	if !sizeOK || !numberOK || !searchOK || kind != "" && kind != IngestDomain && kind != StreamingDomain {
		return nil, errInvalidParam
	}
	size = min(size, maxDomainsPage)
	rows := []fields{}
	for _, d := range s.registry.of(r.account) {
		if kind != "" && d.kind != kind ||
			!matches(d.name, strings.TrimPrefix(r.params["DomainName"], "*.")) ||
			!oneOrAny(r.params["DomainStatus"], domainStatus) || !oneOrAny(r.params["RegionName"], domainRegion) ||
			!oneOrAny(r.params["ResourceGroupId"], domainGroup) || r.params.has("Tag.1.Key") {
			continue
		}
		row := d.row()
		row["LiveDomainStatus"], row["RegionName"] = domainStatus, domainRegion
		rows = append(rows, row)
	}
	from := min((number-1)*size, len(rows))
	return fields{
		"PageNumber": number, "PageSize": size, "TotalCount": len(rows),
		"Domains": fields{"PageData": rows[from:min(from+size, len(rows))]},
	}, nil
}

func describeDomain(s *Server, r *request) (fields, error) {
	name := r.params["DomainName"]
	d, ok := s.registry.domain(name)
	if !ok || d.account != r.account {
		return nil, errDomainNotFound
	}
	row := listed{name, d.kind}.row()
	row["DomainStatus"], row["Region"] = domainStatus, domainRegion
	row["GmtModified"] = "2024-01-02T03:04Z" // without seconds, as in the vendor's sample
	row["Scope"], row["SSLProtocol"] = "domestic", "off"
	return fields{"DomainDetail": row}, nil
}

// oneOrAny tells whether a filter that may be absent lets a value pass.
func oneOrAny(filter, value string) bool { return filter == "" || filter == value }

// listed is a domain by its name.
type listed struct {
	name string
	kind DomainKind
}

// row is what both operations tell of a domain under the same names.
func (d listed) row() fields {
	return fields{
		"DomainName": d.name, "Cname": d.name + ".w.kunlunsl.com", "Description": "", "LiveDomainType": string(d.kind),
		"GmtCreated": domainTime, "GmtModified": domainTime, "ResourceGroupId": domainGroup,
	}
}

// of returns the domains of an account, by name.
func (r *registry) of(account string) []listed {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []listed
	for name, d := range r.domains {
		if d.account == account {
			list = append(list, listed{name, d.kind})
		}
	}
	slices.SortFunc(list, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	return list
}
