// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// stored is a key that the cloud holds and that no request carries.
const stored = "Stored0123456789abcdef"

// transcript collects what a log would show.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *transcript) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = fmt.Fprintln(&l.text, prefix, args)
	}, funcr.Options{Verbosity: 10})
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// metrics renders all metrics of the package.
func metrics(t *testing.T) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, c := range live.Collectors() {
		registry.MustRegister(c)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		text.WriteString(f.String() + "\n")
	}
	return text.String()
}

// spelled is an error in every way in which one gets printed.
func spelled(t *testing.T, err error) string {
	t.Helper()
	var text strings.Builder
	chain := []any{err, fmt.Errorf("wrapped: %w", err), errors.Join(err, io.EOF), struct{ Err error }{err}, []error{err}}
	for e := err; e != nil; e = errors.Unwrap(e) {
		chain = append(chain, e)
	}
	if e, ok := errors.AsType[*live.Error](err); ok {
		chain = append(chain, *e)
	}
	for _, e := range chain {
		_, _ = fmt.Fprintf(&text, "%v\n%+v\n%#v\n%s\n%q\n", e, e, e, e, e)
		encoded, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(encoded, '\n'))
	}
	return text.String()
}

// keptSecret fails the test if a key is in a text.
func keptSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{key, otherKey, stored} {
		// In base64 the characters at both ends depend on what is around them.
		for _, told := range []string{secret, each(secret, "%%%02x"), each(secret, `\\u%04x`), each(secret, "&#%d;"), each(secret, "%02x")} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(told)) {
				t.Errorf("a key is in %s:\n%s", where, text)
			}
		}
		for before := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			if strings.Contains(text, encoded[before+1:len(encoded)-1]) {
				t.Errorf("a key is in %s, in base64:\n%s", where, text)
			}
		}
	}
}

// each spells every character by a format.
func each(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		_, _ = fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// writes are all requests that carry a key. The cloud has held a configuration
// with another key before.
var writes = map[string]func(context.Context, *live.Client) error{
	"Set": func(ctx context.Context, c *live.Client) error {
		return live.Stream{Client: c}.Put(ctx, live.LaneUser, push, live.StreamConfig{},
			live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key})
	},
	"Set over another": func(ctx context.Context, c *live.Client) error {
		return live.Stream{Client: c}.Put(ctx, live.LaneUser, push,
			live.StreamConfig{NotifyURL: hook, ExceptionNotifyURL: hook, Authentication: true, AuthKey: otherKey},
			live.StreamConfig{NotifyURL: hook, Authentication: true, AuthKey: key})
	},
	"Add": func(ctx context.Context, c *live.Client) error {
		return live.Record{Client: c}.Put(ctx, live.LaneUser, play, live.RecordConfig{},
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key})
	},
	"Update": func(ctx context.Context, c *live.Client) error {
		return live.Record{Client: c}.Put(ctx, live.LaneUser, play,
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: otherKey},
			live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key})
	},
}

