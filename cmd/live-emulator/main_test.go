// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

func TestParseFlags(t *testing.T) {
	defaults := func(change func(*config)) config {
		cfg := config{listen: "127.0.0.1:8090"}
		cfg.options.QPSScale = 1
		cfg.options.AccessKeys = []emulator.AccessKey{defaultKey}
		cfg.options.Switches.StreamDescribeAbsent = emulator.AbsentEmpty
		cfg.options.Switches.EmptyParameters = emulator.EmptyValue
		cfg.options.Switches.RecordsOrder = emulator.OrderNewest
		change(&cfg)
		return cfg
	}
	cases := map[string]struct {
		args string
		want config
	}{
		"nothing": {"", defaults(func(*config) {})},
		"domains, their mapping and an app": {
			"--domain push=ingest --domain play=streaming --map push=play --app a1 --app a2",
			defaults(func(cfg *config) {
				cfg.domains = []domainFlag{{"push", emulator.IngestDomain}, {"play", emulator.StreamingDomain}}
				cfg.mappings = []mappingFlag{{"push", "play"}}
				cfg.apps = []string{"a1", "a2"}
			}),
		},
		"access keys replace the default": {
			"--access-key id:secret --access-key id2:secret2:account --access-key id3:secret3:account:1234567890123456",
			defaults(func(cfg *config) {
				cfg.options.AccessKeys = []emulator.AccessKey{
					{ID: "id", Secret: "secret"}, {ID: "id2", Secret: "secret2", Account: "account"},
					{ID: "id3", Secret: "secret3", Account: "account", AccountID: "1234567890123456"},
				}
			}),
		},
		"sub-streaming domains and roles": {
			"--map-play play=sub --role r1 --role r2=external-id",
			defaults(func(cfg *config) {
				cfg.plays = []playFlag{{"play", "sub"}}
				cfg.roles = []emulator.Role{{Name: "r1"}, {Name: "r2", ExternalIDs: []string{"external-id"}}}
			}),
		},
		"limits": {
			"--qps-scale 0.5 --throttle token-bucket --require-mapping --traffic 5s --listen :1",
			defaults(func(cfg *config) {
				cfg.options.QPSScale, cfg.options.Throttle = 0.5, emulator.TokenBucket
				cfg.options.RequireMapping, cfg.traffic, cfg.listen = true, 5*time.Second, ":1"
			}),
		},
		"every switch": {
			"--stream-describe-absent missing --stream-set-merges --stream-set-exists --stream-delete-absent-not-found " +
				"--stream-key-as-number --record-update-merges --mpu-describe-absent-invalid --read-delay 2s --accept-any-key " +
				"--stream-set-keeps-empty --stream-not-push-domain --record-update-keeps-empty --empty-parameters refused " +
				"--records-order shuffled --max-page-size 50 --clamp-page-size --mapping-omits-queried --follow-redirects",
			defaults(func(cfg *config) {
				cfg.options.Switches = emulator.Switches{
					StreamDescribeAbsent: emulator.AbsentMissing, StreamSetMerges: true, StreamSetExists: true,
					StreamDeleteAbsentNotFound: true, StreamKeyAsNumber: true, RecordUpdateMerges: true,
					MPUDescribeAbsentInvalid: true, ReadDelay: 2 * time.Second, AcceptAnyKey: true,
					StreamSetKeepsEmpty: true, StreamNotPushDomain: true, RecordUpdateKeepsEmpty: true,
					EmptyParameters: emulator.EmptyRefused, RecordsOrder: emulator.OrderShuffled, MaxPageSize: 50,
					ClampPageSize: true, MappingOmitsQueried: true, FollowRedirects: true,
				}
			}),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlags(strings.Fields(tc.args), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(config{}, domainFlag{}, mappingFlag{}, playFlag{})); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFlagsRefuses(t *testing.T) {
	cases := map[string]string{
		"a key without a secret":      "--access-key id",
		"a key of five parts":         "--access-key a:b:c:1:2",
		"an account of no number":     "--access-key a:b:c:d",
		"a sub-domain of nothing":     "--map-play play",
		"an order there is not":       "--records-order best",
		"empty, and something else":   "--empty-parameters kept",
		"a page of less than nothing": "--max-page-size -1",
		"a domain without a kind":     "--domain push",
		"a kind there is not":         "--domain push=relay",
		"a domain mapped to nothing":  "--map push",
		"a model there is not":        "--throttle leaky",
		"a switch value there is not": "--stream-describe-absent gone",
		"an argument":                 "serve",
		"a blank for =":               "--require-mapping false --qps-scale 0",
		"a flag for a value":          "--listen --require-mapping",
		"no value":                    "--listen=",
		"an app without a name":       "--app=",
		"no domain mapped":            "--map =play",
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := parseFlags(strings.Fields(args), io.Discard); err == nil {
				t.Errorf("accepts %s", args)
			}
		})
	}
	if _, err := parseFlags([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

// TestRun starts the program, finds it at the address it prints, sees traffic arrive, and stops it.
func TestRun(t *testing.T) {
	arrived := make(chan string, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- r.URL.Path + " " + r.URL.Query().Get("action"):
		default: // the test has seen enough
		}
	}))
	defer hook.Close()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, strings.Fields("--listen 127.0.0.1:0 --traffic 10ms --domain push=ingest --domain play=streaming "+
			"--map push=play --app app"), in, io.Discard)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://[0-9.:]+/_emulator/`).FindString(line)
	for path, body := range map[string]string{
		"configs/stream/push": `{"notifyURL":"` + hook.URL + `/stream"}`,
		"configs/record/play": `{"notifyURL":"` + hook.URL + `/record"}`,
		"configs/mpu/app":     `{"callbackURL":"` + hook.URL + `/mpu"}`,
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	missing := map[string]bool{"/stream publish": true, "/stream publish_done": true, "/record ": true, "/mpu ": true}
	for len(missing) > 0 {
		delete(missing, <-arrived)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	for name, args := range map[string]string{
		"an address that is none":       "--listen nowhere:http:1",
		"a mapping of unknown domains":  "--map push=play",
		"a flag that there is not":      "--state x",
		"a mapping the wrong way round": "--domain push=ingest --domain play=streaming --map play=push",
		"a sub-domain that is unknown":  "--domain play=streaming --map-play play=sub",
		"a role of no name":             "--role =e1",
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard); err == nil {
				t.Error("runs")
			}
		})
	}
}
