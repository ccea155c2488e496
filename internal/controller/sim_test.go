// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
)

// simAPI is an API server in memory, with as much of the real one as the
// operator relies on: resource versions and their conflicts, generations, merge
// patches, the status as a subresource, finalizers, UIDs. It is for tests that
// need thousands of histories, or a cache that lags behind as told; what they
// find is the operator's doing as long as the two agree, so the tests of crashes
// run against both.
type simAPI struct {
	now func() time.Time

	mu      sync.Mutex
	version int
	uids    int
	scatter bool     // UIDs are in no order
	told    []string // the notes of events
	events  []simEvent
	objects map[simKey]client.Object
	changes []simChange // all, in order
	indexes map[string]client.IndexerFunc

	// cached is what the operator's cache shows: the changes of a kind up to
	// the one that it has seen.
	cached map[simKey]client.Object
	seen   map[string]int
	known  map[string]bool // kinds of which there were objects
}

type simKey struct{ kind, namespace, name string }

// simChange is an object as it became; nil for one that is gone.
type simChange struct {
	key simKey
	obj client.Object
}

func newSimAPI(now func() time.Time) *simAPI {
	return &simAPI{
		now: now, objects: map[simKey]client.Object{}, indexes: map[string]client.IndexerFunc{},
		cached: map[simKey]client.Object{}, seen: map[string]int{}, known: map[string]bool{},
	}
}

// simulated returns a driver for a world whose API server is a simAPI.
func simulated(t tester, f fixture, o emulator.Options) *driver {
	t.Helper()
	w := newCloud(t, o)
	w.sim = newSimAPI(w.clock.Now)
	w.api = &simClient{simAPI: w.sim}
	w.mgr = simManager{api: w.sim}
	w.Expect(w.api.Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
	f.prepare(w.cloud)
	object := f.object
	f.object = func() Object { // with the defaults of the schema
		obj := object()
		s := spec(obj)
		s.ManagementPolicy, s.AdoptionPolicy = v1alpha1.Manage, v1alpha1.AdoptIfIdentical
		s.DriftPolicy, s.DeletionPolicy = v1alpha1.DriftCorrect, v1alpha1.DeletionDelete
		s.ResyncInterval.Duration = 10 * time.Minute
		if _, ok := obj.(kind.Counted); !ok {
			return obj
		}
		s.Records.Window.Duration, s.Records.Interval.Duration, s.Records.UnhealthyThreshold = time.Hour, 5*time.Minute, 1
		return obj
	}
	return w.drive(f)
}

// catchUp makes the cache show everything.
func (s *simAPI) catchUp() {
	for _, kind := range s.kinds() {
		s.catchUpBy(kind, len(s.changes))
	}
}

func (s *simAPI) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.known))
}

// catchUpBy makes the cache show up to n more changes of a kind.
func (s *simAPI) catchUpBy(kind string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.seen[kind] < len(s.changes) && n > 0; s.seen[kind]++ {
		c := s.changes[s.seen[kind]]
		if c.key.kind != kind {
			continue
		}
		n--
		if c.obj == nil {
			delete(s.cached, c.key)
		} else {
			s.cached[c.key] = c.obj
		}
	}
}

// commit stores an object as it became, nil for one that is gone.
func (s *simAPI) commit(key simKey, obj client.Object) {
	if obj == nil {
		delete(s.objects, key)
	} else {
		s.version++
		obj.SetResourceVersion(strconv.Itoa(s.version))
		s.objects[key] = obj
	}
	s.changes = append(s.changes, simChange{key, obj})
	s.known[key.kind] = true
}

func simKeyOf(obj client.Object) simKey {
	gvk, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		panic(err) // a type that is not registered
	}
	return simKey{gvk.Kind, obj.GetNamespace(), obj.GetName()}
}

func notFound(key simKey) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: key.kind}, key.name)
}

// read copies an object out of those that the API server has, or the cache.
func read(from map[simKey]client.Object, name types.NamespacedName, out client.Object) error {
	key := simKeyOf(out)
	key.namespace, key.name = name.Namespace, name.Name
	obj, found := from[key]
	if !found {
		return notFound(key)
	}
	if metadata, ok := out.(*metav1.PartialObjectMetadata); ok {
		metadata.SetName(obj.GetName())
		metadata.SetNamespace(obj.GetNamespace())
		metadata.SetUID(obj.GetUID())
		metadata.SetResourceVersion(obj.GetResourceVersion())
		return nil
	}
	reflect.ValueOf(out).Elem().Set(reflect.ValueOf(obj.DeepCopyObject()).Elem())
	return nil
}

