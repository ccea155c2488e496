// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/words"
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
	// policies are as they would be once applied.
	policies []v1alpha1.LiveRolloutPolicy
	accounts []v1alpha1.LiveAccount
	refused  refusals // what no cluster is asked about: objects that are none, there before, or elsewhere
	trouble  error    // sources that could not be read, or not to the end
}

// read reads the manifests that have the labels of a selector. Objects of other kinds are
// none of our business.
func (a *app) read(ctx context.Context, f files, selector string) (*manifests, error) {
	namespace, given, err := a.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	chosen, err := parseSelector(selector)
	if err != nil {
		return nil, err
	}
	list, trouble := a.load(ctx, f)
	if len(list) == 0 && trouble == nil {
		return nil, usage("there is no manifest in what -f or -k names: it is empty. Look at the path, or at what writes to the pipe")
	}
	m := &manifests{trouble: trouble}
	first := map[identity]string{} // where each object is
	for _, one := range list {
		u, source := one.object, one.source
		if one.err != nil {
			m.refused = append(m.refused, &located{source, one.err})
			continue
		}
		if !chosen.Matches(labels.Set(u.GetLabels())) {
			continue
		}
		if u.GetNamespace() == "" {
			u.SetNamespace(namespace)
		}
		ours := u.GroupVersionKind().Group == v1alpha1.GroupVersion.Group || manifest.HasKind(u.GetKind())
		if secret := u.GetKind() == "Secret" && u.GetAPIVersion() == "v1"; !ours && !secret {
			continue
		}
		if given && u.GetNamespace() != namespace {
			m.refused = append(m.refused, &located{source, usage("the namespace from the provided object %q does not match the namespace %q of -n: leave -n out, or name that one", live.Bound(u.GetNamespace(), 100), live.Bound(namespace, 100))})
			continue
		}
		id := identity{u.GetKind(), u.GetNamespace(), u.GetName()}
		if there, again := first[id]; again && id.name != "" {
			m.refused = append(m.refused, &located{source, usage("%s is there before, in %s: keep one of the two", referred(id.kind, id.namespace, id.name), there)})
		} else {
			first[id] = source
		}
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

// identity is which object of our kinds, or which Secret, is meant.
type identity struct{ kind, namespace, name string }

// subjects returns the objects of manifests as they would be once applied: by a dry
// run of the API server, or by the embedded CRDs where there is none. Invalid
// manifests are an error in the API server's words, and are told with what could not be
// read.
func (m *manifests) subjects(ctx context.Context, c client.Client) (list []planning.Subject, warnings []string, err error) {
	refused := slices.Clone(m.refused)
	for n, u := range m.objects {
		warning, err := judge(ctx, c, u)
		if warning != "" {
			warnings = append(warnings, warning)
		}
		if ofCaller(err) {
			refused = append(refused, &located{m.sources[n], err})
			continue
		}
		if err != nil {
			return nil, nil, errors.Join(m.trouble, &located{m.sources[n], err})
		}
		switch {
		case kindOf(u.GetKind(), u.GetAPIVersion()) != nil:
			var subject planning.Subject
			subject, err = subjectOf(u)
			list = append(list, subject)
		case u.GetKind() == "LiveRolloutPolicy":
			var policy v1alpha1.LiveRolloutPolicy
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &policy)
			m.policies = append(m.policies, policy)
		case u.GetKind() == "LiveAccount":
			var account v1alpha1.LiveAccount
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &account)
			m.accounts = append(m.accounts, account)
		}
		if err != nil {
			refused = append(refused, &located{m.sources[n], usage("%s cannot be read: metadata, or the status, is not of the right type", u.GetKind())})
		}
	}
	if len(refused) > 0 {
		return nil, nil, errors.Join(m.trouble, refused)
	}
	return list, warnings, m.trouble
}

