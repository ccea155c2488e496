// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

// Object is an object of a callback kind.
type Object = kind.Object

// cluster is the API server that all tests share, each in its own namespace.
var cluster *rest.Config

var scheme = runtime.NewScheme()

// long asks for the long form of the tests that have one, as make soak does.
var long = os.Getenv("LONG") != ""

// logs holds what everything logged, for the tests that look for secrets.
var logs = &journal{}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctrl.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(logs)))
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{"../../config/crd/bases"},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: assets,
	}
	cluster, err = env.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server:", err)
		return 1
	}
	if err := rapidly(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if repeat := os.Getenv("AHEAD"); repeat != "" {
		if ahead, err = time.ParseDuration(repeat); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	restore := trustFakes()
	code := m.Run()
	restore()
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the clocks of the tests were AHEAD=%s\n", ahead)
	}
	if err := env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the API server:", err)
	}
	if code == 0 {
		// A watch that is stopped while it has an event in hand waits for ever
		// for a reader of it: apimachinery's Filter, which controller-runtime puts
		// on the watches of a cache for single namespaces.
		if err := goleak.Find(goleak.IgnoreTopFunction("k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop")); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			return 1
		}
	}
	return code
}

// journal is a log that tests can read.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

var _ io.Writer = &journal{}

// ahead is by how much the clocks of all tests are ahead of that of the machine: what
// a test finds does not depend on the time of day. Each run draws another one; AHEAD
// in the environment repeats that of a run that failed, which prints it.
var ahead = rand.N(30 * 24 * time.Hour)

// fakeClock is a clock that tests move forward. It also runs by itself, unless
// it is stopped.
type fakeClock struct {
	offset  atomic.Int64
	stopped time.Time
}

func (c *fakeClock) Now() time.Time {
	now := c.stopped
	if now.IsZero() {
		now = time.Now()
	} else {
		c.offset.Add(int64(100 * time.Microsecond)) // a look at a clock takes time, so that turns come
	}
	return now.Add(time.Duration(c.offset.Load()))
}

func (c *fakeClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
func (c *fakeClock) advance(d time.Duration)         { c.offset.Add(int64(d)) }

// world is a namespace of the cluster, an emulated cloud, and an operator for
// the two. Nothing in it is shared with other tests.
type world struct {
	Gomega
	t         tester
	ctx       context.Context
	namespace string
	api       client.Client // not cached
	sim       *simAPI       // behind api; nil if that is a real one
	gate      *gate         // that all calls of the operator go through
	keys      []string      // that the Secret has had
	cloud     *emulator.Server
	endpoint  string
	clock     *fakeClock
	own       live.Credentials   // of the operator
	share     float64            // of each limit
	timeout   time.Duration      // of a request; the default if 0
	tokens    *live.TokenService // nil if there is none
	mgr       ctrl.Manager
	deletions DeletionOptions
}

// tester is what a world needs of a test, be it one of package testing or of
// package rapid.
type tester interface {
	Helper()
	Name() string
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

const (
	keyID     = "test-key-id"
	keySecret = "test-key-secret"
)

var worlds atomic.Int64

// newWorld returns a world whose operator does nothing yet.
func newWorld(t tester, o emulator.Options) *world {
	t.Helper()
	w := newCloud(t, o)
	var err error
	w.api, err = client.New(cluster, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.api.Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
	w.mgr = w.newManager()
	return w
}

// expecting returns what a test expects by. What comes about in a moment may take
// longer on a machine that does other things as well.
func expecting(t tester) Gomega {
	g := NewWithT(t)
	g.SetDefaultEventuallyTimeout(time.Minute)
	return g
}

// newCloud returns a world that is still without an API server.
func newCloud(t tester, o emulator.Options) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(logr.NewContext(context.Background(), ctrl.Log.WithName(t.Name())))
	w := &world{
		Gomega: expecting(t), t: t, ctx: ctx, namespace: fmt.Sprintf("test-%d", worlds.Add(1)), clock: &fakeClock{},
	}
	w.clock.advance(ahead)
	w.gate = &gate{now: w.clock.Now}
	o.AccessKeys = []emulator.AccessKey{{ID: keyID, Secret: keySecret}, {ID: secondID, Secret: keySecret}, {ID: strangerID, Secret: keySecret, Account: "stranger"}}
	for _, session := range sessions {
		o.AccessKeys = append(o.AccessKeys, session)
	}
	o.AnyDate, o.Now = true, w.clock.Now // the cloud's clock is the one that tests move
	w.cloud = emulator.New(o)
	server := httptest.NewServer(w.gate.cloud(w.cloud))
	w.endpoint = server.URL
	t.Cleanup(func() { server.Close(); w.cloud.Close() })
	t.Cleanup(cancel)
	w.own, w.share = w.credentials(keyID, keySecret), boundless
	return w
}

func (w *world) credentials(id, secret string) live.Credentials {
	c, err := live.AccessKey(id, secret, "")
	w.Expect(err).NotTo(HaveOccurred())
	return c
}

func (w *world) newManager() ctrl.Manager {
	skip := true
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme:     scheme,
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{w.namespace: {}}},
		Controller: config.Controller{SkipNameValidation: &skip},
	})
	w.Expect(err).NotTo(HaveOccurred())
	return mgr
}

