// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// The operator: keeps the callback configuration of ApsaraVideo Live equal to
// custom resources.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/controller"
	"github.com/live-notify/live-notify-operator/internal/flags"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/version"
)

// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=live-notify-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create,namespace=live-notify-system
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "live-notify-operator:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	metricsAddress, healthAddress string
	metricsSecure, leaderElect    bool
	leaseNamespace                string
	namespaces                    []string
	selector                      labels.Selector
	region, endpoint              string
	quotaShare                    int // percent
	allowInsecure                 bool
	requireAccountRef             bool
	workers                       int
	zap                           zap.Options
	printVersion, check           bool
}

func parseFlags() (options, error) {
	var o options
	flag.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics endpoint; 0 turns it off.")
	flag.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over TLS, to those whom the API server authorizes only.")
	flag.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz; 0 turns them off.")
	flag.BoolVar(&o.leaderElect, "leader-elect", false, "Let one of several replicas work at a time.")
	flag.StringVar(&o.leaseNamespace, "leader-elect-namespace", "", "Namespace of the lease of the leader. Default: that of the pod.")
	namespaces := flag.String("watch-namespaces", "", "Comma-separated namespaces to watch; empty for all.")
	selector := flag.String("watch-label-selector", "", "Watch only objects with these labels, to share them out among several operators.")
	flag.StringVar(&o.region, "region", live.DefaultRegion, "Region of the operator's own account.")
	flag.StringVar(&o.endpoint, "endpoint", "", "Endpoint of the API for the operator's own account, as [https://]host[:port]. Default "+live.DefaultEndpoint+".")
	flag.IntVar(&o.quotaShare, "quota-share-percent", int(live.DefaultQuotaShare*100), "How much of each documented request limit of its own account the operator may use. More than 100 is for an account whose limits were raised.")
	flag.BoolVar(&o.allowInsecure, "allow-insecure-endpoints", false, "Allow http:// endpoints that are not loopback. Requests carry authentication keys.")
	flag.BoolVar(&o.requireAccountRef, "require-account-ref", false, "Refuse objects that lean on the operator's own credentials, and LiveAccounts that lean on the role of its instance.")
	flag.IntVar(&o.workers, "max-concurrent-reconciles", 10, "Objects of a kind that converge at once.")
	flag.BoolVar(&o.printVersion, "version", false, "Print the version and end.")
	flag.BoolVar(&o.check, "check", false, "Wait until the cluster has the kinds and an operator at work, and end; the status is 1 if that takes over a minute.")
	o.zap.BindFlags(flag.CommandLine)
	if err := flags.Parse(flag.CommandLine, os.Args[1:]); err != nil {
		return o, err
	}

	for name := range strings.SplitSeq(*namespaces, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.namespaces = append(o.namespaces, name)
		}
	}
	var err error
	if o.selector, err = labels.Parse(*selector); err != nil {
		return o, fmt.Errorf("--watch-label-selector: %w", err)
	}
	if o.quotaShare < 1 {
		return o, errors.New("--quota-share-percent: must be at least 1")
	}
	if o.workers < 1 {
		return o, errors.New("--max-concurrent-reconciles: must be at least 1")
	}
	return o, nil
}

func run() error {
	o, err := parseFlags()
	if err != nil {
		return err
	}
	build := version.Get()
	if o.printVersion {
		fmt.Println(build)
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

	credentials, err := live.OwnCredentials()
	if err != nil {
		return fmt.Errorf("setting up the operator's own credentials: %w", err)
	}
	limits := live.NewLimits("own")
	limits.SetShare(float64(o.quotaShare) / 100)
	own, err := live.NewClient(live.Options{
		Region: o.region, Endpoint: o.endpoint, AllowInsecure: o.allowInsecure, Credentials: credentials, Limits: limits,
	})
	if err != nil {
		return fmt.Errorf("setting up the client of the operator's own account: %w", err)
	}

	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	mgr, err := ctrl.NewManager(config, managerOptions(o))
	if err != nil {
		return fmt.Errorf("setting up the manager: %w", err)
	}
	metrics.Registry.MustRegister(slices.Concat(version.Collectors(), live.Collectors(), controller.Collectors())...)
	err = controller.Setup(mgr, controller.Options{
		Accounts: controller.AccountOptions{Own: own, RequireRef: o.requireAccountRef, AllowInsecure: o.allowInsecure},
		Workers:  o.workers,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return err
	}
	log.Info("starting", "version", build.Version, "commit", build.Commit, "go", build.GoVersion)
	return mgr.Start(ctrl.SetupSignalHandler())
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

func managerOptions(o options) ctrl.Options {

	cached := cache.Options{
		ByObject: map[client.Object]cache.ByObject{},
		// Nothing reads them, and they are most of an object's memory.
		DefaultTransform: cache.TransformStripManagedFields(),
	}
	for _, kind := range controller.Objects() {
		cached.ByObject[kind] = cache.ByObject{Label: o.selector}
	}
	for _, namespace := range o.namespaces {
		if cached.DefaultNamespaces == nil {
			cached.DefaultNamespaces = map[string]cache.Config{}
		}
		cached.DefaultNamespaces[namespace] = cache.Config{}
	}
	served := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure}
	if o.metricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	// A standby looks at the lease each retry period, drawn out by up to 2.2
	// times. Twice that and the lease itself make 19.4 s at most after a crash, and
	// 2.2 s after a leader that gave the lease back.
	retryPeriod := time.Second
	return ctrl.Options{
		Scheme:                        newScheme(),
		Cache:                         cached,
		Metrics:                       served,
		HealthProbeBindAddress:        o.healthAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionNamespace:       o.leaseNamespace,
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
		RetryPeriod:                   &retryPeriod,
	}
}
