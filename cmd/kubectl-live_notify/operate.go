// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/overview"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/preflight"
	"github.com/live-notify/live-notify-operator/internal/report"
	"github.com/live-notify/live-notify-operator/internal/words"
)

const (
	// requestedAt asks the operator to look at the cloud now; it repeats the value in
	// status.lastHandledReconcileAt.
	requestedAt = "live.alibabacloud.com/reconcile-requested-at"
	// suspendReason tells why an object was suspended.
	suspendReason = "live.alibabacloud.com/suspend-reason"

	// waiting is for how long a verb waits, and glance how often it looks.
	waiting = 2 * time.Minute
	glance  = time.Second
)

func (a *app) check() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use: "check", Short: "Look whether all is there: CRDs, permissions, an operator, credentials, the cloud", Args: cobra.NoArgs,
		Example: "  # Wait until an operator that was just installed is at work:\n  " + a.name + " check --wait",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doCheck(cmd.Context(), wait) },
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "Wait until all is there, for at most 2 minutes.")
	a.outputFlag(cmd, "jsonl")
	return cmd
}

func (a *app) doCheck(ctx context.Context, wait bool) error {
	c, clouds, err := a.connect(ctx, true)
	if err != nil {
		return err
	}
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	for end := time.Now().Add(waiting); ; {
		r := preflight.Check(ctx, c, clouds, namespace, time.Now)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.Summary.No+r.Summary.Unknown == 0 || !wait || time.Now().After(end) {
			return a.showCheck(r)
		}
		if err := a.sleep(ctx, glance); err != nil {
			return err
		}
	}
}

func checkView() view[preflight.Item] {
	return view[preflight.Item]{
		head: []string{"CHECK", "RESULT", "MESSAGE"},
		row:  func(i preflight.Item) []string { return []string{i.Check, i.Result, i.Message} },
		name: func(i preflight.Item) string { return i.Check },
	}
}

func (a *app) showCheck(r *preflight.Report) error {
	err := show(a, r, checkView())
	switch {
	case err != nil:
		return err
	case r.Summary.Unknown > 0:
		return errTold
	case r.Summary.No > 0:
		return errNo
	}
	return nil
}

type statusOptions struct {
	selection
	watch bool
}

func (a *app) status() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use: "status", Short: "Show what is not right, worst first, and which changes are watched", Args: cobra.NoArgs,
		Example: "  # Of all namespaces, again and again:\n  " + a.name + " status -A -w",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doStatus(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "Show it again every 5 seconds.")
	a.outputFlag(cmd, "jsonl")
	return cmd
}

const (
	// again is how often status -w looks.
	again = 5 * time.Second
	// screen is how many objects a table of status has.
	screen = 20
)

func (a *app) doStatus(ctx context.Context, o statusOptions) error {
	c, err := a.needCluster()
	if err != nil {
		return err
	}
	for {
		subjects, err := a.subjects(ctx, c, o.selection, nil)
		if err != nil {
			return err
		}
		policies, err := a.policies(ctx, c, o.selection)
		if err != nil {
			return err
		}
		if o.watch && a.isTerminal(a.out) {
			fmt.Fprint(a.out, "\x1b[H\x1b[2J")
		}
		if len(subjects) == 0 {
			a.nothing(c, o.selection, nil)
		}
		err = a.showStatus(overview.Of(subjects, policies))
		if !o.watch {
			return err
		}
		if err := a.sleep(ctx, again); err != nil {
			return err
		}
	}
}

// policies returns those of the selection; none of a cluster whose CRDs have no such
// kind yet.
func (a *app) policies(ctx context.Context, c client.Client, s selection) ([]v1alpha1.LiveRolloutPolicy, error) {
	namespace, err := a.namespace()
	if err != nil {
		return nil, err
	}
	selector, err := labels.Parse(s.selector)
	if err != nil {
		return nil, usage("-l %q is no selector of labels", s.selector)
	}
	in := client.ListOptions{LabelSelector: selector}
	if !s.all {
		in.Namespace = namespace
	}
	var list v1alpha1.LiveRolloutPolicyList
	if err := c.List(ctx, &list, &in); err != nil && !meta.IsNoMatchError(err) {
		return nil, err
	}
	return list.Items, nil
}

