// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// Elsewhere is a URL that nobody asks for, which Edit writes.
const Elsewhere = "http://elsewhere.example.com/"

const (
	channel = "main-hall" // of an RTC application
	center  = "cn-shanghai"
)

// Kind is what programs that drive the operator need to know of a kind of callback
// objects. The cloud's part is told here once more, from docs/cloud-api.md: the
// operator is not judged by its own idea of it.
type Kind struct {
	Name  string
	Short string // the beginning of names
	// Of is what kind of domain the key is; an application if it is empty.
	Of emulator.DomainKind
	// Create, Update and Read are operations of the cloud. Records is one, too; it is
	// empty for a kind without callback records.
	Create, Update, Read, Records string
	// Writes and Reads are documented limits, in requests per second. A count of the
	// callbacks takes so many CountRequests.
	Writes, Reads, CountRequests float64
	// New returns an empty object, NewList an empty list of objects.
	New     func() kind.Object
	NewList func() client.ObjectList
	// URL is the field of the spec and of the configuration with the callback URL.
	// Others are the fields that may be changed besides.
	URL    string
	Others []string
	fixed  []string // the fields that are compared, but never changed
	// Add makes the key known to the cloud; Send makes it send callbacks, others with
	// each n. It may refuse.
	Add  func(cloud *emulator.Server, account, key string)
	Send func(cloud *emulator.Server, key string, n int)
	// Erase removes what the cloud holds, Edit changes it.
	Erase, Edit func(cloud *emulator.Server, key string)
	// Copy has the cloud hold for one key what it holds for another. A subscription is
	// named by its key.
	Copy func(cloud *emulator.Server, from, to string)
	held func(cloud *emulator.Server, key string) any
}

// Kinds are all of them.
var Kinds = table()

