// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package system is a real API server, an emulated cloud, and the operator
// between them as a process of its own: what the demo shows, the bench measures and
// the soak wears out. It is run from the root of the repository. Whatever it starts
// ends with the program that did, however that ends, where the system can see to it.
package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
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

	Assets string // the directory with kubectl

	own  emulator.AccessKey
	dir  string // of logs
	keep bool   // what is in it
	env  *envtest.Environment
	http *httptest.Server

	binary   string
	operator *Operator // that is at work
}

// Operator is a process of the operator.
type Operator struct {
	cmd     *exec.Cmd
	ended   chan struct{}
	metrics string // their URL
	ready   string // URL that tells whether it is
}

// Start starts all but the operator, whose own account is that of the first
// access key. Stop removes all logs.
func Start(ctx context.Context, o emulator.Options) (*System, error) { return StartIn(ctx, "", o) }

// StartIn does the same in an empty directory of the root, in which logs stay. The operator's
// binary stays in bin, so that it need not be linked anew.
func StartIn(ctx context.Context, dir string, o emulator.Options) (_ *System, err error) {
	s := &System{own: o.AccessKeys[0], keep: dir != ""}
	if s.Assets, err = controlplane.Assets(ctx, os.Stderr); err != nil {
		return nil, err
	}
	if dir == "" {
		s.dir, err = os.MkdirTemp("", "live-notify-")
	} else {
		s.dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	programsIn := s.dir
	if s.keep {
		programsIn = filepath.Join(filepath.Dir(s.dir), "bin")
	}
	if s.binary, err = programs.Operator(ctx, ".", programsIn); err != nil {
		return nil, err
	}
	if err := s.startCluster(ctx); err != nil {
		return nil, err
	}
	if s.keep {
		log, err := os.Create(s.log("emulator"))
		if err != nil {
			return nil, err
		}
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	s.Cloud = emulator.New(o)
	s.http = httptest.NewServer(s.Cloud)
	s.URL = s.http.URL
	return s, nil
}

// startCluster starts the API server with our CRDs, writes a kubeconfig for it, and
// waits until it has its first namespace.
func (s *System) startCluster(ctx context.Context) error {
	never := false
	s.env = &envtest.Environment{
		UseExistingCluster: &never, BinaryAssetsDirectory: s.Assets, ControlPlaneStartTimeout: time.Minute,
		CRDDirectoryPaths: []string{"config/crd/bases"}, ErrorIfCRDPathMissing: true,
	}
	etcd, server := &envtest.Etcd{DataDir: filepath.Join(s.dir, "etcd.data")}, s.env.ControlPlane.GetAPIServer()
	etcd.Configure().Set("quota-backend-bytes", fmt.Sprint(8<<30)) // of 2 GiB, 100,000 objects need more
	s.env.ControlPlane.Etcd = etcd
	var err, err2 error
	etcd.Path, etcd.Out, err = s.mortal("etcd", filepath.Join(s.Assets, "etcd"))
	server.Path, server.Out, err2 = s.mortal("kube-apiserver", filepath.Join(s.Assets, "kube-apiserver"))
	if err := errors.Join(err, err2, os.MkdirAll(etcd.DataDir, 0o700)); err != nil {
		return err
	}
	etcd.Err, server.Err = etcd.Out, server.Out
	config, err := s.env.Start()
	if err != nil {
		return fmt.Errorf("starting the API server: %w%s%s", err, s.tail("etcd"), s.tail("kube-apiserver"))
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, eventsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	if s.API, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	user, err := s.env.AddUser(envtest.User{Name: "operator", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return err
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.Kubeconfig(), kubeconfig, 0o600); err != nil {
		return err
	}
	for start := time.Now(); ; Pause(ctx, 100*time.Millisecond) {
		err := s.API.Get(ctx, client.ObjectKey{Name: metav1.NamespaceDefault}, &corev1.Namespace{})
		if err == nil || ctx.Err() != nil || time.Since(start) > time.Minute {
			return err
		}
	}
}

// mortal returns a script that becomes a program such that it ends with this process,
// where the system has a command to ask for that, and the log to give to it.
func (s *System) mortal(name, program string) (script string, log *os.File, err error) {
	script = filepath.Join(s.dir, name)
	ending := ""
	if setpriv, err := exec.LookPath("setpriv"); err == nil {
		ending = setpriv + " --pdeathsig KILL "
	}
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec %s'%s' \"$@\"\n", ending, program), 0o700); err != nil {
		return "", nil, err
	}
	log, err = os.OpenFile(s.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return script, log, err
}

func (s *System) log(name string) string { return filepath.Join(s.dir, name+".log") }

// tail returns the end of a log, below what came before it.
func (s *System) tail(name string) string {
	text, err := os.ReadFile(s.log(name))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("\nthe end of %s:%s", s.log(name), lastLines(string(text), 20))
}

// lastLines returns the last n lines of a text, indented, each behind a line break.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return "\n    " + strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}

// Kinds are all kinds that the CRDs define, sorted by name.
func (s *System) Kinds() (kinds []schema.GroupVersionKind) {
	for _, crd := range s.env.CRDs {
		for _, version := range crd.Spec.Versions {
			kinds = append(kinds, schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind})
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.Kind, b.Kind) })
	return kinds
}

// Kubeconfig is the file with an administrator's way to the API server.
func (s *System) Kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// Log is the file that all operators of this system have logged to.
func (s *System) Log() string { return s.log("operator") }

// MetricsURL is where the operator shows its metrics.
func (s *System) MetricsURL() string { return s.operator.metrics }

// Environment is what programs see of ours, besides the way to the API server:
// nothing that configures a real cloud.
func (s *System) Environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "KUBECONFIG=" + s.Kubeconfig()}
}

