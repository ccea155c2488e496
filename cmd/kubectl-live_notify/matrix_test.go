// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// cell is one call, and the exit code that it has to have.
type cell struct {
	code int
	args string // "" for those of yes
	says string
}

// columns are what each verb is tried in, with how it comes about. A verb that cannot
// come to one must say so by never, with the reason.
var columns = map[string]func(w *world, c *callOptions){
	"yes":           func(*world, *callOptions) {},
	"no":            func(w *world, c *callOptions) { w.refuse(); c.in, c.terminal = strings.NewReader("n\n"), true },
	"usage":         func(*world, *callOptions) {},
	"no cluster":    func(w *world, _ *callOptions) { withoutCluster(w.t) },
	"cluster down":  func(_ *world, c *callOptions) { c.more = []string{"--server", "https://127.0.0.1:1"} },
	"not permitted": func(w *world, _ *callOptions) { w.t.Setenv("KUBECONFIG", w.nobody()) },
	"no credentials": func(w *world, _ *callOptions) {
		w.t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
		w.t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	},
	"denied by the cloud": func(w *world, _ *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Forbidden.RAM", Status: http.StatusForbidden})
	},
	"cloud down": func(w *world, _ *callOptions) { w.url = "http://127.0.0.1:1" },
	"cloud throttling": func(w *world, _ *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Throttling.User", Times: 1, RetryAfter: 10 * time.Millisecond})
	},
	"throttled for ever": func(w *world, _ *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Throttling.User", RetryAfter: 10 * time.Millisecond})
	},
	"Ctrl-C at the start":      func(_ *world, c *callOptions) { c.interrupted = true },
	"Ctrl-C at the prompt":     func(_ *world, c *callOptions) { c.atPrompt, c.terminal = true, true },
	"Ctrl-C, API server hangs": func(w *world, c *callOptions) { c.reached = w.hangingCluster(c) },
	"Ctrl-C, cloud hangs":      func(w *world, c *callOptions) { c.reached = w.hangingCloud() },
	"Ctrl-C, throttled": func(w *world, c *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Throttling.User", RetryAfter: 10 * time.Millisecond})
		c.asleep = true
	},
	"Ctrl-C while it waits": func(w *world, c *callOptions) {
		w.failing("another")
		w.healthy(v1alpha1.ReasonInSync, metav1.ConditionTrue, time.Now().Add(-time.Hour)) // the operator is not at work
		c.asleep = true
	},
	"Ctrl-C, receiver hangs": func(w *world, c *callOptions) { c.reached = w.receiver.hangs() },
	"closed stdout":          func(_ *world, c *callOptions) { c.out = deaf{} },
	"no terminal":            func(*world, *callOptions) {},
}

// never marks a cell that a verb cannot come to, and why.
func never(why string) cell { return cell{code: -1, says: why} }

// asBefore are the cells of a verb that must end as it does in yes.
func asBefore(row map[string]cell, names ...string) map[string]cell {
	for _, name := range names {
		row[name] = cell{row["yes"].code, "", row["yes"].says}
	}
	return row
}

// stopped is what all verbs say when they are interrupted.
var stopped = cell{130, "", "Interrupted."}

// Columns of the cloud, which some verbs do not ask.
var ofCloud = []string{"no credentials", "denied by the cloud", "cloud down", "cloud throttling", "throttled for ever"}

// Why verbs cannot come to a cell.
var (
	asksNothing  = never("it asks for no confirmation: nothing is changed or sent")
	noReceiver   = never("it sends nothing to a receiver")
	noCloud      = never("it makes no call to the cloud")
	needsNothing = never("it makes no call at all")
	waitsForNone = never("it waits for no more than the answers to its calls")
)

