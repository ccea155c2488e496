// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

const (
	push = "push.example.com"
	play = "live.example.com"

	hook  = "https://hooks.example.com/a"
	hook2 = "https://hooks.example.com/b?x=1&y=%20z"
	hook3 = "http://[2001:db8::1]:8080/c"

	key      = "Canary0123456789abcdef"
	otherKey = "Second9876543210fedcba"

	accessKeyID, accessKeySecret = "test-id", "test-secret"
)

func TestMain(m *testing.M) {
	// The tests are the process's surroundings: they take nothing from those of
	// whoever runs them.
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "ALIBABA_CLOUD_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", accessKeyID)
	_ = os.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accessKeySecret)
	goleak.VerifyTestMain(m)
}

// cloud is an emulator behind a real port, and a client to it.
type cloud struct {
	*emulator.Server
	client *live.Client
	url    string
	behind atomic.Int64 // nanoseconds by which its clock is late
}

// newCloud starts an emulator that knows an ingest and a streaming domain.
func newCloud(t *testing.T, switches emulator.Switches) *cloud {
	t.Helper()
	return newCloudWith(t, emulator.Options{Switches: switches}, live.Options{})
}

func newCloudWith(t *testing.T, eo emulator.Options, lo live.Options) *cloud {
	t.Helper()
	c := &cloud{}
	eo.AccessKeys = []emulator.AccessKey{{ID: accessKeyID, Secret: accessKeySecret}}
	eo.Now = func() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }
	c.Server = emulator.New(eo)
	c.AddDomain("", push, emulator.IngestDomain)
	c.AddDomain("", play, emulator.StreamingDomain)
	server := httptest.NewServer(c.Server)
	t.Cleanup(func() {
		c.Close()
		server.Close()
	})
	c.url = server.URL
	lo.Endpoint = server.URL
	c.client = newClient(t, lo)
	return c
}

// earlier runs do as if some time ago.
func (c *cloud) earlier(ago time.Duration, do func()) {
	c.behind.Store(int64(ago))
	do()
	c.behind.Store(0)
}

// actions are the operations that were called, short of what all of a family
// have in common.
func (c *cloud) actions() string {
	short := strings.NewReplacer("LiveStreamsNotifyUrlConfig", "", "LiveRecordNotifyConfig", "")
	var list []string
	for _, call := range c.Calls() {
		list = append(list, short.Replace(call.Action))
	}
	return strings.Join(list, " ")
}

// newClient returns a client with the credentials of the environment.
func newClient(t *testing.T, o live.Options) *live.Client {
	t.Helper()
	own, err := live.OwnCredentials()
	if err != nil {
		t.Fatal(err)
	}
	o.Credentials = own
	if o.Limits == nil {
		o.Limits = quota.NewLimits(1000, quota.Report{}) // no quota is a hindrance
	}
	c, err := live.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// against returns a client to a server that answers every request like this.
func against(t *testing.T, answer http.HandlerFunc) *live.Client {
	t.Helper()
	return newClient(t, live.Options{Endpoint: listen(t, answer)})
}

// listen returns the URL of a server that answers every request like this. At the end
// it drops what is still waited for.
func listen(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// check fails the test with both values if they differ.
func check[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}
