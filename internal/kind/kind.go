// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"context"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// All is the table of callback kinds.
var All = []*Kind{stream, record, mpu, snapshot, detect, audit, event, message}

// Object is an object of a callback kind.
type Object interface {
	client.Object
	// Callback returns the parts that all callback kinds share.
	Callback() (*v1alpha1.CallbackSpec, *v1alpha1.CallbackStatus)
}

// Counted is an object of a kind with callback records.
type Counted interface {
	Object
	// Counted returns the parts that the kinds with callback records share.
	Counted() (*v1alpha1.CountedSpec, *v1alpha1.CountedStatus)
}

// Spec is what the spec of an object shares with those of other kinds. The part
// about callback records is an empty one, which is kept nowhere, for a kind without.
type Spec struct {
	*v1alpha1.CallbackSpec
	*v1alpha1.CountedSpec
}

// Status is what the status of an object shares with those of other kinds, likewise.
type Status struct {
	*v1alpha1.CallbackStatus
	*v1alpha1.CountedStatus
}

// Shared returns what an object shares with those of other kinds.
func Shared(o Object) (spec Spec, status Status) {
	spec.CallbackSpec, status.CallbackStatus = o.Callback()
	if c, ok := o.(Counted); ok {
		spec.CountedSpec, status.CountedStatus = c.Counted()
	} else {
		spec.CountedSpec, status.CountedStatus = &v1alpha1.CountedSpec{}, &v1alpha1.CountedStatus{}
	}
	return spec, status
}

// Config is a configuration as named values. Nil is none.
type Config interface{ Fields() []live.Field }

// Remote is a family of configurations in the cloud, each found by its key: a
// domain name or an application ID.
type Remote = family[Config]

// family is the same for configurations of type C, as internal/live offers it.
type family[C any] interface {
	// Get returns the configuration, or nil if it is certain that there is none.
	// After an error nothing is known.
	Get(ctx context.Context, lane quota.Lane, key string) (C, error)
	// Put makes the cloud hold want where it held have. Force lets it replace what
	// is in the way of that; without it such a thing is an error of class Exists.
	Put(ctx context.Context, lane quota.Lane, key string, have, want C, force bool) error
	// Delete removes the configuration; absence is success.
	Delete(ctx context.Context, lane quota.Lane, key string) error
	// ReadRate is the limit of the operation that Get calls, WriteRate that of the
	// first one that Put calls, to create or to change a configuration.
	ReadRate() quota.Rate
	WriteRate(create bool) quota.Rate
}

// Records are the callback records of a family.
type Records interface {
	// Count counts the callbacks of the window that ends now by the clock of the
	// cloud. It goes on from the counts before, for the same query, which are zero
	// at first. Counts that come with an error are what was done until then.
	Count(ctx context.Context, key string, q live.Query, before live.Counts) (live.Counts, error)
	// RecordsRate is the limit of the operation that Count calls, and how often it
	// usually does.
	RecordsRate() (rate quota.Rate, requests float64)
	// Deliveries returns a page of the records one by one, counted from 1, and how
	// many there are in all, or at least, if that is not known.
	Deliveries(ctx context.Context, key string, q live.Span, page int) ([]live.Delivery, int, error)
}

// Kind ties an API type to its family in the cloud.
type Kind struct {
	// Name of the API type.
	Name string
	// Key returns the key of the configuration in the cloud. It never changes.
	Key func(Object) string
	// OfDomain tells that the key is a domain, which accounts may restrict.
	OfDomain bool
	// Ingest tells that the domain is an ingest domain. Those of the other kinds of
	// domains are main streaming domains.
	Ingest bool
	// Authentication says how callbacks are signed, nil for not at all. The field is
	// nil for a kind that cannot sign.
	Authentication func(Object) *v1alpha1.AuthenticationSpec
	// MaxAuthKey is the most characters that the cloud takes for the key.
	MaxAuthKey int
	// Desired returns the configuration that the spec asks for.
	Desired func(Object, live.Key) Config
	// Observe notes in the status what the cloud holds.
	Observe func(Object, Config)
	// Recall completes what was read with the last written values of the fields
	// that the cloud never returns, and Wrote notes these values. Nil for a kind
	// without such fields.
	Recall func(Object, Config) Config
	Wrote  func(Object, Config)
	// Remind tells a client what the status of an object knows of the configuration that
	// it wrote, and the cloud may not show for a while. Nil for a kind without such things.
	Remind func(*live.Client, Object)
	// Remote returns the family in the cloud of a client.
	Remote func(*live.Client) Remote
	// Records returns its callback records, and Family is how callbacks are sent. Nil
	// and "" for a kind whose callbacks are not recorded, and cannot be sent again.
	Records func(*live.Client) Records
	Family  callback.Family
}

