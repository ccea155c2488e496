// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// describing are the families' reading operations, with the member of a reply that
// holds the configuration ("" where it is the reply itself), which of its members tells
// that there is one, and how deep in lists that is.
var describing = []struct {
	member, url string
	list        []string // of the members that lead to the first configuration
	get         func(*Client) (none bool, err error)
}{
	{"LiveStreamsNotifyConfig", "NotifyUrl", nil, describes(func(c *Client) offered[StreamConfig] { return NewStream(c) }, fuzzDomain)},
	{"LiveRecordNotifyConfig", "NotifyUrl", nil, describes(func(c *Client) offered[RecordConfig] { return NewRecord(c) }, fuzzDomain)},
	{"SubInfo", "CallbackUrl", nil, describes(func(c *Client) offered[MPUConfig] { return NewMPU(c) }, "app-1")},
	{"", "NotifyUrl", nil, describes(func(c *Client) offered[SnapshotConfig] { return NewSnapshot(c) }, fuzzDomain)},
	{"LiveDetectNotifyConfig", "NotifyUrl", nil, describes(func(c *Client) offered[DetectConfig] { return Detect(c) }, fuzzDomain)},
	{"LiveAudioAuditNotifyConfigList", "Callback", []string{"LiveAudioAuditNotifyConfig"}, describes(func(c *Client) offered[AuditConfig] { return Audit(c) }, fuzzDomain)},
	{"Subscribers", "CallbackUrl", []string{""}, describes(func(c *Client) offered[EventConfig] { return NewEvent(c) }, EventKey("app-1", AllChannels))},
	{"", "EventCallbackUrl", nil, describes(func(c *Client) offered[MessageConfig] { return Message(c) }, MessageKey("cn-shanghai", "app-1"))},
}

// offered is what a family offers for a configuration of type C.
type offered[C any] interface {
	Get(context.Context, quota.Lane, string) (C, error)
	Put(context.Context, quota.Lane, string, C, C, bool) error
}

// describes reads the configuration of a key, and tells whether there is none.
func describes[C comparable](of func(*Client) offered[C], key string) func(*Client) (bool, error) {
	return func(c *Client) (bool, error) {
		got, err := of(c).Get(context.Background(), quota.Sync, key)
		var none C
		return got == none, err
	}
}

