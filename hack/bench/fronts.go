// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/live-notify/live-notify-operator/test/system"
)

// fronts are endpoints of one cloud, of which all but the first can be brought
// into a trouble of their own. An account keeps to one of them.
type fronts struct {
	servers  []*httptest.Server
	troubled atomic.Bool
}

// troubles are what becomes of a request, by front; the first front has none.
var troubles = []http.HandlerFunc{
	nil,
	func(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, // which closes the connection
	func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"Code":"Throttling.User","Message":"Request was denied due to user flow control.","RequestId":"00000000-0000-0000-0000-000000000000"}`)
	},
	system.Hang,
}

func openFronts(cloud http.Handler) *fronts {
	f := &fronts{}
	for _, trouble := range troubles {
		f.servers = append(f.servers, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if trouble != nil && f.troubled.Load() {
				trouble(w, r)
				return
			}
			cloud.ServeHTTP(w, r)
		})))
	}
	return f
}

// trouble begins or ends the trouble.
func (f *fronts) trouble(on bool) { f.troubled.Store(on) }

// kindOf returns which front a tenant has, of so many: the last tenth the last
// one, and so on. With fewer than ten tenants there is no trouble.
func (f *fronts) kindOf(tenant, of int) int {
	if tenth := of / 10; tenth > 0 {
		if kind := len(troubles) - 1 - (of-1-tenant)/tenth; kind > 0 {
			return kind
		}
	}
	return 0
}

// of returns the endpoint of a tenant.
func (f *fronts) of(tenant, of int) string { return f.servers[f.kindOf(tenant, of)].URL }

func (f *fronts) close() {
	for _, s := range f.servers {
		s.CloseClientConnections()
		s.Close()
	}
}
