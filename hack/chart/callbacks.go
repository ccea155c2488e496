// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// shared are the fields that callback kinds have in common, and that the chart
// live-callbacks takes defaults for.
var shared = []string{
	"accountRef", "adoptionPolicy", "deletionPolicy", "driftPolicy", "guard", "managementPolicy", "records", "resyncInterval", "suspend",
}

// callbackKind is what the templates of live-callbacks know of a kind.
type callbackKind struct {
	Kind string `json:"kind"`
	// Defaults are the shared fields that it has.
	Defaults []string `json:"defaults"`
}

// callbacksChart writes what the chart live-callbacks has of the CRDs: its kinds,
// and a schema of its values that refuses what the CRDs refuse, as far as JSON
// schema can say it.
func callbacksChart(out string, crds []string) error {
	kinds := map[string]callbackKind{}
	defaults := object{"type": "object", "additionalProperties": false, "properties": object{}}
	text := object{"type": "string"}
	labels := object{"type": "object", "additionalProperties": text}
	properties := object{"global": object{"type": "object"}, "commonLabels": labels, "commonAnnotations": labels, "defaults": defaults}
	for _, file := range crds {
		crd, err := read(file)
		if err != nil {
			return err
		}
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		if _, ok := spec.Properties["managementPolicy"]; !ok {
			continue
		}
		k := callbackKind{Kind: crd.Spec.Names.Kind}
		entry := schemaOf(spec)
		fields := entry["properties"].(object)
		for _, name := range shared {
			if field, ok := fields[name]; ok {
				k.Defaults = append(k.Defaults, name)
				defaults["properties"].(object)[name] = field
			}
		}
		kinds[crd.Spec.Names.Plural] = k
		fields["name"] = object{"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
		fields["labels"], fields["annotations"] = labels, labels
		if fields["domainName"] == nil {
			entry["required"] = append(slices.Clone(entry["required"].([]string)), "name")
		}
		properties[crd.Spec.Names.Plural] = object{"type": "array", "items": entry}
	}
	schema := object{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of live-callbacks", "type": "object",
		"additionalProperties": false, "properties": properties,
	}
	asJSON, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return err
	}
	asYAML, err := yaml.Marshal(kinds)
	if err != nil {
		return err
	}
	dir := filepath.Join(out, "charts/live-callbacks")
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o755); err != nil {
		return err
	}
	const head = "# Copyright The live-notify-operator Authors.\n# SPDX-License-Identifier: Apache-2.0\n\n# Generated from config/crd by \"make generate\".\n"
	if err := os.WriteFile(filepath.Join(dir, "files/kinds.yaml"), append([]byte(head), asYAML...), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "values.schema.json"), append(asJSON, '\n'), 0o644)
}

type object = map[string]any

// schemaOf returns the JSON schema of a field of a CRD.
func schemaOf(in apiextensionsv1.JSONSchemaProps) object {
	out := object{}
	if in.Type != "" {
		out["type"] = in.Type
	}
	if in.Description != "" {
		out["description"] = in.Description
	}
	if in.Pattern != "" {
		out["pattern"] = in.Pattern
	}
	for name, bound := range map[string]*int64{
		"minLength": in.MinLength, "maxLength": in.MaxLength, "minItems": in.MinItems, "maxItems": in.MaxItems,
	} {
		if bound != nil {
			out[name] = *bound
		}
	}
	for name, bound := range map[string]*float64{"minimum": in.Minimum, "maximum": in.Maximum} {
		if bound != nil {
			out[name] = *bound
		}
	}
	if len(in.Enum) > 0 {
		out["enum"] = in.Enum
	}
	if in.Items != nil && in.Items.Schema != nil {
		out["items"] = schemaOf(*in.Items.Schema)
	}
	if in.XListType != nil && *in.XListType == "set" {
		out["uniqueItems"] = true
	}
	if len(in.Properties) > 0 {
		properties := object{}
		for _, name := range slices.Sorted(maps.Keys(in.Properties)) {
			properties[name] = schemaOf(in.Properties[name])
		}
		out["properties"], out["additionalProperties"] = properties, false
		out["required"] = append([]string{}, in.Required...)
	}
	var all []object
	for _, rule := range in.XValidations {
		p := parser{rest: rule.Rule}
		if s, ok := p.or(); ok && p.rest == "" {
			all = append(all, s)
		}
	}
	if len(all) > 0 {
		out["allOf"] = all
	}
	return out
}

// parser reads the rules that JSON schema can say too: matches and has, with !, &&,
// || and parentheses. Others are left to the API server.
type parser struct{ rest string }

func (p *parser) take(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), token)
	if ok {
		p.rest = strings.TrimLeft(rest, " ")
	}
	return ok
}

func (p *parser) or() (object, bool)  { return p.list("||", "anyOf", p.and) }
func (p *parser) and() (object, bool) { return p.list("&&", "allOf", p.term) }

func (p *parser) list(token, key string, next func() (object, bool)) (object, bool) {
	var all []object
	for {
		s, ok := next()
		if !ok {
			return nil, false
		}
		all = append(all, s)
		if !p.take(token) {
			break
		}
	}
	if len(all) == 1 {
		return all[0], true
	}
	return object{key: all}, true
}

func (p *parser) term() (object, bool) {
	switch {
	case p.take("!"):
		s, ok := p.term()
		return object{"not": s}, ok
	case p.take("("):
		s, ok := p.or()
		return s, ok && p.take(")")
	case p.take("has(self."):
		name, rest, ok := strings.Cut(p.rest, ")")
		p.rest = strings.TrimLeft(rest, " ")
		return object{"required": []string{name}}, ok && !strings.Contains(name, ".")
	case p.take("self.matches('"):
		// No pattern has a quotation mark or an escape.
		pattern, rest, ok := strings.Cut(p.rest, "')")
		p.rest = strings.TrimLeft(rest, " ")
		return object{"pattern": pattern}, ok && !strings.ContainsAny(pattern, `'\`)
	}
	return nil, false
}