// FuzzDescribe answers reads with anything. A configuration is absent only if
// the reply is one of the API and says so: then, and only then, the operator
// creates one.
func FuzzDescribe(f *testing.F) {
	for family := range describing {
		m, u := describing[family].member, describing[family].url
		for _, body := range []string{
			`{"RequestId":"R"}`, `{"RequestId":"R","` + m + `":{}}`, `{"RequestId":"R","` + m + `":null}`,
			`{"RequestId":"R","` + m + `":{"` + u + `":"http://a.example.com","NotifyReqAuth":"yes","NotifyAuthKey":"KEY"}}`,
			`{"RequestId":"R","` + m + `":{"` + u + `":"http://a.example.com","NotifyReqAuth":true,"NotifyAuthKey":1234567890123456}}`,
			`{"RequestId":"R","` + m + `":{"` + u + `":["KEY"],"ChannelIds":"a,b"}}`, `{"RequestId":"","` + m + `":[]}`,
			`{"RequestId":"R","` + u + `":"http://a.example.com","NotifyReqAuth":"yes","NotifyAuthKey":"KEY","AppKey":"KEY"}`,
			`{"RequestId":"R","` + u + `":["KEY"],"AppKey":{"KEY":"KEY"}}`, `{"RequestId":"R","` + u + `":""}`, `{"RequestId":"R","` + u + `":null}`,
			`{"RequestId":"R","` + m + `":{"LiveAudioAuditNotifyConfig":[{"DomainName":"push.example.com","` + u + `":"http://a.example.com"},null]}}`,
			`{"RequestId":"R","` + m + `":{"LiveAudioAuditNotifyConfig":[{"DomainName":"other.example.com","` + u + `":"http://a.example.com"}]}}`,
			`{"RequestId":"R","` + m + `":[{"SubId":"KEY","ChannelId":"*","` + u + `":"http://a.example.com","Events":["UserEvent",null],"Users":[]},null]}`,
			`{"RequestId":"R","` + m + `":[{"SubId":"1","` + u + `":"u"},{"SubId":"KEY","` + u + `":"u"}]}`,
			`{"RequestId":"R","Code":"ServiceUnavailable"}`, `[]`, ``, `<html>KEY</html>`, `{"RequestId":1}`,
			`{"requestid":"R","` + strings.ToLower(m) + `":{"` + u + `":"KEY"}}`,
		} {
			f.Add(uint8(family), uint16(100), []byte(body))
		}
		for _, code := range []string{"InvalidConfig.NotFound", "ConfigNotFound", "ResourceNotExist", "InvalidParam", "InvalidDomain.NotFound", "Throttling.User"} {
			f.Add(uint8(family), uint16(304), []byte(`{"RequestId":"R","Code":"`+code+`","Message":"m NotifyAuthKey=KEY"}`))
		}
	}
	f.Fuzz(func(t *testing.T, family uint8, status uint16, body []byte) {
		d := describing[int(family)%len(describing)]
		body = bytes.ReplaceAll(body, []byte("KEY"), []byte(fuzzKey))
		code := statusOf(status)
		none, err := d.get(wired(t, answered(code, http.Header{}, body)))
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%T is not an *Error", err)
			}
			if !none {
				t.Fatal("an error comes with a configuration")
			}
			if code < 400 && ClassOf(err) == Unavailable && strings.Contains(err.Error(), fuzzKey) {
				t.Fatalf("the error repeats the reply: %v", err)
			}
			return
		}
		if !none {
			return
		}
		var reply map[string]any
		if json.Unmarshal(body, &reply) != nil {
			t.Fatalf("absent, by a reply that is no JSON object: HTTP %d %q", code, body)
		}
		if said, _ := reply["Code"].(string); saysAbsent(strings.Trim(said, `" `)) {
			return
		}
		if code != http.StatusOK {
			t.Fatalf("absent, by HTTP %d %q", code, body)
		}
		// Members that come twice, or in another case, are read in different
		// ways by different readers; the operator's own says what it saw.
		if (d.member == "" || bytes.Count(body, []byte(d.member)) == 1) && bytes.Count(body, []byte(d.url)) == 1 {
			if u := shown(reply, d.member, d.list, d.url); u != "" {
				t.Fatalf("absent, but the reply has %q: %q", u, body)
			}
		}
	})
}

// ailing are members of a reply that speak of a failure.
var ailing = map[string]string{
	"a number as code":       `"Code":500`,
	"a code in lower case":   `"code":"InternalError"`,
	"a message":              `"Message":"The service is busy, try again."`,
	"another code":           `"ErrorCode":"InternalError","ErrorMessage":"x"`,
	"another code, a number": `"errCode":17`,
	"errors":                 `"Errors":[{"Code":"Internal"}]`,
	"an error":               `"error":{"message":"x"}`,
	"a status":               `"Status":500`,
	"no success":             `"IsSuccess":false`,
	"not ok":                 `"ok":0`,
}

// TestDoubtfulWrite: a reply that speaks of a failure does not say that something was
// written or removed, and one that speaks of a success does.
func TestDoubtfulWrite(t *testing.T) {
	t.Parallel()
	send := func(said string) error {
		c := wired(t, answered(200, http.Header{}, []byte(`{"RequestId":"R",`+said+`}`)))
		return errors.Join(NewStream(c).Add(t.Context(), fuzzDomain, StreamConfig{NotifyURL: "https://hooks.example.com"}), NewStream(c).Remove(t.Context(), fuzzDomain))
	}
	for name, said := range ailing {
		if err := send(said); ClassOf(err) != Unavailable || Refused(err) {
			t.Errorf("%s: got %v, want a failure of which nobody knows what it did", name, err)
		}
	}
	for _, said := range []string{`"Code":0`, `"Code":200,"Message":"OK"`, `"code":"200","success":true,"msg":"successful"`, `"Errors":[],"HostId":"live.aliyuncs.com"`, `"Status":"online"`, `"IsSuccess":true,"ok":1`} {
		if err := send(said); err != nil {
			t.Errorf("%s: %v, want a success", said, err)
		}
	}
}

