// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package leaders

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/controlplane"
	"github.com/live-notify/live-notify-operator/test/programs"
)

const (
	root = "../.."
	// objects is how many each test has, so that what one of them meets by luck
	// is met.
	objects = 20
	// patience is for machines that are busy: nothing is measured by it.
	patience = 5 * time.Minute
)

var (
	api        client.Client
	kubeconfig string // a file
	operator   string // the program
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "leaders")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // of a temporary directory nothing depends on
	kubeconfig = filepath.Join(dir, "kubeconfig")
	if operator, err = programs.Operator(context.Background(), root, dir); err != nil {
		return fail(err)
	}
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		return fail(err)
	}
	env := &envtest.Environment{
		CRDDirectoryPaths: []string{root + "/config/crd/bases"}, ErrorIfCRDPathMissing: true, BinaryAssetsDirectory: assets,
	}
	config, err := env.Start()
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		}
	}()
	if err := os.WriteFile(kubeconfig, env.KubeConfig, 0o600); err != nil {
		return fail(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fail(err)
		}
	}
	config.QPS = -1
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return fail(err)
	}
	return m.Run()
}

// world is a namespace and a cloud, for replicas to take turns in.
type world struct {
	*testing.T
	namespace string // of the lease
	objects   string // their namespace; that of the lease if empty
	cloud     *emulator.Server
}

var worlds atomic.Int64

func newWorld(t *testing.T) *world {
	w := &world{T: t, namespace: fmt.Sprint("leaders-", worlds.Add(1))}
	w.cloud = emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{{ID: "id", Secret: "secret"}}})
	t.Cleanup(w.cloud.Close)
	w.must(api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}))
	for i := range objects {
		w.cloud.AddDomain("", w.domain(i), emulator.IngestDomain)
	}
	return w
}

// domain returns one of the world's domains. A domain belongs to one object in the
// whole cluster, so each world has its own.
func (w *world) domain(i int) string { return fmt.Sprintf("push-%d.%s.example.com", i, w.namespace) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) eventually(what string, done func() bool) time.Duration {
	w.Helper()
	start := time.Now()
	for !done() {
		if time.Since(start) > patience {
			w.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

// replica is a process of the operator with a door of its own to the cloud, so
// that its writes are known from another's.
type replica struct {
	*world
	cmd   *exec.Cmd
	ended chan struct{}
	log   *journal

	mu     sync.Mutex
	writes map[string]int // by domain
	shut   bool           // writes fail at the door
	last   time.Time      // when someone was at the door
}

type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func (w *world) start(flags ...string) *replica {
	w.Helper()
	return w.startBehind(func(cloud http.Handler) http.Handler { return cloud }, flags...)
}

// startBehind starts a replica whose door opens behind another one.
func (w *world) startBehind(outer func(http.Handler) http.Handler, flags ...string) *replica {
	w.Helper()
	r := &replica{world: w, ended: make(chan struct{}), log: &journal{}, writes: map[string]int{}}
	door := httptest.NewServer(outer(r))
	w.Cleanup(door.Close)
	r.cmd = exec.CommandContext(context.WithoutCancel(w.Context()), operator, append([]string{
		"--leader-elect", "--leader-elect-namespace=" + w.namespace, "--watch-namespaces=" + cmp.Or(w.objects, w.namespace),
		"--metrics-bind-address=0", "--health-probe-bind-address=0", "--quota-share-percent=10000", "--endpoint=" + door.URL,
	}, flags...)...)
	r.cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "ALIBABA_CLOUD_ACCESS_KEY_ID=id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret")
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	w.must(r.cmd.Start())
	go func() { _ = r.cmd.Wait(); close(r.ended) }()
	w.Cleanup(func() {
		_ = r.cmd.Process.Kill() // also one that is frozen
		<-r.ended
		if w.Failed() {
			w.Logf("process %d:\n%s", r.cmd.Process.Pid, r.log.text())
		}
	})
	return r
}

// ServeHTTP is the door.
func (r *replica) ServeHTTP(reply http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.last = time.Now()
	r.mu.Unlock()
	if strings.HasPrefix(request.Header.Get("x-acs-action"), "Set") {
		r.mu.Lock()
		shut := r.shut
		r.mu.Unlock()
		if shut {
			reply.WriteHeader(http.StatusServiceUnavailable)
			_, _ = reply.Write([]byte(`{"RequestId":"R","Code":"ServiceUnavailable","Message":"busy"}`))
			return
		}
		r.mu.Lock()
		r.writes[request.URL.Query().Get("DomainName")]++
		r.mu.Unlock()
	}
	r.cloud.ServeHTTP(reply, request)
}

func (r *replica) signal(s os.Signal) {
	r.Helper()
	r.must(r.cmd.Process.Signal(s))
}

func (r *replica) setShut(shut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut = shut
}

// rests tells whether no pass is on its way. One that has looked at its object for
// the last time would write when it wakes, whatever happened meanwhile: the cloud
// has no conditional writes.
func (r *replica) rests() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.last) > 500*time.Millisecond
}

