// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
)

// Without credentials nothing is sent, and what is missing is said. Not
// parallel: the environment is the test's.
func TestNoCredentials(t *testing.T) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("HOME", t.TempDir())
	var requests atomic.Int32
	c := against(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	for operation, read := range reads {
		zero, err := read(t.Context(), c)
		failure(t, err, live.NoCredentials, "NoCredentials")
		check(t, operation+": zero value", zero, true)
		_, again := read(t.Context(), c)
		check(t, operation+": text of the same failure", again.Error(), err.Error())
		keptSecret(t, "the error", spelled(t, err))
	}
	for operation, write := range writes {
		err := write(t.Context(), c)
		check(t, operation+": class", live.ClassOf(err), live.NoCredentials)
		keptSecret(t, "the error of "+operation, spelled(t, err))
	}
	check(t, "requests sent", requests.Load(), 0)
}

func TestWrongCredentials(t *testing.T) {
	for name, tc := range map[string]struct{ id, secret, code string }{
		"unknown ID":   {"other-id", accessKeySecret, "InvalidAccessKeyId.NotFound"},
		"wrong secret": {accessKeyID, "WrongSecret", "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", tc.id)
			t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", tc.secret)
			c := newCloud(t, emulator.Switches{})
			for operation, write := range writes {
				err := write(t.Context(), c.client)
				failure(t, err, live.AccessDenied, tc.code)
				if tc.code == "SignatureDoesNotMatch" && !strings.HasSuffix(err.Error(), "the signature does not match: check the access key secret") {
					t.Errorf("%s: got %q", operation, err) // the cloud's own text is the whole request
				}
				text := spelled(t, err)
				keptSecret(t, "the error of "+operation, text)
				if strings.Contains(text, tc.secret) {
					t.Errorf("the secret is in %s", text)
				}
			}
			if got, ok := c.StreamConfig(push); ok {
				t.Errorf("the cloud has %+v", got)
			}
		})
	}
}
