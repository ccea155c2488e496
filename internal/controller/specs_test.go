// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// fewSpecs is how many of a kind are lived through in the usual form.
const fewSpecs = 4

// TestSpecsThatTheSchemaAllows draws specs from the bounds of the schema. The API
// server accepts them, the operator makes the cloud equal to them, the API
// server accepts the status, and a deletion leaves nothing.
func TestSpecsThatTheSchemaAllows(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		world := served(t, f, emulator.Options{AnyDate: true})
		world.haveAccount("one")
		var n, lived atomic.Int64
		rapid.Check(t, func(t *rapid.T) {
			name := fmt.Sprintf("spec-%d", n.Add(1))
			if fields := drawSpec(t, f, name); lived.Load() < fewSpecs || long {
				world.in(t).live(t, name, fields)
				lived.Add(1) // not of one that failed: rapid tries it again, and smaller ones
			}
		})
	})
}

// in returns the same driver for another test.
func (d *driver) in(t tester) *driver {
	w := *d.world
	w.t, w.Gomega = t, expecting(t)
	return &driver{world: &w, f: d.f, r: d.r, accounts: d.accounts}
}

// live takes an object with a spec through its life.
func (d *driver) live(t *rapid.T, name string, fields map[string]any) {
	d.t.Helper()
	d.t.Cleanup(func() { // also after a failure, for the next try
		obj := d.f.empty()
		obj.SetName(name)
		d.drop(obj)
		d.calls()
	})
	manifest := &unstructured.Unstructured{Object: map[string]any{"spec": fields}}
	manifest.SetAPIVersion(v1alpha1.GroupVersion.String())
	manifest.SetKind(d.f.name)
	manifest.SetNamespace(d.namespace)
	manifest.SetName(name)
	key := drawKey(t, d.f)
	d.Expect(d.api.Create(d.ctx, manifest)).To(Succeed())
	obj := d.get(name)
	d.know(obj)
	d.failAny(t, obj)
	if signed(obj) {
		ref := signatureOf(obj)
		d.drop(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: ref.Name}})
		d.Expect(d.api.Create(d.ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: ref.Name}, Data: map[string][]byte{ref.Key: []byte(key)},
		})).To(Succeed())
	} else {
		key = ""
	}

	holds := func() any { return d.holdsFor(obj) }
	switch {
	case spec(obj).Suspend:
		d.until(name, v1alpha1.ReasonSuspended)
		d.Expect(holds()).To(BeNil())
	case spec(obj).ManagementPolicy == v1alpha1.Observe:
		d.until(name, v1alpha1.ReasonObserved)
		d.Expect(holds()).To(BeNil())
	default:
		d.settle(name)
		d.Expect(holds()).To(Equal(d.f.want(obj, key)))
	}
	left := holds()
	if d.f.counts() && !spec(obj).Suspend {
		d.Expect(statusOf(d.get(name)).Callbacks).NotTo(BeNil(), "callbacks are counted")
	}
	d.update(name, func(o Object) { o.SetLabels(map[string]string{"touched": "yes"}) }) // the spec is still accepted
	d.remove(name)
	d.until404(name)
	if spec(obj).DeletionPolicy == v1alpha1.DeletionRetain {
		d.Expect(holds() == left).To(BeTrue(), "under Retain")
	} else {
		d.Expect(holds()).To(BeNil())
	}
}

// know makes the key of an object exist in the cloud.
func (d *driver) know(obj Object) {
	switch o := obj.(type) {
	case *v1alpha1.LiveNotifyConfig:
		d.cloud.AddDomain("", o.Spec.DomainName, emulator.IngestDomain)
	case *v1alpha1.LiveRecordNotifyConfig:
		d.cloud.AddDomain("", o.Spec.DomainName, emulator.StreamingDomain)
	case *v1alpha1.LiveRtcMPUEventSub:
		d.cloud.AddApp("", o.Spec.AppID)
	case *v1alpha1.LiveSnapshotNotifyConfig:
		d.cloud.AddDomain("", o.Spec.DomainName, emulator.StreamingDomain)
	case *v1alpha1.LiveDetectNotifyConfig:
		d.cloud.AddDomain("", o.Spec.DomainName, emulator.StreamingDomain)
	case *v1alpha1.LiveAudioAuditNotifyConfig:
		d.cloud.AddDomain("", o.Spec.DomainName, emulator.StreamingDomain)
	case *v1alpha1.LiveRtcEventSub:
		d.cloud.AddApp("", o.Spec.AppID)
	case *v1alpha1.LiveMessageAppCallback:
		d.Expect(d.cloud.AddMessageApp(emulator.MessageApp{DataCenter: string(o.Spec.DataCenter), AppID: o.Spec.AppID})).To(Succeed())
	}
}

