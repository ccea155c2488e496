// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/controlplane"
)

const (
	accessKeyID     = "bench"
	accessKeySecret = "bench-secret"
)

// system is a cluster, a cloud, and the operator between them.
type system struct {
	cfg   config
	mode  mode
	dir   string // of logs and binaries
	env   *envtest.Environment
	api   client.Client // not cached, not limited
	cloud *emulator.Server
	http  *httptest.Server

	operator *exec.Cmd
	ended    chan struct{} // of the operator
	metrics  string        // its URL
}

// startSystem starts all but the operator.
func startSystem(ctx context.Context, cfg config, m mode) (_ *system, err error) {
	assets, err := controlplane.Assets(ctx, os.Stderr)
	if err != nil {
		return nil, err
	}
	s := &system{cfg: cfg, mode: m}
	if s.dir, err = os.MkdirTemp("", "live-notify-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", s.binary(), ".")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the operator: %w\n%s", err, out)
	}

	never := false
	s.env = &envtest.Environment{
		UseExistingCluster: &never, BinaryAssetsDirectory: assets, ControlPlaneStartTimeout: time.Minute,
		CRDDirectoryPaths: []string{"config/crd/bases"}, ErrorIfCRDPathMissing: true,
	}
	config, err := s.env.Start()
	if err != nil {
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	config.QPS = -1
	if s.api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	user, err := s.env.AddUser(envtest.User{Name: "bench", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.kubeconfig(), kubeconfig, 0o600); err != nil {
		return nil, err
	}
	s.cloud = emulator.New(emulator.Options{
		AccessKeys: []emulator.AccessKey{{ID: accessKeyID, Secret: accessKeySecret}},
		QPSScale:   cfg.scale, Throttle: cfg.throttle,
	})
	s.http = httptest.NewServer(s.cloud)
	return s, nil
}

func (s *system) binary() string     { return filepath.Join(s.dir, "live-notify-operator") }
func (s *system) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// startOperator starts the operator, and returns when its process exists.
func (s *system) startOperator(ctx context.Context) error {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	share := int(math.Round(float64(s.mode.share) * s.cfg.scale))
	cmd := exec.CommandContext(ctx, s.binary(), "--endpoint", s.http.URL, "--quota-share-percent", fmt.Sprint(share),
		"--metrics-bind-address", address, "--metrics-secure=false", "--health-probe-bind-address", "0")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "KUBECONFIG=" + s.kubeconfig(),
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + accessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + accessKeySecret,
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	s.operator, s.ended, s.metrics = cmd, make(chan struct{}), "http://"+address+"/metrics"
	go func(ended chan struct{}) {
		_ = cmd.Wait() // why it ended is in its log
		_ = log.Close()
		close(ended)
	}(s.ended)
	return nil
}

// alive is an error if the operator ended by itself.
func (s *system) alive() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the operator ended by itself: see %s", filepath.Join(s.dir, "operator.log"))
	default:
		return nil
	}
}

func (s *system) stopOperator() {
	if s.operator == nil {
		return
	}
	_ = s.operator.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.operator.Process.Kill()
		<-s.ended
	}
	s.operator = nil
}

func (s *system) stop() {
	s.stopOperator()
	if s.http != nil {
		s.http.Close()
		s.cloud.Close()
	}
	if s.env != nil {
		if err := s.env.Stop(); err != nil {
			say("stopping the API server: %v", err)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		say("%v", err)
	}
}

// process is what the operator's process has used.
type process struct {
	cpu        time.Duration
	resident   float64 // MiB
	apiWrites  float64 // requests that change something, to the API server
	reconciles float64
}

// process reads the operator's metrics.
func (s *system) process(ctx context.Context) (process, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return process{}, err
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return process{}, err
	}
	defer reply.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(reply.Body)
	if err != nil {
		return process{}, err
	}
	sum := func(name string, counts func(labels map[string]string) bool) (total float64) {
		for _, m := range families[name].GetMetric() {
			if counts(labelsOf(m)) {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		return total
	}
	all := func(map[string]string) bool { return true }
	return process{
		cpu:      time.Duration(sum("process_cpu_seconds_total", all) * float64(time.Second)),
		resident: sum("process_resident_memory_bytes", all) / (1 << 20),
		apiWrites: sum("rest_client_requests_total", func(l map[string]string) bool {
			return l["method"] != http.MethodGet
		}),
		reconciles: sum("controller_runtime_reconcile_total", func(l map[string]string) bool {
			return strings.HasPrefix(l["controller"], "Live")
		}),
	}, nil
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := map[string]string{}
	for _, pair := range m.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}
