// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package overview says which objects are not as they should be, worst first, by
// their own statuses, and which changes are under way.
package overview

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Item is one object.
type Item struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Key       string `json:"key"`
	// Problem is Halted, Stalled, NotReady, Failing, Drifted, Unknown, Suspended or
	// Watching, which is no fault; empty for none. Halted is a LiveRolloutPolicy.
	Problem string `json:"problem,omitempty"`
	Ready   string `json:"ready"`
	Reason  string `json:"reason"`
	Healthy string `json:"healthy"`
	Failed  int64  `json:"failed"`
	Message string `json:"message"`
}

// Summary counts the objects.
type Summary struct {
	Objects   int `json:"objects"`
	Right     int `json:"right"`
	Stalled   int `json:"stalled"`
	NotReady  int `json:"notReady"`
	Failing   int `json:"failing"`
	Drifted   int `json:"drifted"`
	Unknown   int `json:"unknown"`
	Suspended int `json:"suspended"`
	// Watching are objects whose last change is being watched by a guard.
	Watching int `json:"watching"`
	// Halted are policies, which the objects do not include.
	Halted int `json:"halted"`
}

// Report is an overview.
type Report = report.Report[Summary, Item]

// Problems, the worst first.
var problems = []string{halted, "Stalled", "NotReady", "Failing", "Drifted", "Unknown", "Suspended", watching, ""}

const (
	halted   = "Halted"
	watching = "Watching"
)

// Of returns the overview of objects, only of those that are not right or are being
// watched, and of policies that are halted.
func Of(subjects []planning.Subject, policies []v1alpha1.LiveRolloutPolicy) *Report {
	r := report.New[Summary, Item]("Status")
	counts := map[string]int{}
	for _, p := range policies {
		if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionHalted); c != nil && c.Status == metav1.ConditionTrue {
			counts[halted]++
			r.Items = append(r.Items, Item{
				Kind: "LiveRolloutPolicy", Namespace: p.Namespace, Name: p.Name, Problem: halted, Reason: c.Reason, Message: c.Message,
				Failed: int64(p.Status.Failed),
			})
		}
	}
	for _, s := range subjects {
		i := itemOf(s)
		counts[i.Problem]++
		if i.Problem != "" {
			r.Items = append(r.Items, i)
		}
	}
	slices.SortFunc(r.Items, func(a, b Item) int {
		return cmp.Or(
			slices.Index(problems, a.Problem)-slices.Index(problems, b.Problem), cmp.Compare(b.Failed, a.Failed),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
		)
	})
	r.Summary = Summary{
		Objects: len(subjects), Right: counts[""], Stalled: counts["Stalled"], NotReady: counts["NotReady"], Failing: counts["Failing"],
		Drifted: counts["Drifted"], Unknown: counts["Unknown"], Suspended: counts["Suspended"],
		Watching: counts[watching], Halted: counts[halted],
	}
	return r
}

func itemOf(s planning.Subject) Item {
	_, status := kind.Shared(s.Object)
	condition := func(name string) metav1.Condition {
		if c := meta.FindStatusCondition(status.Conditions, name); c != nil {
			return *c
		}
		return metav1.Condition{Status: metav1.ConditionUnknown}
	}
	ready, healthy, drifted := condition(v1alpha1.ConditionReady), condition(v1alpha1.ConditionCallbacksHealthy), condition(v1alpha1.ConditionDrifted)
	change := condition(v1alpha1.ConditionChangeAccepted)
	i := Item{
		Kind: s.Kind.Name, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), Key: s.Kind.Key(s.Object),
		Ready: string(ready.Status), Reason: ready.Reason, Healthy: string(healthy.Status), Message: ready.Message,
	}
	if s.Kind.Records != nil && status.Callbacks != nil {
		i.Failed = status.Callbacks.Failed
	}
	switch {
	case condition(v1alpha1.ConditionStalled).Status == metav1.ConditionTrue:
		i.Problem = "Stalled"
	case ready.Status == metav1.ConditionFalse:
		i.Problem = "NotReady"
	case ready.Reason == v1alpha1.ReasonSuspended: // what else it says is of before
		i.Problem = "Suspended"
	case change.Status == metav1.ConditionFalse:
		i.Problem, i.Reason, i.Message = "Failing", change.Reason, change.Message
	case healthy.Status == metav1.ConditionFalse:
		i.Problem, i.Reason, i.Message = "Failing", healthy.Reason, healthy.Message
	case drifted.Status == metav1.ConditionTrue:
		i.Problem, i.Reason, i.Message = "Drifted", drifted.Reason, drifted.Message
	case ready.Status != metav1.ConditionTrue:
		i.Problem = "Unknown"
		if ready.Reason == "" {
			i.Message = "No operator has looked at it yet."
		}
	case change.Reason == v1alpha1.ReasonWatching:
		i.Problem, i.Reason, i.Message = watching, change.Reason, change.Message
	}
	return i
}
