// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// anyDomain is the resource of an operation on a domain, with the account and
// the domain left open. Its product is cdn also for ApsaraVideo Live.
const anyDomain = "acs:cdn:*:*:domain/*"

// anyApp is the resource of an operation on an RTC application. Of messaging
// applications the vendor names it for ModifyLiveMessageAppCallback alone.
const anyApp = "acs:live::*:rtc/*"

type permission struct {
	live.Operation
	Limit string
}

// policies has a policy for those who only observe, one for those who manage,
// and what they are made of.
func policies() (any, error) {
	records := func(op live.Operation) bool {
		return strings.Contains(op.Action, "Record") && strings.HasSuffix(op.Action, "Records") || op.Action == "ListRtcMPUEventSubRecord"
	}
	page := map[string]any{"AnyDomain": anyDomain, "AnyApp": anyApp}
	for name, allow := range map[string]func(live.Operation) bool{
		"Observe":     func(op live.Operation) bool { return !op.Write && !op.Tool },
		"Manage":      func(op live.Operation) bool { return !op.Tool },
		"Import":      func(op live.Operation) bool { return !op.Write && !records(op) },
		"Failures":    records,
		"Conformance": func(op live.Operation) bool { return !op.Tool && !records(op) },
	} {
		text, err := policy(allow)
		if err != nil {
			return nil, err
		}
		page[name] = text
	}
	var permissions []permission
	for _, op := range live.Operations() {
		permissions = append(permissions, permission{op, limit(op.Limit)})
	}
	page["Operations"] = permissions
	return page, nil
}

// limit writes a limit per second, or per minute if it is no whole number.
func limit(perSecond float64) string {
	if perSecond == math.Trunc(perSecond) {
		return fmt.Sprintf("%.0f", perSecond)
	}
	return fmt.Sprintf("%.0f per minute", perSecond*60)
}

type statement struct {
	Effect   string
	Action   []string
	Resource string
}

// policy returns the policy document that allows some operations.
func policy(allow func(live.Operation) bool) (string, error) {
	all, ofDomain := statement{Effect: "Allow", Resource: "*"}, statement{Effect: "Allow", Resource: anyDomain}
	ofApp := statement{Effect: "Allow", Resource: anyApp}
	for _, op := range live.Operations() {
		s := &all
		switch {
		case op.OfDomain:
			s = &ofDomain
		case op.OfApp:
			s = &ofApp
		}
		if allow(op) {
			s.Action = append(s.Action, "live:"+op.Action)
		}
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"1", slices.DeleteFunc([]statement{all, ofDomain, ofApp}, func(s statement) bool { return len(s.Action) == 0 })}, "", "  ")
	return string(text), err
}
