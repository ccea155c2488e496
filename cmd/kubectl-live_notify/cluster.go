// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/planning"
)

// clusterTimeout bounds a call to the API server, unless --request-timeout does.
const clusterTimeout = 15 * time.Second

// hasCluster tells whether a cluster is configured at all.
func (a *app) hasCluster() bool {
	raw, err := a.config.ToRawKubeConfigLoader().RawConfig()
	if err != nil || len(raw.Clusters) > 0 || *a.config.APIServer != "" {
		return true // what is configured wrongly is configured
	}
	_, err = rest.InClusterConfig()
	return err == nil
}

// errNoKubeconfig tells that a file that was named is not there: another cluster, or none,
// is not what was meant.
func errNoKubeconfig() error {
	return unknown("finding the cluster: a file that the kubeconfig, --kubeconfig or KUBECONFIG names does not exist")
}

// lacksKubeconfig tells whether KUBECONFIG names a file that does not exist.
func (a *app) lacksKubeconfig() bool {
	return *a.config.KubeConfig == "" && slices.ContainsFunc(filepath.SplitList(os.Getenv(clientcmd.RecommendedConfigPathEnvVar)), func(path string) bool {
		_, err := os.Stat(path)
		return path != "" && errors.Is(err, fs.ErrNotExist)
	})
}

// cluster returns a client of the cluster with the caller's own permissions; nil if
// none is configured.
func (a *app) cluster() (client.WithWatch, error) {
	switch has := a.hasCluster(); {
	case !has && a.lacksKubeconfig():
		return nil, errNoKubeconfig()
	case !has:
		return nil, nil
	}
	config, err := a.config.ToRESTConfig()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoKubeconfig()
	}
	if err != nil {
		return nil, because(err, "finding the cluster")
	}
	config.QPS = -1 // requests come one after the other, and the API server has limits of its own
	config.WarningHandler = rest.NoWarnings{}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, because(err, "the cluster cannot be reached")
	}
	return c, nil
}

// needCluster is cluster for a verb that is nothing without one.
func (a *app) needCluster() (client.WithWatch, error) {
	c, err := a.cluster()
	if err == nil && c == nil {
		return nil, unknown("no cluster is configured: set KUBECONFIG or --kubeconfig")
	}
	return c, err
}

// namespace returns the namespace of the call.
func (a *app) namespace() (string, error) {
	namespace, _, err := a.config.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

// clouds opens the cloud accounts of the call.
func (a *app) clouds(c client.Client) (*access.Clouds, error) {
	namespace, err := a.namespace()
	if err != nil {
		return nil, err
	}
	o := access.Options{
		Namespace: namespace, Account: a.account, Region: a.region, Endpoint: a.endpoint,
		TokenService: a.sts, AllowInsecure: a.insecure, SharePercent: a.share, Sleep: a.sleep, Cluster: c,
	}
	return access.Open(o)
}

// connect opens the cluster and the cloud accounts of the call. The cluster is nil if
// none is configured, and it is not needed.
func (a *app) connect(ctx context.Context, needed bool) (client.Client, *access.Clouds, error) {
	open := a.cluster
	if needed {
		open = a.needCluster
	}
	c, err := open()
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		fmt.Fprintln(a.err, "No cluster is configured: this goes on without one.")
	}
	if err := a.checkAccount(ctx, c); err != nil {
		return nil, nil, err
	}
	clouds, err := a.clouds(c)
	return c, clouds, err
}

// checkAccount tells whether --account names a LiveAccount that does not exist: that is
// a mistake of the call, not of the objects.
func (a *app) checkAccount(ctx context.Context, c client.Client) error {
	if a.account == "" || c == nil {
		return nil
	}
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	err = c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: a.account}, &v1alpha1.LiveAccount{})
	if apierrors.IsNotFound(err) {
		return usage("--account: there is no such LiveAccount in the namespace %s", namespace)
	}
	return nil // what else is wrong with it is found when it is used
}

// selection is which objects of the cluster are meant.
type selection struct {
	all      bool
	selector string
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&s.all, "all-namespaces", "A", false, "Of all namespaces.")
	cmd.Flags().StringVarP(&s.selector, "selector", "l", "", "Of objects with these labels, such as app=live.")
}

// plural returns the name of a kind in URLs.
func plural(k *kind.Kind) string {
	name, _ := manifest.Names(k.Name)
	return name
}