// indiscreet are servers that make a client tell what it knows.
var indiscreet = map[string]http.HandlerFunc{
	"an error that echoes the key": echo(func(r *http.Request) string {
		return "The value " + r.URL.Query().Get("NotifyAuthKey") + " is not allowed."
	}),
	"an error that echoes the key in lower case": echo(func(r *http.Request) string {
		return "authkey=" + strings.ToLower(r.URL.Query().Get("NotifyAuthKey"))
	}),
	"an error that echoes the key percent-encoded": echo(func(r *http.Request) string { return each(r.URL.Query().Get("NotifyAuthKey"), "%%%02x") }),
	"an error that echoes the key with escapes":    echo(func(r *http.Request) string { return each(r.URL.Query().Get("NotifyAuthKey"), `\\u%04x`) }),
	"an error that echoes the key with references": echo(func(r *http.Request) string { return each(r.URL.Query().Get("NotifyAuthKey"), "&#%d;") }),
	"an error that echoes the key in hex":          echo(func(r *http.Request) string { return each(r.URL.Query().Get("NotifyAuthKey"), "%02x") }),
	"an error that echoes the query in base64": echo(func(r *http.Request) string {
		return base64.StdEncoding.EncodeToString([]byte(r.URL.RawQuery))
	}),
	"an error that has its request ID within the key": func(w http.ResponseWriter, r *http.Request) {
		k := r.URL.Query().Get("NotifyAuthKey")
		reply(w, 400, "InvalidParam", "the key "+k[:5]+"REQ-1"+k[5:], "REQ-1")
	},
	"an error that echoes the query":      echo(func(r *http.Request) string { return r.URL.RawQuery }),
	"an error that echoes the query late": echo(func(r *http.Request) string { return strings.Repeat("x ", 120) + r.URL.RawQuery }),
	"an error that echoes the URL":        echo(func(r *http.Request) string { return r.Method + " https://" + r.Host + r.URL.String() }),
	"an error that echoes the query encoded": echo(func(r *http.Request) string {
		return "POST&%2F&" + url.QueryEscape(r.URL.RawQuery)
	}),
	"an error that echoes the query encoded twice": echo(func(r *http.Request) string {
		return url.QueryEscape(url.QueryEscape(r.URL.RawQuery))
	}),
	"an error with a code of control characters": func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, "\x1b\x7f", "m", "R") },
	"an error with the key as its code": func(w http.ResponseWriter, r *http.Request) {
		reply(w, 400, r.URL.Query().Get("NotifyAuthKey"), "m", "R")
	},
	"an error with the key as its request ID": func(w http.ResponseWriter, r *http.Request) {
		reply(w, 400, "InvalidParam", "m", r.URL.Query().Get("NotifyAuthKey"))
	},
	"a success with the key as its request ID": func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"RequestId": r.URL.Query().Get("NotifyAuthKey")})
	},
	"SignatureDoesNotMatch": func(w http.ResponseWriter, r *http.Request) {
		reply(w, 400, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:POST&%2F&"+url.QueryEscape(r.URL.RawQuery), "R")
	},
	"another signature error": func(w http.ResponseWriter, r *http.Request) {
		reply(w, 400, "IncompleteSignature", "server CanonicalRequest is:POST\n/\n"+r.URL.RawQuery+"\n", "R")
	},
	"an error that echoes what the cloud holds": echo(func(*http.Request) string {
		return `{"NotifyUrl":"` + hook + `","NotifyAuthKey":"` + stored + `"} cannot be replaced`
	}),
	"an error that echoes what the cloud holds, quoted": echo(func(*http.Request) string {
		return `{\"NotifyUrl\":\"` + hook + `\",\"NotifyAuthKey\" : \"` + stored + `\"}`
	}),
	"an error that echoes what the cloud holds, as XML":     echo(func(*http.Request) string { return "<NotifyAuthKey>" + stored + "</NotifyAuthKey>" }),
	"an error that echoes what the cloud holds, encoded":    echo(func(*http.Request) string { return url.QueryEscape(`{"NotifyAuthKey":"` + stored + `"}`) }),
	"an error that echoes what the cloud holds, as Go does": echo(func(*http.Request) string { return "{NotifyUrl:u AuthKey:" + stored + "}" }),
	"an HTML page with the query": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = fmt.Fprintf(w, "<html>%s</html>", r.URL)
	},
	"a plain page with the query": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.String()) },
	"a redirect that keeps the query": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	},
	"a redirect that cannot be read": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://[::1?"+r.URL.RawQuery)
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
	"a status line with the query": func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", r.URL.RawQuery)
		_ = conn.Close()
	},
	"a header with the query": func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", r.URL.RawQuery)
		_ = conn.Close()
	},
	"a configuration of the wrong type": body(200, `{"RequestId":"R","LiveStreamsNotifyConfig":["`+stored+`"],"LiveRecordNotifyConfig":"`+stored+`"}`),
	"a field of the wrong type":         body(200, `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyAuthKey":["`+stored+`"]},"LiveRecordNotifyConfig":{"NotifyAuthKey":["`+stored+`"]}}`),
	"a flag that is the key":            body(200, `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyUrl":["`+stored+`"]},"LiveRecordNotifyConfig":{"NeedStatusNotify":"`+stored+`"}}`),
	"a body that is cut short":          body(200, `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyAuthKey":"`+stored),
	"what the cloud holds":              body(200, `{"RequestId":"R","LiveStreamsNotifyConfig":{"NotifyUrl":"u","NotifyReqAuth":"yes","NotifyAuthKey":"`+stored+`"},"LiveRecordNotifyConfig":{"NotifyUrl":"u","NotifyReqAuth":true,"NotifyAuthKey":"`+stored+`"}}`),
	"no reply in time":                  hang,
	"no end of the body":                hangInBody,
}