// TestDoubtfulAbsence: a reply that may say more than the model has, or that is no whole
// reply of the API, does not say that there is no configuration.
func TestDoubtfulAbsence(t *testing.T) {
	t.Parallel()
	type answer struct {
		code int
		body string
	}
	for _, d := range describing {
		m, u := cmp.Or(d.member, "Config"), d.url
		answers := map[string]answer{
			"not found, without a request ID": {404, `{"Code":"InvalidConfig.NotFound","Message":"m"}`},
			"not found, as a success":         {200, `{"RequestId":"R","Code":"InvalidConfig.NotFound","Message":"m"}`},
			"not found, as a failure":         {500, `{"RequestId":"R","Code":"InvalidConfig.NotFound","Message":"m"}`},
			"another name":                    {200, `{"RequestId":"R","Old` + m + `":{"` + u + `":"https://a.example.com/"}}`},
			"wrapped":                         {200, `{"RequestId":"R","Response":{"` + m + `":{"` + u + `":"https:\/\/a.example.com\/"}}}`},
			"another case":                    {200, `{"RequestId":"R","` + m + `":{"` + strings.ToLower(u) + `_":"https://a.example.com/"}}`},
			"no success":                      {200, `{"RequestId":"R","Success":false}`},
			"wrapped nothing":                 {200, `{"RequestId":"R","Data":null}`},
		}
		for name, said := range ailing {
			answers[name] = answer{200, `{"RequestId":"R",` + said + `}`}
			answers[name+", beside nothing"] = answer{200, `{"RequestId":"R",` + said + `,"` + m + `":{}}`}
			answers[name+", inside"] = answer{200, `{"RequestId":"R","` + m + `":{` + said + `}}`}
		}
		for name, a := range answers {
			none, err := d.get(wired(t, answered(a.code, http.Header{}, []byte(a.body))))
			if ClassOf(err) != Unavailable || !none {
				t.Errorf("%s: %s: got %v, want a failure that says nothing of what there is", d.member, name, err)
			}
		}
	}
}

// TestMessageOfNoApplication: an application without a callback is told by its ID.
func TestMessageOfNoApplication(t *testing.T) {
	t.Parallel()
	key := MessageKey("cn-shanghai", "app")
	for body, want := range map[string]Class{`{"RequestId":"R"}`: Unavailable, `{"RequestId":"R","AppId":"app"}`: ""} {
		have, err := Message(wired(t, answered(200, http.Header{}, []byte(body)))).Get(t.Context(), quota.User, key)
		if ClassOf(err) != want || have != (MessageConfig{}) {
			t.Errorf("%s: got %+v, %v", body, have, err)
		}
	}
}

// TestIsOn: a spelling of truth that is not known is not taken for off.
func TestIsOn(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]bool{
		"": false, "no": false, "false": false, "False": false, "off": false, "0": false,
		"yes": true, "true": true, "TRUE": true, "on": true, "1": true, "enabled": true,
	} {
		if got := isOn(&said); got != want {
			t.Errorf("%q: got %v, want %v", said, got, want)
		}
	}
	if isOn(nil) {
		t.Error("nothing at all: got true, want false")
	}
}

// shown returns the member of a configuration in a reply; "" if it is not there, or if
// it may be of another domain or channel.
func shown(reply map[string]any, member string, list []string, name string) string {
	config := reply
	if member != "" {
		config, _ = reply[member].(map[string]any)
	}
	if list != nil {
		all, _ := reply[member].([]any)
		if list[0] != "" {
			all, _ = config[list[0]].([]any)
		}
		if len(all) != 1 {
			return ""
		}
		config, _ = all[0].(map[string]any)
		for _, whose := range []string{"DomainName", "ChannelId"} {
			if of, ok := config[whose]; ok && of != fuzzDomain && of != AllChannels {
				return ""
			}
		}
	}
	text, _ := config[name].(string)
	return text
}