// matrix is the exit code of every verb in every column.
var matrix = map[string]map[string]cell{
	"plan": {
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": waitsForNone,
		"yes": {0, "plan lnc/push --show-in-sync", "1 in sync"}, "no": {1, "", "ExistingConfiguration"}, "usage": {2, "plan --unmanaged=x", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 in sync"}, "throttled for ever": {3, "", "The limit of 16.7 calls a second that the account has for it is used up"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": stopped,
		"Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"import": {
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": waitsForNone,
		"yes": {0, "import", "1 imported"}, "no": {1, "import --keys-to-cluster", "Nothing was done."}, "usage": {2, "import extra", ""},
		"no cluster": {3, "import --keys-to-cluster --yes", "no cluster"}, "cluster down": {3, "import --keys-to-cluster --yes", "does not answer"},
		"not permitted": {3, "import --keys-to-cluster --yes", "Forbidden"}, "no credentials": {3, "", "AccountNotReady"},
		"denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"}, "cloud throttling": {0, "", "1 imported"},
		"throttled for ever":  {3, "", "DescribeLiveUserDomains: Throttling.User"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "import --keys-to-cluster", "Nothing was done."},
		"Ctrl-C, API server hangs": {130, "import --keys-to-cluster --yes", "0 of 1 Secret written"}, "Ctrl-C, cloud hangs": stopped,
		"Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"}, "no terminal": {2, "import --keys-to-cluster", "--yes"},
	},
	"failures": {
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": {130, "failures lnc/push -w", "Interrupted."},
		"yes": {0, "failures lnc/push", "1 of 1 shown"}, "no": {1, "failures lnc/push --fail", "1 of 1 shown"}, "usage": {2, "failures push", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 of 1 shown"}, "throttled for ever": {3, "", "DescribeLiveStreamsNotifyRecords: Throttling.User"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": stopped,
		"Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"replay": {
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": {130, "", "Run the same again to go on."},
		"yes": {0, "replay lnc/push --yes", "1 delivered"}, "no": {1, "", "1 refused"}, "usage": {2, "replay", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 delivered"}, "throttled for ever": {3, "", "The limit of 100 calls a second that the account has for it is used up"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "replay lnc/push", "Nothing was done."},
		"Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": stopped, "Ctrl-C, receiver hangs": {130, "", "Run the same again to go on."},
		"closed stdout": {3, "", "could not be written"}, "no terminal": {2, "replay lnc/push", "Nothing was done"},
	},
	"probe": asBefore(map[string]cell{
		"Ctrl-C, throttled": noCloud, "Ctrl-C while it waits": waitsForNone,
		"yes": {0, "probe lnc/push --yes", "the receiver took it"}, "no": {1, "", "HTTP status 500"}, "usage": {2, "probe --count 0 lnc/push", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "probe lnc/push", "Nothing was done."},
		"Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": noCloud, "Ctrl-C, receiver hangs": stopped,
		"closed stdout": {3, "", "could not be written"}, "no terminal": {2, "probe lnc/push", "Nothing was done"},
	}, ofCloud...),
	"conformance": asBefore(map[string]cell{
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": never("what it writes shows at once in the emulator, and it waits for nothing else"),
		"yes": {0, "conformance --ingest-domain free.example.com --read-only", "readable"},
		"no":  {1, "conformance --ingest-domain free.example.com", "Nothing was done."}, "usage": {2, "conformance", ""},
		"cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "readable"}, "throttled for ever": {3, "", "DescribeLiveStreamsNotifyUrlConfig: Throttling.User"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "conformance --ingest-domain free.example.com", "Nothing was done."},
		"Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": stopped, "Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"},
		"no terminal": {2, "conformance --ingest-domain free.example.com", "Nothing was done"},
	}, "no cluster"), // it needs none
	"check": {
		"Ctrl-C, throttled": stopped, "Ctrl-C while it waits": {130, "check --wait", "Interrupted."},
		"yes": {0, "check", "They could be loaded."}, "no": {1, "", "has expired"}, "usage": {2, "check extra", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "forbidden"},
		"no credentials": {1, "", "credentials"}, "denied by the cloud": {1, "", "the cloud answers"}, "cloud down": {3, "", "the cloud answers"},
		"cloud throttling": {0, "", ""}, "throttled for ever": {3, "", "DescribeLiveUserDomains: Throttling.User"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": stopped,
		"Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"reconcile": asBefore(map[string]cell{
		"Ctrl-C, throttled": noCloud, "Ctrl-C while it waits": {130, "reconcile lnc/push --wait", "Interrupted."},
		"yes": {0, "reconcile lnc/push", "asked to be looked at"}, "no": never("what came of it is not asked without --wait, and with it there has to be an operator"), "usage": {2, "reconcile", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": {130, "", "0 of 1 were asked to be looked at"},
		"Ctrl-C, cloud hangs": noCloud, "Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	}, ofCloud...),
	"suspend": asBefore(map[string]cell{
		"Ctrl-C, throttled": noCloud, "Ctrl-C while it waits": waitsForNone,
		"yes": {0, "suspend lnc/push --yes", "suspended"}, "no": {1, "suspend lnc/push", "Nothing was done."}, "usage": {2, "suspend", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "suspend lnc/push", "Nothing was done."},
		"Ctrl-C, API server hangs": {130, "", "0 of 1 were suspended"}, "Ctrl-C, cloud hangs": noCloud, "Ctrl-C, receiver hangs": noReceiver,
		"closed stdout": {3, "", "could not be written"}, "no terminal": {2, "suspend lnc/push", "Nothing was done"},
	}, ofCloud...),
	"resume": asBefore(map[string]cell{
		"Ctrl-C, throttled": noCloud, "Ctrl-C while it waits": waitsForNone,
		"yes": {0, "resume lnc/push --yes", "resumed"}, "no": {1, "resume lnc/push", "Nothing was done."}, "usage": {2, "resume", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": {130, "resume lnc/push", "Nothing was done."},
		"Ctrl-C, API server hangs": {130, "", "0 of 1 were resumed"}, "Ctrl-C, cloud hangs": noCloud, "Ctrl-C, receiver hangs": noReceiver,
		"closed stdout": {3, "", "could not be written"}, "no terminal": {2, "resume lnc/push", "Nothing was done"},
	}, ofCloud...),
	"status": asBefore(map[string]cell{
		"Ctrl-C, throttled": noCloud, "Ctrl-C while it waits": {130, "status -w", "Interrupted."},
		"yes": {0, "status", "1 right"}, "no": {1, "", "1 not ready"}, "usage": {2, "status extra", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"Ctrl-C at the start": stopped, "Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": stopped, "Ctrl-C, cloud hangs": noCloud,
		"Ctrl-C, receiver hangs": noReceiver, "closed stdout": {3, "status -o json", "could not be written"}, "no terminal": {0, "", ""},
	}, ofCloud...),
	"version":    local("version", "live-notify", "version extra"),
	"completion": local("completion bash", "bash completion", "completion bash extra"),
}

// local is the row of a verb that asks nobody.
func local(args, says, usage string) map[string]cell {
	row := map[string]cell{
		"yes": {0, args, says}, "no": never("it asks nobody for an answer"), "usage": {2, usage, ""}, "closed stdout": {3, args, ""},
		"Ctrl-C at the prompt": asksNothing, "Ctrl-C, API server hangs": needsNothing, "Ctrl-C, cloud hangs": needsNothing, "Ctrl-C, receiver hangs": needsNothing,
		"Ctrl-C, throttled": needsNothing, "Ctrl-C while it waits": needsNothing,
	}
	asBefore(row, ofCloud...)
	return asBefore(row, "no cluster", "cluster down", "not permitted", "Ctrl-C at the start", "no terminal")
}

// callOptions say how a call is made.
type callOptions struct {
	verb        string
	more        []string
	in          io.Reader
	terminal    bool
	interrupted bool
	atPrompt    bool
	asleep      bool            // to be interrupted when it begins to wait
	reached     <-chan struct{} // closed when to interrupt
	out         io.Writer
}

// Every verb ends with the right code in every column. A verb or a column without
// its cell fails. In the short form each verb is tried in a quarter of them, and
// interrupted in all.
func TestExitCodes(t *testing.T) {
	app := newApp("live-notify", nil, nil, nil)
	root := app.root()
	root.InitDefaultCompletionCmd("completion")
	var verbs []string
	for _, cmd := range root.Commands() {
		verbs = append(verbs, cmd.Name())
	}
	if rows := slices.Sorted(maps.Keys(matrix)); !slices.Equal(slices.Sorted(slices.Values(verbs)), rows) {
		t.Fatalf("the verbs are %q, and the rows of the table %q", verbs, rows)
	}
	for v, verb := range verbs {
		row := matrix[verb]
		for column := range row {
			if columns[column] == nil {
				t.Errorf("%s has a cell %q, and there is no such column", verb, column)
			}
		}
		for n, column := range slices.Sorted(maps.Keys(columns)) {
			arrange := columns[column]
			c, ok := row[column]
			switch {
			case !ok || c.code < 0 && c.says == "":
				t.Errorf("%s has no cell %q, and no reason", verb, column)
			case c.code < 0:
				t.Logf("%s cannot come to %q: %s", verb, column, c.says)
			case testing.Short() && (v+n)%4 != 0 && !strings.HasPrefix(column, "Ctrl-C"): // what goes on beside a call is its end
			default:
				t.Run(verb+"/"+column, func(t *testing.T) { tryCell(t, verb, row, c, arrange) })
			}
		}
	}
}

func tryCell(t *testing.T, verb string, row map[string]cell, c cell, arrange func(*world, *callOptions)) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.missed()
	w.healthy(v1alpha1.ReasonInSync, metav1.ConditionTrue, time.Now())
	o := callOptions{verb: verb, in: strings.NewReader("")}
	arrange(w, &o)
	args := c.args
	if args == "" {
		args = row["yes"].args
	}
	got := w.callBy(o, strings.Fields(args)...).want(t, c.code, c.says)
	if o.reached == nil {
		return
	}
	// What was printed until then can be read: nothing, or all of it.
	if lines := strings.SplitAfter(got.out, "\n"); lines[len(lines)-1] != "" {
		t.Errorf("the output ends in the middle of a line:\n%s", got.out)
	}
	if strings.Contains(args, "-o") || verb == "import" {
		return
	}
	w.receiver.answers(http.StatusOK)
	o = callOptions{verb: verb, in: strings.NewReader("")}
	arrange(w, &o)
	got = w.callBy(o, append(strings.Fields(args), "-o", "json")...).want(t, c.code)
	if got.out != "" && !json.Valid([]byte(got.out)) {
		t.Errorf("the output is no JSON:\n%s", got.out)
	}
}

// missed makes one callback fail, and the receiver well again.
func (w *world) missed() {
	w.t.Helper()
	w.cloud.AddDomain("", "free.example.com", emulator.IngestDomain)
	w.failing("s")
}

// failing makes the callback of a stream fail, and the receiver well again.
func (w *world) failing(stream string) {
	w.t.Helper()
	w.receiver.answers(http.StatusInternalServerError)
	if err := w.cloud.StartStream("push.example.com", "app", stream); err != nil {
		w.t.Fatal(err)
	}
	w.cloud.Wait()
	w.receiver.answers(http.StatusOK)
}

// refuse makes the answer of every verb no.
func (w *world) refuse() {
	w.receiver.answers(http.StatusInternalServerError)
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://elsewhere.example.com/", Auth: true, AuthKey: recordKey})
	w.healthy(v1alpha1.ReasonExistingConfiguration, metav1.ConditionFalse, time.Now().Add(-time.Hour))
}

// nobody returns a kubeconfig of someone who may do nothing.
func (w *world) nobody() string {
	w.t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "nobody"
	}
	path := filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// healthy makes the status of the object, and the operator's lease, as they would be.
func (w *world) healthy(reason string, ready metav1.ConditionStatus, renewed time.Time) {
	w.t.Helper()
	o := &v1alpha1.LiveNotifyConfig{}
	o.Namespace, o.Name = w.namespace, "push"
	if err := api.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		w.t.Fatal(err)
	}
	o.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, Message: "as told", LastTransitionTime: metav1.Now(),
	}}
	if err := api.Status().Update(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
	holder, seconds := "operator", int32(15)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "live-notify-operator.live.alibabacloud.com"}}
	_ = api.Delete(w.t.Context(), lease.DeepCopy()) // of before, if there is one
	lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &metav1.MicroTime{Time: renewed}}
	w.apply(lease)
}

