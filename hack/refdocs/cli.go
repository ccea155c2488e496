// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/live-notify/live-notify-operator/internal/conformance"
	"github.com/live-notify/live-notify-operator/internal/failures"
	"github.com/live-notify/live-notify-operator/internal/importing"
	"github.com/live-notify/live-notify-operator/internal/overview"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/preflight"
	"github.com/live-notify/live-notify-operator/internal/probing"
	"github.com/live-notify/live-notify-operator/internal/replay"
	"github.com/live-notify/live-notify-operator/internal/report"
)

// reports are what the verbs of the command line print, by the kinds that say so.
var reports = []struct {
	kinds []string
	of    any
}{
	{[]string{"Plan"}, planning.Report{}},
	{[]string{"Import"}, importing.Report{}},
	{[]string{"Failures"}, failures.Report{}},
	{[]string{"Replay"}, replay.Report{}},
	{[]string{"Probe"}, probing.Report{}},
	{[]string{"Conformance"}, conformance.Report{}},
	{[]string{"Check"}, preflight.Report{}},
	{[]string{"Status"}, overview.Report{}},
	{[]string{"Reconcile", "Suspend", "Resume"}, report.Changes{}},
	{[]string{"Version"}, report.Report[report.Build, struct{}]{}},
}

// cliSchema returns the JSON schema of what the command line prints.
func cliSchema() (any, error) {
	var kinds []map[string]any
	for _, r := range reports {
		s := schemaOf(reflect.TypeOf(r.of))
		properties := s["properties"].(map[string]map[string]any)
		properties["apiVersion"] = map[string]any{"const": report.APIVersion}
		properties["kind"] = map[string]any{"enum": r.kinds}
		kinds = append(kinds, s)
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "What kubectl live-notify prints with -o json",
		"oneOf":   kinds,
	}, "", "  ")
	return string(text), err
}

// schemaOf returns the schema of a type as package json encodes it.
func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case t.Kind() == reflect.Struct:
		properties, required := map[string]map[string]any{}, []string{}
		members(t, properties, &required)
		return map[string]any{"type": "object", "properties": properties, "required": required}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.String:
		return map[string]any{"type": "string"}
	default:
		return map[string]any{"type": "integer"}
	}
}

// members adds those of a struct, and of what it embeds.
func members(t reflect.Type, properties map[string]map[string]any, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			members(f.Type, properties, required)
			continue
		}
		name, more, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" {
			continue
		}
		properties[name] = schemaOf(f.Type)
		if !strings.Contains(more, "omit") {
			*required = append(*required, name)
		}
	}
}
