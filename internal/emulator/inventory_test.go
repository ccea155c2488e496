// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// client returns one of an account of a cloud.
func client(t *testing.T, cloud *emulator.Server, id string) *live.Client {
	t.Helper()
	srv := httptest.NewServer(cloud)
	t.Cleanup(srv.Close)
	credentials, err := live.AccessKey(id, "secret-of-the-account", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := live.NewClient(live.Options{Endpoint: srv.URL, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDomainsOfAnAccountAreListedInPages(t *testing.T) {
	cloud := emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{
		{ID: "mine", Secret: "secret-of-the-account"},
		{ID: "other", Secret: "secret-of-the-account", Account: "other"},
	}})
	t.Cleanup(cloud.Close)
	var want []string
	for i := range 120 {
		name := fmt.Sprintf("push-%03d.example.com", i)
		cloud.AddDomain("", name, emulator.IngestDomain)
		want = append(want, name)
	}
	cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	cloud.AddDomain("other", "push.example.net", emulator.IngestDomain)
	c := client(t, cloud, "mine")
	var got []string
	for page := 1; page <= 3; page++ {
		domains, total, err := c.Domains(context.Background(), live.IngestType, page)
		if err != nil {
			t.Fatal(err)
		}
		if total != 120 {
			t.Errorf("page %d: got %d in all, want 120", page, total)
		}
		for _, d := range domains {
			got = append(got, d.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d domains %v, want each once", len(got), got)
	}
	detail, err := c.Domain(t.Context(), "play.example.com")
	if want := (live.Domain{Name: "play.example.com", Type: live.StreamingType, Status: "online"}); err != nil || detail != want {
		t.Errorf("got %+v, %v, want %+v", detail, err, want)
	}
	if _, err := c.Domain(t.Context(), "push.example.net"); live.ClassOf(err) != live.DomainNotFound {
		t.Errorf("a domain of another account: got %v, want DomainNotFound", err)
	}
}
