// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/live-notify/live-notify-operator/internal/live"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	const length, charset, space = "but the cloud takes 16 to", "neither a letter nor a digit", "begins or ends with"
	for name, tc := range map[string]struct {
		value   string
		most    int
		refused string // what the error says
	}{
		"letters and digits":           {key, live.MaxStreamKey, ""},
		"16 characters":                {strings.Repeat("a", 16), live.MaxStreamKey, ""},
		"64 characters, stream":        {strings.Repeat("Z", 64), live.MaxStreamKey, ""},
		"32 characters, record":        {strings.Repeat("9", 32), live.MaxRecordKey, ""},
		"zeros":                        {strings.Repeat("0", 16), live.MaxRecordKey, ""},
		"15 characters":                {strings.Repeat("a", 15), live.MaxStreamKey, length},
		"65 characters, stream":        {strings.Repeat("a", 65), live.MaxStreamKey, length},
		"33 characters, record":        {strings.Repeat("a", 33), live.MaxRecordKey, length},
		"empty":                        {"", live.MaxStreamKey, "is empty"},
		"a line break behind":          {key + "\n", live.MaxStreamKey, space},
		"a Windows line break behind":  {key + "\r\n", live.MaxStreamKey, space},
		"a space in front":             {" " + key, live.MaxStreamKey, space},
		"blank":                        {"                    ", live.MaxStreamKey, space},
		"a space inside":               {"Canary 0123456789", live.MaxStreamKey, charset},
		"a hyphen":                     {"Canary-0123456789", live.MaxStreamKey, charset},
		"base64":                       {"Q2FuYXJ5MDEyMzQ1Njc4OQ==", live.MaxStreamKey, charset},
		"a letter outside ASCII":       {"Canary0123456789é", live.MaxStreamKey, charset},
		"full-width digits":            {"Canary０１２３４５６７８９", live.MaxStreamKey, charset},
		"a zero byte":                  {"Canary\x000123456789", live.MaxStreamKey, charset},
		"not UTF-8":                    {"Canary\xff0123456789", live.MaxStreamKey, charset},
		"characters next to the range": {"@[`{/:aaaaaaaaaaaaaa", live.MaxStreamKey, charset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := live.ParseKey(tc.value, tc.most)
			if tc.refused == "" {
				check(t, "key", string(got), tc.value)
				check(t, "error", err, nil)
				return
			}
			check(t, "key", string(got), "")
			if err == nil || !strings.Contains(err.Error(), tc.refused) {
				t.Fatalf("got error %v, want %q", err, tc.refused)
			}
			if secret := strings.TrimSpace(tc.value); len(secret) > 5 && strings.Contains(err.Error(), secret[:6]) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
}

func TestKeyHidesItself(t *testing.T) {
	t.Parallel()
	k := live.Key(key)
	log := &transcript{}
	log.logger().Info("values", "key", k, "config", live.StreamConfig{AuthKey: k}, "pointer", &live.RecordConfig{AuthKey: k})
	var structured strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&structured, nil), slog.NewJSONHandler(&structured, nil)} {
		slog.New(h).Info("values", "key", k, "config", live.StreamConfig{AuthKey: k}, "pointer", &live.RecordConfig{AuthKey: k})
	}
	texts := map[string]string{"logr": log.String(), "slog": structured.String()}
	for name, v := range map[string]any{
		"a key": k, "a pointer": &k, "a list": []live.Key{k}, "a map": map[string]live.Key{"k": k},
		"a stream's": live.StreamConfig{AuthKey: k}, "a record's": &live.RecordConfig{AuthKey: k},
		"nested":   struct{ A any }{struct{ B []live.StreamConfig }{[]live.StreamConfig{{AuthKey: k}}}},
		"an error": fmt.Errorf("%w: key %v of %+v is not what it was, %q", errString("e"), k, live.StreamConfig{AuthKey: k}, k),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts[name+" with "+verb] = fmt.Sprintf(verb, v)
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts[name+" in JSON"] = string(encoded)
	}
	encoded, err := xml.Marshal(live.StreamConfig{AuthKey: k})
	if err != nil {
		t.Fatal(err)
	}
	texts["XML"] = string(encoded)
	texts["Sprint"] = fmt.Sprint(k, &k, live.RecordConfig{AuthKey: k})
	for where, text := range texts {
		keptSecret(t, where, text)
	}
	check(t, "the value itself", string(k), key)
}

type errString string

func (e errString) Error() string { return string(e) }
