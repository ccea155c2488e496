// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package leaders

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

const shardLabel = "live.alibabacloud.com/shard"

// shards are operators of one cluster that share out the objects of one namespace by
// a label, each with a lease of its own.
type shards struct {
	*world
	replicas []*replica

	mu     sync.Mutex
	visits map[string][]visit // to the cloud, by domain
}

// visit is one request about a domain.
type visit struct {
	shard      int
	begin, end time.Time
	write      bool
}

func startShards(t *testing.T, n int) *shards {
	s := &shards{world: newWorld(t), visits: map[string][]visit{}}
	for i := range n {
		s.replicas = append(s.replicas, s.release().startBehind(
			func(cloud http.Handler) http.Handler { return s.note(i, cloud) }, fmt.Sprintf("--watch-label-selector=%s=%d", shardLabel, i)))
	}
	for i, r := range s.replicas {
		s.eventually(fmt.Sprint("shard ", i, " leads"), func() bool { return r.leader() != "" })
	}
	return s
}

// note is a door that knows who asks about what, and how long it takes.
func (s *shards) note(shard int, cloud http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visit{shard: shard, begin: time.Now(), write: len(r.Header.Get("x-acs-action")) > 3 && r.Header.Get("x-acs-action")[:3] == "Set"}
		domain := r.URL.Query().Get("DomainName")
		defer func() {
			v.end = time.Now()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.visits[domain] = append(s.visits[domain], v)
		}()
		cloud.ServeHTTP(w, r)
	})
}

// taken returns the visits so far, and forgets them.
func (s *shards) taken() map[string][]visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	visits := s.visits
	s.visits = map[string][]visit{}
	return visits
}

// label puts each object into the shard that follows the one of before by so many.
func (s *shards) label(by int) {
	s.Helper()
	for i := range objects {
		o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: fmt.Sprint("o-", i)}}
		patch := fmt.Sprintf(`{"metadata":{"labels":{%q:"%d"}}}`, shardLabel, (i+by)%len(s.replicas))
		s.must(api.Patch(s.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))))
	}
}

// rest waits until nobody has asked the cloud anything for a while.
func (s *shards) rest() {
	s.Helper()
	s.eventually("all rest", func() bool {
		for _, r := range s.replicas {
			if !r.rests() {
				return false
			}
		}
		return true
	})
}

// claimedAll tells whether each object has the finalizer of an operator.
func (s *shards) claimedAll() bool {
	var list v1alpha1.LiveNotifyConfigList
	s.must(api.List(s.Context(), &list, client.InNamespace(s.namespace)))
	for _, o := range list.Items {
		if len(o.Finalizers) != 1 {
			return false
		}
	}
	return true
}

// TestShards: operators share out objects by a label. Each works on its own alone,
// also while objects move from one to another in the middle of a write. In the usual
// form there are three of them, in the long one, as make soak runs it, two and four too.
func TestShards(t *testing.T) {
	counts := []int{3}
	if os.Getenv("LONG") != "" {
		counts = []int{2, 3, 4}
	}
	for _, n := range counts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := startShards(t, n)
			s.create("one")
			s.label(0)
			s.eventually("the cloud has everything", func() bool { return s.holds("one") && s.settled() })
			visits := s.taken()
			for i := range objects {
				for _, v := range visits[s.domain(i)] {
					if v.shard != i%n {
						t.Errorf("shard %d asked about %s", v.shard, s.domain(i))
					}
				}
			}
			s.moved()
			s.movedWhileWriting()
			s.rival()
		})
	}
}

// moved moves each object to the next shard: nothing is written to the cloud, and
// from then on the new one has it.
func (s *shards) moved() {
	s.Helper()
	s.rest()
	s.taken()
	s.label(1)
	s.eventually("all have a finalizer again", func() bool { return s.claimedAll() && s.settled() })
	s.rest()
	for domain, visits := range s.taken() {
		for _, v := range visits {
			if v.write {
				s.Errorf("shard %d wrote %s, which only moved", v.shard, domain)
			}
		}
	}
	s.edit("two")
	s.eventually("the cloud has the change", func() bool { return s.holds("two") && s.settled() })
	s.alone(1, "two")
}

// movedWhileWriting moves each object while the cloud takes its time with a write of
// it: nobody else asks the cloud about it before that is answered.
func (s *shards) movedWhileWriting() {
	s.Helper()
	s.rest()
	s.taken()
	s.cloud.Inject(emulator.Fault{Action: "SetLiveStreamsNotifyUrlConfig", Latency: time.Second})
	s.edit("three")
	s.label(2)
	s.edit("four")
	s.eventually("the cloud has the last change", func() bool { return s.holds("four") && s.settled() && s.claimedAll() })
	s.cloud.ClearFaults()
	s.alone(2, "four")
}

// alone fails the test if two shards asked about one domain at the same time, or the
// one that had it before did after the next one, which is so many further than at
// first.
func (s *shards) alone(by int, version string) {
	s.Helper()
	visits := s.taken()
	for i := range objects {
		var first time.Time // visit of the one that has it now
		for _, v := range visits[s.domain(i)] {
			if v.shard == (i+by)%len(s.replicas) && (first.IsZero() || v.begin.Before(first)) {
				first = v.begin
			}
		}
		if first.IsZero() {
			s.Errorf("who has %s did not write %q", s.domain(i), version)
		}
		for _, v := range visits[s.domain(i)] {
			if v.shard != (i+by)%len(s.replicas) && v.end.After(first) {
				s.Errorf("shard %d asked about %s beside the one that has it", v.shard, s.domain(i))
			}
		}
	}
}

// rival creates an object in another shard that names a domain which is taken.
func (s *shards) rival() {
	s.Helper()
	s.rest()
	s.taken()
	o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: "rival", Labels: map[string]string{shardLabel: fmt.Sprint(3 % len(s.replicas))},
	}}
	o.Spec.DomainName, o.Spec.NotifyURL = s.domain(0), url("rival")
	s.must(api.Create(s.Context(), o))
	s.eventually("the rival is in conflict", func() bool {
		s.must(api.Get(s.Context(), client.ObjectKeyFromObject(o), o))
		ready := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == v1alpha1.ReasonConflict
	})
	for _, v := range s.taken()[s.domain(0)] {
		if v.write {
			s.Errorf("shard %d wrote a domain that an object of another shard has", v.shard)
		}
	}
}
