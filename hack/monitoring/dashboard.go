// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// panel is a panel in short.
type panel struct {
	title, description string
	kind               string // stat, table, or a graph, which is the default
	width, height      uint32 // of 24, and in rows of 30 pixels
	unit               string
	color              string // of a stat
	queries            []query
}

type query struct{ expr, legend string }

// one is the latest of what replicas and restarts of the operator say about an
// object.
func one(metric, more string) string {
	return `max by (kind, namespace, name) (` + metric + `{namespace=~"$namespace", kind=~"$kind"` + more + `})`
}

const (
	ofObject = "{{kind}} {{namespace}}/{{name}}"
	failed   = `, result="failed"`
	success  = `, result="success"`
)

func number(title, description, color, expr string) panel {
	return panel{title: title, description: description, kind: "stat", width: 4, height: 4, color: color, queries: []query{{expr, ""}}}
}

func graph(title string, width, height uint32, unit, description string, queries ...query) panel {
	return panel{title: title, description: description, width: width, height: height, unit: unit, queries: queries}
}

// quantile returns the 95th percentile of a histogram by a label.
func quantile(metric, selector, by string) string {
	return `histogram_quantile(0.95, sum by (` + by + `, le) (rate(` + metric + `_bucket` + selector + `[$__rate_interval])))`
}