// kindOf returns the callback kind of an object; nil if it is another.
func kindOf(name, apiVersion string) *kind.Kind {
	if apiVersion != v1alpha1.GroupVersion.String() {
		return nil
	}
	i := slices.IndexFunc(kind.All, func(k *kind.Kind) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return kind.All[i]
}

// subjectOf returns an object by its type.
func subjectOf(u *unstructured.Unstructured) (planning.Subject, error) {
	k := kindOf(u.GetKind(), u.GetAPIVersion())
	if k == nil {
		return planning.Subject{}, usage("%s is none of the callback kinds", u.GetKind())
	}
	o := k.New()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, o); err != nil {
		return planning.Subject{}, because(err, "reading %s %q", u.GetKind(), u.GetName())
	}
	return planning.Subject{Kind: k, Object: o}, nil
}

// subjects returns the objects of the cluster that are named, as TYPE/NAME or TYPE
// NAME, or all of the selection: each once, however often and in whichever spelling it is
// named.
func (a *app) subjects(ctx context.Context, c client.Client, s selection, args []string) ([]planning.Subject, error) {
	namespace, err := a.namespace()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return all(ctx, c, namespace, s)
	}
	kinds, err := named(args)
	if err != nil {
		return nil, err
	}
	if byName(args) && s.all {
		return nil, usage("-A is for all objects of a type, and these are named: leave one of the two out")
	} else if byName(args) && s.selector != "" {
		return nil, usage("-l is for all objects of a type, and these are named: leave one of the two out")
	}
	if _, err := parseSelector(s.selector); err != nil {
		return nil, err
	}
	for _, k := range kinds {
		gk := v1alpha1.GroupVersion.WithKind(k.Name).GroupKind()
		if _, err := c.RESTMapper().RESTMapping(gk, v1alpha1.GroupVersion.Version); meta.IsNoMatchError(err) {
			return nil, noKind(k.Name)
		} else if err != nil {
			return nil, err
		}
	}
	b := resource.NewBuilder(a.config).Unstructured().ContinueOnError().
		NamespaceParam(namespace).DefaultNamespace().AllNamespaces(s.all).LabelSelectorParam(s.selector).
		ResourceTypeOrNameArgs(true, args...).Flatten()
	infos, err := b.Do().Infos()
	if err != nil {
		return nil, err
	}
	var list []planning.Subject
	seen := map[identity]bool{}
	for _, info := range infos {
		u := info.Object.(*unstructured.Unstructured)
		one := identity{u.GetKind(), u.GetNamespace(), u.GetName()}
		if seen[one] {
			continue
		}
		seen[one] = true
		subject, err := subjectOf(u)
		if err != nil {
			return nil, err
		}
		list = append(list, subject)
	}
	return list, nil
}

// byName tells whether arguments name objects, and not only their type.
func byName(args []string) bool {
	return len(args) > 1 || len(args) == 1 && strings.Contains(args[0], "/")
}

// nothing says why a selection has no object, and what to try.
func (a *app) nothing(c client.Client, s selection, args []string) {
	what, where, try := "There is no object of the callback kinds", "in this cluster", ""
	switch installed := func(k *kind.Kind) bool {
		_, err := c.RESTMapper().RESTMapping(v1alpha1.GroupVersion.WithKind(k.Name).GroupKind(), v1alpha1.GroupVersion.Version)
		return !meta.IsNoMatchError(err)
	}; {
	case !slices.ContainsFunc(kind.All, installed):
		fmt.Fprintln(a.err, "The cluster has none of the callback kinds: install the CRDs of this version. The verb check tells which.")
		return
	case len(args) > 0:
		what = "There is no object of the type that is named"
	}
	if s.selector != "" {
		what, try = what+" with the labels of -l", " Look at the labels, or leave -l out."
	}
	switch {
	case !s.all:
		where = "in namespace " + namespaceOf(a)
		try += " Look in all namespaces with -A, or in another with -n."
	case s.selector == "":
		try = " Is it the right --context? The verb import writes manifests of what the account has."
	}
	fmt.Fprintln(a.err, what+" "+where+"."+try)
}

