// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"

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
	observe, err := policy(false)
	if err != nil {
		return nil, err
	}
	manage, err := policy(true)
	var permissions []permission
	for _, op := range live.Operations() {
		permissions = append(permissions, permission{op.Action, op.Write, op.OfDomain, op.OfApp, limit(op.Limit)})
	}
	return struct {
		Observe, Manage, AnyDomain, AnyApp string
		Operations                         []permission
	}{observe, manage, anyDomain, anyApp, permissions}, err
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

// policy returns the policy document that allows all reads, and if asked all
// writes.
func policy(writes bool) (string, error) {
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
		if writes || !op.Write {
			s.Action = append(s.Action, "live:"+op.Action)
		}
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"1", []statement{all, ofDomain, ofApp}}, "", "  ")
	return string(text), err
}
