// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/config/crd"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// CRDs returns the resource definitions of this version, for
// envtest.CRDInstallOptions. They are copies that the caller may change.
func CRDs() []*apiextensionsv1.CustomResourceDefinition {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	must(err)
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, name := range files {
		text, err := crd.Bases.ReadFile(name)
		must(err)
		definition := &apiextensionsv1.CustomResourceDefinition{}
		must(yaml.Unmarshal(text, definition))
		all = append(all, definition)
	}
	return all
}

// must is for what is part of this package: it cannot fail in a test of somebody else.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// options are how an operator is run.
type options struct {
	namespaces []string
	limited    bool          // to the namespaces
	readWithin time.Duration // is how long the first read of all objects may take
}

// Option changes how RunOperator runs the operator.
type Option func(*options)

// InNamespaces lets the operator see and manage the objects of these namespaces
// alone. It takes one name at least. Tests that run in parallel against one API
// server need it.
func InNamespaces(names ...string) Option {
	return func(o *options) { o.namespaces, o.limited = append(o.namespaces, names...), true }
}

// within bounds the first read of all objects.
func within(d time.Duration) Option { return func(o *options) { o.readWithin = d } }

// workers is how many objects of a kind converge at once.
const workers = 4

// unlimited is the share of each documented limit of the cloud that is no hindrance:
// in a test nobody is to wait for the cloud's sake.
const unlimited = 1000

// RunOperator runs the controllers of all kinds against the API server of the config,
// which must have the CRDs, and the cloud. An object that names no account belongs to
// the account of the cloud. The operator has read everything when RunOperator returns,
// and stops with the test; what it logs goes to the test's log. Where it cannot read
// everything within a minute, RunOperator ends the test and says why.
//
// An operator that has stopped drops no finalizers: delete objects within the test if
// the API server lives on and somebody looks at them.
func RunOperator(t testing.TB, config *rest.Config, cloud *Cloud, opts ...Option) {
	t.Helper()
	o := options{readWithin: time.Minute}
	for _, option := range opts {
		option(&o)
	}
	if o.limited && (len(o.namespaces) == 0 || slices.Contains(o.namespaces, "")) {
		t.Fatal("livetest.InNamespaces needs names of namespaces; without the option the operator sees all")
	}
	log, closeLog := logTo(t)
	unread := &lastError{}
	mgr, err := newManager(config, log, unread, o)
	if err != nil {
		t.Fatalf("setting up a manager: %v", err)
	}
	accounts, err := accountOf(cloud)
	if err != nil {
		t.Fatalf("setting up the account of the cloud: %v", err)
	}
	err = controller.Setup(mgr, controller.Options{
		Accounts: accounts, Scope: controller.Scope{Namespaces: o.namespaces}, Workers: workers,
	})
	if err != nil {
		t.Fatalf("setting up the controllers (does the API server have livetest.CRDs()?): %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	running := &sync.WaitGroup{}
	run := func(start func(context.Context) error) {
		running.Go(func() {
			if err := start(ctx); err != nil {
				t.Errorf("running the controllers: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		closeLog()
	})
	// A manager whose cache cannot be filled does not stop when it is told to.
	objects := mgr.GetCache().(*objects)
	run(objects.Cache.Start)
	if !objects.read(ctx, o.readWithin) {
		t.Fatalf("the operator did not get to see all objects of the API server within %s: %v", o.readWithin, unread.get())
	}
	run(mgr.Start)
}

// objects is a cache that is started before its manager, which is not to start it.
type objects struct{ cache.Cache }

// Start implements cache.Cache.
func (o *objects) Start(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// read waits until the cache has read everything; false if that takes too long.
func (o *objects) read(ctx context.Context, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	for _, object := range []client.Object{&v1alpha1.LiveAccount{}, &v1alpha1.LiveRolloutPolicy{}, secrets} { // the kinds have indexes, and are read
		if _, err := o.GetInformer(ctx, object); err != nil {
			return false
		}
	}
	return o.WaitForCacheSync(ctx)
}

// lastError is the last cause why objects could not be read.
type lastError struct {
	mu  sync.Mutex
	err error
}

func (e *lastError) set(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func (e *lastError) get() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		return errors.New("the log of the test may tell why")
	}
	return e.err
}

// refreshWithin is how long an operator may take to do what Refresh asks for.
const refreshWithin = time.Minute

// Refresh has the operator read the configuration and the callback records of an
// object of a callback kind now, whatever its schedule says. It returns when that is
// done, and o is the object as it is then; an error says that it was not done before
// the context ended, or within a minute. Records are kept by the second: ask again
// while a callback of this very moment is not counted yet.
func Refresh(ctx context.Context, c client.Client, o client.Object) error {
	callback, ok := o.(kind.Object)
	if !ok {
		return fmt.Errorf("a %T has neither configuration nor records in the cloud that could be read", o)
	}
	request := time.Now().UTC().Format(time.RFC3339Nano)
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationReconcileRequestedAt: request,
	}}})
	if err != nil {
		return err
	}
	if err := c.Patch(ctx, o, client.RawPatch(types.MergePatchType, text)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, refreshWithin)
	defer cancel()
	err = wait.PollUntilContextCancel(ctx, 20*time.Millisecond, false, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(o), o)
		if err != nil && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
			return false, nil // the client refuses to ask where it would wait for longer than there is time
		}
		_, status := callback.Callback()
		return err == nil && status.LastHandledReconcileAt == request, err
	})
	if ctx.Err() != nil {
		return fmt.Errorf("the operator did not look at the %T %s/%s (does one run that sees the namespace?): %w",
			o, o.GetNamespace(), o.GetName(), ctx.Err())
	}
	return err
}