// hang passes requests on, but for those that never have an answer.
type hang struct {
	to      http.Handler
	at      func(*http.Request) bool
	reached chan struct{}
	once    sync.Once
}

func (h *hang) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.at(r) {
		h.to.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body) // that the server sees it when the client goes away
	h.once.Do(func() { close(h.reached) })
	<-r.Context().Done()
}

func newHang(t *testing.T, to http.Handler, at func(*http.Request) bool) (url string, reached <-chan struct{}) {
	h := &hang{to: to, at: at, reached: make(chan struct{})}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL, h.reached
}

// hangingCloud makes the cloud take calls and never answer.
func (w *world) hangingCloud() (reached <-chan struct{}) {
	w.url, reached = newHang(w.t, w.cloud, func(*http.Request) bool { return true })
	return reached
}

// hangingCluster makes the API server hang in the middle: for verbs that write when
// they do, for others when they look for kinds, or read objects.
func (w *world) hangingCluster(o *callOptions) (reached <-chan struct{}) {
	writes := slices.Contains([]string{"import", "reconcile", "suspend", "resume", "check"}, o.verb)
	discovery := slices.Contains([]string{"plan", "status"}, o.verb)
	to, err := url.Parse(config.Host)
	if err != nil {
		w.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	if proxy.Transport, err = rest.TransportFor(config); err != nil {
		w.t.Fatal(err)
	}
	server, reached := newHang(w.t, proxy, func(r *http.Request) bool {
		if writes {
			return r.Method != http.MethodGet
		}
		return discovery || strings.HasPrefix(r.URL.Path, "/apis/"+v1alpha1.GroupVersion.String()+"/")
	})
	o.more = []string{"--server", server}
	return reached
}

// prompted is a terminal that tells when it has asked.
type prompted struct {
	bytes.Buffer
	asked func()
}

func (p *prompted) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	if text := p.String(); strings.HasSuffix(text, "[y/N] ") || strings.HasSuffix(text, "to go on: ") {
		p.asked()
	}
	return n, err
}