// scheme knows the API types.
var scheme = runtime.NewScheme()

func init() { utilruntime.Must(v1alpha1.AddToScheme(scheme)) }

// New returns an empty object.
func (k *Kind) New() Object { return k.empty("").(Object) }

// NewList returns an empty list of objects.
func (k *Kind) NewList() client.ObjectList { return k.empty("List").(client.ObjectList) }

func (k *Kind) empty(suffix string) runtime.Object {
	o, err := scheme.New(v1alpha1.GroupVersion.WithKind(k.Name + suffix))
	utilruntime.Must(err) // a kind has the name of its API type
	return o
}

// KeyRef returns which Secret entry holds the authentication key of an object;
// nil if its callbacks are not signed.
func (k *Kind) KeyRef(o Object) *v1alpha1.SecretKeyReference {
	if k.Authentication == nil {
		return nil
	}
	auth := k.Authentication(o)
	if auth == nil {
		return nil
	}
	return &auth.KeySecretRef
}

// Domain returns the domain that an object manages; "" if it is of a kind that
// manages something else.
func (k *Kind) Domain(o Object) string {
	if k.OfDomain {
		return k.Key(o)
	}
	return ""
}

// fields returns those of a configuration, none for nil.
func fields(c Config) []live.Field {
	if c == nil {
		return nil
	}
	return c.Fields()
}

// Diff returns where the cloud differs from what is wanted, as far as it can be
// read.
func Diff(have, want Config) []live.Difference { return live.Diff(fields(have), fields(want)) }

// Unread tells whether a field that the cloud never returns is to become another
// than was last written.
func Unread(written, want Config) bool {
	last := map[string]string{}
	for _, f := range fields(written) {
		last[f.Name] = f.Value
	}
	return slices.ContainsFunc(fields(want), func(f live.Field) bool { return f.WriteOnly && f.Value != last[f.Name] })
}

// typed hides the type of a family's configuration, of which the zero value is
// none.
type typed[C live.Config] struct{ family[C] }

// Get implements Remote.
func (t typed[C]) Get(ctx context.Context, lane quota.Lane, key string) (Config, error) {
	have, err := t.family.Get(ctx, lane, key)
	var none C
	if err != nil || have == none {
		return nil, err
	}
	return have, nil
}

// Put implements Remote.
func (t typed[C]) Put(ctx context.Context, lane quota.Lane, key string, have, want Config, force bool) error {
	return t.family.Put(ctx, lane, key, as[C](have), as[C](want), force)
}

// as returns a configuration by its type, the zero value for none.
func as[C any](c Config) C {
	typed, _ := c.(C)
	return typed
}

// observed converts what the cloud holds for the status of an object; nil for
// nothing.
func observed[C Config, O any](have Config, convert func(C) O) *O {
	if c, ok := have.(C); ok {
		return new(convert(c))
	}
	return nil
}

// Rewrite rewrites the texts that an object's status has of what the cloud holds.
func Rewrite(o Object, rewrite func(string) string) {
	field := reflect.ValueOf(o).Elem().FieldByName("Status").FieldByName("Observed")
	if field.IsNil() {
		return
	}
	for _, value := range field.Elem().Fields() {
		switch value.Kind() {
		case reflect.String:
			value.SetString(rewrite(value.String()))
		case reflect.Slice:
			for i := range value.Len() {
				if item := value.Index(i); item.Kind() == reflect.String {
					item.SetString(rewrite(item.String()))
				}
			}
		}
	}
}