// saysAbsent tells whether a code stands for a configuration that is missing.
func saysAbsent(code string) bool { return classes[code] == NotFound || code == "InvalidParam" }

// FuzzCount answers queries of callback records with anything. Counts are never
// negative, and never made up: a reply that has none is an error.
func FuzzCount(f *testing.F) {
	for family := range uint8(4) {
		for _, body := range []string{
			`{"RequestId":"R","Subscribers":[{"SubId":"S","ChannelId":"*"}],"HasMore":false,"Logs":[{"MessageId":"1","Time":"2026-01-01 08:30:00.000","Code":500},null]}`,
			`{"RequestId":"R","Subscribers":[{"SubId":"S"}],"HasMore":false,"Logs":[{"Code":"500"}]}`, `{"RequestId":"R","Subscribers":[{"SubId":"S"}]}`,
			`{"RequestId":"R","TotalNum":0}`, `{"RequestId":"R","TotalNum":-1}`, `{"RequestId":"R","TotalNum":"7"}`, `{"RequestId":"R"}`,
			`{"RequestId":"R","TotalNum":2,"NotifyRecordsInfo":{"LiveStreamNotifyRecordsInfo":[{"NotifyTime":"2026-01-01T00:30:00Z","NotifyUrl":"u"},{"NotifyTime":"x"},null]}}`,
			`{"RequestId":"R","TotalNum":2,"CallbackList":[{"NotifyTime":"2026-01-01T00:30:00Z","NotifyUrl":"u"},null]}`,
			`{"RequestId":"R","HasMore":false,"Logs":[{"MsgId":"1","Time":"2026-01-01T00:30:00Z","HTTPCode":"500"},{"MsgId":"2","HTTPCode":"-1"},null]}`,
			`{"RequestId":"R","HasMore":true,"Logs":[]}`, `{"RequestId":"R","HasMore":"false"}`, `{"RequestId":"R","HasMore":null}`,
		} {
			f.Add(family, uint16(100), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, family uint8, status uint16, body []byte) {
		c, ctx := wired(t, answered(statusOf(status), http.Header{}, body)), context.Background()
		q := Query{Window: time.Hour}
		var counts Counts
		var err error
		switch family % 4 {
		case 0:
			counts, err = NewStream(c).Count(ctx, fuzzDomain, q, Counts{})
		case 1:
			counts, err = NewRecord(c).Count(ctx, fuzzDomain, q, Counts{})
		case 2:
			counts, err = NewMPU(c).Count(ctx, "app-1", q, Counts{})
		default:
			counts, err = NewEvent(c).Count(ctx, EventKey("app-1", AllChannels), q, Counts{})
		}
		if err != nil {
			if counts.Total != 0 || counts.Failed != 0 || !counts.End.IsZero() {
				t.Fatalf("an error comes with counts: %+v", counts)
			}
			return
		}
		if statusOf(status) != http.StatusOK {
			t.Fatalf("counts, by HTTP %d %q", statusOf(status), body)
		}
		if counts.Failed < 0 || counts.Total < 0 {
			t.Fatalf("negative counts %+v of %q", counts, body)
		}
		if len(counts.Buckets) > maxBuckets {
			t.Fatalf("%d buckets", len(counts.Buckets))
		}
	})
}

// FuzzTally sends records in any order, at most as late as they may be, and
// counts now and then. The incremental counts agree with those of all records.
func FuzzTally(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06"), uint8(1))
	f.Add(bytes.Repeat([]byte{0, 59, 1, 30, 0, 0, 255, 1, 2}, 20), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, every uint8) {
		const window = time.Hour
		s := &store{now: epoch}
		var counts Counts
		for i := 0; i+2 < len(data) && i < 3*400; i += 3 {
			// Time moves by up to 4 s at a time, so that nothing leaves the window.
			s.send(s.now, time.Duration(data[i]%60)*time.Second, data[i+1]&1 == 1)
			s.now = s.now.Add(time.Duration(data[i+2]%5) * time.Second)
			if i/3%(1+int(every)) == 0 {
				counts = s.poll(t, window, counts)
				if data[i+1]&2 != 0 {
					counts = reloaded(counts)
				}
			}
		}
		s.now = s.now.Add(lateness)
		counts = s.poll(t, window, counts)
		var failed, total int64
		for _, r := range s.records {
			total++
			if r.failed {
				failed++
			}
		}
		if counts.Failed != failed || counts.Total != total {
			t.Fatalf("counted %d of %d failed, want %d of %d", counts.Failed, counts.Total, failed, total)
		}
	})
}