func table() [8]*Kind {
	all := [8]*Kind{
		with(&Kind{
			Short: "push", Of: emulator.IngestDomain, URL: "NotifyURL", Others: []string{"ExceptionNotifyURL", "SwitchNotifyURL"},
			Create: "SetLiveStreamsNotifyUrlConfig", Update: "SetLiveStreamsNotifyUrlConfig", Read: "DescribeLiveStreamsNotifyUrlConfig",
			Records: "DescribeLiveStreamsNotifyRecords", Writes: 15, Reads: 1000.0 / 60, CountRequests: 2, Send: sendStream,
		}, (*emulator.Server).StreamConfig, (*emulator.Server).SetStreamConfig, (*emulator.Server).DeleteStreamConfig),
		with(&Kind{
			Short: "live", Of: emulator.StreamingDomain, URL: "NotifyURL", Others: []string{"OnDemandURL", "NeedStatusNotify"},
			Create: "AddLiveRecordNotifyConfig", Update: "UpdateLiveRecordNotifyConfig", Read: "DescribeLiveRecordNotifyConfig",
			Records: "DescribeLiveRecordNotifyRecords", Writes: 30, Reads: 50, CountRequests: 2,
			Send: func(s *emulator.Server, key string, n int) {
				_ = s.Record(key, "live", "main-stage", []string{"record_started", "file_created"}[n%2])
			},
		}, (*emulator.Server).RecordConfig, (*emulator.Server).SetRecordConfig, (*emulator.Server).DeleteRecordConfig),
		with(&Kind{
			Short: "app", URL: "CallbackURL", Others: []string{"ChannelIDs"},
			Create: "CreateRtcMPUEventSub", Update: "UpdateRtcMPUEventSub", Read: "DescribeRtcMPUEventSub",
			Records: "ListRtcMPUEventSubRecord", Writes: 50, Reads: 50, CountRequests: 1,
			Send: func(s *emulator.Server, key string, _ int) { _ = s.EmitMPU(key, channel, 1) },
		}, (*emulator.Server).MPUSub, (*emulator.Server).SetMPUSub, (*emulator.Server).DeleteMPUSub),
		with(&Kind{
			Short: "shot", Of: emulator.StreamingDomain, URL: "NotifyURL",
			Create: "AddLiveSnapshotNotifyConfig", Update: "UpdateLiveSnapshotNotifyConfig", Read: "DescribeLiveSnapshotNotifyConfig",
			Writes: 30, Reads: 30, Send: func(s *emulator.Server, key string, _ int) { _ = s.TakeSnapshot(key, "live", "main-stage") },
		}, (*emulator.Server).SnapshotConfig, (*emulator.Server).SetSnapshotConfig, (*emulator.Server).DeleteSnapshotConfig),
		with(&Kind{
			Short: "video", Of: emulator.StreamingDomain, URL: "NotifyURL",
			Create: "AddLiveDetectNotifyConfig", Update: "UpdateLiveDetectNotifyConfig", Read: "DescribeLiveDetectNotifyConfig",
			Writes: 30, Reads: 50, Send: func(s *emulator.Server, key string, _ int) { _ = s.ReviewVideo(key, "live", "main-stage") },
		}, (*emulator.Server).DetectConfig, (*emulator.Server).SetDetectConfig, (*emulator.Server).DeleteDetectConfig),
		with(&Kind{
			Short: "audio", Of: emulator.StreamingDomain, URL: "CallbackURL", Others: []string{"CallbackTemplate"},
			Create: "AddLiveAudioAuditNotifyConfig", Update: "UpdateLiveAudioAuditNotifyConfig", Read: "DescribeLiveAudioAuditNotifyConfig",
			Writes: 10, Reads: 10, Send: func(s *emulator.Server, key string, _ int) { _ = s.ReviewAudio(key, "live", "main-stage") },
		}, (*emulator.Server).AuditConfig, (*emulator.Server).SetAuditConfig, (*emulator.Server).DeleteAuditConfig),
		with(&Kind{
			Short: "rtc", URL: "CallbackURL", Others: []string{"Users"}, fixed: []string{"ChannelID", "Events"},
			Create: "CreateEventSub", Update: "UpdateEventSub", Read: "ListEventSub",
			Records: "ListEventSubEvent", Writes: 100, Reads: 50, CountRequests: 1,
			Send: func(s *emulator.Server, key string, n int) {
				_ = s.EmitEvent(key, channel, "one", []string{"Join", "Leave"}[n%2])
			},
		}, onlyEventSub, setEventSub, func(s *emulator.Server, key string) { s.SetEventSubs(key, nil) }),
		with(&Kind{
			Short: "chat", URL: "EventCallbackURL", Create: "ModifyLiveMessageAppCallback", Update: "ModifyLiveMessageAppCallback",
			Read: "DescribeLiveMessageApp", Writes: 50, Reads: 50,
			Add: func(s *emulator.Server, account, key string) {
				_ = s.AddMessageApp(emulator.MessageApp{DataCenter: center, AppID: key, Account: account}) // names here are good ones
			},
			Send: func(s *emulator.Server, key string, n int) { _ = s.EmitMessageEvent(center, key, "one", 1+n%2) },
		}, func(s *emulator.Server, key string) (emulator.MessageApp, bool) {
			app, _ := s.MessageApp(center, key)
			return app, app.EventCallbackURL != ""
		}, func(s *emulator.Server, key string, app emulator.MessageApp) {
			_ = s.SetMessageCallback(center, key, app.EventCallbackURL)
		}, func(s *emulator.Server, key string) { _ = s.SetMessageCallback(center, key, "") }),
	}
	for i, k := range all {
		k.Name, k.New, k.NewList = kind.All[i].Name, kind.All[i].New, kind.All[i].NewList
	}
	return all
}

// with completes a kind with how the emulator keeps its configurations.
func with[C any](
	k *Kind, get func(*emulator.Server, string) (C, bool), set func(*emulator.Server, string, C), erase func(*emulator.Server, string),
) *Kind {
	k.Erase = erase
	k.held = func(s *emulator.Server, key string) any {
		if c, ok := get(s, key); ok {
			return c
		}
		return nil
	}
	k.Edit = func(s *emulator.Server, key string) {
		c, _ := get(s, key)
		reflect.ValueOf(&c).Elem().FieldByName(k.URL).SetString(Elsewhere)
		set(s, key, c)
	}
	k.Copy = func(s *emulator.Server, from, to string) {
		c, _ := get(s, from)
		if id := reflect.ValueOf(&c).Elem().FieldByName("SubID"); id.IsValid() {
			id.SetString(to)
		}
		set(s, to, c)
	}
	switch {
	case k.Add != nil:
	case k.Of == "":
		k.Add = (*emulator.Server).AddApp
	default:
		k.Add = func(s *emulator.Server, account, key string) { s.AddDomain(account, key, k.Of) }
	}
	return k
}

