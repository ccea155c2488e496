// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const (
	// canary is the secret of the access key, streamKey and recordKey sign callbacks:
	// none of them may be seen anywhere.
	canary    = "CanaryAccessKeySecret0000000001"
	streamKey = "CanaryStreamKey0000000000000001"
	recordKey = "CanaryRecordKey0000000000000001"
)

var (
	api        client.Client
	config     *rest.Config
	kubeconfig string // of an administrator
	discovered string // a directory of what the API server was found to have
)

// long asks for the long form of the tests that have one, as make soak does.
var long = os.Getenv("LONG") != ""

// asProgram makes the test binary the program itself, for shells to run.
const asProgram = "LIVE_NOTIFY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	klog.SetLogger(logr.Discard())
	ctrl.SetLogger(logr.Discard())
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	if config, err = env.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = env.Stop() }()
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = v1alpha1.AddToScheme(scheme)
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "cli-")
	if err != nil {
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	user, err := env.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return 1
	}
	text, err := user.KubeConfig()
	if err != nil {
		return 1
	}
	kubeconfig, discovered = filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "cache")
	if err := os.WriteFile(kubeconfig, text, 0o600); err != nil {
		return 1
	}
	for name, value := range map[string]string{
		"KUBECONFIG": kubeconfig, "HOME": dir, "XDG_STATE_HOME": filepath.Join(dir, "state"), "KUBECACHEDIR": discovered,
		"ALIBABA_CLOUD_ACCESS_KEY_ID": "cli-test", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": canary, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
	} {
		_ = os.Setenv(name, value)
	}
	return m.Run()
}

// world is a cloud, a namespace, and a receiver.
type world struct {
	t         *testing.T
	cloud     *emulator.Server
	url       string
	namespace string
	receiver  *receiver
	anywhere  bool // no call says -n
}

func newWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	o.AccessKeys = append(o.AccessKeys, emulator.AccessKey{ID: "cli-test", Secret: canary})
	w := &world{t: t, cloud: emulator.New(o), receiver: newReceiver(t)}
	srv := httptest.NewServer(w.cloud)
	t.Cleanup(func() { srv.Close(); w.cloud.Close() })
	w.url = srv.URL
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "cli-"}}
	if err := api.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	w.namespace = ns.Name
	return w
}

// answer is what a call of the program came to.
type answer struct {
	code     int
	out, err string
}

// call calls the program.
func (w *world) call(args ...string) answer { return w.callWith(w.t.Context(), "", args...) }

func (w *world) callWith(ctx context.Context, in string, args ...string) answer {
	w.t.Helper()
	args = append(slices.Clone(args), "--endpoint", w.url, "--quota-share-percent", "100000", "--cache-dir", discovered)
	if !w.anywhere {
		args = append(args, "-n", w.namespace)
	}
	var out, errOut bytes.Buffer
	a := newApp("kubectl live-notify", strings.NewReader(in), &out, &errOut)
	code := a.run(ctx, args)
	got := answer{code, out.String(), errOut.String()}
	w.searched(args, got)
	return got
}

// searched fails if a call printed a secret.
func (w *world) searched(args []string, got answer) {
	w.t.Helper()
	for _, secret := range []string{canary, streamKey, recordKey} {
		if strings.Contains(got.out+got.err, secret) {
			w.t.Errorf("%q printed a secret:\n%s%s", args, got.out, got.err)
		}
	}
}

// want fails unless a call has a code, and says some things.
func (a answer) want(t *testing.T, code int, says ...string) answer {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", a.code, code, a.out, a.err)
	}
	for _, s := range says {
		if !strings.Contains(a.out+a.err, s) {
			t.Errorf("does not say %q\nstdout:\n%s\nstderr:\n%s", s, a.out, a.err)
		}
	}
	return a
}

// apply creates an object.
func (w *world) apply(o client.Object) {
	w.t.Helper()
	o.SetNamespace(w.namespace)
	if err := api.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
	// A domain belongs to one object in the whole cluster: the next test has it again.
	w.t.Cleanup(func() { _ = api.Delete(context.Background(), o) })
}

// file writes a file, and returns its path.
func (w *world) file(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// withoutCluster makes calls find a kubeconfig that names no cluster.
func withoutCluster(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "none")
	if err := os.WriteFile(path, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

// received is one request to a receiver.
type received struct {
	Method, URL, Body string
	Header            http.Header
}

// receiver answers with a status, and remembers.
type receiver struct {
	URL string

	mu      sync.Mutex
	status  int
	log     []received
	reached chan struct{} // of one that hangs
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.URL = srv.URL + "/hook"
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	if r.hung() {
		<-req.Context().Done()
		return
	}
	w.WriteHeader(r.take(received{req.Method, req.URL.String(), string(body), req.Header.Clone()}))
}

func (r *receiver) take(x received) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, x)
	return r.status
}

// answers makes the receiver answer with a status from now on, and forget.
func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.log, r.reached = status, nil, nil
}

// hangs makes the receiver take requests and never answer, from now on. What it
// returns is closed when there is one.
func (r *receiver) hangs() (reached <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reached = make(chan struct{})
	return r.reached
}

// hung tells whether the receiver hangs.
func (r *receiver) hung() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reached == nil {
		return false
	}
	select {
	case <-r.reached:
	default:
		close(r.reached)
	}
	return true
}

func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}
