// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	aggregation = regexp.MustCompile(`\b(sum|avg|count|min|max|group|stddev|stdvar|topk|bottomk|quantile)\s*(?:(?:by|without)\s*\([^()]*\)\s*)?$`)
	metricRow   = regexp.MustCompile("(?m)^\\| `(live_notify_\\w+)` \\| (\\w+) \\|")
)

// aggregates returns the innermost aggregation around a place of an expression; "" if
// there is none.
func aggregates(expr string, at int) string {
	depth := 0
	for i := at - 1; i >= 0; i-- {
		switch expr[i] {
		case ')':
			depth++
		case '(':
			if depth > 0 {
				depth--
				continue
			}
			if found := aggregation.FindStringSubmatch(expr[:i]); found != nil {
				return found[1]
			}
		}
	}
	return ""
}

// toldByAll returns what matches the metrics that every replica of an operator has:
// those of objects, and each gauge of an account.
func toldByAll(t *testing.T) *regexp.Regexp {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sections, _ := strings.Cut(string(page), "\n## Objects\n")
	ofObjects, others, found := strings.Cut(sections, "\n## ")
	var names []string
	for _, row := range metricRow.FindAllStringSubmatch(ofObjects, -1) {
		names = append(names, row[1])
	}
	if !found || len(names) == 0 {
		t.Fatal("the page of the metrics has no metrics of objects")
	}
	for _, row := range metricRow.FindAllStringSubmatch(others, -1) {
		if row[2] == "gauge" {
			names = append(names, row[1])
		}
	}
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\b`)
}

// TestNothingIsCountedOncePerReplica: all replicas tell the same of an object, so that
// an expression takes the max before it sums or counts.
func TestNothingIsCountedOncePerReplica(t *testing.T) {
	metrics := toldByAll(t)
	seen := 0
	check := func(where, expr string) {
		for _, at := range metrics.FindAllStringIndex(expr, -1) {
			seen++
			if by := aggregates(expr, at[0]); by != "" && by != "max" {
				t.Errorf("%s: %s of %s counts each replica: take the max of an object first\n%s", where, by, expr[at[0]:at[1]], expr)
			}
		}
	}
	for _, a := range alerts(t) {
		check(a.Alert, a.Expr)
	}
	for _, q := range panelQueries(t) {
		check(q.panel, q.expr)
	}
	if seen == 0 {
		t.Error("no expression has such a metric")
	}
	pages, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	runbooks, err := filepath.Glob(root + "/docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, runbooks...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			check(page, line)
		}
	}
}

func TestAggregates(t *testing.T) {
	for expr, want := range map[string]string{
		`X == 1`:                                        "",
		`rate(X[5m])`:                                   "",
		`sum by (a, b) (increase(X[2h])) > 3`:           "sum",
		`sum(X == 1)`:                                   "sum",
		`sum by (a) (max by (a, b) (X))`:                "max",
		`count by (a) (max(b) == 1) / sum(X)`:           "sum",
		`max(a) == 1 unless on (b, c) X`:                "",
		"count by (a) (\n max by (a, b) (\n X))":        "max",
		`topk(10, max by (a) (increase(X[1h])))`:        "max",
		`topk(10, X > 0)`:                               "topk",
		`checksum(X)`:                                   "",
		`histogram_quantile(0.95, rate(X[5m]))`:         "",
		`sum without (instance) (min_over_time(X[5m]))`: "sum",
	} {
		if got := aggregates(expr, strings.Index(expr, "X")); got != want {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}
