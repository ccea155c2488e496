// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/livetest"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

// cluster is the API server that the tests share, as those of a user would.
var cluster *rest.Config

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	assets, err := controlplane.Assets(context.Background(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets, CRDInstallOptions: envtest.CRDInstallOptions{CRDs: livetest.CRDs()},
	}
	if cluster, err = env.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server:", err)
		return 1
	}
	code := m.Run()
	if err := env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the API server:", err)
	}
	if code == 0 {
		// A watch that is stopped while it has an event in hand waits for ever for a
		// reader of it: apimachinery's Filter, which controller-runtime puts on the
		// watches of a cache for single namespaces.
		if err := goleak.Find(goleak.IgnoreTopFunction("k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop")); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			return 1
		}
	}
	return code
}

// bench is a cloud and an operator of a test.
type bench struct {
	Gomega
	t         *testing.T
	cloud     *livetest.Cloud
	api       client.Client
	namespace string
}

var benches atomic.Int64

// newBench returns a namespace of its own with a cloud and an operator that is at
// work.
func newBench(t *testing.T) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	b := &bench{Gomega: NewWithT(t), t: t, cloud: livetest.Start(t), namespace: fmt.Sprintf("bench-%d", benches.Add(1))}
	b.Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	b.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var err error
	b.api, err = client.New(cluster, client.Options{Scheme: scheme})
	b.Expect(err).NotTo(HaveOccurred())
	b.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}})
	livetest.RunOperator(t, cluster, b.cloud, livetest.InNamespaces(b.namespace))
	return b
}

func (b *bench) create(o client.Object) {
	b.t.Helper()
	b.Expect(b.api.Create(b.t.Context(), o)).To(Succeed())
}

// eventually waits until a check of a fresh object passes.
func (b *bench) eventually(o kind.Object, check func(g Gomega, conditions []metav1.Condition)) {
	b.t.Helper()
	b.Eventually(func(g Gomega) {
		g.Expect(b.api.Get(b.t.Context(), client.ObjectKeyFromObject(o), o)).To(Succeed())
		_, status := o.Callback()
		check(g, status.Conditions)
	}).WithTimeout(time.Minute).WithPolling(50 * time.Millisecond).Should(Succeed())
}

// ready waits until an object is Ready.
func (b *bench) ready(o kind.Object) {
	b.t.Helper()
	b.eventually(o, func(g Gomega, conditions []metav1.Condition) {
		g.Expect(meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%T: %v", o, conditions)
	})
}

// gone deletes an object and waits until the operator has let go of it.
func (b *bench) gone(o kind.Object) {
	b.t.Helper()
	b.Expect(b.api.Delete(b.t.Context(), o)).To(Succeed())
	b.Eventually(func() bool {
		return apierrors.IsNotFound(b.api.Get(b.t.Context(), client.ObjectKeyFromObject(o), o))
	}).WithTimeout(time.Minute).WithPolling(20*time.Millisecond).Should(BeTrue(), "%T", o)
}

const (
	ingest    = "push.example.com"
	streaming = "live.example.com"
	app       = "conference"
)

// objects returns an object of each callback kind, of which the callbacks go to
// where, and what the cloud has for it: the URL, "" for nothing.
func (b *bench) objects(where string) map[kind.Object]func() string {
	at := metav1.ObjectMeta{Namespace: b.namespace, Name: "a"}
	c := b.cloud
	return map[kind.Object]func() string{
		&v1alpha1.LiveNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveNotifyConfigSpec{DomainName: ingest, NotifyURL: where}}: func() string {
			held, _ := c.StreamConfig(ingest)
			return held.NotifyURL
		},
		&v1alpha1.LiveRecordNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveRecordNotifyConfigSpec{DomainName: streaming, NotifyURL: where}}: func() string {
			held, _ := c.RecordConfig(streaming)
			return held.NotifyURL
		},
		&v1alpha1.LiveRtcMPUEventSub{ObjectMeta: at, Spec: v1alpha1.LiveRtcMPUEventSubSpec{AppID: app, CallbackURL: where}}: func() string {
			held, _ := c.MPUSub(app)
			return held.CallbackURL
		},
		&v1alpha1.LiveSnapshotNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveSnapshotNotifyConfigSpec{DomainName: streaming, NotifyURL: where}}: func() string {
			held, _ := c.SnapshotConfig(streaming)
			return held.NotifyURL
		},
		&v1alpha1.LiveDetectNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveDetectNotifyConfigSpec{DomainName: streaming, NotifyURL: where}}: func() string {
			held, _ := c.DetectConfig(streaming)
			return held.NotifyURL
		},
		&v1alpha1.LiveAudioAuditNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveAudioAuditNotifyConfigSpec{DomainName: streaming, CallbackURL: where}}: func() string {
			held, _ := c.AuditConfig(streaming)
			return held.CallbackURL
		},
		&v1alpha1.LiveRtcEventSub{ObjectMeta: at, Spec: v1alpha1.LiveRtcEventSubSpec{
			AppID: app, ChannelID: "*", CallbackURL: where, Events: []v1alpha1.RtcEvent{"UserEvent"},
		}}: func() string {
			for _, held := range c.EventSubs(app) {
				return held.CallbackURL
			}
			return ""
		},
		&v1alpha1.LiveMessageAppCallback{ObjectMeta: at, Spec: v1alpha1.LiveMessageAppCallbackSpec{
			DataCenter: "cn-shanghai", AppID: "chat", EventCallbackURL: where,
		}}: func() string { return c.MessageCallback("cn-shanghai", "chat") },
	}
}

