// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

// files are manifests to read.
type files struct {
	resource.FilenameOptions
}

func (f files) given() bool { return len(f.Filenames) > 0 || f.Kustomize != "" }

// manifests are what files hold: objects of our kinds, and Secrets with their keys.
type manifests struct {
	objects []*unstructured.Unstructured
	sources []string // where each object is from
	secrets []*corev1.Secret
	doubles refusals // objects that are there before
}

// read reads manifests. Objects of other kinds are none of our business.
func (a *app) read(f files) (*manifests, error) {
	namespace, err := a.namespace()
	if err != nil {
		return nil, err
	}
	b := resource.NewLocalBuilder().Unstructured().ContinueOnError().Local()
	if i := slices.Index(f.Filenames, "-"); i >= 0 {
		b = b.Stream(a.in, "stdin")
		f.Filenames = slices.Delete(slices.Clone(f.Filenames), i, i+1)
	}
	if f.given() {
		b = b.FilenameParam(false, &f.FilenameOptions)
	}
	infos, err := b.Flatten().Do().Infos()
	if err != nil {
		return nil, usage("reading the manifests: %s", err)
	}
	m := &manifests{}
	first := map[identity]string{} // where each object is
	for n, source := range sourcesOf(infos) {
		u, ok := infos[n].Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		if u.GetNamespace() == "" {
			u.SetNamespace(namespace)
		}
		ours := u.GroupVersionKind().Group == v1alpha1.GroupVersion.Group
		if secret := u.GetKind() == "Secret" && u.GetAPIVersion() == "v1"; !ours && !secret {
			continue
		}
		one := identity{u.GetKind(), u.GetNamespace(), u.GetName()}
		if there, again := first[one]; again && one.name != "" {
			m.doubles = append(m.doubles, refusal{source, usage("%s is there before, in %s: keep one of the two", referred(one.kind, one.namespace, one.name), there)})
			continue
		}
		first[one] = source
		if ours {
			m.objects = append(m.objects, u)
			m.sources = append(m.sources, source)
			continue
		}
		var secret corev1.Secret
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &secret); err == nil {
			m.secrets = append(m.secrets, &secret)
		}
	}
	return m, nil
}

// identity is which object a manifest is of.
type identity struct{ kind, namespace, name string }

// sourcesOf returns where each object is from: the file, and the how many-th object
// of it, if it holds several.
func sourcesOf(infos []*resource.Info) []string {
	all, seen := map[string]int{}, map[string]int{}
	for _, info := range infos {
		all[info.Source]++
	}
	sources := make([]string, len(infos))
	for n, info := range infos {
		seen[info.Source]++
		sources[n] = live.Bound(info.Source, maxPath)
		if all[info.Source] > 1 {
			sources[n] += fmt.Sprintf(" (object %d)", seen[info.Source])
		}
	}
	return sources
}

// subjects returns the objects of manifests as they would be once applied: by a dry
// run of the API server, or by the embedded CRDs where there is none. Invalid
// manifests are an error in the API server's words.
func (m *manifests) subjects(ctx context.Context, c client.Client) (list []planning.Subject, warnings []string, err error) {
	refused := slices.Clone(m.doubles)
	for n, u := range m.objects {
		var warning string
		if c == nil {
			err = manifest.Default(ctx, u)
		} else if warning, err = dryRun(ctx, c, u); warning != "" {
			warnings = append(warnings, warning)
		}
		if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			refused = append(refused, refusal{m.sources[n], err})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if kindOf(u.GetKind(), u.GetAPIVersion()) == nil {
			continue // a LiveAccount, or a policy
		}
		subject, err := subjectOf(u)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, subject)
	}
	if len(refused) > 0 {
		return nil, nil, refused
	}
	return list, warnings, nil
}

// refusals are manifests that the API server would not take.
type refusals []refusal

// refusal is one of them, and where it is from.
type refusal struct {
	source string
	err    error
}

// maxRefusals bounds how many are shown.
const maxRefusals = 20

// Error returns what is wrong with each, in a line.
func (r refusals) Error() string {
	var lines []string
	for n, one := range r {
		if n == maxRefusals {
			lines = append(lines, fmt.Sprintf("%d more manifests are invalid", len(r)-n))
			break
		}
		lines = append(lines, one.source+": "+refusalOf(one.err))
	}
	return strings.Join(lines, "\nError: ")
}

// maxRefusal bounds what is shown of a refusal, in bytes: all that is wrong with a
// manifest is in one.
const maxRefusal = 8000

