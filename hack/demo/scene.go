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
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
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
	screen   *screen
}

// play plays a scene to its end.
func play(ctx context.Context, name string) (err error) {
	s, ok := scenes[name]
	if !ok {
		return fmt.Errorf("there is no scene %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(scenes)), " and "))
	}
	say("scene %s: %s", name, s.what)
	start := time.Now()
	st := stage{scene: s, screen: newScreen(os.Stdout)}
	unlock, err := enterStateDir()
	if err != nil {
		return err
	}
	defer unlock()
	st.System, err = system.StartIn(ctx, stateDir, emulator.Options{AccessKeys: []emulator.AccessKey{accessKey}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Stop()) }()
	receiver := httptest.NewServer(http.HandlerFunc(st.receive))
	defer receiver.Close()
	st.receiver = receiver.URL
	if err := st.act(ctx); err != nil {
		return err
	}
	say("the scene is over, after %s in all", since(start))
	return nil
}

// act is the scene itself.
func (s stage) act(ctx context.Context) error {
	if err := s.set(ctx); err != nil {
		return err
	}
	if err := s.StartOperator(ctx); err != nil {
		return err
	}
	say("waiting until the cloud holds the first URLs")
	if err := s.until(ctx, func(l line) bool { return l.guard != nil && l.guard.Previous != nil }, nil); err != nil {
		return err
	}
	go s.objects().send(ctx, s.Cloud)
	say("changing all URLs at once; the receiver answers 500 to the new one of %s", s.domain(s.broken))
	for i := range s.domains {
		patch := fmt.Appendf(nil, `{"spec":{"notifyURL":%q}}`, s.url("new", i))
		if err := s.API.Patch(ctx, s.object(i), client.RawPatch("application/merge-patch+json", patch)); err != nil {
			return fmt.Errorf("changing %s: %w", s.domain(i), err)
		}
	}
	undone := func(l line) bool {
		return l.domain != s.domain(s.broken) || l.reason(v1alpha1.ConditionReady) == v1alpha1.ReasonRolledBack && l.url == s.url("old", s.broken)
	}
	return s.until(ctx, undone, halted)
}

// set makes what there is before the operator comes.
func (s stage) set(ctx context.Context) error {
	guard := v1alpha1.GuardSpec{Window: metav1.Duration{Duration: time.Minute}, MaxFailures: 3}
	if s.atOnce > 0 {
		most := intstr.FromInt(s.atOnce)
		policy := &v1alpha1.LiveRolloutPolicy{Spec: v1alpha1.LiveRolloutPolicySpec{MaxConcurrent: &most, Guard: guard}}
		policy.Namespace, policy.Name = metav1.NamespaceDefault, "steps"
		if err := s.API.Create(ctx, policy); err != nil {
			return fmt.Errorf("creating the LiveRolloutPolicy: %w", err)
		}
	}
	for i := range s.domains {
		s.Cloud.AddDomain("", s.domain(i), emulator.IngestDomain)
		obj := s.object(i)
		obj.Spec.DomainName, obj.Spec.NotifyURL = s.domain(i), s.url("old", i)
		if s.atOnce == 0 {
			obj.Spec.Guard = &guard
		}
		if err := s.API.Create(ctx, obj); err != nil {
			return fmt.Errorf("creating %s: %w", obj.Name, err)
		}
	}
	return nil
}

func (s stage) name(i int) string            { return fmt.Sprintf("push-%02d", i+1) }
func (s stage) domain(i int) string          { return s.name(i) + ".example.com" }
func (s stage) url(age string, i int) string { return s.receiver + "/" + age + "/" + s.name(i) }

// objects are what traffic is sent for.
func (s stage) objects() (all samples) {
	for i := range s.domains {
		spec := map[string]any{"domainName": s.domain(i)}
		all = append(all, &unstructured.Unstructured{Object: map[string]any{"kind": "LiveNotifyConfig", "spec": spec}})
	}
	return all
}

func (s stage) object(i int) *v1alpha1.LiveNotifyConfig {
	return &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: s.name(i)}}
}

// receive answers a callback.
func (s stage) receive(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/new/"+s.name(s.broken) {
		http.Error(w, "this receiver fails on purpose", http.StatusInternalServerError)
	}
}

// line is what the table shows of a domain.
type line struct {
	domain, url string // url is the one in the cloud
	guard       *v1alpha1.GuardStatus
	conditions  []metav1.Condition
}

func (l line) reason(condition string) string {
	if c := meta.FindStatusCondition(l.conditions, condition); c != nil {
		return c.Reason
	}
	return "-"
}

func (l line) state() string {
	if l.guard == nil || l.guard.Change == nil {
		return "-"
	}
	return fmt.Sprintf("%s, %d failed", l.guard.Change.State, l.guard.Change.Failed)
}

// halted tells whether the policy is as it is to be in the end.
func halted(p *v1alpha1.LiveRolloutPolicy) bool {
	return meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionHalted) && p.Status.Waiting > 0
}

// until shows the domains until all of them, and the policy, are as they are to be.
func (s stage) until(ctx context.Context, each func(line) bool, policy func(*v1alpha1.LiveRolloutPolicy) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, sceneTimeout, errors.New("the scene did not come to its end"))
	defer cancel()
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	for {
		lines, p, err := s.look(ctx)
		if err = errors.Join(err, s.Alive()); err != nil {
			return err
		}
		s.screen.show(s.render(lines, p), "Ctrl-C ends the demo.")
		if !slices.ContainsFunc(lines, func(l line) bool { return !each(l) }) && (p == nil || policy == nil || policy(p)) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look reads what there is. Without a policy it is nil.
func (s stage) look(ctx context.Context) (lines []line, policy *v1alpha1.LiveRolloutPolicy, err error) {
	for i := range s.domains {
		obj := s.object(i)
		if err := s.API.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", obj.Name, err)
		}
		have, _ := s.Cloud.StreamConfig(s.domain(i))
		lines = append(lines, line{s.domain(i), have.NotifyURL, obj.Status.Guard, obj.Status.Conditions})
	}
	if s.atOnce > 0 {
		policy = &v1alpha1.LiveRolloutPolicy{}
		err = s.API.Get(ctx, client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "steps"}, policy)
	}
	return lines, policy, err
}

func (s stage) render(lines []line, policy *v1alpha1.LiveRolloutPolicy) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DOMAIN\tPATH IN THE CLOUD\tREADY\tCHANGE")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.domain, strings.TrimPrefix(l.url, s.receiver), l.reason(v1alpha1.ConditionReady), l.state())
	}
	_ = w.Flush() // a strings.Builder takes everything
	if policy != nil {
		st := policy.Status
		fmt.Fprintf(&b, "LiveRolloutPolicy steps: %d watching, %d waiting, %d failed", st.Watching, st.Waiting, st.Failed)
		if c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionHalted); c != nil && c.Status == metav1.ConditionTrue {
			fmt.Fprintf(&b, "; halted: %s", c.Message)
		}
		b.WriteString(newline)
	}
	return b.String()
}
