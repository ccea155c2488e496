// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"errors"
	"testing"
)

func TestCheckEndsWhatIsCaught(t *testing.T) {
	want, cleaned := errors.New("it broke"), false
	err := Caught(func() {
		defer func() { cleaned = true }()
		Check(nil)
		_ = Must(1, want)
		t.Error("it goes on")
	})
	if !errors.Is(err, want) || !cleaned {
		t.Errorf("got %v; what was deferred ran: %t", err, cleaned)
	}
	if err := Caught(func() {}); err != nil {
		t.Error(err)
	}
}

func TestOtherPanicsAreNotCaught(t *testing.T) {
	defer func() {
		if got := recover(); got != "a mistake" {
			t.Errorf("got %v", got)
		}
	}()
	_ = Caught(func() { panic("a mistake") })
}