// briefly is sleep, for tests that wait for what they have in hand.
func briefly(ctx context.Context, d time.Duration) error {
	return quota.Sleep(ctx, min(d, time.Millisecond))
}

// callBy calls the program in a way of its own.
func (w *world) callBy(o callOptions, args ...string) answer {
	w.t.Helper()
	args = append(args, "--endpoint", w.url, "-n", w.namespace, "--quota-share-percent", "100000", "--cache-dir", discovered)
	w.t.Setenv("XDG_STATE_HOME", w.t.TempDir())
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	var out bytes.Buffer
	errOut := &prompted{asked: func() {}}
	if o.atPrompt {
		in, typing := io.Pipe() // nobody types
		defer typing.Close()
		o.in, errOut.asked = in, cancel
	}
	a := newApp("kubectl live-notify", o.in, &out, errOut)
	if o.out != nil {
		a.out = o.out
	}
	a.isTerminal = func(stream any) bool { return o.terminal && stream == any(a.in) }
	a.sleep = func(ctx context.Context, d time.Duration) error {
		if o.asleep {
			cancel()
		}
		return cmp.Or(ctx.Err(), briefly(ctx, d))
	}
	if o.interrupted {
		cancel()
	}
	if o.reached != nil {
		go func() {
			select {
			case <-o.reached:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	got := answer{a.run(ctx, append(args, o.more...)), out.String(), errOut.String()}
	w.searched(args, got)
	return got
}
