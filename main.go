// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// The operator: keeps the callback configuration of ApsaraVideo Live equal to
// custom resources.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/internal/leader"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/version"
)

// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=live-notify-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,resourceNames=live-notify-operator.live.alibabacloud.com,verbs=list
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	err := run()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "live-notify-operator:", err)
		os.Exit(1)
	}
}

// gcPercent is how much the memory of the process may grow over what is in use
// before garbage is collected, where GOGC does not say it. Most of what is in use is
// the cache, which hardly changes: a quarter of the usual 100 spares a third of the
// memory for a few hundredths of a core with 100,000 objects.
const gcPercent = 25

// options are what the flags say.
type options struct {
	metricsAddress, healthAddress string
	metricsCertDir, pprofAddress  string
	metricsSecure, leaderElect    bool
	leaseNamespace                string
	namespaces                    []string
	selector                      labels.Selector
	region, endpoint, stsEndpoint string
	quotaShare                    int // percent
	allowInsecure                 bool
	requireAccountRef             bool
	workers                       int
	maxDeletions                  int // an hour, from the operator's own account
	zap                           zap.Options
	printVersion, check           bool
}

func parseFlags() (options, error) {
	var o options
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics endpoint, as [host]:port; 0 turns it off.")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over TLS, to those whom the API server authorizes only.")
	flag.StringVar(&o.metricsCertDir, "metrics-cert-dir", "", "Directory with tls.crt and tls.key to serve metrics with, which are read again when they change. Default: a certificate that the operator makes at each start.")
	flag.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "Address of /debug/pprof, which asks nobody who they are: give it one of loopback, such as 127.0.0.1:6060. 0 turns it off.")
	flag.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz, as [host]:port; 0 turns them off.")
	flag.BoolVar(&o.leaderElect, "leader-elect", false, "Let one of several replicas work at a time, and one of several releases that would work on the same objects.")
	flag.StringVar(&o.leaseNamespace, "leader-elect-namespace", "", "Namespace of the lease of the leader. Default: that of the pod.")
	namespaces := flag.String("watch-namespaces", "", "Comma-separated namespaces to watch; empty for all.")
	selector := flag.String("watch-label-selector", "", "Watch only objects with these labels, to share them out among several operators.")
	flag.StringVar(&o.region, "region", live.DefaultRegion, "Region of the operator's own account, such as cn-shanghai.")
	flag.StringVar(&o.endpoint, "endpoint", "", "Endpoint of the API for the operator's own account, as [https://]host[:port]. Default "+live.DefaultEndpoint+".")
	flag.StringVar(&o.stsEndpoint, "sts-endpoint", "", "Endpoint of the token service, which tells whose credentials are and assumes roles, as [https://]host[:port]. Default "+live.DefaultTokenService+".")
	flag.IntVar(&o.quotaShare, "quota-share-percent", int(live.DefaultQuotaShare*100), "How much of each documented request limit of one cloud account the operator may use, in its own account and all LiveAccounts together. 1 to 1000000; more than 100 is for an account whose limits were raised.")
	flag.BoolVar(&o.allowInsecure, "allow-insecure-endpoints", false, "Allow http:// endpoints that are not loopback. Requests carry authentication keys.")
	flag.BoolVar(&o.requireAccountRef, "require-account-ref", false, "Refuse objects that lean on the operator's own credentials, and LiveAccounts that lean on the role of its instance.")
	flag.IntVar(&o.workers, "max-concurrent-reconciles", 10, "Objects of a kind that converge at once, 1 to 1000.")
	flag.IntVar(&o.maxDeletions, "max-deletions-per-hour", 0, "How many configurations the operator removes within an hour from its own account, for objects that were deleted; the others wait. Up to 100000; 0 is no limit. For a LiveAccount, spec.maxDeletionsPerHour says it.")
	flag.BoolVar(&o.printVersion, "version", false, "Print the version and end.")
	flag.BoolVar(&o.check, "check", false, "Wait until the cluster has the kinds and an operator at work, and end; the status is 1 if that takes over a minute.")
	o.zap.BindFlags(flag.CommandLine)
	if err := flags.ParseShort(flag.CommandLine, os.Args[1:]); err != nil {
		return o, err
	}

	var err error
	if o.namespaces, err = namesOf(*namespaces); err != nil {
		return o, fmt.Errorf("--watch-namespaces: %w", err)
	}
	if o.selector, err = labels.Parse(*selector); err != nil {
		return o, errors.New(`--watch-label-selector: must be a selector of labels, such as shard=a or "team in (a,b),!odd", with values of up to 63 characters`)
	}
	return o, cmp.Or(checkNumbers(o), checkAddresses(o))
}