// newManager returns a manager that shares nothing with others of the process: no
// port, no metrics, no names of controllers.
func newManager(c *rest.Config, log logr.Logger, unread *lastError, o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(v1alpha1.AddToScheme(scheme))
	c = rest.CopyConfig(c)
	c.QPS = -1 // the API server is the test's alone
	managed := ctrl.Options{
		Scheme: scheme, Logger: log, HealthProbeBindAddress: "0", PprofBindAddress: "0",
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
		NewCache: func(c *rest.Config, o cache.Options) (cache.Cache, error) {
			of, err := cache.New(c, o)
			return &objects{of}, err
		},
	}
	managed.Cache.DefaultWatchErrorHandler = func(ctx context.Context, r *toolscache.Reflector, err error) {
		unread.set(err)
		toolscache.DefaultWatchErrorHandler(logr.NewContext(ctx, log), r, err)
	}
	for _, namespace := range o.namespaces {
		if managed.Cache.DefaultNamespaces == nil {
			managed.Cache.DefaultNamespaces = map[string]cache.Config{}
		}
		managed.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	return ctrl.NewManager(c, managed)
}

// accountOf returns the operator's own account, which is that of the cloud.
func accountOf(cloud *Cloud) (account.Options, error) {
	credentials, err := live.AccessKey(keyID, keySecret, "")
	if err != nil {
		return account.Options{}, err
	}
	tokens, err := live.NewTokenService(cloud.Endpoint(), false)
	if err != nil {
		return account.Options{}, err
	}
	return account.Options{
		Credentials: credentials, Region: live.DefaultRegion, Endpoint: cloud.Endpoint(), Share: unlimited, TokenService: tokens,
	}, nil
}

// logTo returns a logger that writes to a test's log until it is closed: a line that
// comes after the end of a test would be a panic.
func logTo(t testing.TB) (logr.Logger, func()) {
	var mu sync.Mutex
	closed := false
	log := funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		if !closed {
			t.Log(prefix, args)
		}
	}, funcr.Options{})
	return log, func() {
		mu.Lock()
		defer mu.Unlock()
		closed = true
	}
}