// sendStream has a stream start or stop, now and then with an exception and a
// switch between the two streams of a domain.
func sendStream(s *emulator.Server, key string, n int) {
	if n%2 == 0 {
		_ = s.StartStream(key, "live", "main-stage")
	} else {
		_ = s.StopStream(key, "live", "main-stage")
	}
	if n%8 == 0 {
		_ = s.FailStream(key, "live", "main-stage", "frame rate is zero")
		_ = s.SwitchStream(key, "live", "main-stage")
	}
}

// Several tells whether the cloud holds more than one configuration for a key, which
// it takes for event subscriptions alone.
func (k *Kind) Several(cloud *emulator.Server, key string) bool {
	return k.Read == "ListEventSub" && len(cloud.EventSubs(key)) > 1
}

// onlyEventSub returns the subscription of an application. Of several it returns one
// that nobody wants.
func onlyEventSub(s *emulator.Server, key string) (emulator.EventSub, bool) {
	subs := s.EventSubs(key)
	switch len(subs) {
	case 0:
		return emulator.EventSub{ChannelID: channel, Events: []string{"UserEvent"}}, false
	case 1:
		return subs[0], true
	default:
		return emulator.EventSub{ChannelID: fmt.Sprint(len(subs), " subscriptions")}, true
	}
}

func setEventSub(s *emulator.Server, key string, sub emulator.EventSub) {
	s.SetEventSubs(key, []emulator.EventSub{sub})
}

// IsRead tells whether an operation of the cloud changes nothing.
func IsRead(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "List")
}

// IsRecords tells whether an operation is about callback records.
func IsRecords(action string) bool {
	return slices.ContainsFunc(Kinds[:], func(k *Kind) bool { return k.Records != "" && k.Records == action })
}

// ReadRequests is how many requests it takes to read a configuration. Of snapshots
// one tells who else is told of them.
func (k *Kind) ReadRequests() float64 {
	if k.Short == "shot" {
		return 2
	}
	return 1
}

// KindOf returns the kind of a name; nil if there is none.
func KindOf(name string) *Kind {
	if i := slices.IndexFunc(Kinds[:], func(k *Kind) bool { return k.Name == name }); i >= 0 {
		return Kinds[i]
	}
	return nil
}

// Key returns what the cloud calls the domain or the application for an object of
// some name.
func (k *Kind) Key(name string) string {
	if k.Of != "" {
		return name + ".example.com"
	}
	return name
}

// KeyOf returns the domain or the application of an object.
func (k *Kind) KeyOf(o kind.Object) string { return k.field(o, k.keyField()).String() }

func (k *Kind) keyField() string {
	if k.Of != "" {
		return "DomainName"
	}
	return "AppID"
}

// Object returns an object without a URL in a namespace, for the key of its name.
func (k *Kind) Object(namespace, name string) kind.Object {
	o := k.New()
	o.SetNamespace(namespace)
	o.SetName(name)
	k.field(o, k.keyField()).SetString(k.Key(name))
	switch o := o.(type) {
	case *v1alpha1.LiveRtcEventSub:
		o.Spec.ChannelID, o.Spec.Events = channel, []v1alpha1.RtcEvent{v1alpha1.UserEvent}
	case *v1alpha1.LiveMessageAppCallback:
		o.Spec.DataCenter = center
	}
	return o
}