// rows are the rows of the dashboard, each with its panels.
var rows = []struct {
	title  string
	panels []panel
}{
	{"Objects", []panel{
		number("Objects", "Objects of the chosen kinds and namespaces.", "blue", `count(`+one("live_notify_ready", "")+`) or vector(0)`),
		number("Ready", "Ready is True: the cloud holds the spec.", "green", `count(`+one("live_notify_ready", "")+` == 1) or vector(0)`),
		number("Not ready", "Ready is False: someone has to act.", "red", `count(`+one("live_notify_ready", "")+` == 0) or vector(0)`),
		number("Unknown", "Ready is Unknown: suspended, on the way, or the cloud does not answer.", "orange", `count(`+one("live_notify_ready", "")+` == -1) or vector(0)`),
		number("Callbacks fail", "CallbacksHealthy is False: the receiver does not take them.", "red", `count(`+one("live_notify_callbacks_healthy", "")+` == 0) or vector(0)`),
		number("Operators at work", "Operators that reconcile: those that hold a lease, where there is one.", "blue",
			`count(controller_runtime_max_concurrent_reconciles{controller="LiveNotifyConfig"}) or vector(0)`),
		graph("Failed callbacks in the window", 12, 9, "short", "The ten objects with the most failed callbacks. The window is that of each object's spec.records.",
			query{`topk(10, ` + one("live_notify_window_callbacks", failed) + ` > 0)`, ofObject}),
		graph("Share of callbacks that failed", 12, 9, "percentunit", "The ten objects with the largest share.",
			query{`topk(10, ` + one("live_notify_window_callbacks", failed) + ` / (` + one("live_notify_window_callbacks", failed) + ` + ` + one("live_notify_window_callbacks", success) + ` > 0) > 0)`, ofObject}),
		{
			title: "Not ready, by reason", description: "Objects whose Ready is False or Unknown. Empty when all is well.",
			kind: "table", width: 12, height: 8,
			queries: []query{{`max by (kind, namespace, name, reason) (live_notify_not_ready{namespace=~"$namespace", kind=~"$kind"})`, ""}},
		},
		graph("Changes behind the operator's back", 12, 8, "short", "Drift found within an hour, for the ten objects with the most. Empty when nobody else writes.",
			query{`topk(10, max by (kind, namespace, name) (increase(live_notify_drift_total{namespace=~"$namespace", kind=~"$kind"}[1h])) > 0)`, ofObject}),
	}},
	{"Changes", []panel{
		graph("Changes under a guard", 8, 8, "short", "Changes that a guard has judged within an hour, by result. Empty when nothing changes.",
			query{`sum by (result) (max by (kind, namespace, name, result) (increase(live_notify_changes_total{namespace=~"$namespace", kind=~"$kind"}[1h]))) > 0`, "{{result}}"}),
		graph("Rollouts", 8, 8, "short", "Objects of each LiveRolloutPolicy by state. Empty without a policy.",
			query{`max by (namespace, name, state) (live_notify_rollout_objects{namespace=~"$namespace"})`, "{{namespace}}/{{name}} {{state}}"}),
		graph("Deletions that wait", 8, 8, "short", "Deleted objects that wait within the limit of their account. Empty without a limit.",
			query{`sum by (account) (max by (namespace, job, account) (live_notify_deletions_held))`, "{{account}}"}),
	}},
	{"Requests to the cloud", []panel{
		graph("Requests", 12, 8, "reqps", "Requests by operation.",
			query{`sum by (action) (rate(live_notify_api_requests_total[$__rate_interval]))`, "{{action}}"}),
		graph("Errors", 12, 8, "reqps", "Requests that did not end with OK, by operation and code. docs/reference/errors.md explains the codes.",
			query{`sum by (action, code) (rate(live_notify_api_requests_total{code!="OK"}[$__rate_interval]))`, "{{action}} {{code}}"}),
		graph("Quota in use", 12, 8, "percentunit", "Requests by operation as a share of what the operator allows itself, in all accounts together.",
			query{`sum by (action) (rate(live_notify_api_requests_total[$__rate_interval])) / sum by (action) (max by (namespace, job, account, action) (live_notify_api_quota_limit))`, "{{action}}"}),
		graph("Quota", 12, 8, "reqps", "Requests a second that the operator allows itself. It falls when the cloud throttles, and recovers.",
			query{`max by (account, action) (live_notify_api_quota_limit)`, "{{account}} {{action}}"}),
		graph("Wait for a turn (p95)", 12, 8, "s", "By lane: user is a change by someone, new a first convergence, sync a read-back, records a count. A request whose turn is more than a second away is not held: its object comes back later, and it counts here with about 0 s.",
			query{quantile("live_notify_api_wait_seconds", "", "lane"), "{{lane}}"}),
		graph("Time to reply (p95)", 12, 8, "s", "From sending a request to the end of the reply, by operation.",
			query{quantile("live_notify_api_request_duration_seconds", "", "action"), "{{action}}"}),
	}},
	{"Operator", []panel{
		graph("Passes", 12, 8, "ops", "Passes over objects, by kind and result. Those with the result error failed within the cluster.",
			query{`sum by (controller, result) (rate(controller_runtime_reconcile_total{controller=~"Live.+"}[$__rate_interval]))`, "{{controller}} {{result}}"}),
		graph("Time of a pass (p95)", 12, 8, "s", "With the waits for a turn and the requests to the cloud that it made.",
			query{quantile("controller_runtime_reconcile_time_seconds", `{controller=~"Live.+"}`, "controller"), "{{controller}}"}),
		graph("Work queue", 12, 8, "short", "Objects whose turn for a pass has come, by kind. A standby queues them all, which does not count.",
			query{`sum by (name) (workqueue_depth{name=~"Live.+"} unless on (instance) (leader_election_master_status == 0))`, "{{name}}"}),
		graph("Wait in the work queue (p95)", 12, 8, "s", "Grows when all workers are busy: see --max-concurrent-reconciles.",
			query{quantile("workqueue_queue_duration_seconds", `{name=~"Live.+"}`, "name"), "{{name}}"}),
		graph("Memory", 8, 8, "bytes", "Resident memory, and what of it is the heap.",
			query{`process_resident_memory_bytes{job="$job"}`, "{{instance}} resident"}, query{`go_memstats_heap_inuse_bytes{job="$job"}`, "{{instance}} heap"}),
		graph("CPU", 8, 8, "short", "Cores in use.",
			query{`rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])`, "{{instance}}"}),
		graph("At work", 8, 8, "short", "1 for an operator that reconciles: with --leader-elect the one that holds the lease.",
			query{`count by (instance) (controller_runtime_max_concurrent_reconciles{controller="LiveNotifyConfig"})`, "{{instance}}"}),
	}},
}

