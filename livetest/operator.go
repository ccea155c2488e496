// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"encoding/json"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
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
type options struct{ namespaces []string }

// Option changes how RunOperator runs the operator.
type Option func(*options)

// InNamespaces lets the operator see and manage the objects of these namespaces
// alone. Tests that run in parallel against one API server need it.
func InNamespaces(names ...string) Option {
	return func(o *options) { o.namespaces = append(o.namespaces, names...) }
}

// workers is how many objects of a kind converge at once.
const workers = 4

// unlimited is the share of each documented limit of the cloud that is no hindrance:
// in a test nobody is to wait for the cloud's sake.
const unlimited = 1000

// RunOperator runs the controllers of all kinds against the API server of the config,
// which must have the CRDs, and the cloud. An object that names no account belongs to
// the account of the cloud. The operator has read everything when RunOperator returns,
// and stops with the test; what it logs goes to the test's log.
//
// An operator that has stopped drops no finalizers: delete objects within the test if
// the API server lives on and somebody looks at them.
func RunOperator(t testing.TB, config *rest.Config, cloud *Cloud, opts ...Option) {
	t.Helper()
	var o options
	for _, option := range opts {
		option(&o)
	}
	log, closeLog := logTo(t)
	mgr, err := newManager(config, log, o)
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
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		err := <-stopped
		closeLog()
		if err != nil {
			t.Errorf("running the controllers: %v", err)
		}
	})
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the operator did not get to see the objects of the API server")
	}
}

// Refresh asks the operator to read the configuration and the callback records of an
// object now, whatever its schedule says. Records are kept by the second: ask again
// while a callback of this very moment is not counted yet.
func Refresh(ctx context.Context, c client.Client, o client.Object) error {
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.AnnotationReconcileRequestedAt: time.Now().UTC().Format(time.RFC3339Nano),
	}}})
	if err != nil {
		return err
	}
	return c.Patch(ctx, o, client.RawPatch(types.MergePatchType, text))
}

// newManager returns a manager that shares nothing with others of the process: no
// port, no metrics, no names of controllers.
func newManager(c *rest.Config, log logr.Logger, o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(v1alpha1.AddToScheme(scheme))
	c = rest.CopyConfig(c)
	c.QPS = -1 // the API server is the test's alone
	managed := ctrl.Options{
		Scheme: scheme, Logger: log, HealthProbeBindAddress: "0", PprofBindAddress: "0",
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
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