func (s *simAPI) list(from map[simKey]client.Object, out client.ObjectList, opts []client.ListOption) error {
	gvk, err := apiutil.GVKForObject(out, scheme)
	if err != nil {
		return err
	}
	kind := gvk.Kind[:len(gvk.Kind)-len("List")]
	var o client.ListOptions
	o.ApplyOptions(opts)
	var keys []simKey
	for key := range from {
		if key.kind == kind && (o.Namespace == "" || key.namespace == o.Namespace) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b simKey) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	shared := o.UnsafeDisableDeepCopy != nil && *o.UnsafeDisableDeepCopy
	var found []runtime.Object
	for _, key := range keys {
		matches := true
		if o.FieldSelector != nil {
			for _, r := range o.FieldSelector.Requirements() {
				matches = matches && slices.Contains(s.indexes[kind+"/"+r.Field](from[key]), r.Value)
			}
		}
		switch {
		case matches && shared: // as a cache does it
			found = append(found, from[key])
		case matches:
			found = append(found, from[key].DeepCopyObject())
		}
	}
	return meta.SetList(out, found)
}

// simClient is a client of a simAPI. Methods that it lacks are used by nobody.
type simClient struct {
	client.Client
	*simAPI
	fromCache bool
}

func (c *simClient) source() map[simKey]client.Object {
	if c.fromCache {
		return c.cached
	}
	return c.objects
}

func (c *simClient) Scheme() *runtime.Scheme { return scheme }

func (c *simClient) Get(_ context.Context, name client.ObjectKey, out client.Object, _ ...client.GetOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return read(c.source(), name, out)
}

func (c *simClient) List(_ context.Context, out client.ObjectList, opts ...client.ListOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list(c.source(), out, opts)
}

func (c *simClient) Create(_ context.Context, obj client.Object, _ ...client.CreateOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := simKeyOf(obj)
	if secret, ok := obj.(*corev1.Secret); ok && secret.StringData != nil {
		secret.Data = map[string][]byte{}
		for name, value := range secret.StringData {
			secret.Data[name] = []byte(value)
		}
		secret.StringData = nil
	}
	if _, exists := c.objects[key]; exists {
		return apierrors.NewAlreadyExists(schema.GroupResource{Resource: key.kind}, key.name)
	}
	c.uids++
	uid := c.uids
	if c.scatter {
		uid = uid * 7919 % 9973 // both are primes
	}
	obj.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", uid)))
	obj.SetCreationTimestamp(metav1.NewTime(c.now().Truncate(time.Second)))
	obj.SetGeneration(1)
	c.commit(key, obj.DeepCopyObject().(client.Object))
	obj.SetResourceVersion(strconv.Itoa(c.version))
	return nil
}

func (c *simClient) Update(_ context.Context, obj client.Object, _ ...client.UpdateOption) error {
	return c.change(obj, func(was map[string]any) map[string]any {
		is := fields(obj)
		is["status"] = was["status"]
		return is
	})
}

func (c *simClient) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.PatchOption) error {
	return c.patch(obj, patch, func(was, is map[string]any) { is["status"] = was["status"] })
}

func (c *simClient) Status() client.SubResourceWriter { return simStatus{c: c} }

func (c *simClient) SubResource(string) client.SubResourceClient { panic("not simulated") }

func (c *simClient) Delete(_ context.Context, obj client.Object, _ ...client.DeleteOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := simKeyOf(obj)
	was, exists := c.objects[key]
	switch {
	case !exists:
		return notFound(key)
	case len(was.GetFinalizers()) == 0:
		c.commit(key, nil)
	case was.GetDeletionTimestamp().IsZero():
		is := was.DeepCopyObject().(client.Object)
		is.SetDeletionTimestamp(&metav1.Time{Time: c.now().Truncate(time.Second)})
		is.SetGeneration(was.GetGeneration() + 1)
		c.commit(key, is)
	}
	return nil
}

// simStatus writes the status of objects.
type simStatus struct {
	client.SubResourceWriter
	c *simClient
}

func (s simStatus) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	return s.c.patch(obj, patch, func(was, is map[string]any) {
		status := is["status"]
		clear(is)
		maps.Copy(is, was)
		is["status"] = status
	})
}

// patch applies a merge patch; only limits it to what the patched resource may
// change.
func (c *simClient) patch(obj client.Object, patch client.Patch, only func(was, is map[string]any)) error {
	data, err := patch.Data(obj)
	if err != nil {
		return err
	}
	var changes map[string]any
	if err := json.Unmarshal(data, &changes); err != nil {
		return err
	}
	metadata, _ := changes["metadata"].(map[string]any)
	version, _ := metadata["resourceVersion"].(string)
	obj.SetResourceVersion(version)
	return c.change(obj, func(was map[string]any) map[string]any {
		is := merged(was, changes)
		only(was, is)
		return is
	})
}