func (b *bench) known() {
	b.cloud.AddIngestDomain(ingest)
	b.cloud.AddStreamingDomain(streaming)
	b.Expect(b.cloud.MapDomain(ingest, streaming)).To(Succeed())
	b.cloud.AddApp(app)
	b.Expect(b.cloud.AddMessageApp("cn-shanghai", "chat")).To(Succeed())
}

// TestSideBySide: objects of the same names and domains, in namespaces of one API
// server, each with a cloud and an operator of its own.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"one", "two"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.known()
			where := "https://" + host + ".example.com/live"
			all := b.objects(where)
			b.Expect(all).To(HaveLen(len(kind.All)))
			for o := range all {
				b.create(o)
			}
			for o, held := range all {
				b.ready(o)
				b.Expect(held()).To(Equal(where), "%T", o)
			}
			for o, held := range all {
				b.gone(o)
				b.Expect(held()).To(BeEmpty(), "%T", o)
			}
		})
	}
}

// TestCallbacksAreSentAndCounted follows a callback of each kind to a receiver that
// refuses it, and the failure to the status of those kinds that are counted.
func TestCallbacksAreSentAndCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.known()
	var received atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		received.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(receiver.Close)
	all := b.objects(receiver.URL)
	for o := range all {
		if message, ok := o.(*v1alpha1.LiveMessageAppCallback); ok {
			message.Spec.EventCallbackURL = "https://hooks.example.com" // it takes no port, so that no receiver is behind it
		}
		b.create(o)
	}
	for o := range all {
		b.ready(o)
	}
	for what, err := range map[string]error{
		"a stream":    b.cloud.StartStream(ingest, "live", "one"),
		"a recording": b.cloud.Record(streaming, "live", "one", "file_created"),
		"a relay":     b.cloud.EmitMPU(app, "room", 1),
		"a user":      b.cloud.EmitEvent(app, "room", "user", "Join"),
		"a snapshot":  b.cloud.TakeSnapshot(streaming, "live", "one"),
		"a video":     b.cloud.ReviewVideo(streaming, "live", "one"),
		"a sound":     b.cloud.ReviewAudio(streaming, "live", "one"),
	} {
		b.Expect(err).NotTo(HaveOccurred(), what)
	}
	b.cloud.Wait()
	b.Expect(received.Load()).To(BeNumerically(">=", 7))

	for o := range all {
		if _, uncounted := counted(o); uncounted {
			continue
		}
		b.eventually(o, func(g Gomega, conditions []metav1.Condition) {
			g.Expect(livetest.Refresh(t.Context(), b.api, o)).To(Succeed())
			g.Expect(meta.IsStatusConditionFalse(conditions, v1alpha1.ConditionCallbacksHealthy)).To(BeTrue(), "%T: %v", o, conditions)
			counts, _ := counted(o)
			g.Expect(counts.Failed).To(BeEquivalentTo(1), "%T", o)
		})
	}
}

// counted returns the counts of an object; true if its kind has none.
func counted(o kind.Object) (v1alpha1.Callbacks, bool) {
	var counts *v1alpha1.Callbacks
	switch o := o.(type) {
	case *v1alpha1.LiveNotifyConfig:
		counts = o.Status.Callbacks
	case *v1alpha1.LiveRecordNotifyConfig:
		counts = o.Status.Callbacks
	case *v1alpha1.LiveRtcMPUEventSub:
		counts = o.Status.Callbacks
	case *v1alpha1.LiveRtcEventSub:
		counts = o.Status.Callbacks
	default:
		return v1alpha1.Callbacks{}, true
	}
	if counts == nil {
		return v1alpha1.Callbacks{}, false
	}
	return *counts, false
}