func statusView() view[overview.Item] {
	return view[overview.Item]{
		head: []string{"PROBLEM", "OBJECT", "KEY", "REASON", "FAILED"}, wide: []string{"READY", "HEALTHY", "MESSAGE"},
		row: func(i overview.Item) []string {
			return []string{
				i.Problem, strings.ToLower(i.Kind) + "/" + i.Name + " (" + i.Namespace + ")", i.Key, orDash(i.Reason), fmt.Sprint(i.Failed),
				i.Ready, i.Healthy, i.Message,
			}
		},
		name: func(i overview.Item) string { return strings.ToLower(i.Kind) + "/" + i.Name },
	}
}

func (a *app) showStatus(r *overview.Report) error {
	more := 0
	if a.output == "table" && len(r.Items) > screen {
		more = len(r.Items) - screen
		r.Items = r.Items[:screen]
	}
	err := show(a, r, statusView())
	if err != nil {
		return err
	}
	if more > 0 {
		fmt.Fprintf(a.err, "%d more: see all with -o wide.\n", more)
	}
	s := r.Summary
	fmt.Fprintf(a.err, "Status: %s, %d right, %d stalled, %d not ready, %d failing, %d drifted, %d unknown, %d suspended, %d watched; %s halted.\n",
		words.Count(s.Objects, "object"), s.Right, s.Stalled, s.NotReady, s.Failing, s.Drifted, s.Unknown, s.Suspended, s.Watching, words.Count(s.Halted, "rollout"))
	if s.Right+s.Watching < s.Objects || s.Halted > 0 {
		return errNo
	}
	return nil
}

type changeOptions struct {
	selection
	consent
	wait   bool
	reason string
}

// change is a verb that patches objects.
func (a *app) change(cmd *cobra.Command, o *changeOptions, do func(context.Context, []string) error) *cobra.Command {
	o.selection.flags(cmd)
	cmd.ValidArgsFunction = a.completeObjects
	o.consent.flags(cmd, "Show what would be done.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && !o.all && o.selector == "" {
			return usage("name the objects as TYPE/NAME, or select them with -l or -A")
		}
		return do(cmd.Context(), args)
	}
	a.outputFlag(cmd, "jsonl")
	return cmd
}

func (a *app) reconcile() *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use: "reconcile TYPE/NAME ...", Short: "Make the operator look at the cloud now",
		Example: "  # And wait until it has:\n  " + a.name + " reconcile lnc/push-example-com --wait",
	}
	cmd.Flags().BoolVar(&o.wait, "wait", false, "Wait for what comes of it, for at most 2 minutes: Ready other than True is a no.")
	return a.change(cmd, &o, func(ctx context.Context, args []string) error {
		o.yes = true // it changes nothing that anybody configured
		at := time.Now().UTC().Format(time.RFC3339Nano)
		patch := map[string]any{"metadata": map[string]any{"annotations": map[string]any{requestedAt: at}}}
		return a.patch(ctx, o, args, "Reconcile", "asked to be looked at", patch, func(s planning.Subject) bool {
			_, status := s.Object.Callback()
			return status.LastHandledReconcileAt == at
		})
	})
}

func (a *app) suspend() *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use: "suspend TYPE/NAME ...", Short: "Stop all calls to the cloud for objects",
		Example: "  " + a.name + " suspend lnc/push-example-com --reason 'the receiver moves'",
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "Why, for those who find it suspended.")
	return a.change(cmd, &o, func(ctx context.Context, args []string) error {
		patch := map[string]any{"spec": map[string]any{"suspend": true}}
		if o.reason != "" {
			patch["metadata"] = map[string]any{"annotations": map[string]any{suspendReason: o.reason}}
		}
		return a.patch(ctx, o, args, "Suspend", "suspended", patch, nil)
	})
}

func (a *app) resume() *cobra.Command {
	var o changeOptions
	cmd := &cobra.Command{
		Use: "resume TYPE/NAME ...", Short: "Go on with objects that were suspended",
		Example: "  " + a.name + " resume -A -l app=live",
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "Why; it is printed only.")
	return a.change(cmd, &o, func(ctx context.Context, args []string) error {
		patch := map[string]any{
			"spec":     map[string]any{"suspend": nil},
			"metadata": map[string]any{"annotations": map[string]any{suspendReason: nil}},
		}
		return a.patch(ctx, o, args, "Resume", "resumed", patch, nil)
	})
}