// failAny adds a callback that failed, of which the cloud says anything.
func (d *driver) failAny(t *rapid.T, obj Object) {
	if !rapid.Bool().Draw(t, "fails") || !d.f.counts() {
		return
	}
	said := rapid.StringN(0, 300, 400).Draw(t, "said")
	failed := emulator.CallbackRecord{
		Time: d.clock.Now().Add(-time.Second), App: said, Stream: said, Type: said, URL: said, Description: said, Result: emulator.ResultFailed,
	}
	records := spec(obj).Records
	if records.AppName != "" {
		failed.App = records.AppName
	}
	if records.StreamName != "" {
		failed.Stream = records.StreamName
	}
	switch o := obj.(type) {
	case *v1alpha1.LiveNotifyConfig:
		failed.Domain = o.Spec.DomainName
		d.cloud.AddRecords(emulator.Records{Stream: []emulator.CallbackRecord{failed}})
	case *v1alpha1.LiveRecordNotifyConfig:
		failed.Domain = o.Spec.DomainName
		d.cloud.AddRecords(emulator.Records{Record: []emulator.CallbackRecord{failed}})
	case *v1alpha1.LiveRtcMPUEventSub:
		d.cloud.AddRecords(emulator.Records{MPU: []emulator.MPURecord{{
			Time: failed.Time, AppID: o.Spec.AppID, CallbackURL: said, HTTPCode: rapid.IntRange(-1, 99999).Draw(t, "HTTP code"),
		}}})
	case *v1alpha1.LiveRtcEventSub:
		d.cloud.AddRecords(emulator.Records{Event: []emulator.EventRecord{{
			Time: failed.Time, AppID: o.Spec.AppID, URL: said, Code: rapid.IntRange(-1, 99999).Draw(t, "HTTP code"),
		}}})
	}
}

// holdsFor returns what the cloud holds for the key of an object; nil for
// nothing.
func (d *driver) holdsFor(obj Object) any {
	switch o := obj.(type) {
	case *v1alpha1.LiveNotifyConfig:
		if c, ok := d.cloud.StreamConfig(o.Spec.DomainName); ok {
			return c
		}
	case *v1alpha1.LiveRecordNotifyConfig:
		if c, ok := d.cloud.RecordConfig(o.Spec.DomainName); ok {
			return c
		}
	case *v1alpha1.LiveRtcMPUEventSub:
		if sub, ok := d.cloud.MPUSub(o.Spec.AppID); ok {
			return emulator.MPUSub{CallbackURL: sub.CallbackURL, ChannelIDs: sub.ChannelIDs}
		}
	default:
		return d.otherFor(obj)
	}
	return nil
}

// otherFor is what holdsFor returns for the other kinds.
func (d *driver) otherFor(obj Object) any {
	switch o := obj.(type) {
	case *v1alpha1.LiveSnapshotNotifyConfig:
		if c, ok := d.cloud.SnapshotConfig(o.Spec.DomainName); ok {
			return c
		}
	case *v1alpha1.LiveDetectNotifyConfig:
		if c, ok := d.cloud.DetectConfig(o.Spec.DomainName); ok {
			return c
		}
	case *v1alpha1.LiveAudioAuditNotifyConfig:
		if c, ok := d.cloud.AuditConfig(o.Spec.DomainName); ok {
			return c
		}
	case *v1alpha1.LiveRtcEventSub:
		if subs := d.cloud.EventSubs(o.Spec.AppID); len(subs) > 0 {
			return plainEvent(subs[0])
		}
	case *v1alpha1.LiveMessageAppCallback:
		if app, _ := d.cloud.MessageApp(string(o.Spec.DataCenter), o.Spec.AppID); app.EventCallbackURL != "" {
			return app.EventCallbackURL
		}
	}
	return nil
}

func signatureOf(o Object) v1alpha1.SecretKeyReference {
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		return o.Spec.Authentication.KeySecretRef
	case *v1alpha1.LiveRecordNotifyConfig:
		return o.Spec.Authentication.KeySecretRef
	case *v1alpha1.LiveSnapshotNotifyConfig:
		return o.Spec.Authentication.KeySecretRef
	}
	return v1alpha1.SecretKeyReference{}
}

// matching draws a string of a pattern, as long as most at most.
func matching(t *rapid.T, what, pattern string, most int) string {
	return rapid.StringMatching(pattern).Filter(func(s string) bool { return len(s) <= most }).Draw(t, what)
}