// start runs the manager until the test ends.
func (w *world) start() {
	stopped := make(chan error, 1)
	ctx, cancel := context.WithCancel(w.ctx)
	go func() { stopped <- w.mgr.Start(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-stopped; err != nil {
			w.t.Errorf("manager: %v", err)
		}
	})
	w.Expect(w.mgr.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
}

// run lets the operator work by itself, as it does in a cluster.
func (w *world) run() {
	w.Expect(Setup(w.mgr, Options{Accounts: w.accountOptions(), Workers: 4, Clock: w.clock})).To(Succeed())
	w.start()
}

// driver makes passes one at a time, each on a cache that has caught up, so
// that a test knows what each of them did.
type driver struct {
	*world
	f fixture
	r reconcile.Reconciler
	// accounts are those of r.
	accounts *account.Accounts
	// woken tells that an event asks for a pass before one is due.
	woken atomic.Bool
	// asked are the specs that there have been.
	asked []Object
}

// drive returns a driver for a kind, of which a restarted operator is another.
func (w *world) drive(f fixture) *driver {
	s := w.shared()
	for _, k := range kind.All {
		w.Expect((&Reconciler{shared: s, kind: k}).index()).To(Succeed())
	}
	d := &driver{world: w, f: f}
	d.restart()
	if w.sim == nil {
		w.start()
	}
	return d
}

// boundless is a share of the documented limits that is no hindrance.
const boundless = 1000

func (w *world) accountOptions() account.Options {
	return account.Options{Credentials: w.own, Endpoint: w.endpoint, Share: w.share, Timeout: w.timeout, TokenService: w.tokens, Now: w.clock.Now}
}

func (w *world) shared() *shared {
	c, reader := w.gate.client(w.mgr.GetClient()), w.gate.reader(w.mgr.GetAPIReader())
	accounts, err := account.New(c, reader, w.accountOptions())
	w.Expect(err).NotTo(HaveOccurred())
	return &shared{
		Client: c, uncached: reader, manager: w.mgr, workers: 4,
		accounts: accounts, events: w.mgr.GetEventRecorder("live-notify-operator"), clock: w.clock, watchdog: &watchdog{clock: w.clock},
		deletions: &ownDeletions{DeletionOptions: w.deletions},
	}
}

// restart makes the operator forget what it keeps in memory.
func (d *driver) restart() {
	s := d.shared()
	d.r, d.accounts = d.f.reconciler(s), s.accounts
}

// hurry makes the quota of LiveAccounts no hindrance.
func (d *driver) hurry() {
	var list v1alpha1.LiveAccountList
	d.Expect(d.api.List(d.ctx, &list, client.InNamespace(d.namespace))).To(Succeed())
	for _, a := range list.Items {
		if opened := d.accounts.Last(d.namespace, &v1alpha1.AccountReference{Name: a.Name}); opened != nil {
			opened.Limits.SetShare(boundless)
		}
	}
}

// pass makes one pass over an object and returns the wait until the next; 0 if
// there is none.
func (d *driver) pass(name string) time.Duration {
	d.t.Helper()
	d.catchUp()
	wait, err := d.try(name)
	d.Expect(err).NotTo(HaveOccurred())
	return wait
}

// confirms tells whether nothing was shown of an object at the last look, and it is to
// be looked at again before that is believed.
func (d *driver) confirms(name string) bool {
	r, ok := d.r.(*Reconciler)
	if !ok {
		return false
	}
	r.memories.mu.Lock()
	defer r.memories.mu.Unlock()
	mem := r.memories.of[client.ObjectKey{Namespace: d.namespace, Name: name}]
	return mem != nil && !mem.missing.IsZero()
}

// try makes a pass that may fail, on the cache as it is.
func (d *driver) try(name string) (time.Duration, error) {
	d.gate.begin()
	result, err := d.r.Reconcile(d.ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: d.namespace, Name: name}})
	return result.RequeueAfter, err
}

