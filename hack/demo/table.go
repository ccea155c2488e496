// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

// resource is what the table shows of an object of any of our kinds.
type resource struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		DomainName string    `json:"domainName"`
		AppID      string    `json:"appID"`
		Records    *struct{} `json:"records"` // only callback kinds have it
	} `json:"spec"`
	Status struct {
		v1alpha1.CallbackStatus `json:",inline"`
		v1alpha1.CountedStatus  `json:",inline"`
	} `json:"status"`
}

// counted tells whether all that -once waits for is there.
func (r resource) counted() bool {
	if !meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionReady) {
		return false
	}
	return r.Spec.Records == nil || r.Status.Callbacks != nil && r.Status.Callbacks.Failed > 0
}

// render is the table.
func render(resources []resource) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tNAME\tDOMAIN\tREADY\tHEALTHY\tFAILED\tTOTAL\tLAST FAILURE")
	for _, r := range resources {
		failed, total := "-", "-"
		if c := r.Status.Callbacks; c != nil {
			failed, total = strconv.FormatInt(c.Failed, 10), strconv.FormatInt(c.Total, 10)
		}
		fmt.Fprintln(w, strings.Join([]string{
			r.Kind, r.Metadata.Name, orDash(r.Spec.DomainName + r.Spec.AppID),
			r.ready(), r.healthy(), failed, total, r.lastFailure(),
		}, "\t"))
	}
	_ = w.Flush() // a strings.Builder takes everything
	if len(resources) == 0 {
		b.WriteString("(no resources)\n")
	}
	return b.String()
}

func (r resource) ready() string {
	ready := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", ready.Status, ready.Reason)
}

func (r resource) healthy() string {
	healthy := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionCallbacksHealthy)
	if healthy == nil {
		return "-"
	}
	return string(healthy.Status)
}

func (r resource) lastFailure() string {
	if r.Status.Callbacks == nil || r.Status.Callbacks.LastFailure == nil {
		return "-"
	}
	f := r.Status.Callbacks.LastFailure
	var words []string
	if f.Time != nil {
		words = append(words, f.Time.Local().Format(time.TimeOnly))
	}
	if f.Type != "" {
		words = append(words, f.Type)
	}
	if f.Reason != "" {
		words = append(words, f.Reason)
	} else if f.HTTPStatus != 0 {
		words = append(words, fmt.Sprintf("HTTP status %d", f.HTTPStatus))
	}
	return orDash(strings.Join(words, " "))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// screen shows a text that changes: in place on a terminal, else one after the
// other.
type screen struct {
	out      io.Writer
	terminal bool
	shown    string
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	return &screen{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// Terminal sequences: up so many lines; clear from here on; lines that are too
// long wrap, or are cut off, which keeps the count of lines right.
const (
	goUp    = "\x1b[%dA"
	erase   = "\x1b[J"
	wrap    = "\x1b[?7h"
	cutOff  = "\x1b[?7l"
	newline = "\n"
)

// show shows the table, and on a terminal the footer, which changes all the
// time.
func (s *screen) show(table, footer string) {
	text := table
	if s.terminal {
		text += newline + footer + newline
	}
	if text == s.shown {
		return
	}
	switch {
	case !s.terminal:
		fmt.Fprint(s.out, newline, text)
	case s.shown == "":
		fmt.Fprint(s.out, newline, cutOff, text, wrap)
	default:
		fmt.Fprintf(s.out, goUp+erase+cutOff+"%s"+wrap, strings.Count(s.shown, newline), text)
	}
	s.shown = text
}