// written returns how often each domain was written, and forgets it.
func (r *replica) written() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.writes
	r.writes = map[string]int{}
	return w
}

// leader returns who holds the lease; "" for nobody.
func (w *world) leader() string {
	var leases coordinationv1.LeaseList
	w.must(api.List(w.Context(), &leases, client.InNamespace(w.namespace)))
	if len(leases.Items) == 0 || leases.Items[0].Spec.HolderIdentity == nil {
		return ""
	}
	return *leases.Items[0].Spec.HolderIdentity
}

// succeeded waits until another than this one leads, and returns how long that
// took.
func (w *world) succeeded(old string) time.Duration {
	w.Helper()
	return w.eventually("another leads", func() bool { l := w.leader(); return l != "" && l != old })
}

// pair returns two replicas, of which the first leads, and what it is called. The flags
// are the second's.
func (w *world) pair(flags ...string) (first, second *replica, leader string) {
	w.Helper()
	first = w.start()
	w.eventually("the first leads", func() bool { leader = w.leader(); return leader != "" })
	return first, w.start(flags...), leader
}

// queued returns how many objects wait for a pass in the replica that shows its metrics
// at an address.
func (w *world) queued(address string) (n float64) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	w.must(err)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0 // it is about to start
	}
	defer reply.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(reply.Body)
	w.must(err)
	for _, series := range families["workqueue_depth"].GetMetric() {
		for _, label := range series.GetLabel() {
			if label.GetName() == "name" && label.GetValue() == "LiveNotifyConfig" {
				n += series.GetGauge().GetValue()
			}
		}
	}
	return n
}

// freeAddress returns an address of loopback at which nothing listened a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l := httptest.NewUnstartedServer(nil).Listener
	defer l.Close()
	return l.Addr().String()
}

func url(version string) string { return "http://hooks.example.com/" + version }

func (w *world) create(version string) {
	w.Helper()
	for i := range objects {
		o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprint("o-", i)}}
		o.Spec.DomainName, o.Spec.NotifyURL = w.domain(i), url(version)
		w.must(api.Create(w.Context(), o))
	}
}