// change replaces an object by what edit makes of it, unless it has another
// resource version than obj, if that has one. obj becomes the result.
func (c *simClient) change(obj client.Object, edit func(was map[string]any) map[string]any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := simKeyOf(obj)
	was, exists := c.objects[key]
	if !exists {
		return notFound(key)
	}
	if v := obj.GetResourceVersion(); v != "" && v != was.GetResourceVersion() {
		return apierrors.NewConflict(schema.GroupResource{Resource: key.kind}, key.name, fmt.Errorf("the object has been modified"))
	}
	is := reflect.New(reflect.TypeOf(was).Elem()).Interface().(client.Object)
	raw, err := json.Marshal(edit(fields(was)))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, is); err != nil {
		return err
	}
	is.SetResourceVersion(was.GetResourceVersion())
	if !bytes.Equal(stored(specField(is)), stored(specField(was))) {
		is.SetGeneration(was.GetGeneration() + 1)
	}
	switch {
	case !is.GetDeletionTimestamp().IsZero() && len(is.GetFinalizers()) == 0:
		c.commit(key, nil)
	case !bytes.Equal(stored(is), stored(was)):
		c.commit(key, is)
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(is.DeepCopyObject()).Elem())
	return nil
}

// stored returns an object, or a part of one, as the API server stores it.
func stored(part any) []byte {
	raw, err := json.Marshal(part)
	if err != nil {
		panic(err)
	}
	return raw
}

// fields returns an object as the API server stores it.
func fields(obj client.Object) map[string]any {
	out := map[string]any{}
	if err := json.Unmarshal(stored(obj), &out); err != nil {
		panic(err)
	}
	return out
}

// specField returns the spec of an object; nil for one without, such as a Secret.
func specField(obj client.Object) any {
	if spec := reflect.ValueOf(obj).Elem().FieldByName("Spec"); spec.IsValid() {
		return spec.Interface()
	}
	return nil
}

// merged is a JSON merge patch (RFC 7386).
func merged(was, changes map[string]any) map[string]any {
	is := maps.Clone(was)
	if is == nil {
		is = map[string]any{}
	}
	for name, value := range changes {
		inner, ok := value.(map[string]any)
		switch {
		case value == nil:
			delete(is, name)
		case ok:
			before, _ := is[name].(map[string]any)
			is[name] = merged(before, inner)
		default:
			is[name] = value
		}
	}
	return is
}

// simManager is as much of a manager as a driver needs.
type simManager struct {
	ctrl.Manager
	api *simAPI
}

func (m simManager) GetClient() client.Client                       { return &simClient{simAPI: m.api, fromCache: true} }
func (m simManager) GetAPIReader() client.Reader                    { return &simClient{simAPI: m.api} }
func (m simManager) GetFieldIndexer() client.FieldIndexer           { return m }
func (m simManager) GetEventRecorder(string) recorder.EventRecorder { return simEvents{api: m.api} }

// IndexField implements client.FieldIndexer.
func (m simManager) IndexField(_ context.Context, obj client.Object, field string, values client.IndexerFunc) error {
	m.api.indexes[simKeyOf(obj).kind+"/"+field] = values
	return nil
}

// simEvent is what is kept of an event.
type simEvent struct{ name, reason string }

// simEvents keeps the notes and the reasons of events.
type simEvents struct {
	recorder.EventRecorder
	api *simAPI
}

func (e simEvents) Eventf(regarding, _ runtime.Object, _, reason, _, note string, args ...any) {
	e.api.mu.Lock()
	defer e.api.mu.Unlock()
	e.api.told = append(e.api.told, fmt.Sprintf(note, args...))
	e.api.events = append(e.api.events, simEvent{regarding.(client.Object).GetName(), reason})
}

// reasons returns those of the events about an object.
func (s *simAPI) reasons(name string) (reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.name == name {
			reasons = append(reasons, e.reason)
		}
	}
	return reasons
}

// rewind makes the cache show only the first n changes, as that of a new
// process may whose API server lags behind.
func (s *simAPI) rewind(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.cached)
	clear(s.seen)
	for _, c := range s.changes[:n] {
		s.seen[c.key.kind] = n
		if c.obj == nil {
			delete(s.cached, c.key)
		} else {
			s.cached[c.key] = c.obj
		}
	}
}

// revision returns how many changes there have been.
func (s *simAPI) revision() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.changes)
}