// over returns the policies of the cluster as they would be once the manifests are
// applied.
func (m *manifests) over(cluster []v1alpha1.LiveRolloutPolicy) []v1alpha1.LiveRolloutPolicy {
	return append(slices.DeleteFunc(cluster, func(p v1alpha1.LiveRolloutPolicy) bool {
		return slices.ContainsFunc(m.policies, func(mine v1alpha1.LiveRolloutPolicy) bool {
			return mine.Namespace == p.Namespace && mine.Name == p.Name
		})
	}), m.policies...)
}

// ahead warns of the LiveAccounts that objects refer to and that have yet to be applied:
// the cloud is asked as those of the cluster say.
func (m *manifests) ahead(ctx context.Context, c client.Client, subjects []planning.Subject) (warnings []string, err error) {
	for _, account := range m.accounts {
		if !slices.ContainsFunc(subjects, func(s planning.Subject) bool {
			spec, _ := s.Object.Callback()
			return spec.AccountRef != nil && spec.AccountRef.Name == account.Name && s.Object.GetNamespace() == account.Namespace
		}) {
			continue
		}
		var have v1alpha1.LiveAccount
		trouble := "is not in the cluster yet"
		switch err := c.Get(ctx, client.ObjectKeyFromObject(&account), &have); {
		case err == nil && equality.Semantic.DeepEqual(have.Spec, account.Spec):
			continue
		case err == nil:
			trouble = "is another one in the cluster, which this plan uses"
		case !apierrors.IsNotFound(err):
			return nil, because(err, "reading LiveAccount %q", account.Name)
		}
		warnings = append(warnings, fmt.Sprintf("%s of the manifests %s: apply it first, then plan again", referred("LiveAccount", account.Namespace, account.Name), trouble))
	}
	return warnings, nil
}

// judge defaults and validates an object: by a dry run of the API server, or by the
// embedded CRDs where there is none, or where it has no such address to ask at.
func judge(ctx context.Context, c client.Client, u *unstructured.Unstructured) (warning string, err error) {
	name, namespace := u.GetName(), u.GetNamespace()
	if name == "" && u.GetGenerateName() != "" {
		return "", usage("%s: metadata.name: Required value: generateName makes another object each time, with which none can be compared. Give it a name", u.GetKind())
	}
	unfit := func(part string) bool { return part == "" || noPart(part) }
	if c == nil || !manifest.Known(u.GroupVersionKind()) || unfit(name) || unfit(namespace) {
		return "", manifest.Default(ctx, u)
	}
	warning, err = dryRun(ctx, c, u)
	if meta.IsNoMatchError(err) {
		return "", noKind(u.GetKind())
	}
	return warning, err
}

// ofCaller tells that what is wrong is the manifest, and no call could mend it.
func ofCaller(err error) bool {
	_, told := errors.AsType[*usageError](err)
	return told || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// located is an error of one manifest, and where that is from.
type located struct {
	source string
	err    error
}

// Error returns the error behind its place.
func (e *located) Error() string { return e.source + ": " + e.err.Error() }

// Unwrap returns the error.
func (e *located) Unwrap() error { return e.err }

// refusals are manifests that the API server would not take.
type refusals []*located

// maxSource bounds what is shown of the path of a file, in bytes.
const maxSource = 300

// maxRefusals bounds how many are shown.
const maxRefusals = 20

// Error returns what is wrong with each, in a line.
func (r refusals) Error() string {
	var lines []string
	for n, one := range r {
		if n == maxRefusals {
			lines = append(lines, fmt.Sprintf("%s more: mend those above first", words.Count(len(r)-n, "invalid manifest")))
			break
		}
		lines = append(lines, one.source+": "+refusalOf(one.err))
	}
	return strings.Join(lines, "\nError: ")
}

// refusalOf returns what is wrong with a manifest, in a line.
func refusalOf(err error) string {
	if u, ok := errors.AsType[*usageError](err); ok {
		return live.Bound(u.message, maxUsage)
	}
	return manifest.Refusal(err)
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
