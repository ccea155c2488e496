// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// They are looked for again at each request: who sets them need not restart.
func TestCredentialsThatCome(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("HOME", t.TempDir())
	c := newCloud(t, emulator.Switches{})
	_, err := live.Stream{Client: c.client}.Get(t.Context(), live.LaneSync, push)
	check(t, "class", live.ClassOf(err), live.NoCredentials)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", accessKeyID)
	_, err = live.Stream{Client: c.client}.Get(t.Context(), live.LaneSync, push)
	check(t, "class", live.ClassOf(err), "")
}

// Once found, the identity stays: a later failure of its source must not make
// the operator someone else.
func TestCredentialsStay(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	home := t.TempDir()
	t.Setenv("HOME", home)
	c := newCloud(t, emulator.Switches{})
	var group sync.WaitGroup
	for range 8 { // at the first use of the credentials
		group.Go(func() {
			_, err := live.Stream{Client: c.client}.Get(t.Context(), live.LaneSync, push)
			check(t, "class", live.ClassOf(err), "")
		})
	}
	group.Wait()
	if err := os.MkdirAll(filepath.Join(home, ".alibabacloud"), 0o700); err != nil {
		t.Fatal(err)
	}
	profile := "[default]\ntype = access_key\naccess_key_id = someone-else\naccess_key_secret = secret\n"
	if err := os.WriteFile(filepath.Join(home, ".alibabacloud", "credentials"), []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	_, err := live.Stream{Client: c.client}.Get(t.Context(), live.LaneSync, push)
	check(t, "class", live.ClassOf(err), live.NoCredentials)
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
