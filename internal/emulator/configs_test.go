// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReadDelay reads each family while writes are younger than the delay.
func TestReadDelay(t *testing.T) {
	families := map[string]struct {
		write  func(c *cloud, url string)
		remove func(c *cloud)
		read   func(c *cloud) any
	}{
		"stream": {
			func(c *cloud, url string) {
				c.post("SetLiveStreamsNotifyUrlConfig", "DomainName", push, "NotifyUrl", url)
			},
			func(c *cloud) { c.post("DeleteLiveStreamsNotifyUrlConfig", "DomainName", push) },
			func(c *cloud) any {
				return dig(c.post("DescribeLiveStreamsNotifyUrlConfig", "DomainName", push).body,
					"LiveStreamsNotifyConfig", "NotifyUrl")
			},
		},
		"record": {
			func(c *cloud, url string) {
				if c.post("AddLiveRecordNotifyConfig", "DomainName", play, "NotifyUrl", url).code() != "" {
					c.post("UpdateLiveRecordNotifyConfig", "DomainName", play, "NotifyUrl", url)
				}
			},
			func(c *cloud) { c.post("DeleteLiveRecordNotifyConfig", "DomainName", play) },
			func(c *cloud) any {
				return dig(c.post("DescribeLiveRecordNotifyConfig", "DomainName", play).body,
					"LiveRecordNotifyConfig", "NotifyUrl")
			},
		},
		"mpu": {
			func(c *cloud, url string) {
				if c.post("CreateRtcMPUEventSub", "AppId", appID, "CallbackUrl", url).code() != "" {
					c.post("UpdateRtcMPUEventSub", "AppId", appID, "CallbackUrl", url)
				}
			},
			func(c *cloud) { c.post("DeleteRtcMPUEventSub", "AppId", appID) },
			func(c *cloud) any {
				return dig(c.post("DescribeRtcMPUEventSub", "AppId", appID).body, "SubInfo", "CallbackUrl")
			},
		},
	}
	for name, family := range families {
		t.Run(name, func(t *testing.T) {
			clk := newClock()
			c := newCloud(t, Options{Now: clk.now, Switches: Switches{ReadDelay: 10 * time.Second}})
			var got []any
			after := func(d time.Duration) {
				clk.advance(d)
				got = append(got, family.read(c))
			}
			family.write(c, "http://one")
			after(0)
			after(9 * time.Second)
			after(time.Second) // 10 s old: seen
			family.write(c, "http://two")
			after(5 * time.Second)
			family.write(c, "http://three")
			after(5 * time.Second) // two is 10 s old, three is 5
			after(5 * time.Second)
			family.remove(c)
			after(0)
			after(10 * time.Second)
			want := []any{
				nil, nil, "http://one", "http://one", "http://two", "http://three", "http://three", nil,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reads (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigsBoundTheirPast(t *testing.T) {
	var c configs[int]
	clk := newClock()
	for i := range 10 * maxVersions {
		clk.advance(time.Second)
		c.put("key", clk.now(), &i)
	}
	if got := len(c.byKey["key"]); got != maxVersions {
		t.Errorf("%d versions are kept, want %d", got, maxVersions)
	}
	if got, ok := c.asOf("key", time.Time{}); !ok || got != 9*maxVersions {
		t.Errorf("the oldest known version is %d, %t; want %d", got, ok, 9*maxVersions)
	}
}