// named returns the kinds that arguments name, as TYPE/NAME ... or as TYPE NAME ....
func named(args []string) ([]*kind.Kind, error) {
	var kinds []*kind.Kind
	add := func(name string) error {
		k := kindCalled(name)
		if k == nil {
			return usage("%q is none of the callback kinds, such as livenotifyconfig or lnc", live.Clean(name, 100))
		}
		if right := spelled(name, k); right != name {
			return usage("%q is no type: want %s, as kubectl takes short names and groups in lower case only", name, right)
		}
		kinds = append(kinds, k)
		return nil
	}
	if !strings.Contains(args[0], "/") {
		for name := range strings.SplitSeq(args[0], ",") {
			if err := add(name); err != nil {
				return nil, err
			}
		}
		if slices.ContainsFunc(args[1:], func(name string) bool { return name == "" || strings.Contains(name, "/") }) {
			return nil, usage("name objects as TYPE/NAME, or as TYPE NAME: not both")
		}
		if slices.ContainsFunc(args[1:], noPart) {
			return nil, usage("no object has such a name: want lower-case letters, digits, '-' and '.'")
		}
		return kinds, nil
	}
	for _, arg := range args {
		typed, name, _ := strings.Cut(arg, "/")
		if name == "" || strings.Contains(name, "/") {
			return nil, usage("name objects as TYPE/NAME, such as lnc/push-example-com")
		}
		if noPart(name) {
			return nil, usage("no object has such a name: want lower-case letters, digits, '-' and '.'")
		}
		if err := add(typed); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

// spelled returns the name of a type as kubectl takes it: short names and groups only in
// lower case, and the names of kinds in any.
func spelled(name string, k *kind.Kind) string {
	lower := strings.ToLower(name)
	typed, group, _ := strings.Cut(name, ".")
	_, short := manifest.Names(k.Name)
	if strings.ToLower(typed) == short || group != strings.ToLower(group) {
		return lower
	}
	return name
}

// noPart tells that a name cannot be part of an address of the API server, which is
// then never asked.
func noPart(name string) bool { return len(content.IsPathSegmentName(name)) > 0 }

// noKind is the error of a cluster that lacks a CRD.
func noKind(name string) error {
	return unknown("the cluster has no kind %s of %s: are the CRDs of this version installed? The verb check tells", name, v1alpha1.GroupVersion)
}

// all returns the objects of all callback kinds in a namespace, or in all.
func all(ctx context.Context, c client.Client, namespace string, s selection) ([]planning.Subject, error) {
	opts := &client.ListOptions{Namespace: namespace}
	if s.all {
		opts.Namespace = ""
	}
	if s.selector != "" {
		raw, err := client.MatchingLabelsSelector{}, error(nil)
		if raw.Selector, err = parseSelector(s.selector); err != nil {
			return nil, err
		}
		opts.LabelSelector = raw.Selector
	}
	var list []planning.Subject
	for _, k := range kind.All {
		objects := k.NewList()
		if err := c.List(ctx, objects, opts); err != nil {
			if meta.IsNoMatchError(err) {
				continue // of a CRD that is not installed there are none
			}
			return nil, because(err, "listing %s", plural(k))
		}
		_ = meta.EachListItem(objects, func(o runtime.Object) error { // fails only on what is not a list
			list = append(list, planning.Subject{Kind: k, Object: o.(kind.Object)})
			return nil
		})
	}
	return list, nil
}

// accounts returns the LiveAccounts of the cluster; none where they may not be
// listed.
func accounts(ctx context.Context, c client.Client) ([]v1alpha1.LiveAccount, error) {
	var list v1alpha1.LiveAccountList
	err := c.List(ctx, &list)
	if apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return list.Items, err
}

// secretsOf returns how Secrets are read with the caller's own permissions.
func secretsOf(c client.Client) planning.Secrets {
	return func(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
		if c == nil {
			return nil, planning.ErrKeyUnknown
		}
		var secret corev1.Secret
		err := c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
		switch {
		case apierrors.IsNotFound(err):
			return nil, nil
		case apierrors.IsForbidden(err):
			return nil, because(planning.ErrKeyUnknown, "you may not read Secret %q: the permission to get secrets in namespace %s is missing", name, namespace)
		case err != nil:
			return nil, because(err, "reading Secret %q", name)
		}
		return &secret, nil
	}
}

// completeAccounts completes the names of LiveAccounts.
func (a *app) completeAccounts(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.cluster()
	namespace, nsErr := a.namespace()
	if err != nil || c == nil || nsErr != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list v1alpha1.LiveAccountList
	if err := c.List(cmd.Context(), &list, client.InNamespace(namespace)); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, account := range list.Items {
		names = append(names, account.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeObjects completes TYPE/NAME.
func (a *app) completeObjects(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	name, _, slash := strings.Cut(typed, "/")
	var found []string
	for _, k := range kind.All {
		if !slash {
			found = append(found, plural(k)+"/")
			continue
		}
		if name != plural(k) && name != strings.ToLower(k.Name) {
			continue
		}
		c, err := a.cluster()
		if err != nil || c == nil {
			break
		}
		namespace, _ := a.namespace()
		objects := k.NewList()
		if c.List(cmd.Context(), objects, client.InNamespace(namespace)) != nil {
			break
		}
		_ = meta.EachListItem(objects, func(o runtime.Object) error {
			found = append(found, name+"/"+o.(kind.Object).GetName())
			return nil
		})
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// referred returns TYPE/NAME of an object, for messages.
func referred(k string, namespace, name string) string {
	return live.Bound(strings.ToLower(k)+"/"+name+" in "+namespace, 300)
}