func (w *world) edit(version string) {
	w.Helper()
	for i := range objects {
		o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprint("o-", i)}}
		w.must(api.Patch(w.Context(), o, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"notifyURL":"`+url(version)+`"}}`))))
	}
}

// holds tells whether the cloud has a version of everything.
func (w *world) holds(version string) bool {
	for i := range objects {
		if c, _ := w.cloud.StreamConfig(w.domain(i)); c.NotifyURL != url(version) {
			return false
		}
	}
	return true
}

// settled tells whether every object says that its spec is in the cloud.
func (w *world) settled() bool {
	var list v1alpha1.LiveNotifyConfigList
	w.must(api.List(w.Context(), &list, client.InNamespace(w.namespace)))
	for _, o := range list.Items {
		if ready := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != o.Generation {
			return false
		}
	}
	return len(list.Items) == objects
}

// once fails the test unless each domain was written once.
func (r *replica) once() {
	r.Helper()
	written := r.written()
	for i := range objects {
		if n := written[r.domain(i)]; n != 1 {
			r.Errorf("%s was written %d times, want once", r.domain(i), n)
		}
	}
}

// never fails the test if anything was written.
func (r *replica) never() {
	r.Helper()
	if written := r.written(); len(written) > 0 {
		r.Errorf("written: %v, want nothing", written)
	}
}

// A leader that is frozen past its lease does not know, when it wakes, that
// another has led since. It wakes with writes that are overdue.
func TestFrozenLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, leader := w.pair()
	first.setShut(true)
	w.create("one")
	w.eventually("the writes of the first fail", func() bool {
		var list v1alpha1.LiveNotifyConfigList
		w.must(api.List(t.Context(), &list, client.InNamespace(w.namespace)))
		n := 0
		for _, o := range list.Items {
			if c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady); c != nil && c.Reason == v1alpha1.ReasonCloudUnavailable {
				n++
			}
		}
		return n == objects
	})
	w.eventually("the first waits for the next try", first.rests)
	first.signal(syscall.SIGSTOP)
	took := w.succeeded(leader)
	t.Logf("frozen: another led after %s", took)
	w.eventually("the second writes", func() bool { return w.holds("one") && w.settled() })
	second.once()
	w.edit("two")
	w.eventually("the second writes the edit", func() bool { return w.holds("two") && w.settled() })
	second.once()

	first.setShut(false)
	first.signal(syscall.SIGCONT)
	select {
	case <-first.ended:
	case <-time.After(patience):
		t.Error("the old leader goes on")
	}
	first.never()
	second.never()
	if !w.holds("two") {
		t.Error("the old leader undid the new one's work")
	}
	if !w.settled() {
		t.Error("the old leader's status is over the new one's")
	}
	if now := w.leader(); now == leader {
		t.Error("the old leader leads again")
	}
}

// A leader that is killed is followed when its lease has run out.
func TestKilledLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, leader := w.pair()
	w.create("one")
	w.eventually("the first writes", func() bool { return w.holds("one") && w.settled() })
	first.once()
	first.signal(syscall.SIGKILL)
	<-first.ended
	w.edit("two")
	t.Logf("killed: another led after %s", w.succeeded(leader))
	w.eventually("the second writes", func() bool { return w.holds("two") && w.settled() })
	second.once()
}

// A leader that is told to end gives its lease back, to a standby that has queued what
// a leader has to look at.
func TestEndedLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := freeAddress(t)
	first, second, leader := w.pair("--metrics-bind-address="+address, "--metrics-secure=false")
	w.create("one")
	w.eventually("the first writes", func() bool { return w.holds("one") && w.settled() })
	first.once()
	w.eventually("the second has queued all", func() bool { return w.queued(address) == objects })
	second.never()
	w.edit("two")
	first.signal(syscall.SIGTERM)
	<-first.ended
	if w.leader() == leader {
		t.Error("it kept its lease")
	}
	t.Logf("ended: another led after %s", w.succeeded(leader))
	if code := first.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	w.eventually("the edit is written", func() bool { return w.holds("two") && w.settled() })
	// What the first began it may have finished; nothing is written by both.
	written := first.written()
	for domain, n := range second.written() {
		written[domain] += n
	}
	for domain, n := range written {
		if n != 1 {
			t.Errorf("%s was written %d times, want once", domain, n)
		}
	}
}

// One that cannot read the objects, for want of permissions, ends when it is told to.
func TestEndedBeforeItCouldRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config, err := clientcmd.LoadFromFile(kubeconfig)
	w.must(err)
	for _, user := range config.AuthInfos {
		user.Impersonate = "nobody"
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	w.must(clientcmd.WriteToFile(*config, file))
	r := w.start("--kubeconfig="+file, "--leader-elect=false")
	w.eventually("it is refused", func() bool { return strings.Contains(r.log.text(), "forbidden") })
	r.signal(syscall.SIGTERM)
	w.eventually("it ends", func() bool {
		select {
		case <-r.ended:
			return true
		default:
			return false
		}
	})
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