// FuzzMPURecord reads records with anything in them.
func FuzzMPURecord(f *testing.F) {
	f.Add("m", "", "200") // a minute ago
	f.Add("m", "", "503")
	f.Add("", "yesterday", "")
	f.Add("m", "2026-01-01T00:00:00.5+25:00", "+0200")
	f.Fuzz(func(t *testing.T, id, at, code string) {
		if at == "" {
			at = *formatTime(time.Now().Add(-time.Minute))
		}
		record, err := json.Marshal(map[string]any{"RequestId": "R", "HasMore": false, "Logs": []any{map[string]string{"MsgId": id, "Time": at, "HTTPCode": code}}})
		if err != nil {
			t.Skip()
		}
		counts, err := NewMPU(wired(t, answered(200, http.Header{}, record))).Count(context.Background(), "app-1", Query{Window: time.Hour}, Counts{})
		if err != nil {
			if !parseTime(at).IsZero() {
				t.Fatal(err)
			}
			return // no bucket can hold it
		}
		if counts.Total > 1 || counts.Failed > counts.Total || counts.Failed == 1 && (counts.Last == nil || counts.Last.HTTPStatus/100 == 2) {
			t.Fatalf("got %+v of one record", counts)
		}
	})
}

// FuzzEventRecord reads records with anything in them.
func FuzzEventRecord(f *testing.F) {
	f.Add("m", "", int64(200)) // a minute ago
	f.Add("m", "", int64(503))
	f.Add("", "yesterday", int64(-1))
	f.Add("m", "2026-01-01 00:00:00.5", int64(1)<<40)
	f.Fuzz(func(t *testing.T, id, at string, code int64) {
		if at == "" {
			at = time.Now().Add(-time.Minute).In(time.FixedZone("", 8*60*60)).Format("2006-01-02 15:04:05.000")
		}
		record, err := json.Marshal(map[string]any{
			"RequestId": "R", "Subscribers": []any{map[string]string{"SubId": "S", "ChannelId": "*"}},
			"HasMore": false, "Logs": []any{map[string]any{"MessageId": id, "Time": at, "Code": code}},
		})
		if err != nil {
			t.Skip()
		}
		counts, err := NewEvent(wired(t, answered(200, http.Header{}, record))).Count(context.Background(), EventKey("app-1", AllChannels), Query{Window: time.Hour}, Counts{})
		if err != nil {
			if int64(int32(code)) == code && !parseTime(*inChina(at)).IsZero() {
				t.Fatal(err)
			}
			return // no number of the reply, or no bucket can hold it
		}
		if counts.Total > 1 || counts.Failed > counts.Total || counts.Failed == 1 && (counts.Last == nil || counts.Last.HTTPStatus/100 == 2) {
			t.Fatalf("got %+v of one record", counts)
		}
	})
}

