// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
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

	type model = sdk.DescribeLiveDomainMappingResponseBodyLiveDomainModelsLiveDomainModel
	models := []*model{
		{DomainName: new(play), Type: new("vhost")},
		{DomainName: new(push), Type: new("push")},
		{DomainName: new("push2.example.com"), Type: new("push")},
	}
	for _, domain := range []string{push, play} {
		got, err := client.DescribeLiveDomainMapping(&sdk.DescribeLiveDomainMappingRequest{DomainName: new(domain)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(models, got.Body.LiveDomainModels.LiveDomainModel); diff != "" {
			t.Errorf("mapping of %s (-want +got):\n%s", domain, diff)
		}
	}
}