// checkNumbers tells what is wrong with the flags that are numbers. Each has an upper
// bound, beyond which it is a slip.
func checkNumbers(o options) error {
	for _, of := range []struct {
		flag               string
		value, least, most int
	}{
		{"quota-share-percent", o.quotaShare, 1, 1_000_000},
		{"max-deletions-per-hour", o.maxDeletions, 0, 100_000},
		{"max-concurrent-reconciles", o.workers, 1, 1_000},
	} {
		if of.value < of.least || of.value > of.most {
			return fmt.Errorf("--%s: must be a number from %d to %d", of.flag, of.least, of.most)
		}
	}
	return nil
}

// checkAddresses tells what is wrong with the flags that say where something is.
func checkAddresses(o options) error {
	if o.leaseNamespace != "" && len(validation.IsDNS1123Label(o.leaseNamespace)) > 0 {
		return errors.New("--leader-elect-namespace: must be the name of one namespace: up to 63 lower-case letters, digits and inner hyphens")
	}
	if o.metricsCertDir != "" && !o.metricsSecure {
		return errors.New("--metrics-cert-dir: has no effect with --metrics-secure=false")
	}
	if err := flags.Region(o.region); err != nil {
		return fmt.Errorf("--region: %w", err)
	}
	for _, of := range []struct{ flag, value string }{{"endpoint", o.endpoint}, {"sts-endpoint", o.stsEndpoint}} {
		if of.value == "" {
			continue // the default
		}
		if err := cmp.Or(flags.Endpoint(of.value), live.CheckEndpoint(of.value, o.allowInsecure)); err != nil {
			return fmt.Errorf("--%s: %w", of.flag, err)
		}
	}
	at := map[string]string{}
	for _, of := range []struct{ flag, value string }{
		{"metrics-bind-address", o.metricsAddress}, {"health-probe-bind-address", o.healthAddress}, {"pprof-bind-address", o.pprofAddress},
	} {
		if err := flags.Listen(of.value); err != nil {
			return fmt.Errorf("--%s: %w", of.flag, err)
		}
		if other, taken := at[of.value]; taken && of.value != "0" && !strings.HasSuffix(of.value, ":0") {
			return fmt.Errorf("--%s: is the address of --%s, too; give one of them another port", of.flag, other)
		}
		at[of.value] = of.flag
	}
	return nil
}

// checkCertificate tells whether the certificate of the metrics is not there.
func checkCertificate(o options) error {
	if o.metricsCertDir == "" || o.metricsAddress == "0" {
		return nil
	}
	for _, name := range []string{"tls.crt", "tls.key"} {
		if info, err := os.Stat(filepath.Join(o.metricsCertDir, name)); err != nil || info.IsDir() {
			return fmt.Errorf("--metrics-cert-dir: there is no file %s in it that can be read; mount a Secret of type kubernetes.io/tls there", name)
		}
	}
	return nil
}

// namesOf returns the namespaces of a list; none of an empty one.
func namesOf(list string) ([]string, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if len(validation.IsDNS1123Label(name)) > 0 {
			return nil, fmt.Errorf("%q is no name of a namespace: give names with a comma between two, such as team-a,team-b", live.Bound(name, 63))
		}
		names = append(names, name)
	}
	return names, nil
}