// StartOperator starts the operator, with more flags, and returns when its
// process exists.
func (s *System) StartOperator(ctx context.Context, flags ...string) error {
	o, err := s.Launch(ctx, flags...)
	if err == nil {
		s.Lead(o)
	}
	return err
}

// Lead says which of several operators is at work: the one that is asked from now on.
func (s *System) Lead(o *Operator) { s.operator = o }

// Launch starts a further operator, which whoever started it has to end.
func (s *System) Launch(ctx context.Context, flags ...string) (*Operator, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	health, err := freeAddress()
	if err != nil {
		return nil, err
	}
	script, log, err := s.mortal("operator", s.binary)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, script, append([]string{
		"--endpoint", s.URL, "--sts-endpoint", s.URL, "--metrics-bind-address", metrics, "--metrics-secure=false", "--health-probe-bind-address", health,
	}, flags...)...)
	cmd.Env = append(s.Environment(), "ALIBABA_CLOUD_ACCESS_KEY_ID="+s.own.ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+s.own.Secret)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // which keeps the terminal's Ctrl-C from it
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	o := &Operator{cmd: cmd, ended: make(chan struct{}), metrics: "http://" + metrics + "/metrics", ready: "http://" + health + "/readyz"}
	go func() {
		_ = cmd.Wait() // why it ended is in its log
		_ = log.Close()
		close(o.ended)
	}()
	return o, nil
}

// freeAddress returns an address of loopback at which nothing listened a moment ago.
func freeAddress() (string, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// PID is the number of the operator's process.
func (s *System) PID() int { return s.operator.cmd.Process.Pid }

// Alive is an error if the operator ended by itself.
func (s *System) Alive() error {
	if s.operator.Ended() {
		return errors.New("the operator ended by itself" + s.tail("operator"))
	}
	return nil
}

// StopOperator tells the operator to end, and waits until it has.
func (s *System) StopOperator() {
	if s.operator != nil {
		s.operator.Stop()
	}
	s.operator = nil
}

// Ended tells whether the process has.
func (o *Operator) Ended() bool {
	select {
	case <-o.ended:
		return true
	default:
		return false
	}
}

// Ready tells whether the process could take over from a leader.
func (o *Operator) Ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.ready, nil)
	if err != nil {
		return false
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer reply.Body.Close()
	return reply.StatusCode == http.StatusOK
}

// Stop tells the process to end, and waits until it has.
func (o *Operator) Stop() {
	_ = o.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-o.ended:
	case <-time.After(30 * time.Second):
		o.Kill()
	}
}

// Kill ends the process without a chance to do anything about it.
func (o *Operator) Kill() {
	_ = o.cmd.Process.Kill() // it may have ended by itself
	<-o.ended
}

// Stop ends everything, and removes the logs if Start made their directory.
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
	if !s.keep {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	for _, name := range []string{"etcd", "etcd.data", "kube-apiserver", "operator", "kubeconfig"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, name)))
	}
	return err
}

// Metrics are the operator's, by name.
type Metrics map[string]*dto.MetricFamily

// Metrics reads those of the operator.
func (s *System) Metrics(ctx context.Context) (Metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.operator.metrics, nil)
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

// APIServerReads is how many requests that change nothing went to the API server.
func (m Metrics) APIServerReads() float64 {
	return m.Sum("rest_client_requests_total", func(l map[string]string) bool { return l["method"] == http.MethodGet })
}

// ResidentMiB is the memory that the process has.
func (m Metrics) ResidentMiB() float64 {
	return m.Sum("process_resident_memory_bytes", nil) / (1 << 20)
}
