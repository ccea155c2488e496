// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long panels may take to have data. The slowest is drift: for a
// minute after a write the operator takes no difference for it.
const patience = 5 * time.Minute

// TestUnderPrometheus runs the demo, has a real Prometheus scrape the operator,
// and asks it what the dashboard and the alerts ask.
func TestUnderPrometheus(t *testing.T) {
	binary := os.Getenv("PROMETHEUS")
	if binary == "" {
		t.Skip("PROMETHEUS names no Prometheus: run make test-monitoring")
	}
	demo := startDemo(t)
	demo.upset(t)
	p := startPrometheus(t, binary, demo.metrics)

	t.Run("alerts", func(t *testing.T) {
		for _, a := range alerts(t) {
			p.expectSeriesFor(t, a.Alert, a.Expr)
		}
	})
	t.Run("panels", func(t *testing.T) {
		for _, q := range panelQueries(t) {
			p.expectSeriesFor(t, q.panel, q.expr)
		}
	})
	t.Run("data", func(t *testing.T) {
		for _, q := range panelQueries(t) {
			p.eventually(t, q.panel, q.expr)
		}
	})
	t.Run("rules load and evaluate", func(t *testing.T) {
		var rules struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		eventually(t, func() error {
			if err := p.get("/api/v1/rules", nil, &rules); err != nil {
				return err
			}
			n := 0
			for _, group := range rules.Groups {
				for _, rule := range group.Rules {
					if n++; rule.Health != "ok" {
						return fmt.Errorf("%s: health %s %s", rule.Name, rule.Health, rule.LastError)
					}
				}
			}
			if want := len(alerts(t)); n != want {
				return fmt.Errorf("%d rules, want %d", n, want)
			}
			return nil
		})
	})
}

type panelQuery struct{ panel, expr string }

// panelQueries are the queries of the dashboard, with its variables replaced by
// what stands for all.
func panelQueries(t *testing.T) []panelQuery {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	read(t, root+"/config/prometheus/dashboard.json", &board)
	variables := strings.NewReplacer("$__rate_interval", "1m", "$namespace", ".*", "$kind", ".*", "$job", "live-notify")
	var all []panelQuery
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			expr := variables.Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: an unknown variable in %s", p.Title, expr)
			}
			all = append(all, panelQuery{p.Title, expr})
		}
	}
	if len(all) == 0 {
		t.Fatal("the dashboard has no queries")
	}
	return all
}

// demo is a running hack/demo.
type demo struct{ metrics, emulator, kubectl, kubeconfig string }

func startDemo(t *testing.T) *demo {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "demo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./hack/demo")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the demo: %v\n%s", err, out)
	}
	output, write := io.Pipe()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, write, write
	start(t, cmd, os.Interrupt)

	d := &demo{}
	found := map[*string]*regexp.Regexp{
		&d.metrics:    regexp.MustCompile(`curl -s (http://\S+/metrics)`),
		&d.emulator:   regexp.MustCompile(`the emulated cloud is (http://\S+)`),
		&d.kubectl:    regexp.MustCompile(`alias kubectl=(\S+)`),
		&d.kubeconfig: regexp.MustCompile(`export KUBECONFIG=(\S+)`),
	}
	lines := make(chan string)
	go func() {
		for scan := bufio.NewScanner(output); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-t.Context().Done(): // go on reading, so that the demo can write
			}
		}
	}()
	var seen []string
	timeout := time.After(patience)
	for len(found) > 0 {
		select {
		case line := <-lines:
			seen = append(seen, line)
			for into, pattern := range found {
				if match := pattern.FindStringSubmatch(line); match != nil {
					*into = match[1]
					delete(found, into)
				}
			}
		case <-timeout:
			t.Fatalf("the demo does not start:\n%s", strings.Join(seen, "\n"))
		}
	}
	go func() {
		for {
			select {
			case <-lines:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return d
}

// upset makes something of everything that the dashboard shows happen: an object
// that is not ready, an error of the cloud, a limit of deletions, a change under a
// guard, and drift.
func (d *demo) upset(t *testing.T) {
	t.Helper()
	d.do(t, "", "patch", "liveaccount", "media-team", "--type", "merge", "-p", `{"spec":{"maxDeletionsPerHour":100}}`)
	d.do(t, "", "wait", "livertcmpueventsub", "conference", "--for", "condition=Ready", "--timeout", patience.String())
	d.do(t, "", "patch", "livertcmpueventsub", "conference", "--type", "merge", "-p",
		`{"spec":{"guard":{"window":"1m","maxFailures":1000},"channelIDs":["main-stage","side-stage"]}}`)
	d.do(t, `
apiVersion: live.alibabacloud.com/v1alpha1
kind: LiveNotifyConfig
metadata: {name: nowhere, namespace: default}
spec: {domainName: nowhere.example.com, notifyURL: "http://127.0.0.1:9/"}
`, "apply", "-f", "-")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, d.emulator+"/_emulator/configs/stream/push.example.com",
		strings.NewReader(`{"notifyURL":"http://127.0.0.1:9/stolen"}`))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		t.Fatalf("changing the cloud: %s", reply.Status)
	}
}

