// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// duration is a time.Duration that reads and writes as "1m30s" in JSON.
type duration time.Duration

func (d duration) std() time.Duration { return time.Duration(d) }

// MarshalJSON writes the duration as a string.
func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.std().String()) }

// UnmarshalJSON reads the duration from a string.
func (d *duration) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf(`duration %s: want a string like "1m30s"`, text)
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`duration %q: want a string like "1m30s"`, s)
	}
	*d = duration(parsed)
	return nil
}

// switchesBody is Switches in JSON, with the delay as a string.
type switchesBody struct {
	Switches
	ReadDelay duration `json:"readDelay"`
}

// faultBody is a Fault in JSON.
type faultBody struct {
	ID         int      `json:"id,omitempty"`   // only in answers
	Left       int      `json:"left,omitempty"` // only in answers: calls still to meet
	Action     string   `json:"action,omitempty"`
	Match      string   `json:"match,omitempty"`
	Times      int      `json:"times,omitempty"`
	Latency    duration `json:"latency,omitempty"`
	Drop       bool     `json:"drop,omitempty"`
	Body       string   `json:"body,omitempty"`
	Code       string   `json:"code,omitempty"`
	Status     int      `json:"status,omitempty"`
	Message    string   `json:"message,omitempty"`
	RetryAfter duration `json:"retryAfter,omitempty"`
	Stale      bool     `json:"stale,omitempty"`
	LoseReply  bool     `json:"loseReply,omitempty"`
}

func newFaultBody(f activeFault) faultBody {
	return faultBody{
		ID: f.id, Left: f.left, Action: f.Action, Match: f.Match, Times: f.Times,
		Latency: duration(f.Latency), Drop: f.Drop, Body: f.Body,
		Code: f.Code, Status: f.Status, Message: f.Message, RetryAfter: duration(f.RetryAfter),
		Stale: f.Stale, LoseReply: f.LoseReply,
	}
}

// fault checks what would only be noticed when a call comes in: a misspelt operation never meets one.
func (b faultBody) fault() (Fault, error) {
	if _, ok := operations[b.Action]; !ok && b.Action != "" {
		return Fault{}, fmt.Errorf("action %q is not an operation of the emulator", b.Action)
	}
	if b.Status != 0 && (b.Status < 200 || b.Status > 599) {
		return Fault{}, fmt.Errorf("status %d: want 200 to 599", b.Status)
	}
	if b.Times < 0 || b.Latency < 0 || b.RetryAfter < 0 {
		return Fault{}, errors.New("times, latency and retryAfter cannot be negative")
	}
	return Fault{
		Action: b.Action, Match: b.Match, Times: b.Times,
		Latency: b.Latency.std(), Drop: b.Drop, Body: b.Body,
		Code: b.Code, Status: b.Status, Message: b.Message, RetryAfter: b.RetryAfter.std(),
		Stale: b.Stale, LoseReply: b.LoseReply,
	}, nil
}