// source is the data source that a variable of the dashboard names.
var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

// board returns the dashboard, in the form that every Grafana of today imports. It
// places the panels from left to right, row by row.
func board() (dashboard.Dashboard, error) { //nolint:staticcheck // its successor is for Grafana 12 and later
	b := dashboard.NewDashboardBuilder("Live notify operator"). //nolint:staticcheck // as above
									Uid("live-notify-operator").
									Description("Callbacks of ApsaraVideo Live: are they configured, are they delivered, and how is the operator? Generated by hack/monitoring.").
									Tags([]string{"live-notify-operator", "kubernetes"}).
									Editable().Tooltip(dashboard.DashboardCursorSyncCrosshair).Refresh("30s").Timezone("browser").Time("now-6h", "now").Version(1).
									WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus")).
									WithVariable(variable("namespace", "Namespace", `label_values(live_notify_ready, namespace)`, true)).
									WithVariable(variable("kind", "Kind", `label_values(live_notify_ready, kind)`, true)).
									WithVariable(variable("job", "Job", `label_values(controller_runtime_max_concurrent_reconciles{controller="LiveNotifyConfig"}, job)`, false))
	id := uint32(0)
	next := func() uint32 { id++; return id }
	for _, row := range rows {
		b.WithRow(dashboard.NewRowBuilder(row.title).Id(next()))
		for _, p := range row.panels {
			b.WithPanel(p.builder(next()))
		}
	}
	return b.Build()
}

func variable(name, label, definition string, many bool) cog.Builder[dashboard.VariableModel] {
	v := dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source).Definition(definition).
		Query(dashboard.StringOrMap{Map: map[string]any{"query": definition, "refId": name}}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).Multi(many).IncludeAll(many)
	if many {
		v.AllValue(".*").Current(dashboard.VariableOption{
			Selected: new(true),
			Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
			Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
	}
	return v
}

// builder returns what makes the panel. Stats and tables show what is now, time
// series what was when.
func (p panel) builder(id uint32) cog.Builder[dashboard.Panel] {
	targets := make([]cog.Builder[variants.Dataquery], len(p.queries))
	for i, q := range p.queries {
		target := prometheus.NewDataqueryBuilder().RefId(string(rune('A' + i))).Datasource(source).
			Expr(q.expr).LegendFormat(q.legend).EditorMode(prometheus.QueryEditorModeCode)
		switch p.kind {
		case "table":
			target.Instant().Format(prometheus.PromQueryFormatTable)
		case "stat":
			target.Instant()
		default:
			target.Range()
		}
		targets[i] = target
	}
	switch p.kind {
	case "stat":
		return p.stat().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Span(p.width).Height(p.height).Targets(targets)
	case "table":
		hidden := map[string]any{"excludeByName": map[string]any{"Time": true, "Value": true}}
		return table.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Span(p.width).Height(p.height).Targets(targets).ShowHeader(true).
			WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: hidden})
	default:
		return timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source).
			Span(p.width).Height(p.height).Targets(targets).
			Unit(p.unit).Min(0).LineWidth(1).FillOpacity(10).ShowPoints(common.VisibilityModeNever).
			Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeTable).
				Placement(common.LegendPlacementBottom).ShowLegend(true).Calcs([]string{"lastNotNull", "max"})).
			Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	}
}

// stat colours a number. 0 of what should not be is no news, and green.
func (p panel) stat() *stat.PanelBuilder {
	b := stat.NewPanelBuilder().ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeNone).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
	if p.color != "red" && p.color != "orange" {
		return b.ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(p.color))
	}
	return b.ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).
			Steps([]dashboard.Threshold{{Color: "green"}, {Color: p.color, Value: new(1.0)}}))
}