// passes makes passes, moving the clock to each, until the time is over.
func (d *driver) passes(name string, span time.Duration) (made int) {
	d.t.Helper()
	for span >= 0 {
		wait := d.pass(name)
		made++
		if wait == 0 {
			return made
		}
		d.clock.advance(wait)
		span -= wait
	}
	return made
}

// settle makes passes until Ready is InSync.
func (d *driver) settle(name string) Object {
	d.t.Helper()
	return d.until(name, v1alpha1.ReasonInSync)
}

// until makes passes until Ready has a reason, for the spec of now: a pass that the
// limits of an account put off leaves the status as it was.
func (d *driver) until(name, reason string) Object {
	d.t.Helper()
	var got string
	for range 30 {
		wait := d.pass(name)
		obj := d.get(name)
		if got = readyReason(obj); got == reason && statusOf(obj).ObservedGeneration == obj.GetGeneration() {
			return obj
		}
		d.clock.advance(wait)
	}
	d.t.Fatalf("Ready is %s, want %s: %s", got, reason, messageOf(d.get(name), v1alpha1.ConditionReady))
	return nil
}

// catchUp waits until the cache holds what the API server does.
func (d *driver) catchUp() {
	d.t.Helper()
	if d.sim != nil {
		d.sim.catchUp()
		return
	}
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	for _, list := range []client.ObjectList{d.f.newList(), secrets} {
		fresh := list.DeepCopyObject().(client.ObjectList)
		d.Expect(d.api.List(d.ctx, fresh, client.InNamespace(d.namespace))).To(Succeed())
		want := versions(fresh) // nobody but this test writes
		d.Eventually(func(g Gomega) {
			cached := list.DeepCopyObject().(client.ObjectList)
			g.Expect(d.mgr.GetClient().List(d.ctx, cached, client.InNamespace(d.namespace))).To(Succeed())
			g.Expect(versions(cached)).To(Equal(want))
		}).WithPolling(2 * time.Millisecond).Should(Succeed())
	}
}

func versions(list client.ObjectList) map[string]string {
	found := map[string]string{}
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		m := o.(metav1.Object)
		found[m.GetName()] = string(m.GetUID()) + m.GetResourceVersion()
		return nil
	})
	return found
}

// get reads an object from the API server.
func (d *driver) get(name string) Object {
	d.t.Helper()
	obj := d.f.empty()
	d.Expect(d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: name}, obj)).To(Succeed())
	return obj
}

// gone tells whether an object no longer exists.
func (d *driver) gone(name string) bool {
	d.t.Helper()
	err := d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: name}, d.f.empty())
	if err != nil {
		d.Expect(apierrors.IsNotFound(err)).To(BeTrue(), err)
	}
	return err != nil
}

// create makes an object for the fixture's key.
func (d *driver) create(name string, edit ...func(Object)) Object {
	d.t.Helper()
	obj := d.f.object()
	obj.SetNamespace(d.namespace)
	obj.SetName(name)
	for _, e := range edit {
		e(obj)
	}
	d.Expect(d.api.Create(d.ctx, obj)).To(Succeed())
	d.asked = append(d.asked, obj)
	return obj
}

// update changes an object.
func (d *driver) update(name string, edit func(Object)) {
	d.t.Helper()
	d.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		obj := d.get(name)
		edit(obj)
		d.asked = append(d.asked, obj)
		return d.api.Update(d.ctx, obj)
	})).To(Succeed())
}

func (d *driver) remove(name string) {
	d.t.Helper()
	d.Expect(d.api.Delete(d.ctx, d.get(name))).To(Succeed())
}

