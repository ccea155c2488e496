// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

func TestFailed(t *testing.T) {
	for class, row := range ErrorTable() {
		v := Failed(&live.Error{Class: class, Action: "SetLiveStreamsNotifyUrlConfig", Code: "Code", Message: "message", RetryAfter: time.Second})
		switch {
		case v.Reason != row.Reason || v.Ready != row.Ready || v.Reason == "":
			t.Errorf("%s: %+v", class, v)
		case v.After != time.Second:
			t.Errorf("%s: the wait that was asked for is lost", class)
		case !strings.Contains(v.Message, "Code") || strings.Contains(v.Message, "<operation>"):
			t.Errorf("%s: %q", class, v.Message)
		case v.Transient == v.Stalled:
			t.Errorf("%s: either it passes by itself, or someone has to act: %+v", class, v)
		}
	}
}

// TestTokenServiceThatDoesNotAnswer is no matter of the credentials.
func TestTokenServiceThatDoesNotAnswer(t *testing.T) {
	got := Failed(&live.Error{Class: live.NoCredentials, Action: "AssumeRole", Code: "Network", Message: "connection refused by sts.example.com"})
	if !got.Transient || !strings.Contains(got.Message, "token service") || strings.Contains(got.Message, "Check the credentials") {
		t.Errorf("got %+v", got)
	}
}

func TestBlocked(t *testing.T) {
	cases := map[string]struct {
		verdict Verdict
		want    string
	}{
		"what a retry may mend":     {Failed(&live.Error{Class: live.Throttled}), v1alpha1.ReasonThrottled},
		"credentials that are gone": {Failed(&live.Error{Class: live.NoCredentials}), v1alpha1.ReasonDeletionBlocked},
		"an account that is gone":   {Unusable("LiveAccount %q does not exist.", "team").Verdict(), v1alpha1.ReasonDeletionBlocked},
		"a permission that lacks":   {Failed(&live.Error{Class: live.AccessDenied}), v1alpha1.ReasonDeletionBlocked},
	}
	for name, c := range cases {
		got := Blocked(c.verdict)
		if got.Reason != c.want {
			t.Errorf("%s: %s, want %s", name, got.Reason, c.want)
		}
		if got.Reason == v1alpha1.ReasonDeletionBlocked && (got.Ready != metav1.ConditionFalse || !strings.Contains(got.Message, "deletionPolicy: Retain")) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
