// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

// scene changes the URL of all domains at once. To one of the new URLs the receiver
// answers 500.
type scene struct {
	what    string
	domains int
	broken  int // which one the receiver fails, from 0
	atOnce  int // changes that a LiveRolloutPolicy lets be under way; 0 is no policy
}

var scenes = map[string]scene{
	"guard":   {"a URL is changed to a receiver that answers 500, and the guard writes the one before again", 1, 0, 0},
	"rollout": {"a change goes over 20 domains, 3 at a time; the third one fails, and the others are held up", 20, 2, 3},
}

// sceneTimeout is how long a scene may take, once everything runs.
const sceneTimeout = 5 * time.Minute

// stage is where a scene is played.
type stage struct {
	scene
	*system.System
	receiver string // its URL
}

// play plays a scene to its end.
func play(ctx context.Context, name string) error {
	s, ok := scenes[name]
	if !ok {
		return fmt.Errorf("there is no scene %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(scenes)), " and "))
	}
	say("scene %s: %s", name, s.what)
	begin := time.Now()
	st := stage{scene: s, System: start(ctx, nil)}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new/"+st.name(s.broken) {
			http.Error(w, "this receiver fails on purpose", http.StatusInternalServerError)
		}
	}))
	defer receiver.Close()
	st.receiver = receiver.URL
	err := errors.Join(system.Caught(func() { st.act(ctx) }), st.Stop())
	if err == nil {
		say("the scene is over, after %s in all", since(begin))
	}
	return err
}

// act is the scene itself.
func (s stage) act(ctx context.Context) {
	s.set(ctx)
	system.Check(s.StartOperator(ctx))
	say("waiting until the cloud holds the first URLs")
	s.until(ctx, func(o *v1alpha1.LiveNotifyConfig, _ string) bool {
		return o.Status.Guard != nil && o.Status.Guard.Previous != nil
	}, false)
	var all []target
	for i := range s.domains {
		all = append(all, target{system.Kinds[0], s.domain(i)})
	}
	go send(ctx, s.Cloud, all)
	say("changing all URLs at once; the receiver answers 500 to the new one of %s", s.domain(s.broken))
	for i := range s.domains {
		patch := fmt.Appendf(nil, `{"spec":{"notifyURL":%q}}`, s.url("new", i))
		system.Check(s.API.Patch(ctx, s.object(i), client.RawPatch("application/merge-patch+json", patch)))
	}
	s.until(ctx, func(o *v1alpha1.LiveNotifyConfig, url string) bool {
		return o.Name != s.name(s.broken) || readyReason(o) == v1alpha1.ReasonRolledBack && url == s.url("old", s.broken)
	}, true)
}

// set makes what there is before the operator comes.
func (s stage) set(ctx context.Context) {
	guard := v1alpha1.GuardSpec{Window: metav1.Duration{Duration: time.Minute}, MaxFailures: 3}
	if s.atOnce > 0 {
		most, policy := intstr.FromInt(s.atOnce), steps()
		policy.Spec = v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: &most, Guard: guard}
		system.Check(s.API.Create(ctx, policy))
	}
	for i := range s.domains {
		obj := s.object(i)
		system.Kinds[0].Add(s.Cloud, "", s.domain(i))
		obj.Spec.NotifyURL = s.url("old", i)
		if s.atOnce == 0 {
			obj.Spec.Guard = &guard
		}
		system.Check(s.API.Create(ctx, obj))
	}
}

func (s stage) name(i int) string            { return fmt.Sprintf("push-%02d", i+1) }
func (s stage) domain(i int) string          { return system.Kinds[0].Key(s.name(i)) }
func (s stage) url(age string, i int) string { return s.receiver + "/" + age + "/" + s.name(i) }

func (s stage) object(i int) *v1alpha1.LiveNotifyConfig {
	return system.Kinds[0].Object(metav1.NamespaceDefault, s.name(i)).(*v1alpha1.LiveNotifyConfig)
}

// steps is the policy of a scene.
func steps() *v1alpha1.LiveRolloutPolicy {
	return &v1alpha1.LiveRolloutPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "steps"}}
}

func readyReason(o kind.Object) string {
	_, status := o.Callback()
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return "-"
}

// until shows the domains until all of them, with the URL in the cloud, are as they are
// to be, and the policy, if there is one, is halted where that is wanted.
func (s stage) until(ctx context.Context, each func(o *v1alpha1.LiveNotifyConfig, url string) bool, halted bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, sceneTimeout, errors.New("the scene did not come to its end"))
	defer cancel()
	follow(ctx, s.System, func(ctx context.Context) (string, bool, error) {
		var b strings.Builder
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "DOMAIN\tPATH IN THE CLOUD\tREADY\tCHANGE")
		done := true
		for i := range s.domains {
			o := s.object(i)
			if err := s.API.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
				return "", false, fmt.Errorf("reading %s: %w", o.Name, err)
			}
			have, _ := s.Cloud.StreamConfig(s.domain(i))
			done = done && each(o, have.NotifyURL)
			change := "-"
			if g := o.Status.Guard; g != nil && g.Change != nil {
				change = fmt.Sprintf("%s, %d failed", g.Change.State, g.Change.Failed)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.domain(i), strings.TrimPrefix(have.NotifyURL, s.receiver), readyReason(o), change)
		}
		_ = w.Flush() // a strings.Builder takes everything
		if s.atOnce == 0 {
			return b.String(), done, nil
		}
		policy := steps()
		err := s.API.Get(ctx, client.ObjectKeyFromObject(policy), policy)
		st := policy.Status
		fmt.Fprintf(&b, "LiveRolloutPolicy steps: %d watching, %d waiting, %d failed", st.Watching, st.Waiting, st.Failed)
		is := meta.IsStatusConditionTrue(st.Conditions, v1alpha1.ConditionHalted)
		if is {
			fmt.Fprintf(&b, "; halted: %s", meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionHalted).Message)
		}
		return b.String() + "\n", done && (!halted || is && st.Waiting > 0), err
	}, func() string { return "" })
}