// TestRefreshShowsWhatIsNew: a total that alone has moved is in the object when Refresh
// returns.
func TestRefreshShowsWhatIsNew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.known()
	o := &v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: "a"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: ingest, NotifyURL: "https://hooks.example.com/live"},
	}
	b.create(o)
	b.ready(o)
	b.Expect(livetest.Refresh(t.Context(), b.api, o)).To(Succeed())
	b.Expect(o.Status.Callbacks).To(HaveField("Total", BeZero()))

	b.cloud.AddRecords(livetest.Records{Stream: []livetest.CallbackRecord{{
		Domain: ingest, Time: time.Now().Add(-5 * time.Second), Result: livetest.ResultSuccess,
	}}})
	b.Expect(livetest.Refresh(t.Context(), b.api, o)).To(Succeed())
	b.Expect(o.Status.Callbacks).To(HaveField("Total", BeEquivalentTo(1)))
	b.gone(o)
}

// TestRefreshWithoutOperator: nobody does what Refresh asks for, which it says.
func TestRefreshWithoutOperator(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace + "-nobody"}})
	o := &v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace + "-nobody", Name: "a"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: ingest, NotifyURL: "https://hooks.example.com/live"},
	}
	b.create(o)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	b.Expect(livetest.Refresh(ctx, b.api, o)).To(MatchError(ContainSubstring("the operator did not look at")))
	b.Expect(livetest.Refresh(t.Context(), b.api, &v1alpha1.LiveAccount{})).To(MatchError(ContainSubstring("neither configuration nor records")))
}

// ended is a test that a fatal error ends.
type ended struct {
	testing.TB
	cleanups []func()
	fatal    string
}

func (e *ended) Helper()          {}
func (e *ended) Log(...any)       {}
func (e *ended) Cleanup(f func()) { e.cleanups = append(e.cleanups, f) }
func (e *ended) Fatal(args ...any) {
	e.fatal = fmt.Sprint(args...)
	goruntime.Goexit()
}
func (e *ended) Fatalf(format string, args ...any) { e.Fatal(fmt.Sprintf(format, args...)) }

// run returns what ends a test of somebody else, and what it leaves is over.
func (e *ended) run(test func(t testing.TB)) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(e)
	}()
	<-done
	for _, f := range slices.Backward(e.cleanups) {
		f()
	}
	return e.fatal
}

// TestOperatorThatCannotRun: RunOperator ends the test with the cause.
func TestOperatorThatCannotRun(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	cloud := livetest.Start(t)
	nobody := rest.CopyConfig(cluster)
	nobody.Impersonate.UserName = "nobody"
	g.Expect((&ended{TB: t}).run(func(t testing.TB) {
		livetest.RunOperator(t, nobody, cloud, livetest.Within(5*time.Second))
	})).To(SatisfyAll(ContainSubstring("within 5s"), ContainSubstring(`User "nobody" cannot list`)))
	for _, names := range [][]string{{}, {""}} {
		g.Expect((&ended{TB: t}).run(func(t testing.TB) {
			livetest.RunOperator(t, cluster, cloud, livetest.InNamespaces(names...))
		})).To(ContainSubstring("InNamespaces needs names"))
	}
}

// TestFaults: a fault of the cloud is seen in the status, and ends.
func TestFaults(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.known()
	b.cloud.Inject(livetest.Fault{Action: "SetLiveStreamsNotifyUrlConfig", Code: "Forbidden.RAM", Status: 403})
	o := &v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: "a"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: ingest, NotifyURL: "https://hooks.example.com/live"},
	}
	b.create(o)
	b.eventually(o, func(g Gomega, conditions []metav1.Condition) {
		ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		g.Expect(ready.Reason).To(Equal(v1alpha1.ReasonAccessDenied))
	})
	b.cloud.ClearFaults()
	b.Expect(livetest.Refresh(t.Context(), b.api, o)).To(Succeed())
	b.ready(o)

	writes := 0
	for _, call := range b.cloud.Calls() {
		if strings.HasPrefix(call.Action, "Set") && call.Code == "" {
			writes++
		}
	}
	b.Expect(writes).To(Equal(1))
	b.gone(o)
}

// TestAccount: a LiveAccount of a test names the endpoint and the access key of the
// cloud.
func TestAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.known()
	id, secret := b.cloud.AccessKey()
	at := metav1.ObjectMeta{Namespace: b.namespace, Name: "a"}
	b.create(&corev1.Secret{ObjectMeta: at, StringData: map[string]string{"accessKeyID": id, "accessKeySecret": secret}})
	b.create(&v1alpha1.LiveAccount{ObjectMeta: at, Spec: v1alpha1.LiveAccountSpec{
		Endpoint:    b.cloud.Endpoint(),
		Credentials: v1alpha1.LiveCredentials{AccessKeySecretRef: &v1alpha1.LocalSecretReference{Name: "a"}},
	}})
	o := &v1alpha1.LiveNotifyConfig{ObjectMeta: at, Spec: v1alpha1.LiveNotifyConfigSpec{
		DomainName: ingest, NotifyURL: "https://hooks.example.com/live",
	}}
	o.Spec.AccountRef = &v1alpha1.AccountReference{Name: "a"}
	b.create(o)
	b.ready(o)
	b.gone(o)
}