func echo(message func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusBadRequest, "InvalidParam", message(r), "R")
	}
}

func reply(w http.ResponseWriter, status int, code, message, requestID string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"RequestId": requestID, "HostId": "h", "Code": code, "Message": message})
}

// Whatever the other side does, no key gets out: into an error, a log or a
// metric.
func TestKeyIsNotTold(t *testing.T) {
	t.Parallel()
	servers := map[string]string{} // endpoint by what it does
	for name, answer := range indiscreet {
		servers[name] = serve(t, answer)
	}
	for name, tc := range connections {
		servers["connection "+name] = serve(t, tc.serve)
	}
	for name, answer := range unreadable {
		servers["reply "+name] = serve(t, answer)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	servers["nobody listens"] = gone.URL
	servers["https to http"] = strings.Replace(serve(t, hang), "http://", "https://", 1)
	servers["no such host"] = "https://live.invalid"
	servers["no such port"] = "http://127.0.0.1:99999"

	log := &transcript{}
	for name, endpoint := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := logr.NewContext(t.Context(), log.logger())
			c, err := tryClient(endpoint)
			if err != nil {
				keptSecret(t, "the error of NewClient", spelled(t, err))
				return
			}
			attempt := func(operation string, do func(context.Context, *live.Client) error) {
				patience := 50 * time.Millisecond
				if strings.HasPrefix(name, "an error") {
					patience = 10 * time.Second
				}
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				if err := do(ctx, c); err != nil {
					keptSecret(t, "the error of "+operation, spelled(t, err))
				}
			}
			for operation, write := range writes {
				attempt(operation, write)
			}
			for operation, read := range reads {
				attempt(operation, func(ctx context.Context, c *live.Client) error {
					_, err := read(ctx, c)
					return err
				})
			}
		})
	}
	t.Cleanup(func() {
		keptSecret(t, "the log", log.String())
		keptSecret(t, "the metrics", metrics(t))
	})
}

func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

func tryClient(endpoint string) (*live.Client, error) {
	own, err := live.OwnCredentials()
	if err != nil {
		return nil, err
	}
	return live.NewClient(live.Options{Endpoint: endpoint, Credentials: own})
}

// The connection is dropped at every point of a write against a cloud that
// works otherwise: nothing but the cloud knows the key.
func TestKeyIsNotToldByFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"dropped":    {Drop: true},
		"reply lost": {LoseReply: true},
		"malformed":  {Body: "{\"NotifyAuthKey\":\"" + stored},
		"too late":   {Latency: time.Second},
		"exists":     {Code: "ConfigAlreadyExists", Message: "Config has already exist."},
		"none":       {Action: "None"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Switches{})
			c.SetStreamConfig(push, emulator.StreamConfig{NotifyURL: hook, Auth: true, AuthKey: otherKey})
			c.SetRecordConfig(play, emulator.RecordConfig{NotifyURL: hook, Auth: true, AuthKey: otherKey})
			c.Inject(fault)
			log := &transcript{}
			for operation, write := range writes {
				ctx, cancel := context.WithTimeout(logr.NewContext(t.Context(), log.logger()), 200*time.Millisecond)
				if err := write(ctx, c.client); err != nil {
					keptSecret(t, "the error of "+operation, spelled(t, err))
				}
				cancel()
			}
			keptSecret(t, "the log", log.String())
			keptSecret(t, "the metrics", metrics(t))
		})
	}
}

