// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package preflight looks whether all is there that the operator and the command
// line need: CRDs, permissions, an operator at work, credentials, and the cloud.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	crdfiles "github.com/live-notify/live-notify-operator/config/crd"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// Results of an item.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown"
)

// Item is one thing that was looked at.
type Item struct {
	Check   string `json:"check"`
	Result  string `json:"result"`
	Message string `json:"message"`
}

// Summary counts the items.
type Summary struct {
	Yes     int `json:"yes"`
	No      int `json:"no"`
	Unknown int `json:"unknown"`
}

// Report is what was looked at.
type Report = report.Report[Summary, Item]

// leaseName is that of the operator's lease.
const leaseName = "live-notify-operator.live.alibabacloud.com"

// maxSkew is how far the clock may be off: the cloud refuses 15 minutes.
const maxSkew = 5 * time.Minute

// Check looks at everything. A cluster that is nil is not looked at.
func Check(ctx context.Context, c client.Client, clouds *access.Clouds, namespace string, now func() time.Time) *Report {
	r := report.New[Summary, Item]("Check")
	add := func(i Item) {
		r.Items = append(r.Items, i)
		switch i.Result {
		case Yes:
			r.Summary.Yes++
		case No:
			r.Summary.No++
		default:
			r.Summary.Unknown++
		}
	}
	if c != nil {
		for _, i := range crds(ctx, c) {
			add(i)
		}
		for _, i := range permissions(ctx, c, namespace) {
			add(i)
		}
		add(leader(ctx, c, now()))
	}
	for _, i := range cloud(ctx, clouds, now) {
		add(i)
	}
	return r
}

// failed is a look that failed: what the API server denies is not known.
func failed(check string, err error) Item {
	_, message := access.Explain(err)
	return Item{check, Unknown, message}
}

// crds compares the CRDs of the cluster with those of this program.
func crds(ctx context.Context, c client.Client) []Item {
	files, err := fs.Glob(crdfiles.Bases, "bases/*.yaml")
	if err != nil {
		return []Item{failed("CRDs", err)}
	}
	var items []Item
	for _, name := range files {
		text, err := crdfiles.Bases.ReadFile(name)
		var want unstructured.Unstructured
		if err == nil {
			err = yaml.Unmarshal(text, &want.Object)
		}
		if err != nil {
			return append(items, failed("CRDs", err))
		}
		items = append(items, crd(ctx, c, &want))
	}
	return items
}

func crd(ctx context.Context, c client.Client, want *unstructured.Unstructured) Item {
	check := "CRD " + want.GetName()
	have := &unstructured.Unstructured{}
	have.SetGroupVersionKind(want.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(want), have)
	switch {
	case apierrors.IsNotFound(err):
		return Item{check, No, "It is not installed: apply the CRDs of this version."}
	case err != nil:
		return failed(check, err)
	case !reflect.DeepEqual(schemas(have), schemas(want)):
		return Item{check, No, "It is of another version than this program: apply the CRDs of this version, or use the program of that one."}
	default:
		return Item{check, Yes, "It is of this version."}
	}
}

// schemas returns those of all versions of a CRD, with the numbers as JSON has them.
func schemas(crd *unstructured.Unstructured) map[string]any {
	versions, _, _ := unstructured.NestedSlice(jsonLike(crd.Object), "spec", "versions")
	found := map[string]any{}
	for _, v := range versions {
		if m, ok := v.(map[string]any); ok {
			found[fmt.Sprint(m["name"])] = m["schema"]
		}
	}
	return found
}

// jsonLike makes all numbers int64 or float64 alike.
func jsonLike(in map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range in {
		out[name] = alike(v)
	}
	return out
}

func alike(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return jsonLike(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = alike(v[i])
		}
		return list
	case int64:
		return float64(v)
	case int:
		return float64(v)
	default:
		return v
	}
}

// permissions asks what the caller may do in the cluster.
func permissions(ctx context.Context, c client.Client, namespace string) []Item {
	type permission struct{ verb, group, resource string }
	var wanted []permission
	for _, k := range kind.All {
		plural, _ := manifest.Names(k.Name)
		wanted = append(wanted, permission{"list", v1alpha1.GroupVersion.Group, plural}, permission{"patch", v1alpha1.GroupVersion.Group, plural})
	}
	wanted = append(wanted, permission{"get", v1alpha1.GroupVersion.Group, "liveaccounts"}, permission{"get", "", "secrets"})
	var items []Item
	for _, p := range wanted {
		check := "may " + p.verb + " " + p.resource
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Group: p.group, Resource: p.resource, Verb: p.verb},
		}}
		switch err := c.Create(ctx, review); {
		case err != nil:
			items = append(items, failed(check, err))
		case review.Status.Allowed:
			items = append(items, Item{check, Yes, "In namespace " + namespace + "."})
		default:
			items = append(items, Item{check, No, "Not in namespace " + namespace + ": who may there grants it."})
		}
	}
	return items
}

// leader looks for an operator that holds the lease.
func leader(ctx context.Context, c client.Client, now time.Time) Item {
	const check = "an operator at work"
	var leases coordinationv1.LeaseList
	if err := c.List(ctx, &leases); err != nil {
		return failed(check, err)
	}
	last := "No operator holds a lease. One that runs without --leader-elect holds none."
	for _, l := range leases.Items {
		s := l.Spec
		if l.Name != leaseName || s.HolderIdentity == nil || *s.HolderIdentity == "" || s.RenewTime == nil || s.LeaseDurationSeconds == nil {
			continue
		}
		if now.Sub(s.RenewTime.Time) <= time.Duration(*s.LeaseDurationSeconds)*time.Second {
			return Item{check, Yes, "In namespace " + l.Namespace + "."}
		}
		last = "The lease in namespace " + l.Namespace + " has expired: its operator does not run."
	}
	return Item{check, No, last}
}

// cloud looks whether credentials load, the cloud answers, and the clocks agree.
func cloud(ctx context.Context, clouds *access.Clouds, now func() time.Time) []Item {
	account, err := clouds.Default(ctx)
	if err == nil {
		err = account.Load(ctx)
	}
	if err != nil {
		_, message := access.Explain(err)
		return []Item{{"credentials", No, message}}
	}
	items := []Item{{"credentials", Yes, "They could be loaded."}}
	err = clouds.Patience.Make(ctx, account.Client, func(ctx context.Context) error {
		_, _, err := account.Client.Domains(ctx, "", 1)
		return err
	})
	e, answered := errors.AsType[*live.Error](err)
	switch {
	case err == nil:
		items = append(items, Item{"the cloud answers", Yes, "It lists the domains of the account."})
	case answered && e.Class == live.AccessDenied:
		_, message := access.Explain(err)
		return append(items, Item{"the cloud answers", No, message})
	default:
		return append(items, failed("the cloud answers", err))
	}
	skew := account.Client.Now().Sub(now()).Round(time.Second)
	result := Item{"the clocks agree", Yes, "They are less than two seconds apart."}
	if skew.Abs() >= 2*time.Second {
		result.Message = fmt.Sprintf("The cloud's clock is %s from ours.", strings.TrimPrefix(skew.String(), "-"))
	}
	if skew.Abs() > maxSkew {
		result.Result = No
	}
	return append(items, result)
}
