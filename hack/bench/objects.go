// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/test/system"
)

const namespace = "default"

// family is a kind of objects, and what the cloud documents for it.
type family = system.Kind

// families are in the order of -mix.
var families = system.Kinds

// shares are the percentages of -mix, in the order of families.
type shares [len(families)]int

const hook = "https://hooks.example.com/live"

// kindNames lists the kinds.
func kindNames() string {
	var names []string
	for _, f := range families {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// member is one object and the family it is of.
type member struct {
	family    *family
	namespace string
	name      string
}

// key is what the cloud knows it by.
func (m member) key() string { return m.family.Key(m.name) }

// members returns n objects in the proportions of mix, of the kinds in turn. What
// rounding leaves over is of the first.
func members(prefix string, n int, mix shares) []member {
	var all []member
	rest := n
	for i := range families[1:] {
		rest -= n * mix[i+1] / 100
	}
	for i := range families {
		share := n * mix[i] / 100
		if i == 0 {
			share = rest
		}
		for j := range share {
			all = append(all, member{families[i], namespace, fmt.Sprintf("%s-%s-%d", prefix, families[i].Short, j)})
		}
	}
	return all
}

// create makes the object, and first what it refers to in the cloud.
func (s *bench) create(ctx context.Context, m member) error {
	m.family.Add(s.Cloud, m.account(), m.key())
	return s.API.Create(ctx, s.fresh(m))
}

// fresh returns the object that is to be created.
func (s *bench) fresh(m member) kind.Object {
	o := m.object(hook)
	spec, _ := o.Callback()
	spec.ResyncInterval.Duration = s.cfg.resync
	if m.account() != "" {
		spec.AccountRef = &v1alpha1.AccountReference{Name: accountName}
	}
	return o
}

// account is the cloud account of the object, "" for the operator's own. Each
// other one has a namespace of its name.
func (m member) account() string {
	if m.namespace == namespace {
		return ""
	}
	return m.namespace
}

func (m member) object(url string) kind.Object {
	o := m.family.Object(m.namespace, m.name)
	m.family.SetURL(o, url)
	return o
}

// edit changes the callback URL.
func (s *bench) edit(ctx context.Context, m member, url string) error {
	return s.API.Patch(ctx, m.object(url), client.MergeFrom(m.object(hook)))
}
