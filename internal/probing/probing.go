// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probing

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Header tells a receiver that a callback is a probe.
const Header = "X-Live-Notify-Probe"

// Target is what is probed.
type Target struct {
	Family callback.Family
	URL    string
	Domain string   // whose callbacks these are; "" for one that says so
	Type   string   // of the callback; "" for the first of the family
	Key    live.Key // "" for unsigned
	// Secrets are hidden in what is shown: the key, also where nothing is signed with it.
	Secrets []string
}

// Shown returns the receiver's URL as it is shown: the key may be in it.
func (t Target) Shown() string { return callback.HideIn(t.URL, t.Secrets...) }

// Item is what came of one callback.
type Item struct {
	// Case is signed, unsigned, wrong key or stale time.
	Case string `json:"case"`
	URL  string `json:"url"`
	// Status that the receiver answered with; 0 for no answer.
	Status int `json:"status"`
	// Good tells whether the receiver did what it should; not there for what was not sent.
	Good    *bool  `json:"good,omitempty"`
	Message string `json:"message"`
	Answer  string `json:"answer,omitempty"`

	Milliseconds int64    `json:"milliseconds"`
	Addresses    []string `json:"addresses,omitempty"`
	Connected    string   `json:"connected,omitempty"` // the address
	TLS          string   `json:"tls,omitempty"`
	Certificate  string   `json:"certificate,omitempty"` // whose it is
	DaysLeft     *int     `json:"daysLeft,omitempty"`    // of the certificate
}

// Summary counts the items.
type Summary struct {
	Sent int `json:"sent"`
	Good int `json:"good"`
	Bad  int `json:"bad"`
}

// Report is a probe.
type Report = report.Report[Summary, Item]

// NotTested is what each probe has to say.
const NotTested = "This was sent from here: the cloud's own way to the receiver is not tested."

// first are the types that a family is probed with, unless another is asked for.
var first = map[callback.Family]string{callback.Stream: "publish", callback.Record: "file_created"}

// event makes a callback whose stream name says that it is a probe.
func (t Target) event(id string, now time.Time) callback.Event {
	typed, domain, stream := t.Type, t.Domain, "live-notify-probe-"+id
	if typed == "" {
		typed = first[t.Family]
	}
	if domain == "" {
		domain = "probe.live-notify.invalid"
	}
	unix := now.Unix()
	var facts map[string]any
	switch t.Family {
	case callback.Stream:
		facts = map[string]any{
			"action": typed, "ip": "127.0.0.1", "id": stream, "app": domain, "appname": "live-notify-probe",
			"time": strconv.FormatInt(unix, 10), "usrargs": "", "node": "127.0.0.1",
		}
		if typed == "publish" {
			facts["width"], facts["height"] = "1280", "720"
		}
	case callback.OnDemand:
		facts = map[string]any{"app": "live-notify-probe", "domain": domain, "stream": stream, "vbitrate": "2000", "codec": "h264"}
	case callback.MPU:
		facts = map[string]any{
			"EventType": 1, "MsgId": stream, "AppId": domain, "SubId": "live-notify-probe", "TaskId": stream, "CallbackTs": now.UnixMilli(),
			"Payload": map[string]any{"DstUrl": "rtmp://" + domain + "/probe", "EventTs": now.UnixMilli(), "EventCode": 1, "ErrorCode": 0, "ErrorMessage": ""},
		}
	case callback.RTC:
		facts = map[string]any{
			"MsgId": stream, "MsgTimestamp": unix, "SubscribeID": "live-notify-probe", "AppId": domain, "ChannelID": stream,
			"Contents": []any{map[string]any{"Event": "ChannelEvent", "ChannelEvent": map[string]any{"EventTag": "Open", "Timestamp": unix}}},
		}
	default:
		facts = map[string]any{"domain": domain, "app": "live-notify-probe", "stream": stream, "event": typed}
		if typed == "file_created" {
			facts = map[string]any{
				"domain": domain, "app": "live-notify-probe", "stream": stream, "uri": "live-notify-probe/" + stream + ".m3u8",
				"duration": 30.5, "start_time": unix - 31, "stop_time": unix, "push_args": map[string]string{},
			}
		}
	}
	text, err := json.Marshal(facts)
	if err != nil {
		panic(err) // only strings and numbers come here
	}
	return callback.Event{Family: t.Family, Domain: domain, Target: t.URL, Content: string(text)}
}