// do runs kubectl with something on its standard input.
func (d *demo) do(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), d.kubectl, append([]string{"--kubeconfig", d.kubeconfig, "--cache-dir", t.TempDir()}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kubectl %s: %v\n%s", args[0], err, out)
	}
}

// start runs a program until the test ends.
func start(t *testing.T, cmd *exec.Cmd, stop os.Signal) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(stop)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Errorf("%s did not end by itself", cmd.Path)
		}
	})
}

// prometheus is a running server.
type prometheus struct{ url string }

func startPrometheus(t *testing.T, binary, metrics string) *prometheus {
	t.Helper()
	target, err := url.Parse(metrics)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yaml")
	text := fmt.Sprintf(`
global: {scrape_interval: 2s, evaluation_interval: 5s}
rule_files: [%s]
scrape_configs:
- job_name: live-notify
  honor_labels: true
  static_configs:
  - targets: [%s]
    labels: {namespace: live-notify-system} # as a cluster adds it
`, rules, target.Host)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary,
		"--config.file", file, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address)
	cmd.Stdout, cmd.Stderr = log, log
	start(t, cmd, syscall.SIGTERM)
	p := &prometheus{url: "http://" + address}
	eventually(t, func() error {
		series, err := p.query("live_notify_ready")
		if err == nil && series == 0 {
			err = errors.New("Prometheus has not scraped the operator")
		}
		return err
	})
	return p
}

// eventually tries until it gets no error.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Second) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
	}
}

// get reads the data of a reply of the HTTP API.
func (p *prometheus) get(path string, params url.Values, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path+"?"+params.Encode(), nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	var body struct {
		Error string
		Data  json.RawMessage
	}
	if err := json.NewDecoder(reply.Body).Decode(&body); err != nil {
		return fmt.Errorf("%s: %s: %w", path, reply.Status, err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", params.Get("query"), body.Error)
	}
	return json.Unmarshal(body.Data, into)
}

// query returns how many series an expression has now.
func (p *prometheus) query(expr string) (int, error) {
	var result struct{ Result []any }
	err := p.get("/api/v1/query", url.Values{"query": {expr}}, &result)
	return len(result.Result), err
}

// eventually waits until a query has a result.
func (p *prometheus) eventually(t *testing.T, of, expr string) {
	t.Helper()
	eventually(t, func() error {
		series, err := p.query(expr)
		if err == nil && series == 0 {
			err = fmt.Errorf("no data: %s", expr)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", of, err)
		}
		return err
	})
}

// expectSeriesFor checks that the operator has each metric that an expression
// names, with each label by which the expression selects, groups or joins it.
func (p *prometheus) expectSeriesFor(t *testing.T, of, expr string) {
	t.Helper()
	var tree map[string]any
	if err := p.get("/api/v1/parse_query", url.Values{"query": {expr}}, &tree); err != nil {
		t.Errorf("%s: %v", of, err)
		return
	}
	selectors := selectorsOf(tree, nil)
	if len(selectors) == 0 {
		t.Errorf("%s: no metric in %s", of, expr)
	}
	for _, selector := range selectors {
		p.eventually(t, of, selector)
	}
}

// selectorsOf returns, for each selector of an expression, one that has any value
// for the labels that are asked for.
func selectorsOf(node map[string]any, labels []string) []string {
	list := func(v any) (names []string) {
		items, _ := v.([]any)
		for _, item := range items {
			if name, ok := item.(string); ok {
				names = append(names, name)
			}
		}
		return names
	}
	if without, _ := node["without"].(bool); !without {
		labels = append(slices.Clone(labels), list(node["grouping"])...)
	}
	if matching, ok := node["matching"].(map[string]any); ok && matching["on"] == true {
		labels = append(slices.Clone(labels), list(matching["labels"])...)
	}
	if kind := node["type"]; kind == "vectorSelector" || kind == "matrixSelector" {
		matchers, _ := node["matchers"].([]any)
		for _, m := range matchers {
			if name, _ := m.(map[string]any)["name"].(string); name != "__name__" {
				labels = append(labels, name)
			}
		}
		slices.Sort(labels)
		var want []string
		for _, label := range slices.Compact(labels) {
			want = append(want, label+`!=""`)
		}
		return []string{fmt.Sprintf("%s{%s}", node["name"], strings.Join(want, ","))}
	}
	var found []string
	for _, name := range []string{"expr", "lhs", "rhs"} {
		if child, ok := node[name].(map[string]any); ok {
			found = append(found, selectorsOf(child, labels)...)
		}
	}
	args, _ := node["args"].([]any)
	for _, arg := range args {
		if child, ok := arg.(map[string]any); ok {
			found = append(found, selectorsOf(child, labels)...)
		}
	}
	return found
}