// patch says what is to be done to which objects, asks, does it, and waits for what
// is to come of it, if anything.
func (a *app) patch(ctx context.Context, o changeOptions, args []string, name, what string, patch map[string]any, handled func(planning.Subject) bool) error {
	c, err := a.needCluster()
	if err != nil {
		return err
	}
	subjects, err := a.subjects(ctx, c, o.selection, args)
	if err != nil {
		return err
	}
	r := report.New[report.ChangesSummary, report.Change](name)
	r.Summary.Objects = len(subjects)
	for _, s := range subjects {
		fmt.Fprintf(a.err, "%s: %s\n", name, referred(s.Kind.Name, s.Object.GetNamespace(), s.Object.GetName()))
		r.Items = append(r.Items, report.Change{Kind: s.Kind.Name, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(), Result: "to be " + what})
	}
	if len(subjects) == 0 {
		a.nothing(c, o.selection, args)
	}
	if !o.dryRun && len(subjects) > 0 {
		if err := a.confirm(ctx, o.yes, fmt.Sprintf("%s %s?", name, words.Count(len(subjects), "object"))); err != nil {
			return err
		}
		if err := a.patchAll(ctx, c, subjects, r, what, patch); err != nil {
			return err
		}
	}
	waited := error(nil)
	if o.wait && handled != nil && !o.dryRun {
		waited = a.awaitAll(ctx, c, subjects, r, handled)
	}
	if err := show(a, r, view[report.Change]{
		head: []string{"OBJECT", "RESULT"},
		row: func(i report.Change) []string {
			return []string{strings.ToLower(i.Kind) + "/" + i.Name + " (" + i.Namespace + ")", i.Result}
		},
		name: func(i report.Change) string { return strings.ToLower(i.Kind) + "/" + i.Name },
	}); err != nil {
		return err
	}
	return waited
}

func (a *app) patchAll(ctx context.Context, c client.Client, subjects []planning.Subject, r *report.Changes, what string, patch map[string]any) error {
	text, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	for n, s := range subjects {
		if err := c.Patch(ctx, s.Object, client.RawPatch(types.MergePatchType, text)); err != nil {
			fmt.Fprintf(a.err, "%d of %d were %s.\n", r.Summary.Done, len(subjects), what)
			return err
		}
		r.Items[n].Result = what
		r.Summary.Done++
	}
	return nil
}

// awaitAll waits until all objects show what was asked for, and tells what came of it. The
// operator handles a request also where it may not look at the cloud.
func (a *app) awaitAll(ctx context.Context, c client.Client, subjects []planning.Subject, r *report.Changes, handled func(planning.Subject) bool) error {
	end, answer := time.Now().Add(waiting), error(nil)
	for n, s := range subjects {
		for key := client.ObjectKeyFromObject(s.Object); ; {
			s.Object = s.Kind.New()
			if err := c.Get(ctx, key, s.Object); err != nil {
				return err
			}
			late, ready := time.Now().After(end), s.Ready()
			if handled(s) && (late || ready.Reason != v1alpha1.ReasonProgressing) {
				r.Items[n].Result = outcome(ready)
				if ready.Status != metav1.ConditionTrue {
					answer = errNo
					r.Warn(referred(s.Kind.Name, key.Namespace, key.Name) + ": " + r.Items[n].Result + ": " + live.Bound(ready.Message, maxUsage))
				}
				break
			}
			if late {
				return unknown("the operator has not looked at %s within %s: does one run, and of this version?", referred(s.Kind.Name, key.Namespace, key.Name), waiting)
			}
			if err := a.sleep(ctx, glance); err != nil {
				return err
			}
		}
	}
	return answer
}

// unseen are the reasons of Ready for which the operator does not ask the cloud at all.
var unseen = []string{v1alpha1.ReasonSuspended, v1alpha1.ReasonConflict, v1alpha1.ReasonAccountNotReady, v1alpha1.ReasonAuthKeyUnavailable}

// outcome says what came of a look at the cloud.
func outcome(ready metav1.Condition) string {
	reason := live.Bound(ready.Reason, maxCell)
	switch {
	case ready.Status == metav1.ConditionTrue:
		return reason
	case slices.Contains(unseen, ready.Reason):
		return "not looked at: " + reason
	default:
		return "not ready: " + reason
	}
}
