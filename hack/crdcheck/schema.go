// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/crdify/pkg/config"
	"sigs.k8s.io/crdify/pkg/runner"
	"sigs.k8s.io/crdify/pkg/validations"
)

// policy is crdify's, which refuses all that it does not know to be harmless,
// with what is harmless here: a wider set of values, and other words.
var policy = config.Config{
	UnhandledEnforcement: config.EnforcementPolicyError,
	Conversion:           config.ConversionPolicyNone,
	Validations: []config.ValidationConfig{
		{Name: "description", Enforcement: config.EnforcementPolicyWarn},
		{Name: "enum", Enforcement: config.EnforcementPolicyError, Configuration: map[string]any{"additionPolicy": "Allow"}},
		{Name: "pattern", Enforcement: config.EnforcementPolicyError, Configuration: map[string]any{"removalPolicy": "Allow"}},
	},
}

// registry has the comparisons of crdify, and that of rules.
var registry = sync.OnceValue(func() validations.Registry {
	r := runner.DefaultRegistry()
	r.Register(rulesName, func(map[string]any) (validations.Validation, error) { return &rules{}, nil })
	return r
})

// schemaComparer returns a function that compares the schemas and scopes of two CRDs.
func schemaComparer() (func(old, current *apiextensionsv1.CustomResourceDefinition) []string, error) {
	compare, err := runner.New(&policy, registry())
	if err != nil {
		return nil, err
	}
	return func(old, current *apiextensionsv1.CustomResourceDefinition) []string {
		var changes []string
		add := func(where string, results []validations.ComparisonResult) {
			for _, result := range results {
				for _, text := range result.Errors {
					changes = append(changes, where+strings.TrimSpace(text))
				}
			}
		}
		results := compare.Run(old, current)
		add("", results.CRDValidation)
		for _, version := range slices.Concat(results.SameVersionValidation, results.ServedVersionValidation) {
			for _, property := range version.PropertyComparisons {
				add(fmt.Sprintf("version %s: %s: ", version.Version, property.Property), property.ComparisonResults)
			}
		}
		slices.Sort(changes)
		return changes
	}, nil
}

const rulesName = "rules"

// rules compares CEL rules, which crdify leaves alone. A rule less accepts more;
// whether another rule does is not for a program to say, so that it counts as
// breaking.
type rules struct{ enforcement config.EnforcementPolicy }

// Name implements validations.Validation.
func (*rules) Name() string { return rulesName }

// SetEnforcement implements validations.Validation.
func (r *rules) SetEnforcement(policy config.EnforcementPolicy) { r.enforcement = policy }

// Compare implements validations.Comparator. It takes the rules out of both, by
// which crdify knows that they were compared.
func (r *rules) Compare(old, current *apiextensionsv1.JSONSchemaProps) validations.ComparisonResult {
	var added []string
	for _, rule := range current.XValidations {
		same := func(before apiextensionsv1.ValidationRule) bool { return before.Rule == rule.Rule }
		if !slices.ContainsFunc(old.XValidations, same) {
			added = append(added, rule.Rule)
		}
	}
	old.XValidations, current.XValidations = nil, nil
	var err error
	if len(added) > 0 {
		err = fmt.Errorf("rules added or changed: %s", strings.Join(added, "; "))
	}
	return validations.HandleErrors(rulesName, r.enforcement, err)
}