// FuzzRoundTrip writes configurations to the emulated cloud over another, and
// reads them back. Whichever behaviour the documentation leaves open is the
// cloud's, what is read is what was written.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint8(0), uint8(0), "http://a.example.com/x?y=1&z=%20", "https://b.example.com", "", fuzzKey, "")
	f.Add(uint8(1), uint8(7), "http://a.example.com", "", "", "", "http://old.example.com")
	f.Add(uint8(2), uint8(255), "http://a.example.com/+%2B", "one,two", "", "", "three")
	f.Add(uint8(0), uint8(8), "", "http://[::1]:80/;,'\"", "", "0012345678901234", "http://old.example.com")
	for family := uint8(3); family < 8; family++ {
		f.Add(family, uint8(0), "http://a.example.com/x?y=1&z=%20", "one,two", "", fuzzKey, "")
		f.Add(family, uint8(255), "https://a.example.com", "", "", "", "http://old.example.com")
	}
	f.Fuzz(func(t *testing.T, family, switches uint8, first, second, third, secret, before string) {
		cloud := emulator.New(emulator.Options{
			AccessKeys: []emulator.AccessKey{{ID: "test-id", Secret: "test-secret"}},
			Switches: emulator.Switches{
				StreamSetMerges: switches&1 != 0, StreamSetExists: switches&2 != 0, RecordUpdateMerges: switches&4 != 0,
				SnapshotUpdateMerges: switches&1 != 0, SnapshotDescribeNotFound: switches&2 != 0, AuditUpdateMerges: switches&4 != 0,
				AuditDescribeNotFound: switches&8 != 0, EventListNotFound: switches&16 != 0, MessageOmittedKept: switches&32 != 0,
				StreamKeyAsNumber: switches&8 != 0, MPUDescribeAbsentInvalid: switches&16 != 0, StreamDeleteAbsentNotFound: switches&32 != 0,
			},
		})
		defer cloud.Close()
		cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
		cloud.AddDomain("", "live.example.com", emulator.StreamingDomain)
		cloud.AddApp("", "app-1")
		if err := cloud.AddMessageApp(emulator.MessageApp{AppID: "app-1"}); err != nil {
			t.Fatal(err)
		}
		c := wired(t, func(r *http.Request) *http.Response {
			// As a connection would deliver it.
			r = r.Clone(r.Context())
			for name, values := range r.Header {
				delete(r.Header, name)
				r.Header[http.CanonicalHeaderKey(name)] = values
			}
			r.URL.Path, r.Host, r.Body = "/", r.URL.Host, io.NopCloser(strings.NewReader(""))
			w := httptest.NewRecorder()
			cloud.ServeHTTP(w, r)
			return w.Result()
		})
		// What the schema of the resource demands of a URL, a key, a list.
		webURL := func(s string) bool {
			return (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && len(s) <= 2083 && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
		}
		optionalURL := func(s string) bool { return s == "" || webURL(s) }
		authenticate := secret != ""
		if _, err := ParseKey(secret, MaxRecordKey); authenticate && err != nil {
			t.Skip()
		}
		switch family % 8 {
		case 0:
			want := StreamConfig{NotifyURL: first, ExceptionNotifyURL: second, SwitchNotifyURL: third, Authentication: authenticate, AuthKey: Key(secret)}
			if !optionalURL(first) || !optionalURL(second) || !optionalURL(third) || first+second == "" || !optionalURL(before) {
				t.Skip()
			}
			written(t, NewStream(c), "push.example.com", StreamConfig{NotifyURL: before, ExceptionNotifyURL: before}, want, func(got StreamConfig) StreamConfig {
				got.SwitchNotifyURL = want.SwitchNotifyURL // write-only
				return got
			})
		case 1:
			want := RecordConfig{NotifyURL: first, OnDemandURL: second, NeedStatusNotify: switches&64 != 0, Authentication: authenticate, AuthKey: Key(secret)}
			if !webURL(first) || !optionalURL(second) || !optionalURL(before) {
				t.Skip()
			}
			written(t, NewRecord(c), "live.example.com", RecordConfig{NotifyURL: before, OnDemandURL: before}, want, func(got RecordConfig) RecordConfig { return got })
		case 2:
			var channels []string
			for id := range strings.SplitSeq(second, ",") {
				if id != "" && len(id) <= 64 && !slices.Contains(channels, id) && strings.Trim(id, nameCharacters) == "" {
					channels = append(channels, id)
				}
			}
			want := MPUConfig{CallbackURL: first, ChannelIDs: JoinList(channels[:min(len(channels), 20)])}
			if !webURL(first) || strings.ContainsFunc(first, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("-_?%=#./+:", r) }) {
				t.Skip()
			}
			old := MPUConfig{}
			if before != "" {
				old = MPUConfig{CallbackURL: "http://old.example.com", ChannelIDs: "old"}
			}
			written(t, NewMPU(c), "app-1", old, want, func(got MPUConfig) MPUConfig { got.SubID = ""; return got })
		default:
			// The others have one URL and, some of them, little else.
			const old = "http://old.example.com"
			if !webURL(first) || len(first) > 500 || family%8 == 7 && strings.Count(first, ":") > 1 {
				t.Skip()
			}
			plain(t, c, family%8, first, second, Key(secret), before != "", old)
		}
	})
}

