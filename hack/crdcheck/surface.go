// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// surface compares what is around the schemas: names, versions, subresources and
// printer columns.
func surface(old, current *apiextensionsv1.CustomResourceDefinition) []string {
	var changes []string
	changed := func(what string, before, now any) {
		if before != now {
			changes = append(changes, fmt.Sprintf("%s: %v, was %v", what, now, before))
		}
	}
	gone := func(what string, before, now []string) {
		for _, name := range before {
			if !slices.Contains(now, name) {
				changes = append(changes, fmt.Sprintf("%s %s is gone", what, name))
			}
		}
	}
	was, is := old.Spec.Names, current.Spec.Names
	changed("group", old.Spec.Group, current.Spec.Group)
	changed("kind", was.Kind, is.Kind)
	changed("list kind", was.ListKind, is.ListKind)
	changed("plural", was.Plural, is.Plural)
	changed("singular", was.Singular, is.Singular)
	gone("short name", was.ShortNames, is.ShortNames)
	gone("category", was.Categories, is.Categories)
	for _, before := range old.Spec.Versions {
		changes = append(changes, versionSurface(before, current.Spec.Versions)...)
	}
	return changes
}

func versionSurface(before apiextensionsv1.CustomResourceDefinitionVersion, all []apiextensionsv1.CustomResourceDefinitionVersion) []string {
	i := slices.IndexFunc(all, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == before.Name })
	if i < 0 {
		return []string{fmt.Sprintf("version %s is gone", before.Name)}
	}
	now := all[i]
	var changes []string
	report := func(format string, args ...any) {
		changes = append(changes, fmt.Sprintf("version "+before.Name+": "+format, args...))
	}
	if before.Served && !now.Served {
		report("is not served any more")
	}
	if before.Storage && !now.Storage {
		report("is not what is stored any more, so that the operator before cannot be gone back to")
	}
	if sub := before.Subresources; sub != nil {
		if sub.Status != nil && (now.Subresources == nil || now.Subresources.Status == nil) {
			report("subresource status is gone")
		}
		if sub.Scale != nil && (now.Subresources == nil || now.Subresources.Scale == nil) {
			report("subresource scale is gone")
		}
	}
	for _, column := range before.AdditionalPrinterColumns {
		same := func(c apiextensionsv1.CustomResourceColumnDefinition) bool {
			return c.Name == column.Name && c.Type == column.Type && c.JSONPath == column.JSONPath
		}
		if !slices.ContainsFunc(now.AdditionalPrinterColumns, same) {
			report("printer column %s (%s) is gone", column.Name, column.JSONPath)
		}
	}
	return changes
}