// refusalOf returns what is wrong with a manifest, by field and in an order that does
// not change. It says it in the words of the schema, but without the values, in which a
// key or a password may be; other words, such as those of a webhook, are cleaned.
func refusalOf(err error) string {
	if u, ok := errors.AsType[*usageError](err); ok {
		return live.Bound(u.message, maxRefusal)
	}
	e, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || e.ErrStatus.Details == nil || len(e.ErrStatus.Details.Causes) == 0 {
		return wordsOf(err.Error())
	}
	of := e.ErrStatus.Details
	said := fmt.Sprintf("%s %q is invalid: %s", schema.GroupKind{Group: of.Group, Kind: of.Kind}, of.Name, strings.Join(inOrder(of.Causes), ", "))
	return live.Bound(said, maxRefusal)
}

// inOrder returns what is wrong with a manifest by field, and last what is of no
// field: the API server goes through them in any order.
func inOrder(causes []metav1.StatusCause) []string {
	var lines, rest []string
	for _, cause := range causes {
		if cause.Field == "" || cause.Field == noField {
			rest = append(rest, wordsOf(cause.Message))
		} else {
			lines = append(lines, live.Bound(cause.Field, maxPath)+": "+wordsOf(cause.Message))
		}
	}
	slices.Sort(lines)
	return slices.Compact(append(lines, rest...))
}

const (
	// noField is how the API server writes that an error is of no field.
	noField = "<nil>"
	// maxPath bounds what is shown of the path of a field, in bytes.
	maxPath = 300
)

var (
	// ofValue is how the API server begins what is wrong with a string, which follows.
	ofValue = regexp.MustCompile(`^((?:Invalid|Unsupported|Duplicate) value): (?:"(?:[^"\\]|\\.)*"|null)`)
	// ofNone is how it begins what repeats no value, or a number: the words of a rule.
	ofNone = regexp.MustCompile(`^(?:Required value|Too long|Too many|Forbidden)\b|^Invalid value: (?:(?:-?[0-9.]+|true|false): )?[a-z]+[ ,.]|^no matches for kind |: strict decoding error: `)
)

// wordsOf returns what the API server says of a field, or of a whole manifest, in a line.
func wordsOf(said string) string {
	said = strings.Join(strings.Fields(said), " ")
	if without := ofValue.ReplaceAllString(said, "$1"); without != said || ofNone.MatchString(said) {
		return live.Bound(without, maxRefusal)
	}
	return live.Clean(said, maxRefusal)
}

// dryRun makes an object what it would be once its manifest is applied.
func dryRun(ctx context.Context, c client.Client, u *unstructured.Unstructured) (warning string, err error) {
	strict := client.WithFieldValidation(c, "Strict")
	have := &unstructured.Unstructured{}
	have.SetGroupVersionKind(u.GroupVersionKind())
	err = c.Get(ctx, client.ObjectKeyFromObject(u), have)
	switch {
	case apierrors.IsNotFound(err):
		u.SetResourceVersion("")
		delete(u.Object, "status")
		err = strict.Create(ctx, u, client.DryRunAll)
		u.SetUID("") // it is not there yet: who comes first knows it by that
		u.SetCreationTimestamp(metav1.Time{})
		if apierrors.IsNotFound(err) { // of the namespace
			warning = fmt.Sprintf("namespace %q does not exist yet: its manifests are judged by the CRDs of this program", u.GetNamespace())
			return warning, manifest.Default(ctx, u)
		}
		return "", err
	case err != nil:
		return "", err
	}
	spec := u.Object["spec"]
	labels, annotations := u.GetLabels(), u.GetAnnotations()
	u.Object = have.DeepCopy().Object
	u.Object["spec"] = spec
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	status := u.Object["status"]
	if err := strict.Update(ctx, u, client.DryRunAll); err != nil {
		return "", err
	}
	u.Object["status"] = status
	return "", nil
}

// keys returns how the authentication keys of objects are found: in Secrets of the
// same manifests, else in the cluster.
func (m *manifests) keys(c client.Client) planning.Keys {
	cluster := secretsOf(c)
	return planning.KeysFrom(func(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
		for _, s := range m.secrets {
			if s.Namespace == namespace && s.Name == name {
				return s, nil
			}
		}
		return cluster(ctx, namespace, name)
	})
}

// parseSelector parses a label selector.
func parseSelector(s string) (labels.Selector, error) {
	selector, err := labels.Parse(s)
	if err != nil {
		return nil, usage("--selector: %s", live.Clean(err.Error(), maxUsage)) // it repeats what was typed
	}
	return selector, nil
}