// The message stays useful: only the key is cut out of it.
func TestRedactionSparesTheRest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ message, want string }{
		"a rule about the key":  {"NotifyAuthKey must be 16 to 64 letters or digits.", "NotifyAuthKey must be 16 to 64 letters or digits."},
		"the key in a sentence": {"The key " + key + " is too weak.", "The key (hidden) is too weak."},
		"a query":               {"DomainName=a.example.com&NotifyAuthKey=" + key + "&NotifyUrl=u", "DomainName=a.example.com&NotifyAuthKey=(hidden)&NotifyUrl=u"},
		"a stored key":          {`"NotifyAuthKey": "` + stored + `", "NotifyUrl": "u"`, `"NotifyAuthKey": "(hidden)", "NotifyUrl": "u"`},
		"a key of a sibling":    {"CallbackAuthKey=" + stored, "CallbackAuthKey=(hidden)"},
		"a string to sign":      {"NotifyAuthKey%253D" + stored + "%2526NotifyUrl%253Du", "NotifyAuthKey%253D(hidden)%2526NotifyUrl%253Du"},
		"an empty key":          {"NotifyAuthKey=&NotifyUrl=u", "NotifyAuthKey=&NotifyUrl=u"},
		"an encoded empty key":  {"NotifyAuthKey%3D%26NotifyUrl%3Du", "NotifyAuthKey%3D%26NotifyUrl%3Du"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := against(t, echo(func(*http.Request) string { return tc.message }))
			err := writes["Set"](t.Context(), c)
			e, ok := errors.AsType[*live.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			check(t, "message", e.Message, tc.want)
		})
	}
}

// The log has one line for each write that succeeded, for the vendor's support.
func TestLog(t *testing.T) {
	t.Parallel()
	c := newCloud(t, emulator.Switches{})
	log := &transcript{}
	ctx := logr.NewContext(t.Context(), log.logger())
	recordings := live.Record{Client: c.client}
	config := live.RecordConfig{NotifyURL: hook, Authentication: true, AuthKey: key}
	if err := recordings.Put(ctx, live.LaneUser, play, live.RecordConfig{}, config); err != nil {
		t.Fatal(err)
	}
	if _, err := recordings.Get(ctx, live.LaneSync, play); err != nil {
		t.Fatal(err)
	}
	if err := recordings.Put(ctx, live.LaneUser, play, live.RecordConfig{}, config); err == nil {
		t.Fatal("a second Add succeeded")
	}
	check(t, "log", strings.TrimSpace(log.String()),
		`"level"=0 "msg"="wrote to the cloud" "action"="AddLiveRecordNotifyConfig" "requestID"="`+c.Calls()[0].RequestID+`"`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, emulator.Options{}, live.Options{Limits: limits("metrics/test", 0.5)})
	streams := live.Stream{Client: c.client}
	_ = streams.Put(t.Context(), live.LaneUser, push, live.StreamConfig{}, live.StreamConfig{NotifyURL: hook})
	c.Inject(emulator.Fault{Code: "MadeUp.ByAnEndpoint", Times: 1})
	_ = streams.Delete(t.Context(), live.LaneUser, push)
	_, _ = streams.Get(t.Context(), live.LaneSync, push)
	text := strings.ReplaceAll(metrics(t), "  ", " ")
	for _, want := range []string{
		`name:"account" value:"metrics/test"} label:{name:"action" value:"SetLiveStreamsNotifyUrlConfig"} gauge:{value:7.5}`,
		`name:"action" value:"SetLiveStreamsNotifyUrlConfig"} label:{name:"code" value:"OK"}`,
		`name:"action" value:"DeleteLiveStreamsNotifyUrlConfig"} label:{name:"code" value:"Other"}`,
		`name:"action" value:"DescribeLiveStreamsNotifyUrlConfig"} label:{name:"lane" value:"sync"}`,
		`name:"live_notify_api_request_duration_seconds"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(text, "MadeUp") {
		t.Error("a code that is not documented has become a series")
	}
}