// stale is how old the time of a stale callback is: over the 5 minutes that
// receivers are told to allow.
const stale = time.Hour

// trial is one callback to send.
type trial struct {
	name string
	key  string
	at   time.Time
	bad  bool // the receiver has to refuse it
}

// trials returns what is sent.
func (t Target) trials(verify bool, count int, now time.Time) []trial {
	name := "signed"
	if t.Key == "" {
		name = "unsigned"
	}
	var list []trial
	for range count {
		list = append(list, trial{name, string(t.Key), now, false})
	}
	if verify {
		list = append(list,
			trial{"wrong key", "wrongKey" + randomHex(8), now, true},
			trial{"stale time", string(t.Key), now.Add(-stale), true},
			trial{"no signature", "", now, true},
		)
	}
	return list
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Foretell says what would be sent.
func Foretell(t Target, verify bool, count int) *Report {
	r := report.New[Summary, Item]("Probe")
	for _, trial := range t.trials(verify, count, time.Time{}) {
		r.Items = append(r.Items, Item{Case: trial.name, URL: t.Shown(), Message: "to be sent"})
	}
	return r
}

// Probe sends the callbacks.
func Probe(ctx context.Context, s *callback.Sender, t Target, verify bool, count int, now func() time.Time) (*Report, error) {
	r := report.New[Summary, Item]("Probe")
	r.Warn(NotTested)
	if !t.Family.Signed() {
		r.Warn("The formula of the signature of these callbacks is not published: they are sent unsigned.")
	}
	for _, trial := range t.trials(verify, count, now()) {
		event := t.event(randomHex(4), now())
		req, err := event.Build(trial.key, trial.at)
		if err != nil {
			return nil, err
		}
		right, err := event.Build(string(t.Key), trial.at) // which the receiver may say it wants
		if err != nil {
			return nil, err
		}
		x := s.Send(ctx, req, http.Header{Header: {"1"}})
		secrets := append(slices.Clone(t.Secrets), trial.key, req.Header.Get(callback.SignatureHeader), right.Header.Get(callback.SignatureHeader))
		x.Answer = callback.Hide(x.Answer, secrets...)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		i := itemOf(trial, t.Shown(), x, now())
		i.Certificate = callback.Hide(i.Certificate, secrets...)
		if x.Address != "" && !callback.Public(x.Address) {
			r.Warn("The address " + x.Address + " is not public: the cloud cannot reach it.")
		}
		r.Items = append(r.Items, i)
		r.Summary.Sent++
		if *i.Good {
			r.Summary.Good++
		} else {
			r.Summary.Bad++
		}
	}
	return r, nil
}

// itemOf judges what a receiver did.
func itemOf(t trial, url string, x callback.Exchange, now time.Time) Item {
	good := false
	i := Item{
		Good: &good,
		Case: t.name, URL: url, Status: x.Status, Message: x.Trouble, Answer: x.Answer,
		Milliseconds: x.Cost.Milliseconds(), Addresses: x.Addresses, Connected: x.Address, TLS: x.TLSVersion,
	}
	if c := x.Certificate; c != nil {
		days := int(c.NotAfter.Sub(now).Hours() / 24)
		i.Certificate, i.DaysLeft = live.Bound(c.Subject.String(), 200), &days
	}
	switch {
	case x.Status == 0:
	case t.bad && x.Taken():
		i.Message = "the receiver took it: it does not verify this"
	case t.bad:
		good, i.Message = true, "the receiver refused it, as it should"
	case x.Status == http.StatusOK && x.Trouble == "":
		good, i.Message = true, fmt.Sprintf("the receiver took it within %s of the %s that the cloud waits", x.Cost.Round(time.Millisecond), callback.Timeout)
	case x.Taken() && x.Trouble == "":
		i.Message = fmt.Sprintf("the receiver answered %d: the cloud takes only 200 for success", x.Status)
	}
	return i
}
