// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// crowd is an API server that has many objects which are all in sync, and lets
// nobody change them: what a new leader finds. They exist only while they are
// sent, so that the memory of the test is that of the operator.
type crowd struct {
	templates map[string][]byte // a JSON object by the plural of its kind
	each      int               // objects of each kind
	refused   atomic.Int64      // requests that would change something
	example   atomic.Value      // one of them
}

// newCrowd makes each kind's template of an object that the operator has brought
// in sync.
func newCrowd(t testing.TB) *crowd {
	c := &crowd{templates: map[string][]byte{}}
	for _, f := range fixtures() {
		d := simulated(t, f, emulator.Options{})
		d.create("a", func(o Object) {
			s := spec(o)
			s.ResyncInterval.Duration = 24 * time.Hour
			if f.counts() {
				s.Records.Interval.Duration = 24 * time.Hour
			}
		})
		d.settle("a")
		d.pass("a") // which counts, if the last one did not
		obj := d.get("a")
		obj.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(f.name))
		obj.SetManagedFields([]metav1.ManagedFieldsEntry{{
			Manager: "kubectl-client-side-apply", Operation: metav1.ManagedFieldsOperationApply, APIVersion: v1alpha1.GroupVersion.String(),
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:` + strings.Repeat("field", 200) + `":{}}}`),
		}})
		raw, err := json.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		c.templates[strings.ToLower(f.name)+"s"] = raw
	}
	return c
}

// object returns the i-th object of a kind, which names something of its own.
func (c *crowd) object(k *kind.Kind, i int) Object {
	text := string(c.templates[strings.ToLower(k.Name)+"s"])
	for _, name := range []string{ingestDomain, streamDomain, appID} {
		text = strings.ReplaceAll(text, name, fmt.Sprintf("n%d-%s", i, name))
	}
	o := k.New()
	if err := json.Unmarshal([]byte(text), o); err != nil {
		panic(err) // it was marshalled from one
	}
	o.SetNamespace(fmt.Sprintf("team-%d", i%100))
	o.SetName(fmt.Sprintf("%s-%d", strings.ToLower(k.Name), i))
	o.SetUID(types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i)))
	o.SetResourceVersion(fmt.Sprint(i + 1))
	_, status := kind.Shared(o)
	status.Applied.UID, status.Applied.Revision = o.GetUID(), k.Revision(o)
	return o
}

