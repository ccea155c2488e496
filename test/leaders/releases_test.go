// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package leaders

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// release returns the namespace of another release, whose operator works on the
// same objects as the world's.
func (w *world) release() *world {
	w.Helper()
	other := &world{T: w.T, namespace: fmt.Sprint("leaders-", worlds.Add(1)), objects: w.namespace, cloud: w.cloud}
	w.must(api.Create(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other.namespace}}))
	return other
}

// TestTwoReleases: of two operators that would work on the same objects, with a
// lease in a namespace of its own each, one works. The other takes over when that
// ends.
func TestTwoReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.release()
	first := w.start()
	w.eventually("the first release leads", func() bool { return w.leader() != "" })
	second := other.start()
	w.eventually("the second release waits", func() bool { return strings.Contains(second.log.text(), "another operator works on the same objects") })
	if leader := other.leader(); leader != "" {
		t.Errorf("%s leads beside the first release", leader)
	}
	w.create("one")
	w.eventually("the cloud has everything", func() bool { return w.holds("one") && w.settled() })
	if writes := second.written(); len(writes) > 0 {
		t.Errorf("the second release wrote %v", writes)
	}

	first.signal(os.Interrupt)
	<-first.ended
	w.eventually("the second release leads", func() bool { return other.leader() != "" })
	w.edit("two")
	w.eventually("the cloud has the change", func() bool { return w.holds("two") && w.settled() })
	if writes := second.written(); len(writes) != objects {
		t.Errorf("the second release wrote %v", writes)
	}
}

// TestDisjointReleases: operators for other namespaces or labels work side by
// side.
func TestDisjointReleases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.release(), w.release()
	a.start("--watch-label-selector=shard=a")
	b.start("--watch-label-selector=shard!=a")
	w.eventually("both lead", func() bool { return a.leader() != "" && b.leader() != "" })
}