func run() error {
	o, err := parseFlags()
	if err != nil {
		return err
	}
	if o.printVersion {
		fmt.Println(version.Line("live-notify-operator"))
		return nil
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
	if o.check {
		config, err := ctrl.GetConfig()
		if err != nil {
			return fmt.Errorf("finding the cluster: %w", err)
		}
		return check(ctrl.SetupSignalHandler(), config, o)
	}
	log := ctrl.Log.WithName("setup")

	if err := checkCertificate(o); err != nil {
		return err
	}
	accounts, err := accountOptions(o)
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	ctx := ctrl.SetupSignalHandler()
	everywhere, err := seesAll(ctx, config, o)
	if err != nil {
		return err
	}
	mgr, err := newManager(config, o, everywhere)
	if err != nil {
		return err
	}
	metrics.Registry.MustRegister(slices.Concat(version.Collectors(), live.Collectors())...)
	err = controller.Setup(mgr, controller.Options{
		Accounts: accounts,
		Scope:    controller.Scope{Namespaces: o.namespaces, Selector: o.selector},
		Workers:  o.workers, Metrics: metrics.Registry,
		Deletions: controller.DeletionOptions{PerHour: o.maxDeletions, Namespace: ownNamespace(o)},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	log.Info("starting", "version", version.Of(), "commit", version.Commit(), "go", version.GoVersion)
	return start(ctx, mgr)
}

// newManager returns the manager, with the lease of the leader if there is to be one.
func newManager(config *rest.Config, o options, everywhere bool) (ctrl.Manager, error) {
	managed := managerOptions(o, everywhere)
	if o.leaderElect {
		var err error
		managed.LeaderElectionID = leader.LeaseName // the label of the metric, no more
		if managed.LeaderElectionResourceLockInterface, err = newLock(config, o); err != nil {
			return nil, fmt.Errorf("setting up the election of a leader: %w", err)
		}
	}
	mgr, err := ctrl.NewManager(config, managed)
	if err != nil {
		return nil, fmt.Errorf("setting up the manager: %w", err)
	}
	return mgr, nil
}

// start runs the manager until the context ends. One that is told to end while its
// cache cannot be filled, as for want of a permission, would wait for that all the
// same (runnableGroup.Start of controller-runtime v0.25.2): nothing has begun by then,
// so that nothing is left to be finished.
func start(ctx context.Context, mgr ctrl.Manager) error {
	ended, filled := make(chan error, 1), make(chan bool, 1)
	go func() { ended <- mgr.Start(ctx) }()
	go func() { filled <- mgr.GetCache().WaitForCacheSync(ctx) }()
	select {
	case err := <-ended:
		return err
	case ok := <-filled:
		if !ok {
			mgr.GetLogger().Info("told to end before all objects could be read")
			return nil
		}
		return <-ended
	}
}

// accountOptions returns how accounts are found, and the operator's own one.
func accountOptions(o options) (account.Options, error) {
	credentials, err := live.OwnCredentials()
	if err != nil {
		return account.Options{}, fmt.Errorf("setting up the operator's own credentials: %w", err)
	}
	tokens, err := live.NewTokenService(o.stsEndpoint, o.allowInsecure)
	if err != nil {
		return account.Options{}, fmt.Errorf("--sts-endpoint: %w", err)
	}
	return account.Options{
		Credentials: credentials, Region: o.region, Endpoint: o.endpoint, Share: float64(o.quotaShare) / 100,
		RequireRef: o.requireAccountRef, AllowInsecure: o.allowInsecure, TokenService: tokens,
	}, nil
}

// ownNamespace returns the namespace of the operator; "" if it is in none.
func ownNamespace(o options) string {
	if o.leaseNamespace != "" {
		return o.leaseNamespace
	}
	namespace, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return "" // outside of a pod
	}
	return strings.TrimSpace(string(namespace))
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// seesAll tells whether the operator may see the objects of all namespaces, where
// it works on some only. It then knows who else has a domain.
func seesAll(ctx context.Context, config *rest.Config, o options) (bool, error) {
	if len(o.namespaces) == 0 {
		return true, nil
	}
	c, err := client.New(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return false, fmt.Errorf("setting up a client of the cluster: %w", err)
	}
	for _, resource := range controller.Resources() {
		for _, verb := range []string{"list", "watch"} {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Group: v1alpha1.GroupVersion.Group, Resource: resource, Verb: verb},
			}}
			if err := c.Create(ctx, review); err != nil {
				return false, fmt.Errorf("asking the API server what the operator may see: %w", err)
			}
			if !review.Status.Allowed {
				return false, nil
			}
		}
	}
	return true, nil
}

// newLock returns the lease that the leader holds.
func newLock(config *rest.Config, o options) (*leader.Lock, error) {
	namespace, err := leader.Namespace(o.leaseNamespace)
	if err != nil {
		return nil, err
	}
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	config.Timeout = 5 * time.Second // half of what a leader may take to renew
	leases, err := coordinationv1client.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &leader.Lock{
		Client: leases, Namespace: namespace, Scope: leader.Scope{Namespaces: o.namespaces, Selector: o.selector},
		Log: ctrl.Log.WithName("leader"), Clock: clock.RealClock{},
	}, nil
}

func managerOptions(o options, everywhere bool) ctrl.Options {
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure, CertDir: o.metricsCertDir}
	if o.metricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	// A standby looks at the lease each retry period, drawn out by up to 2.2
	// times. Twice that and the lease itself make 19.4 s at most after a crash, and
	// 2.2 s after a leader that gave the lease back.
	retryPeriod := time.Second
	return ctrl.Options{
		Scheme: newScheme(),
		// A standby queues what a leader has to look at, so that it is at work at once
		// when it leads, however many objects there are.
		Controller:                    ctrlconfig.Controller{EnableWarmup: new(true)},
		Cache:                         controller.CacheOptions(o.namespaces, everywhere),
		Metrics:                       served,
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.pprofAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionReleaseOnCancel: true,
		RetryPeriod:                   &retryPeriod,
	}
}