// ServeHTTP implements http.Handler: lists, and watches that begin with a list.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		c.refused.Add(1)
		body, _ := io.ReadAll(r.Body)
		c.example.Store(r.Method + " " + r.URL.Path + " " + string(body))
		http.Error(w, "read only", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, plural, _ := strings.Cut(r.URL.Path, "/v1alpha1/")
	if r.URL.Query().Get("watch") == "" {
		fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[`)
		for i := range c.count(plural) {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			_ = json.NewEncoder(w).Encode(c.object(kindOf(plural), i)) // the other side may have gone
		}
		fmt.Fprint(w, "]}")
		return
	}
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for i := range c.count(plural) {
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "ADDED", "object": c.object(kindOf(plural), i)})
		}
		fmt.Fprintf(w, `{"type":"BOOKMARK","object":{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}`+"\n", kindName(r.URL.Path), versionIn(r.URL.Path))
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func (c *crowd) count(plural string) int {
	if c.templates[plural] == nil {
		return 0
	}
	return c.each
}

func kindOf(plural string) *kind.Kind {
	for _, k := range kind.All {
		if strings.ToLower(k.Name)+"s" == plural {
			return k
		}
	}
	return nil
}

// kindName and versionIn name what a path is about.
func kindName(path string) string {
	plural := path[strings.LastIndex(path, "/")+1:]
	if k := kindOf(plural); k != nil {
		return k.Name
	}
	return map[string]string{"liveaccounts": "LiveAccount", "liverolloutpolicies": "LiveRolloutPolicy", "secrets": "PartialObjectMetadata"}[plural]
}

func versionIn(path string) string {
	if kindName(path) == "PartialObjectMetadata" {
		return "meta.k8s.io/v1"
	}
	return v1alpha1.GroupVersion.String()
}

// mapper knows the resources without asking.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	for gvk := range scheme.AllKnownTypes() {
		m.Add(gvk, meta.RESTScopeNamespace)
	}
	return m
}

// manager returns one that talks to a crowd.
func (c *crowd) manager(t testing.TB, host string) ctrl.Manager {
	t.Helper()
	skip := true
	mgr, err := ctrl.NewManager(&rest.Config{Host: host, QPS: -1}, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Cache: CacheOptions(nil, true),
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return mapper(), nil },
		Controller:     config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		t.Fatal(err)
	}
	return mgr
}

// takeOver runs an operator on a crowd until it has looked at each object.
func (c *crowd) takeOver(t testing.TB, look func()) {
	server := httptest.NewServer(c)
	defer server.Close()
	cloud := emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{{ID: keyID, Secret: keySecret}}})
	defer cloud.Close()
	asked := httptest.NewServer(cloud)
	defer asked.Close()
	credentials, err := live.AccessKey(keyID, keySecret, "")
	if err != nil {
		t.Fatal(err)
	}
	mgr := c.manager(t, server.URL)
	reconcilers, err := addReconcilers(mgr, Options{
		Accounts: account.Options{Credentials: credentials, Endpoint: asked.URL}, Workers: 10, Clock: clocktesting.NewFakePassiveClock(time.Now()), // nothing becomes due
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	for looked := 0; looked < c.each*len(kind.All); time.Sleep(10 * time.Millisecond) {
		looked = 0
		for _, r := range reconcilers {
			r.memories.mu.Lock()
			looked += len(r.memories.of)
			r.memories.mu.Unlock()
		}
	}
	look()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := c.refused.Load(); n > 0 {
		t.Errorf("%d requests to the API server would change something, such as %s", n, c.example.Load())
	}
	for _, call := range cloud.Calls() {
		t.Fatalf("the cloud was asked to %s", call.Action)
	}
}

// checks keeps what a manager is asked to check before it is Ready.
type checks struct {
	ctrl.Manager
	ready map[string]healthz.Checker
}

func (c checks) AddReadyzCheck(name string, check healthz.Checker) error {
	c.ready[name] = check
	return nil
}

// TestWhatIsEqualTakesNoTurnToWrite lets the operator manage what it has observed, as
// after an import: the cloud holds it already, so that only the limit of reads counts.
func TestWhatIsEqualTakesNoTurnToWrite(t *testing.T) {
	t.Parallel()
	const n = 80
	d := simulated(t, streamFixture(), emulator.Options{})
	names := d.fleet(n, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.SwitchNotifyURL = "" }) // which nobody can read
	policy := func(m v1alpha1.ManagementPolicy) {
		for _, name := range names {
			d.update(name, func(o Object) { spec(o).ManagementPolicy = m })
		}
	}
	policy(v1alpha1.Observe)
	for _, name := range names {
		d.until(name, v1alpha1.ReasonObserved)
	}
	d.share = live.DefaultQuotaShare
	d.restart()
	policy(v1alpha1.Manage)
	// 13.3 reads a second, and some to begin with that nobody has used before.
	d.sweep(names, n*time.Second/12)
	reasons := map[string]int{}
	for _, name := range names {
		reasons[readyReason(d.get(name))]++
	}
	d.Expect(reasons).To(Equal(map[string]int{v1alpha1.ReasonInSync: n}))
}

// TestReadyOnceTheCacheIsFilled: while objects are being read, /readyz fails.
func TestReadyOnceTheCacheIsFilled(t *testing.T) {
	c, read := newCrowd(t), make(chan struct{})
	c.each = 1
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-read:
			c.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	mgr := checks{c.manager(t, server.URL), map[string]healthz.Checker{}}
	credentials, err := live.AccessKey(keyID, keySecret, "")
	if err != nil {
		t.Fatal(err)
	}
	options := Options{Accounts: account.Options{Credentials: credentials, Endpoint: server.URL}, Workers: 1, Clock: clocktesting.NewFakePassiveClock(time.Now())}
	if err := Setup(mgr, options); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	check := mgr.ready["cache"]
	if err := check(nil); err == nil {
		t.Error("it is Ready before it has read anything")
	}
	close(read)
	expecting(t).Eventually(func() error { return check(nil) }).Should(Succeed())
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// heap is what is in use after a collection of garbage, in bytes: the least of some
// looks, as the last passes are still to end.
func heap() int64 {
	least := int64(math.MaxInt64)
	for range 10 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what the first has finalized
		runtime.ReadMemStats(&m)
		least = min(least, int64(m.HeapAlloc))
		time.Sleep(50 * time.Millisecond)
	}
	return least
}

// TestMemoryOfAnObject bounds the memory that an object in sync needs beyond what
// there is without it, and shows that a new leader changes nothing and asks the
// cloud nothing that is not due.
func TestMemoryOfAnObject(t *testing.T) {
	c := newCrowd(t)
	var used [2]int64
	sizes := []int{10, 1010} // of each kind
	for i, each := range sizes {
		c.each = each
		c.takeOver(t, func() { used[i] = heap() })
	}
	perObject := (used[1] - used[0]) / int64((sizes[1]-sizes[0])*len(kind.All))
	t.Logf("%d bytes an object", perObject)
	if perObject > maxObject {
		t.Errorf("an object needs %d bytes, more than %d", perObject, maxObject)
	}
}

// maxObject bounds the memory of an object in sync, in bytes: its own, that of its
// place in the queue and in indexes, and what is remembered of it. It was 3,500 to
// 3,800 when this was written.
const maxObject = 4500

// BenchmarkTakeOver is the start of an operator that finds so many objects, all in
// sync, until it has looked at each: the API server that sends them is part of it.
func BenchmarkTakeOver(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newCrowd(b)
			c.each = 1
			var none, all int64
			c.takeOver(b, func() { none = heap() })
			c.each = n / len(kind.All)
			var took time.Duration
			for b.Loop() {
				start := time.Now()
				c.takeOver(b, func() { took, all = time.Since(start), heap() })
			}
			b.ReportMetric(took.Seconds(), "s/start")
			b.ReportMetric(float64(all-none)/float64(c.each*len(kind.All)), "B/object")
		})
	}
}