// secret creates or replaces the Secret called key with one entry called key.
func (w *world) secret(value string) {
	w.t.Helper()
	w.keys = append(w.keys, value)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "key"}}
	err := w.api.Create(w.ctx, secret.DeepCopy())
	w.Expect(client.IgnoreAlreadyExists(err)).To(Succeed())
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
	secret.Data = map[string][]byte{"key": []byte(value)}
	w.Expect(w.api.Update(w.ctx, secret)).To(Succeed())
}

// eventReasons returns the reasons of the events about an object, in no order.
func (d *driver) eventReasons(name string) []string {
	d.t.Helper()
	if d.sim != nil {
		return d.sim.reasons(name)
	}
	var list eventsv1.EventList
	d.Expect(d.api.List(d.ctx, &list, client.InNamespace(d.namespace))).To(Succeed())
	var reasons []string
	for _, e := range list.Items {
		if e.Regarding.Name == name {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

// expectEvent waits for an event; they are sent in the background.
func (d *driver) expectEvent(name, reason string) {
	d.t.Helper()
	d.Eventually(func() []string { return d.eventReasons(name) }).Should(ContainElement(reason))
}

// calls returns the actions that reached the cloud since the last reset, and
// resets.
func (w *world) calls() (reads, writes, records []string) {
	for _, call := range w.cloud.Calls() {
		switch {
		case strings.HasSuffix(call.Action, "Records") || strings.HasSuffix(call.Action, "Record") || call.Action == "ListEventSubEvent":
			records = append(records, call.Action)
		case strings.HasPrefix(call.Action, "Describe") || strings.HasPrefix(call.Action, "List"):
			reads = append(reads, call.Action)
		default:
			writes = append(writes, call.Action)
		}
	}
	w.cloud.ResetCalls()
	return reads, writes, records
}

func readyReason(obj Object) string { return reasonIn(obj, v1alpha1.ConditionReady) }

func reasonIn(obj Object, condition string) string {
	_, status := obj.Callback()
	return reasonOf(status, condition)
}

func messageOf(obj Object, condition string) string {
	_, status := obj.Callback()
	if c := meta.FindStatusCondition(status.Conditions, condition); c != nil {
		return c.Message
	}
	return ""
}

// fixture is what the tests need to know of a kind.
type fixture struct {
	kind       *kind.Kind
	name       string
	reconciler func(*shared) reconcile.Reconciler
	newList    func() client.ObjectList
	empty      func() Object
	// prepare makes the key exist in the cloud.
	prepare func(*emulator.Server)
	// object returns a valid object for the key, with all fields but the key
	// from a Secret; sign adds that, if the kind can sign.
	object func() Object
	sign   func(Object)
	signs  bool
	// change changes a field that can be read; clear removes one.
	change, clear func(Object)
	// want returns what the cloud should hold for an object; have what it does,
	// nil for nothing.
	want func(obj Object, key string) any
	have func(*emulator.Server) any
	// edit changes a field behind the operator's back; erase removes all.
	edit, erase func(*emulator.Server)
	// key of the configuration in the cloud.
	key string
	// describe is the action that reads the configuration, writes those that
	// write it, records those that read its callback records.
	describe        string
	writes, records []string
	// queries is how many of the latter one count takes.
	queries int
	// looks is how many more reads than others a create takes, and a removal; and how
	// many writes find out by an ID that something is gone.
	looks struct{ create, remove, byID int }
	// planted says which family planted callback records are of.
	planted func([]emulator.CallbackRecord) emulator.Records
	// edited is the name of the field that edit and change change.
	edited string
}

// keyed returns the key that the cloud is to hold for an object that is signed
// with this one.
func (f fixture) keyed(key string) string {
	if !f.signs {
		return ""
	}
	return key
}

func fixtures() []fixture {
	return []fixture{
		streamFixture(), recordFixture(), mpuFixture(), snapshotFixture(), detectFixture(), auditFixture(), eventFixture(), messageFixture(),
	}
}

// forEachKind runs a test for every kind, side by side; in the short form, for the
// race detector, for the one whose turn it is.
func forEachKind(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	forEach(t, fixtures(), !testing.Short(), test)
}

// forKindsInTurn runs a test for every kind in the long form, and in the others for
// the one whose turn it is. It is for what goes on outside of a kind, such as in an
// account, and takes a real API server.
func forKindsInTurn(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	forEach(t, fixtures(), long, test)
}

// forEachSigningKind runs a test for the kinds whose callbacks can be signed.
func forEachSigningKind(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	forEach(t, signing(), !testing.Short(), test)
}

// forSigningKindsInTurn is to forEachSigningKind what forKindsInTurn is to forEachKind.
func forSigningKindsInTurn(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	forEach(t, signing(), long, test)
}

func signing() []fixture {
	return slices.DeleteFunc(fixtures(), func(f fixture) bool { return !f.signs })
}

// forEach runs a test for all of some kinds, side by side, or for the one whose turn
// it is.
func forEach(t *testing.T, kinds []fixture, all bool, test func(t *testing.T, f fixture)) {
	t.Helper()
	for i, f := range kinds {
		if !all && i != whoseTurn(t.Name(), len(kinds)) {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			test(t, f)
		})
	}
}

// whoseTurn returns which of n may play a test. It is the same one each time.
func whoseTurn(test string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(test)) // which cannot fail
	return int(h.Sum32() % uint32(n))
}

// fixtureOf fills in what follows from a kind's entry in the table.
func fixtureOf(name string) fixture {
	i := slices.IndexFunc(kind.All, func(k *kind.Kind) bool { return k.Name == name })
	k := kind.All[i]
	return fixture{
		kind: k, name: name,
		reconciler: func(s *shared) reconcile.Reconciler {
			return &Reconciler{shared: s, kind: k, slots: quota.NewSlots(s.workers)}
		},
		newList: k.NewList,
		empty:   k.New,
	}
}

const (
	ingestDomain = "push.example.com"
	streamDomain = "live.example.com"
)

func signature() *v1alpha1.AuthenticationSpec {
	return &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "key"}}
}

