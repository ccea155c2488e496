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
	Action          string
	Write, OfDomain bool
	OfApp           bool
	Limit           string
}

// policies has a policy for those who only observe, one for those who manage,
// and what they are made of.
func policies() (any, error) {
	observe, err := policy(func(op live.Operation) bool { return !op.Write && !op.Tool })
	if err != nil {
		return nil, err
	}
	manage, err := policy(func(op live.Operation) bool { return !op.Tool })
	if err != nil {
		return nil, err
	}
	records := func(op live.Operation) bool {
		return strings.Contains(op.Action, "Record") && strings.HasSuffix(op.Action, "Records") || op.Action == "ListRtcMPUEventSubRecord"
	}
	imports, err := policy(func(op live.Operation) bool { return !op.Write && !records(op) })
	if err != nil {
		return nil, err
	}
	failures, err := policy(records)
	if err != nil {
		return nil, err
	}
	conformance, err := policy(func(op live.Operation) bool { return !op.Tool && !records(op) })
	var permissions []permission
	for _, op := range live.Operations() {
		permissions = append(permissions, permission{op.Action, op.Write, op.OfDomain, op.OfApp, limit(op.Limit)})
	}
	return struct {
		Observe, Manage, Import, Failures, Conformance, AnyDomain, AnyApp string
		Operations                                                        []permission
	}{observe, manage, imports, failures, conformance, anyDomain, anyApp, permissions}, err
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
