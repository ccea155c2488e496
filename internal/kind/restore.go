// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Values returns the fields of a configuration that are set, but for a key.
func Values(c Config) []v1alpha1.ConfigurationValue {
	var values []v1alpha1.ConfigurationValue
	for _, f := range fields(c) {
		if !f.Secret && f.Value != "" && f.Value != "false" {
			values = append(values, v1alpha1.ConfigurationValue{Field: f.Name, Value: f.Value})
		}
	}
	return values
}

// KeyOf returns the authentication key of a configuration; "" if it has none, or the
// cloud does not show it.
func KeyOf(c Config) live.Key { return live.KeyOf(fields(c)) }

// Signed tells whether the callbacks of a configuration are.
func Signed(c Config) bool {
	return slices.ContainsFunc(fields(c), func(f live.Field) bool { return f.Secret && f.Value != "" })
}

// URLs returns those of some values.
func URLs(values []v1alpha1.ConfigurationValue) []string {
	var urls []string
	for _, v := range values {
		if lower := strings.ToLower(v.Value); strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") {
			urls = append(urls, v.Value)
		}
	}
	return urls
}

// ErrNotRestorable tells that values are not those of the object's kind.
var ErrNotRestorable = errors.New("the values are not those of a configuration of this kind")

// Restore returns the object as if its spec asked for an accepted configuration. It
// is the reverse of Desired: a field of a configuration has the name of the spec's.
func (k *Kind) Restore(o Object, accepted *v1alpha1.AcceptedConfiguration) (Object, error) {
	if accepted == nil {
		return nil, ErrNotRestorable
	}
	restored := o.DeepCopyObject().(Object)
	spec := reflect.ValueOf(restored).Elem().FieldByName("Spec")
	own := map[string]reflect.Value{} // fields of the spec that belong to the configuration, by name
	for i := range spec.NumField() {
		if t := spec.Type().Field(i); !t.Anonymous {
			name, _, _ := strings.Cut(t.Tag.Get("json"), ",")
			own[name] = spec.Field(i)
		}
	}
	for _, f := range k.Desired(restored, "").Fields() {
		if field, ok := own[f.Name]; ok {
			field.SetZero()
		}
	}
	for _, v := range accepted.Values {
		field, ok := own[v.Field]
		if !ok {
			return nil, fmt.Errorf("field %q: %w", v.Field, ErrNotRestorable)
		}
		if err := set(field, v.Value); err != nil {
			return nil, fmt.Errorf("field %q: %w", v.Field, err)
		}
	}
	if field, ok := own[live.AuthenticationField]; ok && accepted.KeySecretRef != nil {
		field.Set(reflect.ValueOf(&v1alpha1.AuthenticationSpec{KeySecretRef: *accepted.KeySecretRef}))
	}
	if live.Revision(k.Desired(restored, "").Fields()) != accepted.Revision {
		return nil, ErrNotRestorable // by another version of the operator, or spoilt
	}
	return restored, nil
}

// set gives a field of a spec the value that the configuration has for it.
func set(field reflect.Value, value string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return ErrNotRestorable
		}
		field.SetBool(b)
	case reflect.Slice:
		items := strings.Split(value, ",")
		list := reflect.MakeSlice(field.Type(), len(items), len(items))
		for i, item := range items {
			if list.Index(i).Kind() != reflect.String {
				return ErrNotRestorable
			}
			list.Index(i).SetString(item)
		}
		field.Set(list)
	default:
		return ErrNotRestorable
	}
	return nil
}