func streamFixture() fixture {
	f := fixtureOf("LiveNotifyConfig")
	spec := func(o Object) *v1alpha1.LiveNotifyConfigSpec { return &o.(*v1alpha1.LiveNotifyConfig).Spec }
	f.prepare = func(s *emulator.Server) { s.AddDomain("", ingestDomain, emulator.IngestDomain) }
	f.object = func() Object {
		return &v1alpha1.LiveNotifyConfig{Spec: v1alpha1.LiveNotifyConfigSpec{
			DomainName: ingestDomain, NotifyURL: "http://hooks.example.com/notify",
			ExceptionNotifyURL: "http://hooks.example.com/exception", SwitchNotifyURL: "http://hooks.example.com/switch",
		}}
	}
	f.sign = func(o Object) { spec(o).Authentication = signature() }
	f.signs = true
	f.change = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).ExceptionNotifyURL = "" }
	f.want = func(o Object, key string) any {
		return emulator.StreamConfig{
			NotifyURL: spec(o).NotifyURL, ExceptionNotifyURL: spec(o).ExceptionNotifyURL, SwitchNotifyURL: spec(o).SwitchNotifyURL,
			Auth: key != "", AuthKey: key,
		}
	}
	f.have = func(s *emulator.Server) any {
		if c, ok := s.StreamConfig(ingestDomain); ok {
			return c
		}
		return nil
	}
	f.edit = func(s *emulator.Server) {
		c, _ := s.StreamConfig(ingestDomain)
		c.NotifyURL = "http://elsewhere.example.com/"
		s.SetStreamConfig(ingestDomain, c)
	}
	f.erase = func(s *emulator.Server) { s.DeleteStreamConfig(ingestDomain) }
	f.key = ingestDomain
	f.describe = "DescribeLiveStreamsNotifyUrlConfig"
	f.writes = []string{"SetLiveStreamsNotifyUrlConfig"}
	f.records, f.queries = []string{"DescribeLiveStreamsNotifyRecords"}, 2
	f.planted = func(r []emulator.CallbackRecord) emulator.Records { return emulator.Records{Stream: r} }
	f.edited = "notifyURL"
	return f
}

