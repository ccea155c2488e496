// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

// What the families keyed by a domain share: whose domain it is, which state Describe shows, and how records are paged.

// domainOf returns the domain that the request is about, if it belongs to the caller and is of the right kind.
func (s *Server) domainOf(r *request, kind DomainKind, wrongKind apiError) (string, error) {
	name := r.params["DomainName"]
	if name == "" {
		return "", errEmpty("DomainName")
	}
	d, ok := s.registry.domain(name)
	if !ok || d.account != r.account {
		return "", errDomainNotFound
	}
	if d.kind != kind || s.registry.isPlay(name) {
		return "", wrongKind // a sub-streaming domain has no configuration of its own
	}
	return name, nil
}

// show returns the configuration that Describe has to show, which may be an earlier one than there is.
func show[T any](c *configs[T], r *request, key string) (T, bool) {
	switch {
	case r.stale:
		return c.previous(key)
	case r.switches.ReadDelay > 0:
		return c.asOf(key, r.now.Add(-r.switches.ReadDelay))
	}
	return c.current(key)
}

const (
	defaultPageSize = 20
	maxPageSize     = 500
	maxPageNumber   = 100_000
)

// recordPage is a page of the records of a domain.
type recordPage struct {
	items               []CallbackRecord
	number, size, total int
}

// domainRecords answers a records query: by time, and optionally by application, stream, result and storage.
func (s *Server) domainRecords(
	from *records[CallbackRecord], r *request, domain, storage string,
) (recordPage, error) {
	start, end, err := r.params.span(r.now)
	if err != nil {
		return recordPage{}, err
	}
	size, sizeOK := r.params.pageSize(defaultPageSize, maxPageSize, r.switches)
	number, numberOK := r.params.number("PageNumber", 1, maxPageNumber)
	status := r.params["Status"]
	if !sizeOK || !numberOK || status != "" && status != ResultSuccess && status != ResultFailed {
		return recordPage{}, errInvalidParam
	}
	app, stream := r.params["AppName"], r.params["StreamName"]
	match := func(c *CallbackRecord) bool {
		return (app == "" || c.App == app) &&
			(stream == "" || c.Stream == stream) &&
			(status == "" || c.Result == status) &&
			(storage == "" || storage == storageAll || c.Storage == storage)
	}
	if app == "" && stream == "" && status == "" && storage == "" {
		match = nil // all: no need to look at each
	}
	items, total := from.page(domain, query[CallbackRecord]{
		from: start, to: end, now: r.now, match: match, size: size, number: number, order: r.switches.RecordsOrder,
	})
	return recordPage{items: items, number: number, size: size, total: total}, nil
}

// fields are the members of an answer that tell which page it is.
func (p recordPage) fields() fields {
	return fields{
		"PageNum":   p.number,
		"PageSize":  p.size,
		"TotalNum":  p.total,
		"TotalPage": (p.total + p.size - 1) / p.size,
	}
}
