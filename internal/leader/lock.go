// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leader elects the operator that works. It is one of the replicas of a
// release, as usual. Beyond that, it is one of all releases in the cluster whose
// objects could be the same: two that write the same configuration would undo each
// other's work.
package leader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

const (
	// LeaseName is the name of every operator's lease, each in a namespace of its
	// own.
	LeaseName = "live-notify-operator.live.alibabacloud.com"
	// ScopeAnnotation says on a lease what its holder works on. A lease without it
	// is of a version that works on everything it is told to and says nothing.
	ScopeAnnotation = "live.alibabacloud.com/scope"

	// namespaceFile is where a pod finds its namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// Namespace returns the namespace of the lease: the one that was asked for, else
// that of the pod.
func Namespace(wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	text, err := os.ReadFile(namespaceFile)
	if err != nil {
		return "", fmt.Errorf("outside of a pod, --leader-elect-namespace is needed: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Lock is a lease that nobody gets while the operator of another namespace holds
// one whose scope overlaps. It is used by one goroutine at a time.
type Lock struct {
	// Client reads and writes leases.
	Client coordinationv1client.LeasesGetter
	// Namespace is that of the lease.
	Namespace string
	// Scope is what the operator works on.
	Scope Scope
	// Log is told once of each operator that is waited for.
	Log logr.Logger
	// Clock tells the time.
	Clock clock.PassiveClock

	identity string
	lease    *coordinationv1.Lease
	seen     map[string]sighting // leases of others, by namespace
	told     string              // whom the log was told of
}

var _ resourcelock.Interface = &Lock{}

// sighting is a version of a lease, and since when it is the newest by our own
// clock. Clocks of two nodes may differ.
type sighting struct {
	version string
	since   time.Time
}

// Identity returns the name of this process among its replicas.
func (l *Lock) Identity() string {
	if l.identity == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		l.identity = host + "_" + string(uuid.NewUUID())
	}
	return l.identity
}

// Describe names the lease.
func (l *Lock) Describe() string { return l.Namespace + "/" + LeaseName }

// RecordEvent does nothing: the log says who leads.
func (l *Lock) RecordEvent(string) {}

// Get reads who holds the lease.
func (l *Lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	lease, err := l.Client.Leases(l.Namespace).Get(ctx, LeaseName, metav1.GetOptions{})
	if err != nil {
		return nil, nil, err
	}
	l.lease = lease
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&lease.Spec)
	raw, err := json.Marshal(record)
	return record, raw, err
}

// Create takes a lease that did not exist.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if err := l.free(ctx); err != nil {
		return err
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Namespace: l.Namespace, Annotations: map[string]string{ScopeAnnotation: l.Scope.String()}},
		Spec:       resourcelock.LeaderElectionRecordToLeaseSpec(&record),
	}
	lease, err := l.Client.Leases(l.Namespace).Create(ctx, lease, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	l.lease = lease
	return l.confirm(ctx)
}

// Update takes, renews or gives back the lease.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.lease == nil {
		return errors.New("the lease was not read yet")
	}
	takes := record.HolderIdentity == l.Identity() && holder(l.lease) != l.Identity()
	if takes {
		if err := l.free(ctx); err != nil {
			return err
		}
	}
	if err := l.write(ctx, record); err != nil || !takes {
		return err
	}
	return l.confirm(ctx)
}

func (l *Lock) write(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	lease := l.lease.DeepCopy()
	lease.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[ScopeAnnotation] = l.Scope.String()
	lease, err := l.Client.Leases(l.Namespace).Update(ctx, lease, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	l.lease = lease
	return nil
}

// confirm looks again once the lease shows who holds it. Of two operators that
// took theirs at the same moment at least one sees the other here, and gives way.
func (l *Lock) confirm(ctx context.Context) error {
	err := l.free(ctx)
	if err == nil {
		return nil
	}
	back := resourcelock.LeaderElectionRecord{
		LeaseDurationSeconds: 1, AcquireTime: metav1.NewTime(l.Clock.Now()), RenewTime: metav1.NewTime(l.Clock.Now()),
	}
	if spec := l.lease.Spec; spec.LeaseTransitions != nil {
		back.LeaderTransitions = int(*spec.LeaseTransitions)
	}
	return errors.Join(err, l.write(ctx, back))
}

// free is nil if no other operator is at work on objects of the scope.
func (l *Lock) free(ctx context.Context) error {
	// A role can only be restricted to one name with this selector.
	selector := fields.OneTermEqualSelector("metadata.name", LeaseName).String()
	all, err := l.Client.Leases(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: selector})
	switch {
	case apierrors.IsForbidden(err):
		l.tell("", "other operators are not looked for: the leases of other namespaces may not be listed")
		return nil
	case err != nil:
		return err
	}
	now, seen := l.Clock.Now(), map[string]sighting{}
	var other *coordinationv1.Lease
	for i := range all.Items {
		lease := &all.Items[i]
		if lease.Namespace == l.Namespace || holder(lease) == "" {
			continue
		}
		s := sighting{lease.ResourceVersion, now}
		if before, known := l.seen[lease.Namespace]; known && before.version == s.version {
			s = before
		}
		seen[lease.Namespace] = s
		if now.Sub(s.since) < duration(lease) && l.overlaps(lease) {
			other = lease
		}
	}
	l.seen = seen
	if other == nil {
		l.told = ""
		return nil
	}
	l.tell(other.Namespace, "another operator works on the same objects: waiting until it ends, or is told of other namespaces or labels",
		"namespace", other.Namespace, "holder", holder(other), "scope", other.Annotations[ScopeAnnotation])
	return fmt.Errorf("the operator in namespace %s works on the same objects", other.Namespace)
}

func (l *Lock) tell(of, message string, details ...any) {
	if key := of + " " + message; l.told != key {
		l.told = key
		l.Log.Info(message, details...)
	}
}

// overlaps is true too of a scope that cannot be read.
func (l *Lock) overlaps(lease *coordinationv1.Lease) bool {
	text := lease.Annotations[ScopeAnnotation]
	if text == "" {
		return true
	}
	scope, err := parseScope(text)
	return err != nil || l.Scope.Overlaps(scope)
}

func holder(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// duration is how long a lease holds. Nobody makes another wait for longer than a
// minute by what a lease says.
func duration(lease *coordinationv1.Lease) time.Duration {
	seconds := lease.Spec.LeaseDurationSeconds
	if seconds == nil || *seconds < 0 {
		return 0
	}
	return slices.Min([]time.Duration{time.Duration(*seconds) * time.Second, time.Minute})
}