func recordFixture() fixture {
	f := fixtureOf("LiveRecordNotifyConfig")
	spec := func(o Object) *v1alpha1.LiveRecordNotifyConfigSpec { return &o.(*v1alpha1.LiveRecordNotifyConfig).Spec }
	f.prepare = func(s *emulator.Server) { s.AddDomain("", streamDomain, emulator.StreamingDomain) }
	f.object = func() Object {
		return &v1alpha1.LiveRecordNotifyConfig{Spec: v1alpha1.LiveRecordNotifyConfigSpec{
			DomainName: streamDomain, NotifyURL: "http://hooks.example.com/record",
			OnDemandURL: "http://hooks.example.com/ondemand", NeedStatusNotify: true,
		}}
	}
	f.sign = func(o Object) { spec(o).Authentication = signature() }
	f.signs = true
	f.change = func(o Object) { spec(o).NotifyURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).OnDemandURL = "" }
	f.want = func(o Object, key string) any {
		return emulator.RecordConfig{
			NotifyURL: spec(o).NotifyURL, OnDemandURL: spec(o).OnDemandURL, NeedStatusNotify: spec(o).NeedStatusNotify,
			Auth: key != "", AuthKey: key,
		}
	}
	f.have = func(s *emulator.Server) any {
		if c, ok := s.RecordConfig(streamDomain); ok {
			return c
		}
		return nil
	}
	f.edit = func(s *emulator.Server) {
		c, _ := s.RecordConfig(streamDomain)
		c.NotifyURL = "http://elsewhere.example.com/"
		s.SetRecordConfig(streamDomain, c)
	}
	f.erase = func(s *emulator.Server) { s.DeleteRecordConfig(streamDomain) }
	f.key = streamDomain
	f.describe = "DescribeLiveRecordNotifyConfig"
	f.writes = []string{"AddLiveRecordNotifyConfig", "UpdateLiveRecordNotifyConfig"}
	f.records, f.queries = []string{"DescribeLiveRecordNotifyRecords"}, 2
	f.planted = func(r []emulator.CallbackRecord) emulator.Records { return emulator.Records{Record: r} }
	f.edited = "notifyURL"
	return f
}

const appID = "app-1"

func mpuFixture() fixture {
	f := fixtureOf("LiveRtcMPUEventSub")
	spec := func(o Object) *v1alpha1.LiveRtcMPUEventSubSpec { return &o.(*v1alpha1.LiveRtcMPUEventSub).Spec }
	f.prepare = func(s *emulator.Server) { s.AddApp("", appID) }
	f.object = func() Object {
		return &v1alpha1.LiveRtcMPUEventSub{Spec: v1alpha1.LiveRtcMPUEventSubSpec{
			AppID: appID, CallbackURL: "http://hooks.example.com/mpu", ChannelIDs: []string{"two", "one"},
		}}
	}
	f.sign = func(Object) {}
	f.change = func(o Object) { spec(o).CallbackURL = "http://hooks.example.com/changed" }
	f.clear = func(o Object) { spec(o).ChannelIDs = nil }
	f.want = func(o Object, _ string) any {
		return emulator.MPUSub{CallbackURL: spec(o).CallbackURL, ChannelIDs: live.JoinList(spec(o).ChannelIDs)}
	}
	f.have = func(s *emulator.Server) any {
		if sub, ok := s.MPUSub(appID); ok {
			return emulator.MPUSub{CallbackURL: sub.CallbackURL, ChannelIDs: sub.ChannelIDs}
		}
		return nil
	}
	f.edit = func(s *emulator.Server) {
		sub, _ := s.MPUSub(appID)
		sub.CallbackURL = "http://elsewhere.example.com/"
		s.SetMPUSub(appID, sub)
	}
	f.erase = func(s *emulator.Server) { s.DeleteMPUSub(appID) }
	f.key = appID
	f.describe = "DescribeRtcMPUEventSub"
	f.writes = []string{"CreateRtcMPUEventSub", "UpdateRtcMPUEventSub"}
	f.records, f.queries = []string{"ListRtcMPUEventSubRecord"}, 1
	f.planted = func(records []emulator.CallbackRecord) emulator.Records {
		var planted []emulator.MPURecord
		for _, r := range records {
			code := 200
			if r.Result == emulator.ResultFailed {
				code = 500
			}
			planted = append(planted, emulator.MPURecord{Time: r.Time, AppID: appID, HTTPCode: code, CallbackURL: r.URL})
		}
		return emulator.Records{MPU: planted}
	}
	f.edited = "callbackURL"
	return f
}
