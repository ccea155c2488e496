// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package system is a real API server, an emulated cloud, and the operator
// between them as a process of its own: what the bench measures and the soak
// wears out. It is run from the root of the repository.
package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/controlplane"
	"github.com/live-notify/live-notify-operator/test/programs"
)

// System is a cluster, a cloud, and the operator between them.
type System struct {
	API   client.Client // not cached, not limited
	Cloud *emulator.Server
	URL   string // of the cloud

	own  emulator.AccessKey
	dir  string // of logs
	env  *envtest.Environment
	http *httptest.Server

	binary   string
	operator *exec.Cmd
	ended    chan struct{} // of the operator
	metrics  string        // its URL
}

// Start starts all but the operator, whose own account is that of the first
// access key.
func Start(ctx context.Context, o emulator.Options) (_ *System, err error) {
	assets, err := controlplane.Assets(ctx, os.Stderr)
	if err != nil {
		return nil, err
	}
	s := &System{own: o.AccessKeys[0]}
	if s.dir, err = os.MkdirTemp("", "live-notify-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.binary, err = programs.Operator(ctx, ".", s.dir); err != nil {
		return nil, err
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
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, eventsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config.QPS = -1
	if s.API, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	user, err := s.env.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, nil)
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
	s.Cloud = emulator.New(o)
	s.http = httptest.NewServer(s.Cloud)
	s.URL = s.http.URL
	return s, nil
}

func (s *System) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// Kubeconfig is the file with an administrator's way to the API server.
func (s *System) Kubeconfig() string { return s.kubeconfig() }

// Log is the file that all operators of this system have logged to.
func (s *System) Log() string { return filepath.Join(s.dir, "operator.log") }

// StartOperator starts the operator, with more flags, and returns when its
// process exists.
func (s *System) StartOperator(ctx context.Context, flags ...string) error {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.binary, append([]string{
		"--endpoint", s.URL, "--sts-endpoint", s.URL, "--metrics-bind-address", address, "--metrics-secure=false", "--health-probe-bind-address", "0",
	}, flags...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "KUBECONFIG=" + s.kubeconfig(),
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + s.own.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + s.own.Secret,
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

// PID is the number of the operator's process.
func (s *System) PID() int { return s.operator.Process.Pid }

// Alive is an error if the operator ended by itself.
func (s *System) Alive() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the operator ended by itself: see %s", s.Log())
	default:
		return nil
	}
}

// StopOperator tells the operator to end, and waits until it has.
func (s *System) StopOperator() {
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

// KillOperator ends the operator without a chance to do anything about it.
func (s *System) KillOperator() {
	_ = s.operator.Process.Kill() // it may have ended by itself
	<-s.ended
	s.operator = nil
}

// Stop ends everything, and removes the logs.
func (s *System) Stop() error {
	s.StopOperator()
	if s.http != nil {
		s.http.Close()
		s.Cloud.Close()
	}
	var err error
	if s.env != nil {
		err = s.env.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Metrics are the operator's, by name.
type Metrics map[string]*dto.MetricFamily

// Metrics reads those of the operator.
func (s *System) Metrics(ctx context.Context) (Metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(reply.Body)
}

// Sum adds up the series of a counter or a gauge that count, by their labels; nil
// counts all.
func (m Metrics) Sum(name string, counts func(labels map[string]string) bool) (total float64) {
	for _, series := range m[name].GetMetric() {
		labels := map[string]string{}
		for _, pair := range series.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		if counts == nil || counts(labels) {
			total += series.GetCounter().GetValue() + series.GetGauge().GetValue()
		}
	}
	return total
}

// APIServerWrites is how many requests that change something went to the API
// server.
func (m Metrics) APIServerWrites() float64 {
	return m.Sum("rest_client_requests_total", func(l map[string]string) bool { return l["method"] != http.MethodGet })
}

// ResidentMiB is the memory that the process has.
func (m Metrics) ResidentMiB() float64 {
	return m.Sum("process_resident_memory_bytes", nil) / (1 << 20)
}
