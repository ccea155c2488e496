// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

const (
	root       = "../.."
	rulesFile  = root + "/config/prometheus/rules.yaml"
	runbookURL = "https://github.com/live-notify/live-notify-operator/blob/main/docs/runbooks/"
)

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	read(t, rulesFile, &file)
	var all []alert
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestEachAlertHasItsRunbook(t *testing.T) {
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		if got, want := a.Annotations["runbook_url"], runbookURL+a.Alert+".md"; got != want {
			t.Errorf("%s: runbook_url %q, want %q", a.Alert, got, want)
		}
		for _, name := range []string{"summary", "description"} {
			if a.Annotations[name] == "" {
				t.Errorf("%s: no %s", a.Alert, name)
			}
		}
		if !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) {
			t.Errorf("%s: severity %q", a.Alert, a.Labels["severity"])
		}
		page, err := os.ReadFile(filepath.Join(root, "docs/runbooks", a.Alert+".md"))
		if err != nil {
			t.Errorf("%s: no runbook: %v", a.Alert, err)
			continue
		}
		if !strings.HasPrefix(string(page), "# "+a.Alert+"\n") {
			t.Errorf("the runbook of %s does not begin with its name", a.Alert)
		}
		for _, heading := range []string{"Meaning", "Impact", "Diagnosis", "Mitigation"} {
			if !strings.Contains(string(page), "\n## "+heading+"\n") {
				t.Errorf("the runbook of %s has no heading %q", a.Alert, heading)
			}
		}
	}
	pages, err := filepath.Glob(root + "/docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if name := strings.TrimSuffix(filepath.Base(page), ".md"); !slices.Contains(names, name) {
			t.Errorf("%s is the page of no alert", page)
		}
	}
}

// TestEachAlertIsTested: promtool does not say what it did not look at.
func TestEachAlertIsTested(t *testing.T) {
	var file struct {
		Tests []struct {
			AlertRuleTest []struct {
				AlertName string `json:"alertname"`
				ExpAlerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	read(t, root+"/config/prometheus/rules_test.yaml", &file)
	type seen struct{ firing, silent bool }
	tested := map[string]seen{}
	for _, test := range file.Tests {
		for _, check := range test.AlertRuleTest {
			s := tested[check.AlertName]
			s.firing = s.firing || len(check.ExpAlerts) > 0
			s.silent = s.silent || len(check.ExpAlerts) == 0
			tested[check.AlertName] = s
		}
	}
	for _, a := range alerts(t) {
		if s := tested[a.Alert]; !s.firing || !s.silent {
			t.Errorf("%s: tested firing %v, not firing %v", a.Alert, s.firing, s.silent)
		}
	}
}

// TestAlertsNameWhatThereIs: a reason or a code that was renamed would silence an
// alert.
func TestAlertsNameWhatThereIs(t *testing.T) {
	reasons := map[string]bool{"Suspended": true, "DeletionBlocked": true, "DeletionHeld": true, "WaitingForRollout": true, "RolledBack": true}
	for _, outcome := range plan.ErrorTable() {
		reasons[outcome.Reason] = true
	}
	matcher := func(label string) *regexp.Regexp { return regexp.MustCompile(label + `=~?"([^"]*)"`) }
	codes := ""
	for _, a := range alerts(t) {
		for _, found := range matcher("reason").FindAllStringSubmatch(a.Expr, -1) {
			for reason := range strings.SplitSeq(found[1], "|") {
				if !reasons[reason] {
					t.Errorf("%s: there is no reason %q", a.Alert, reason)
				}
			}
		}
		if a.Alert == "LiveNotifyThrottled" {
			codes = matcher("code").FindStringSubmatch(a.Expr)[1]
		}
	}
	throttled := regexp.MustCompile("^(?:" + codes + ")$")
	for code, class := range live.Codes() {
		if got, want := throttled.MatchString(code), class == live.Throttled; got != want {
			t.Errorf("LiveNotifyThrottled matches the code %s, of class %v: %v", code, class, got)
		}
	}
}