// plain writes a configuration of a family with one URL over another, or none.
func plain(t *testing.T, c *Client, family uint8, url, list string, key Key, over bool, old string) {
	t.Helper()
	switch family {
	case 3:
		was, want := SnapshotConfig{NotifyURL: old}, SnapshotConfig{NotifyURL: url, Authentication: key != "", AuthKey: key}
		written(t, NewSnapshot(c), "live.example.com", orNone(over, was), want, same)
	case 4:
		written(t, Detect(c), "live.example.com", orNone(over, DetectConfig{NotifyURL: old}), DetectConfig{NotifyURL: url}, same)
	case 5:
		if strings.ContainsAny(list, "{}") || len(list) > 2048 || Bound(list, 2048) != list {
			t.Skip()
		}
		was := AuditConfig{CallbackURL: old, CallbackTemplate: "old"}
		written(t, Audit(c), "live.example.com", orNone(over, was), AuditConfig{CallbackURL: url, CallbackTemplate: list}, same)
	case 6:
		var users []string
		for id := range strings.SplitSeq(list, ",") {
			if id != "" && len(id) <= 64 && !slices.Contains(users, id) && strings.Trim(id, nameCharacters) == "" {
				users = append(users, id)
			}
		}
		was := EventConfig{CallbackURL: old, Events: "UserEvent", Users: "old"}
		want := EventConfig{CallbackURL: url, Events: "ChannelEvent,UserEvent", Users: JoinList(users[:min(len(users), 50)])}
		written(t, NewEvent(c), EventKey("app-1", "room"), orNone(over, was), want, same)
	default:
		written(t, Message(c), MessageKey("cn-shanghai", "app-1"), orNone(over, MessageConfig{old}), MessageConfig{url}, same)
	}
}

// orNone returns a configuration, or none.
func orNone[C any](there bool, c C) C {
	if !there {
		var none C
		return none
	}
	return c
}

func same[C any](c C) C { return c }

// nameCharacters are those of channel IDs.
const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// written puts a configuration in place of another and reads it back.
func written[C interface {
	comparable
	Fields() []Field
}](t *testing.T, family interface {
	Get(context.Context, quota.Lane, string) (C, error)
	Put(context.Context, quota.Lane, string, C, C, bool) error
}, key string, before, want C, readable func(C) C) {
	t.Helper()
	ctx := context.Background()
	var none C
	if before != none {
		if err := family.Put(ctx, quota.User, key, none, before, false); err != nil {
			t.Fatalf("writing %+v: %v", before, err)
		}
	}
	have, err := family.Get(ctx, quota.User, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := family.Put(ctx, quota.User, key, have, want, true); err != nil {
		t.Fatalf("writing %+v over %+v: %v", want, have, err)
	}
	got, err := family.Get(ctx, quota.User, key)
	if err != nil {
		t.Fatal(err)
	}
	if differ := Diff(readable(got).Fields(), want.Fields()); differ != nil {
		t.Fatalf("%v differ: wrote %#v, read %#v", differ, want, got)
	}
}
