// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const nowhere = "http://127.0.0.1:1/"

// newFuzzed returns an emulator whose clock stands still.
func newFuzzed(t *testing.T) *Server {
	t.Helper()
	now := newClock()
	s := New(Options{AccessKeys: []AccessKey{{ID: keyID, Secret: keySecret}}, Now: now.now})
	t.Cleanup(s.Close)
	s.AddDomain("", push, IngestDomain)
	s.AddDomain("", play, StreamingDomain)
	s.AddApp("", appID)
	// Should anything be delivered, nobody is there.
	s.SetStreamConfig(push, StreamConfig{NotifyURL: nowhere, Auth: true, AuthKey: authKey})
	s.SetMPUSub(appID, MPUSub{SubID: "Sub-1", CallbackURL: nowhere, CreateTime: now.now()})
	return s
}

// serve answers a request without a network, and checks that the answer is one
// of the API.
func serve(t *testing.T, s *Server, r *http.Request) (status int, body map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	if id, _ := body["RequestId"].(string); id == "" {
		t.Fatalf("no request ID in %q", w.Body)
	}
	if w.Code >= 500 {
		t.Fatalf("HTTP %d: %s", w.Code, w.Body)
	}
	delete(body, "RequestId")
	return w.Code, body
}

// actions are those of the API, in a fixed order.
func actions() []string {
	var names []string
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// FuzzParameters calls operations with anything as parameters, signed as it
// should be. The emulator survives, and says the same to the same.
func FuzzParameters(f *testing.F) {
	for i := range actions() {
		f.Add(uint8(i), "DomainName="+push+"&NotifyUrl=http%3A%2F%2Fa.example.com&NotifyAuthKey="+authKey+"&NotifyReqAuth=yes", "")
		f.Add(uint8(i), "DomainName="+play+"&NotifyUrl=http%3A%2F%2Fa.example.com&NeedStatusNotify=true&StartTime=2026-01-02T02:00:00Z&EndTime=2026-01-02T03:00:00Z&PageSize=10&PageNumber=1", "")
		f.Add(uint8(i), "AppId="+appID+"&CallbackUrl=http%3A%2F%2Fa.example.com&ChannelIds=a,b&StartTime=2026-01-02T02:00:00Z&EndTime=2026-01-02T03:00:00Z&PageSize=1&PageNo=1", "")
		f.Add(uint8(i), "RoleArn=acs:ram::"+defaultID+":role/r&RoleSessionName=me&DurationSeconds=900&ExternalId=e1&Policy=%7B%7D&"+
			"OIDCProviderArn=acs:ram::"+defaultID+":oidc-provider/p&OIDCToken="+jwt(map[string]any{"aud": "a", "exp": 1e12}), "")
		f.Add(uint8(i), "DomainName=%zz&;", "PageSize=99999999999999999999&Status=failed&PageNumber=-1")
	}
	f.Fuzz(func(t *testing.T, action uint8, query, form string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Skip()
		}
		names := actions()
		var statuses []int
		var codes []any
		for range 2 {
			s := newFuzzed(t)
			c := &cloud{Server: s, t: t, host: "example.com", now: s.now, key: AccessKey{ID: keyID, Secret: keySecret}}
			name := names[int(action)%len(names)]
			verbs := operations[name].verbs
			r := c.signed(verbs[len(verbs)-1], name, values, form)
			status, body := serve(t, s, r)
			statuses, codes = append(statuses, status), append(codes, body["Code"])
			if status >= 400 && body["Code"] == "" {
				t.Fatalf("HTTP %d without a code", status)
			}
			if code := body["Code"]; code == "SignatureDoesNotMatch" || code == "IncompleteSignature" {
				t.Fatalf("a signature is refused that is right: %v", body)
			}
		}
		if statuses[0] != statuses[1] || codes[0] != codes[1] {
			t.Fatalf("once %d %v, once %d %v", statuses[0], codes[0], statuses[1], codes[1])
		}
	})
}

// FuzzGateway sends requests that anybody may send. Without a signature nothing
// is done, whatever they hold.
func FuzzGateway(f *testing.F) {
	f.Add("POST", "/", "DomainName="+push, "DeleteLiveStreamsNotifyUrlConfig", "ACS3-HMAC-SHA256 Credential=test-id,SignedHeaders=host;x-acs-date,Signature=0", "2026-01-02T03:04:05Z", "")
	f.Add("GET", "/", "Action=DescribeLiveStreamsNotifyUrlConfig", "", "", "", "")
	f.Add("POST", "/", "Action=DescribeLiveStreamsNotifyUrlConfig&Format=JSON&AccessKeyId=test-id&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"+
		"&Timestamp=2026-01-02T03:04:05Z&SignatureNonce=n&Signature=x&DomainName="+push, "", "", "", "")
	f.Add("POST", "//", "a=%", "SetLiveStreamsNotifyUrlConfig", "ACS3-HMAC-SHA256 Credential=,,=;;", "now", "a=b&c")
	f.Fuzz(func(t *testing.T, method, path, query, action, auth, date, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://example.com/", strings.NewReader(body))
		if err != nil || strings.HasPrefix(path, adminPrefix) {
			t.Skip()
		}
		r.URL.Path, r.URL.RawQuery, r.RequestURI = path, query, path
		r.Header = http.Header{
			"X-Acs-Action": {action}, "X-Acs-Version": {apiVersion}, "X-Acs-Date": {date}, "X-Acs-Signature-Nonce": {"n"},
			"Authorization": {auth}, "Content-Type": {"application/x-www-form-urlencoded"},
		}
		s := newFuzzed(t)
		if status, got := serve(t, s, r); status < 400 {
			t.Fatalf("HTTP %d %v without a signature", status, got)
		}
		if c, ok := s.StreamConfig(push); !ok || c.NotifyURL != nowhere {
			t.Fatal("a request without a signature changed something")
		}
	})
}

var manyDigits = regexp.MustCompile(`[0-9]{4}|[eE]`)

// FuzzAdmin sends the admin API anything. It refuses what it does not know.
func FuzzAdmin(f *testing.F) {
	for _, rt := range adminRoutes() {
		path := strings.NewReplacer("{family}", "stream", "{key}", push, "{name}", push, "{id}", "1").Replace(rt.path)
		f.Add(rt.method, path, "domain="+push, `{"domain":"`+push+`","app":"a","stream":"s","name":"n.example.com","kind":"ingest","times":-1}`)
		f.Add(rt.method, path, "", `{"appID":"`+appID+`","channelID":"c","count":2,"latency":"1h","stream":[{"time":"2026-01-01T00:00:00Z"}],"mpu":[null]}`)
		f.Add(rt.method, path, "%", `{"notifyURL":"`+nowhere+`"`)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://example.com/", strings.NewReader(body))
		if err != nil || len(body) > 1000 || path == "mpu-events" && manyDigits.MatchString(body) {
			t.Skip() // who asks for a billion events has to wait for them
		}
		r.URL.Path, r.URL.RawQuery = adminPrefix+"/"+path, query
		r.RequestURI = r.URL.Path
		s := newFuzzed(t)
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() { defer close(done); s.ServeHTTP(w, r) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatalf("no answer to %s %s %s", method, path, body)
		}
		if w.Code >= 500 {
			t.Fatalf("HTTP %d: %s", w.Code, w.Body)
		}
	})
}