func drawKey(t *rapid.T, f fixture) string {
	most := live.MaxStreamKey
	if f.name != "LiveNotifyConfig" {
		most = live.MaxRecordKey
	}
	return matching(t, "key", fmt.Sprintf(`[0-9A-Za-z]{16,%d}|[0-9]{16,%d}`, most, most), most)
}

// drawSpec draws a spec as it is in a manifest. What is optional may be left out.
func drawSpec(t *rapid.T, f fixture, name string) map[string]any {
	fields := map[string]any{}
	maybe := func(in map[string]any, field string, draw func() any) {
		if rapid.Bool().Draw(t, "has "+field) {
			in[field] = draw()
		}
	}
	text := func(field, pattern string, most int) func() any {
		return func() any { return matching(t, field, pattern, most) }
	}
	one := func(field string, values ...any) func() any {
		return func() any { return pick(t, field, values...) }
	}
	maybe(fields, "accountRef", func() any { return map[string]any{"name": "one"} })
	maybe(fields, "managementPolicy", one("managementPolicy", "Manage", "Manage", "Manage", "Observe"))
	maybe(fields, "suspend", one("suspend", false, false, false, true))
	maybe(fields, "adoptionPolicy", one("adoptionPolicy", "IfIdentical", "Always"))
	maybe(fields, "driftPolicy", one("driftPolicy", "Correct", "Report"))
	maybe(fields, "deletionPolicy", one("deletionPolicy", "Delete", "Retain"))
	maybe(fields, "resyncInterval", func() any { return drawDuration(t, "resyncInterval", time.Minute, 24*time.Hour) })
	records := func() any {
		records := map[string]any{}
		maybe(records, "window", func() any { return drawDuration(t, "window", time.Minute, 167*time.Hour) })
		maybe(records, "interval", func() any { return drawDuration(t, "interval", 30*time.Second, 24*time.Hour) })
		maybe(records, "unhealthyThreshold", func() any { return int64(rapid.Int32Min(1).Draw(t, "unhealthyThreshold")) })
		if f.kind.OfDomain {
			maybe(records, "appName", text("appName", free+`{1,256}`, 256))
			maybe(records, "streamName", text("streamName", free+`{1,256}`, 256))
		}
		return records
	}
	if f.counts() {
		maybe(fields, "records", records)
	}
	url := func(field string) func() any {
		return func() any { return drawURL(t, field, `[]-~!-;=?-[]`, true) }
	}
	auth := func() any {
		return map[string]any{"keySecretRef": map[string]any{
			"name": matching(t, "Secret", `[a-z]([-a-z0-9]{0,20}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?){0,3}`, 253),
			"key":  matching(t, "entry", `[a-zA-Z0-9]([-._a-zA-Z0-9]{0,200}[a-zA-Z0-9])?`, 253),
		}}
	}
	// The name makes the key another one each time.
	domain := name + "." + matching(t, "domain", `([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.]){1,3}[a-z]([-a-z0-9]{0,61}[a-z0-9])?`, 230)
	switch f.name {
	case "LiveNotifyConfig":
		fields["domainName"] = domain
		urls := []string{"notifyURL", "exceptionNotifyURL", "switchNotifyURL"}
		for _, field := range urls {
			maybe(fields, field, url(field))
		}
		if !slices.ContainsFunc(urls, func(field string) bool { return fields[field] != nil }) {
			field := pick(t, "needed", urls...)
			fields[field] = url(field)()
		}
		maybe(fields, "authentication", auth)
	case "LiveRecordNotifyConfig":
		fields["domainName"] = domain
		fields["notifyURL"] = url("notifyURL")()
		maybe(fields, "onDemandURL", url("onDemandURL"))
		maybe(fields, "needStatusNotify", one("needStatusNotify", false, true))
		maybe(fields, "authentication", auth)
	case "LiveRtcMPUEventSub":
		fields["appID"] = name + matching(t, "appID", `[A-Za-z0-9_-]{0,50}`, 50)
		fields["callbackURL"] = drawURL(t, "callbackURL", `[-A-Za-z0-9_?%=#./+:]`, false)
		maybe(fields, "channelIDs", func() any {
			var ids []any
			for _, id := range rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`), 0, 20, rapid.ID).Draw(t, "channelIDs") {
				ids = append(ids, id)
			}
			return ids
		})
	default:
		drawOther(t, f, name, domain, fields, url, auth, maybe)
	}
	return fields
}

// drawOther draws what the specs of the other kinds have of their own.
func drawOther(
	t *rapid.T, f fixture, name, domain string, fields map[string]any, url func(string) func() any, auth func() any, maybe func(map[string]any, string, func() any),
) {
	app := func() string { return name + matching(t, "appID", `[A-Za-z0-9_-]{0,50}`, 50) }
	switch f.name {
	case "LiveSnapshotNotifyConfig":
		fields["domainName"] = domain
		fields["notifyURL"] = "https://hooks.example.com/" + sound(matching(t, "path", `[]-~!-;=?-[]{0,40}`, 40))
		maybe(fields, "authentication", auth)
	case "LiveDetectNotifyConfig":
		fields["domainName"], fields["notifyURL"] = domain, url("notifyURL")()
	case "LiveAudioAuditNotifyConfig":
		fields["domainName"], fields["callbackURL"] = domain, url("callbackURL")()
		maybe(fields, "callbackTemplate", func() any {
			return `{"` + matching(t, "template", `[ -!#-Z_-z~]{0,40}`, 40) + `":{Result},"stream":{StreamName}}`
		})
	case "LiveRtcEventSub":
		fields["appID"], fields["callbackURL"] = app(), url("callbackURL")()
		fields["events"] = []any{pick(t, "event", "ChannelEvent", "UserEvent")}
		maybe(fields, "channelID", func() any {
			users := func() any {
				var users []any
				for _, user := range rapid.SliceOfNDistinct(rapid.StringMatching(free+`{1,20}`), 0, 50, rapid.ID).Draw(t, "users") {
					users = append(users, user)
				}
				return users
			}
			maybe(fields, "users", users)
			return matching(t, "channelID", `[A-Za-z0-9_-]{1,64}`, 64)
		})
	case "LiveMessageAppCallback":
		fields["appID"] = app()
		fields["eventCallbackURL"] = "https://hooks.example.com/" + sound(matching(t, "path", `[]-~!-;=?-[]{0,40}`, 40))
		maybe(fields, "dataCenter", func() any { return pick(t, "dataCenter", "cn-shanghai", "ap-southeast-1") })
	}
}

// free is what a name of a stream, an application or a user may hold that a template
// does not leave over; a comma, which no user has, is not in it.
const free = `[!-$&')-+.-;=?-z|~-]`

// unsound is what no URL may hold: what a template leaves over, and a percent sign
// that stands for itself.
var unsound = regexp.MustCompile(`[{}]|[$][(]+|%([0-9A-Fa-f]{2})?`)

// sound returns a URL without what none may hold.
func sound(url string) string {
	return unsound.ReplaceAllStringFunc(url, func(found string) string {
		switch {
		case len(found) == 3 && found[0] == '%':
			return found
		case found[0] == '%':
			return "%25"
		default:
			return "-"
		}
	})
}

// drawURL draws a URL, given what may be behind its host, and whether that may
// be an IPv6 address.
func drawURL(t *rapid.T, what, within string, ipv6 bool) string {
	const most = 2083
	hosts := []string{
		`([0-9A-Za-z]([-0-9A-Za-z]{0,20}[0-9A-Za-z])?[.]){0,3}[A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?`,
		`[1-9][0-9]?[.]([1-9]?[0-9][.]){2}25[0-5]`,
	}
	if ipv6 {
		hosts = append(hosts, `\[2[0-9a-fA-F]{3}:([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,2}\]`)
	}
	host := pick(t, what+" of", hosts...)
	url := matching(t, what, `https?://`+host+`(:[1-5][0-9]{0,4})?([/?#]`+within+`{0,40})?`, most)
	url = sound(url)
	if rapid.IntRange(0, 9).Draw(t, what+" is long") == 9 {
		url += "/" + strings.Repeat("x", most-len(url)-1)
	}
	return url
}

// drawDuration draws a duration and how it is spelled.
func drawDuration(t *rapid.T, what string, least, most time.Duration) string {
	d := time.Duration(rapid.Int64Range(int64(least/time.Second), int64(most/time.Second)).Draw(t, what)) * time.Second
	switch minutes := d.Truncate(time.Minute); pick(t, what+" in", "mixed", "seconds", "minutes", "hours and less") {
	case "seconds":
		return fmt.Sprintf("%d.000s", d/time.Second)
	case "minutes":
		if minutes >= least {
			return fmt.Sprintf("%dm", minutes/time.Minute)
		}
	case "hours and less":
		if hours := d.Truncate(time.Hour); hours >= least && hours < most {
			return fmt.Sprintf("%d.5h", hours/time.Hour)
		}
	}
	return d.String()
}