// CopyStatus gives an object the status of another, as of its own generation and with
// the subscription that Copy names.
func (k *Kind) CopyStatus(o, from kind.Object) {
	status := reflect.ValueOf(o).Elem().FieldByName("Status")
	status.Set(reflect.ValueOf(from.DeepCopyObject()).Elem().FieldByName("Status"))
	if observed := status.FieldByName("Observed"); !observed.IsNil() {
		if id := observed.Elem().FieldByName("SubID"); id.IsValid() {
			id.SetString(k.KeyOf(o))
		}
	}
	_, shared := o.Callback()
	shared.ObservedGeneration = o.GetGeneration()
	for i := range shared.Conditions {
		shared.Conditions[i].ObservedGeneration = o.GetGeneration()
	}
}

// field is one of the spec of an object.
func (k *Kind) field(o kind.Object, name string) reflect.Value {
	return reflect.ValueOf(o).Elem().FieldByName("Spec").FieldByName(name)
}

// SetURL sets the callback URL. The cloud takes no port for messages: their
// callbacks go to no receiver.
func (k *Kind) SetURL(o kind.Object, to string) {
	if u, err := url.Parse(to); err == nil && k.URL == "EventCallbackURL" && u.Port() != "" {
		to = "http://hooks.example.com" + u.Path
	}
	k.field(o, k.URL).SetString(to)
}

// URLOf returns the callback URL.
func (k *Kind) URLOf(o kind.Object) string { return k.field(o, k.URL).String() }

// Toggle sets one of the Others if it is not set, and else clears it.
func (k *Kind) Toggle(o kind.Object, name, url string) {
	f := k.field(o, name)
	switch {
	case f.Kind() == reflect.Bool:
		f.SetBool(!f.Bool())
	case f.Kind() == reflect.Slice && f.Len() == 0:
		f.Set(reflect.ValueOf([]string{"two", channel}))
	case !f.IsZero():
		f.SetZero()
	case name == "CallbackTemplate":
		f.SetString(`{"r":{Result}}`)
	default:
		f.SetString(url)
	}
}

// Signs tells whether the callbacks of the kind can be signed.
func (k *Kind) Signs() bool { return k.field(k.New(), "Authentication").IsValid() }

// Sign has callbacks signed with the entry "key" of a Secret, or not, without a name.
func (k *Kind) Sign(o kind.Object, secret string) {
	var a *v1alpha1.AuthenticationSpec
	if secret != "" {
		a = &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: secret, Key: "key"}}
	}
	k.field(o, "Authentication").Set(reflect.ValueOf(a))
}

// Signed tells whether an object asks for it.
func (k *Kind) Signed(o kind.Object) bool { return k.Signs() && !k.field(o, "Authentication").IsNil() }

// Want returns what the cloud should hold for an object that is signed with a key, by
// field.
func (k *Kind) Want(o kind.Object, key string) map[string]string {
	return k.fields(reflect.ValueOf(o).Elem().FieldByName("Spec"), k.Signed(o), key)
}

// Have returns what the cloud holds; nil for nothing.
func (k *Kind) Have(cloud *emulator.Server, key string) map[string]string {
	c := k.held(cloud, key)
	if c == nil {
		return nil
	}
	v := reflect.ValueOf(c)
	if !k.Signs() {
		return k.fields(v, false, "")
	}
	return k.fields(v, v.FieldByName("Auth").Bool(), v.FieldByName("AuthKey").String())
}

// fields returns the fields to compare of a spec or a configuration. Lists are
// sorted; a configuration may have them as a text.
func (k *Kind) fields(v reflect.Value, signed bool, key string) map[string]string {
	all := map[string]string{}
	for _, name := range slices.Concat([]string{k.URL}, k.Others, k.fixed) {
		f := v.FieldByName(name)
		list := strings.HasSuffix(name, "IDs") && f.Kind() == reflect.String
		switch {
		case list:
			all[name] = strings.Join(slices.Sorted(strings.SplitSeq(f.String(), ",")), ",")
		case f.Kind() == reflect.Slice:
			var parts []string
			for i := range f.Len() {
				parts = append(parts, f.Index(i).String())
			}
			slices.Sort(parts)
			all[name] = strings.Join(parts, ",")
		default:
			all[name] = fmt.Sprint(f)
		}
	}
	if signed {
		all["AuthKey"] = key
	}
	return all
}
