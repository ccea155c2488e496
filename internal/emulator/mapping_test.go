// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"testing"

	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	"github.com/google/go-cmp/cmp"
)

func TestMapping(t *testing.T) {
	c := newCloud(t, Options{})
	c.AddDomain("", "push2.example.com", IngestDomain)
	client := c.sdk()
	add := func(pushDomain, pullDomain string) string {
		_, err := client.AddLiveDomainMapping(
			&sdk.AddLiveDomainMappingRequest{PushDomain: new(pushDomain), PullDomain: new(pullDomain)})
		return codeOf(err)
	}
	got := map[string]string{
		"right":             add("push2.example.com", play),
		"push is streaming": add(play, play),
		"pull is ingest":    add(push, push),
		"push is unknown":   add("unknown.example.com", play),
	}
	want := map[string]string{
		"right": "", "push is streaming": "InvalidPushDomain", "pull is ingest": "InvalidPullDomain",
		"push is unknown": "InvalidPushDomain",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}

	if err := c.MapPlayDomain(play, "sub.example.com"); err == nil {
		t.Error("an unknown domain becomes a sub-streaming domain")
	}
	c.AddDomain("", "sub.example.com", StreamingDomain)
	if err := c.MapPlayDomain(play, "sub.example.com"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"of itself":              c.MapPlayDomain(play, play),
		"of a sub-streaming one": c.MapPlayDomain("sub.example.com", play),
		"an ingest domain":       c.MapPlayDomain(play, push),
		"one that is played":     c.MapPlayDomain("sub.example.com", play),
		"to push to":             c.MapDomain(push, "sub.example.com"),
	} {
		if err == nil {
			t.Errorf("a sub-streaming domain %s", name)
		}
	}
	type model = sdk.DescribeLiveDomainMappingResponseBodyLiveDomainModelsLiveDomainModel
	models := []*model{
		{DomainName: new(play), Type: new("vhost")},
		{DomainName: new(push), Type: new("publish")},
		{DomainName: new("push2.example.com"), Type: new("publish")},
		{DomainName: new("sub.example.com"), Type: new("play")},
	}
	for i, domain := range []string{play, push, "push2.example.com", "sub.example.com"} {
		for _, omits := range []bool{false, true} {
			c.SetSwitches(Switches{MappingOmitsQueried: omits})
			want := models
			if omits {
				want = slices.Delete(slices.Clone(models), i, i+1)
			}
			got, err := client.DescribeLiveDomainMapping(&sdk.DescribeLiveDomainMappingRequest{DomainName: new(domain)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Body.LiveDomainModels.LiveDomainModel); diff != "" {
				t.Errorf("mapping of %s, omitting it %t (-want +got):\n%s", domain, omits, diff)
			}
		}
	}
}

// TestMappingOfOne asks for the mapping of domains that are tied to nothing, and in other ways than the cloud takes.
func TestMappingOfOne(t *testing.T) {
	c := newCloud(t, Options{QPSScale: 1, Now: newClock().now})
	c.AddDomain("", "lone-push.example.com", IngestDomain)
	c.AddDomain("", "lone-play.example.com", StreamingDomain)
	c.AddDomain("other", "others.example.com", StreamingDomain)
	list := func(domain string) any {
		return dig(c.get("DescribeLiveDomainMapping", "DomainName", domain).body, "LiveDomainModels", "LiveDomainModel")
	}
	const action = "DescribeLiveDomainMapping"
	got := map[string]any{
		"an ingest domain":    list("lone-push.example.com"),
		"a streaming domain":  list("lone-play.example.com"),
		"another's":           c.get(action, "DomainName", "others.example.com").code(),
		"POST":                c.post(action, "DomainName", play).code(),
		"POST, by its status": c.post(action, "DomainName", play).status,
	}
	want := map[string]any{
		"an ingest domain":    []any{},
		"a streaming domain":  []any{map[string]any{"DomainName": "lone-play.example.com", "Type": "vhost"}},
		"another's":           "InvalidDomain.NotFound",
		"POST":                "InvalidApi.NotFound",
		"POST, by its status": 404,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	for n := 4; n <= 500; n++ { // three came before
		if code := c.get(action, "DomainName", play).code(); code != "" {
			t.Fatalf("call %d of 500 in a minute: %s", n, code)
		}
	}
	if code := c.get(action, "DomainName", play).code(); code != "Throttling.User" {
		t.Errorf("call 501 of a minute: %q", code)
	}
}

// TestSubStreamingDomain has no configuration: that is the main streaming domain's.
func TestSubStreamingDomain(t *testing.T) {
	c := newCloud(t, Options{})
	c.AddDomain("", "sub.example.com", StreamingDomain)
	c.AddDomain("", "push2.example.com", IngestDomain)
	if err := c.MapPlayDomain(play, "sub.example.com"); err != nil {
		t.Fatal(err)
	}
	got := []string{
		c.post("AddLiveRecordNotifyConfig", "DomainName", "sub.example.com", "NotifyUrl", "http://a").code(),
		c.post("AddLiveDomainMapping", "PushDomain", "push2.example.com", "PullDomain", "sub.example.com").code(),
	}
	c.RemoveDomain(play) // and with it the tie
	got = append(got, c.post("AddLiveRecordNotifyConfig", "DomainName", "sub.example.com", "NotifyUrl", "http://a").code())
	if diff := cmp.Diff([]string{"IllegalOperation", "InvalidPullDomain", ""}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}
