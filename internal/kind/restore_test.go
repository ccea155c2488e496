// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package kind

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// fill gives each field of a spec of its own a value.
func fill(spec reflect.Value, suffix string) {
	for i := range spec.NumField() {
		field := spec.Field(i)
		switch {
		case spec.Type().Field(i).Anonymous:
		case field.Kind() == reflect.String:
			field.SetString("http://" + strings.ToLower(spec.Type().Field(i).Name) + suffix)
		case field.Kind() == reflect.Bool:
			field.SetBool(suffix == "one")
		case field.Kind() == reflect.Slice:
			list := reflect.MakeSlice(field.Type(), 2, 2)
			list.Index(0).SetString("b" + suffix)
			list.Index(1).SetString("a" + suffix)
			field.Set(list)
		case field.Type() == reflect.TypeFor[*v1alpha1.AuthenticationSpec]():
			field.Set(reflect.ValueOf(&v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: suffix}}))
		default:
			panic("a field of a type that no accepted configuration can hold: " + spec.Type().Field(i).Name)
		}
	}
}

// TestRestoreIsTheReverseOfDesired for each kind that the cloud keeps records of.
func TestRestoreIsTheReverseOfDesired(t *testing.T) {
	for _, k := range All {
		if k.Records == nil {
			continue
		}
		for _, was := range []string{"one", "two", ""} {
			o := k.New()
			spec := reflect.ValueOf(o).Elem().FieldByName("Spec")
			if was != "" {
				fill(spec, was)
			}
			config := k.Desired(o, "")
			accepted := &v1alpha1.AcceptedConfiguration{
				Revision: live.Revision(config.Fields()), Values: Values(config), KeySecretRef: k.KeyRef(o),
			}
			fill(spec, "changed")
			restored, err := k.Restore(o, accepted)
			if err != nil {
				t.Errorf("%s: %v", k.Name, err)
				continue
			}
			if diff := live.Diff(k.Desired(restored, "").Fields(), config.Fields()); len(diff) > 0 {
				t.Errorf("%s: differs in %v", k.Name, live.Names(diff))
			}
			if k.Key(restored) != k.Key(o) {
				t.Errorf("%s: the key became %q", k.Name, k.Key(restored))
			}
			accepted.Values = append(accepted.Values, v1alpha1.ConfigurationValue{Field: "nothing", Value: "x"})
			if _, err := k.Restore(o, accepted); !errors.Is(err, ErrNotRestorable) {
				t.Errorf("%s: a field that there is not: %v", k.Name, err)
			}
			accepted.Values, accepted.Revision = accepted.Values[:len(accepted.Values)-1], "1:other"
			if _, err := k.Restore(o, accepted); !errors.Is(err, ErrNotRestorable) {
				t.Errorf("%s: another revision: %v", k.Name, err)
			}
		}
	}
}

// TestValuesHoldNoKey, and tell whether there is one.
func TestValuesHoldNoKey(t *testing.T) {
	for _, k := range All {
		if k.MaxAuthKey == 0 {
			continue
		}
		o := k.New()
		fill(reflect.ValueOf(o).Elem().FieldByName("Spec"), "one")
		config := k.Desired(o, "canary00canary00")
		for _, v := range Values(config) {
			if strings.Contains(v.Value, "canary") {
				t.Errorf("%s: %s holds the key", k.Name, v.Field)
			}
		}
		if !Signed(config) {
			t.Errorf("%s: it is signed", k.Name)
		}
	}
}
