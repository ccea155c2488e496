// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// handle does what the operator does for a request: it notes it, with what Ready says.
func (w *world) handle(ctx context.Context, name string, ready metav1.Condition) {
	w.t.Helper()
	o := &v1alpha1.LiveNotifyConfig{}
	if err := api.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, o); err != nil {
		w.t.Fatal(err)
	}
	ready.Type = v1alpha1.ConditionReady
	meta.SetStatusCondition(&o.Status.Conditions, ready)
	o.Status.LastHandledReconcileAt = o.Annotations[requestedAt]
	if err := api.Status().Update(ctx, o); err != nil {
		w.t.Fatal(err)
	}
}

// That a request was handled is not that the object is well: what came of it is told.
func TestReconcileTellsWhatCameOfIt(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.stream("push.example.com")
	w.unsigned("second")
	yes, no, open := metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
	for reason, tc := range map[string]struct {
		status metav1.ConditionStatus
		code   int
		says   string
	}{
		v1alpha1.ReasonInSync:                {yes, exitYes, "InSync"},
		v1alpha1.ReasonObserved:              {yes, exitYes, "Observed"},
		v1alpha1.ReasonApplied:               {yes, exitYes, "Applied"},
		v1alpha1.ReasonSuspended:             {open, exitNo, "not looked at: Suspended"},
		v1alpha1.ReasonConflict:              {no, exitNo, "not looked at: Conflict"},
		v1alpha1.ReasonAccountNotReady:       {no, exitNo, "not looked at: AccountNotReady"},
		v1alpha1.ReasonAuthKeyUnavailable:    {no, exitNo, "not looked at: AuthKeyUnavailable"},
		v1alpha1.ReasonAccessDenied:          {no, exitNo, "not ready: AccessDenied"},
		v1alpha1.ReasonExistingConfiguration: {no, exitNo, "not ready: ExistingConfiguration"},
		v1alpha1.ReasonThrottled:             {open, exitNo, "not ready: Throttled"},
	} {
		t.Run(reason, func(t *testing.T) {
			w.t = t
			var out, errOut bytes.Buffer
			a := newApp("kubectl live-notify", strings.NewReader(""), &out, &errOut)
			waited := 0
			a.sleep = func(ctx context.Context, _ time.Duration) error {
				switch waited++; waited {
				case 1:
					w.handle(ctx, "push", metav1.Condition{Status: open, Reason: v1alpha1.ReasonProgressing}) // on its way
					w.handle(ctx, "second", metav1.Condition{Status: yes, Reason: v1alpha1.ReasonInSync})
				case 2:
					w.handle(ctx, "push", metav1.Condition{Status: tc.status, Reason: reason, Message: "What to do."})
				default:
					t.Fatal("it waits for nothing")
				}
				return ctx.Err()
			}
			code := a.run(t.Context(), []string{"reconcile", "lnc/push", "lnc/second", "--wait", "-n", w.namespace, "--cache-dir", discovered})
			got := answer{code, out.String(), errOut.String()}.want(t, tc.code)
			if told := strings.Contains(got.err, tc.says+": What to do."); told != (tc.code == exitNo) {
				t.Errorf("got %s", got.err)
			}
			lines := strings.Split(strings.TrimSpace(got.out), "\n")
			if len(lines) != 3 || !strings.HasSuffix(lines[1], "  "+tc.says) || !strings.HasSuffix(lines[2], "  InSync") {
				t.Errorf("got\n%s, want %s for the first, and InSync for the second", got.out, tc.says)
			}
		})
	}
}
