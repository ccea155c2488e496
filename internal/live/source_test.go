// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/aliyun/credentials-go/credentials/providers"

	"github.com/live-notify/live-notify-operator/internal/quota"
)

// errSaid is what a library says of a failure: a request with its signature.
var errSaid = errors.New(`post "https://sts.example.com?AccessKeyId=LTAI5tCanaryKeyIdentity1&Signature=C%2BuGiS9abcdefghijklmnop%3D&SecurityToken=CanaryToken0123456789"`)

// Ten requests whose token service hangs do not wait one after the other, and each
// only as long as its context lets it.
func TestLoadsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int32
		c := from(func(ctx context.Context, _ bool) (session, error) {
			loads.Add(1)
			<-ctx.Done()
			return session{}, noCredentials("no reply")
		})
		start := time.Now()
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				patience := time.Duration(i+1) * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if err := c.Load(ctx); ClassOf(err) != NoCredentials {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took != patience {
					t.Errorf("waited for %s, want %s", took, patience)
				}
			})
		}
		group.Wait()
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Load(cancelled); !errors.Is(err, context.Canceled) && ClassOf(err) != NoCredentials {
			t.Errorf("got %v", err)
		}
		if err := c.Load(t.Context()); ClassOf(err) != NoCredentials || time.Since(start) != loading {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		if n := loads.Load(); n != 1 {
			t.Errorf("%d loads, want one", n)
		}
	})
}

// A failure is remembered for a while, and no longer.
func TestFailureIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		c := from(func(context.Context, bool) (session, error) {
			loads++
			return session{}, noCredentials("none")
		})
		for _, tc := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {failing - 1, 1}, {1, 2}, {0, 2}, {time.Hour, 3}} {
			time.Sleep(tc.after)
			if err := c.Load(t.Context()); err == nil || loads != tc.want {
				t.Errorf("got %v after %d loads, want %d", err, loads, tc.want)
			}
		}
	})
}

// A library that does not listen to its context, and hangs, is asked once: what it
// left behind does not grow. When it comes back, all goes on.
func TestLibraryThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var loads atomic.Int32
		c := from(func(context.Context, bool) (session, error) {
			if loads.Add(1) == 1 {
				<-release
			}
			return session{keys: keys{"id", "secret", ""}}, nil
		})
		for range 20 {
			if err := c.Load(t.Context()); ClassOf(err) != NoCredentials || loads.Load() != 1 {
				t.Fatalf("got %v after %d loads", err, loads.Load())
			}
			time.Sleep(time.Minute)
		}
		close(release)
		synctest.Wait()
		if err := c.Load(t.Context()); err != nil || loads.Load() != 2 {
			t.Errorf("got %v after %d loads", err, loads.Load())
		}
	})
}

// While a session is valid, its renewal holds nobody up, and may fail. A new one is
// used once it is there.
func TestRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fail error
		n := 0
		c := from(func(ctx context.Context, _ bool) (session, error) {
			if err := fail; err != nil {
				<-ctx.Done()
				return session{}, err
			}
			n++
			now := time.Now()
			return session{keys: keys{fmt.Sprint("id", n), "s", "t"}, renew: now.Add(55 * time.Minute), expires: now.Add(time.Hour)}, nil
		})
		step := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			start := time.Now()
			k, err := c.source.load(t.Context())
			if err != nil || k.id != want || time.Since(start) != 0 {
				t.Fatalf("got %v, %v after %s, want %s", k, err, time.Since(start), want)
			}
			synctest.Wait()
		}
		step(0, "id1")
		step(54*time.Minute, "id1")
		fail = noCredentials("down")
		step(2*time.Minute, "id1") // the renewal begins, and hangs
		step(time.Minute, "id1")
		step(2*time.Minute, "id1")
		fail = nil
		time.Sleep(30 * time.Second) // what hangs ends, and the failure is old
		step(0, "id1")               // renews beside
		step(0, "id2")
		fail = noCredentials("down")
		time.Sleep(2 * time.Hour) // expired
		if err := c.Load(t.Context()); err == nil || err.Error() != fail.Error() {
			t.Errorf("got %v of a session that has expired", err)
		}
	})
}

// provider is one of the library's.
type provider struct {
	credentials *providers.Credentials
	err         error
	panics      bool
}

func (p provider) GetProviderName() string { return "test" }

func (p provider) GetCredentials() (*providers.Credentials, error) {
	if p.panics {
		panic(p.err)
	}
	return p.credentials, p.err
}

// What a library says, and what it loads in spite of being none, is not told.
func TestLibraryIsNotQuoted(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]provider{
		"an error":        {err: errSaid},
		"a panic":         {err: errSaid, panics: true},
		"nothing":         {},
		"a line break":    {credentials: &providers.Credentials{AccessKeyId: "LTAI5tCanaryKeyIdentity1\n", AccessKeySecret: "CanarySecret0123456789"}},
		"an empty secret": {credentials: &providers.Credentials{AccessKeyId: "LTAI5tCanaryKeyIdentity1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := from(func(context.Context, bool) (session, error) {
				loaded, ok := loadedBy(p)
				if !ok {
					return loaded, noCredentials("none")
				}
				return loaded, nil
			}).Load(t.Context())
			if ClassOf(err) != NoCredentials || strings.Contains(err.Error(), "Canary") || strings.Contains(err.Error(), "sts.example.com") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Which sessions of the library are renewed.
func TestSessionsOfTheLibrary(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"default/env": false, "default/profile/static_sts": false, "default/oidc_role_arn": true, "ecs_ram_role": true} {
		loaded, ok := loadedBy(provider{credentials: &providers.Credentials{AccessKeyId: "a", AccessKeySecret: "b", SecurityToken: "c", ProviderName: name}})
		if !ok || loaded.renews != want {
			t.Errorf("%s: got %t", name, loaded.renews)
		}
	}
	loaded, _ := loadedBy(provider{credentials: &providers.Credentials{AccessKeyId: "a", AccessKeySecret: "b", ProviderName: "default/oidc"}})
	if loaded.renews {
		t.Error("a key without token is no session")
	}
}

// ownIn are the process's own credentials, in a home of the test, without what is
// remembered of failures.
func ownIn(t *testing.T) (c Credentials, home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	c, err := OwnCredentials()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.source.now = func() time.Time { now = now.Add(failing); return now }
	return c, home
}

// They are looked for again: who sets them need not restart.
func TestCredentialsThatCome(t *testing.T) {
	id := os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	c, _ := ownIn(t)
	err := c.Load(t.Context())
	if ClassOf(err) != NoCredentials || !strings.Contains(err.Error(), "ALIBABA_CLOUD_ACCESS_KEY_SECRET") {
		t.Errorf("got %v, want to hear what is set", err)
	}
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
	if err := c.Load(t.Context()); err != nil {
		t.Error(err)
	}
}

// Once found, the identity stays: a later failure of its source must not make
// the operator someone else.
func TestCredentialsStay(t *testing.T) {
	c, home := ownIn(t)
	var group sync.WaitGroup
	for range 8 { // at the first use of the credentials
		group.Go(func() {
			if err := c.Load(t.Context()); err != nil {
				t.Error(err)
			}
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
	if err := c.Load(t.Context()); ClassOf(err) != NoCredentials {
		t.Errorf("got %v", err)
	}
}

func TestECSRAMRole(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	if _, err := ECSRAMRole("../other?x"); ClassOf(err) != NoCredentials {
		t.Errorf("got %v of a name that is none", err)
	}
	c, err := ECSRAMRole("role")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Load(t.Context()); ClassOf(err) != NoCredentials || !strings.Contains(err.Error(), "ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
		t.Errorf("got %v", err)
	}
}

// expired is a cloud for which every session but those of a list has expired.
func expired(valid func(token string) bool) roundTrip {
	return func(r *http.Request) *http.Response {
		status, text := 200, `{"RequestId":"R"}`
		if !valid(r.Header.Get("x-acs-security-token")) {
			status, text = 400, `{"RequestId":"R","Code":"InvalidSecurityToken.Expired","Message":"Specified SecurityToken is expired."}`
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
	}
}

// A session that the cloud calls expired, since a clock is wrong, is replaced by the
// next request. A key that was given is what it is.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	n := 0
	far := time.Now().Add(time.Hour)
	renewed := from(func(context.Context, bool) (session, error) {
		n++
		return session{keys: keys{"id", "secret", fmt.Sprint("token", n)}, renews: true, renew: far, expires: far}, nil
	})
	c := wired(t, expired(func(token string) bool { return token == "token2" }))
	c.credentials = renewed.source
	for i, want := range []Class{Unavailable, "", ""} {
		_, err := NewStream(c).Get(t.Context(), quota.User, "d")
		if ClassOf(err) != want || err != nil && (!Refused(err) || !strings.Contains(err.Error(), "another is loaded")) {
			t.Errorf("request %d: got %v, want class %q", i, err, want)
		}
	}
	if n != 2 {
		t.Errorf("%d sessions were loaded, want 2", n)
	}
	static, err := AccessKey("id", "secret", "token")
	if err != nil {
		t.Fatal(err)
	}
	c = wired(t, expired(func(string) bool { return false }))
	c.credentials = static.source
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); ClassOf(err) != AccessDenied {
		t.Errorf("got %v, want class %s", err, AccessDenied)
	}
}

// given is a session in a reply.
func given(id, secret, token, end string) *sts.AssumeRoleResponseBodyCredentials {
	return &sts.AssumeRoleResponseBodyCredentials{AccessKeyId: &id, AccessKeySecret: &secret, SecurityToken: &token, Expiration: &end}
}

// The end of a session is told by the clock of the token service.
func TestSessionByTheClockOfTheService(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tc := range map[string]struct {
		ahead, lasts, left, renew time.Duration
	}{
		"equal":     {0, time.Hour, time.Hour, 55 * time.Minute},
		"ahead":     {20 * time.Minute, time.Hour, time.Hour, 55 * time.Minute},
		"behind":    {-2 * time.Hour, time.Hour, time.Hour, 55 * time.Minute},
		"short":     {0, 4 * time.Minute, 4 * time.Minute, 2 * time.Minute},
		"for years": {0, 1e5 * time.Hour, longest, longest - renewing},
	} {
		date := now.Add(tc.ahead).Truncate(time.Second)
		x := &exchange{action: "A", received: now, date: date}
		s, err := x.session(given("id", "secret", "token", date.Add(tc.lasts).UTC().Format(time.RFC3339)))
		if err != nil || s.expires.Sub(now) != tc.left || s.renew.Sub(now) != tc.renew || !s.renews {
			t.Errorf("%s: got %v, kept for %s and renewed after %s", name, err, s.expires.Sub(now), s.renew.Sub(now))
		}
	}
	for _, end := range []string{"", "tomorrow", "2026-13-01T00:00:00Z", now.Add(-time.Second).UTC().Format(time.RFC3339)} {
		if _, err := (&exchange{received: now}).session(given("id", "secret", "token", end)); ClassOf(err) != NoCredentials {
			t.Errorf("%q: got %v", end, err)
		}
	}
	for _, k := range []keys{{"", "s", "t"}, {"i", "", "t"}, {"i", "s", ""}, {"i\n", "s", "t"}, {"i", "s", "t\r\nX-Header: 1"}} {
		if _, err := (&exchange{received: now}).session(given(k.id, k.secret, k.token, "2999-01-01T00:00:00Z")); ClassOf(err) != NoCredentials {
			t.Errorf("%q: got %v", k, err)
		}
	}
}

// service is a token service that notes what it is asked.
type service struct {
	*TokenService
	mu    sync.Mutex
	asked []string // action, signed by
	reply func(action string) (int, string)
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{reply: func(string) (int, string) {
		reply, _ := json.Marshal(map[string]any{
			"RequestId": "R", "AccountId": "1234567890123456", "Arn": "acs:ram::1234567890123456:user/a",
			"Credentials": map[string]string{
				"AccessKeyId": "STS.id", "AccessKeySecret": "session-secret", "SecurityToken": "session-token",
				"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
			},
		})
		return 200, string(reply)
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		action := r.Header.Get("x-acs-action")
		_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		signed, _, _ = strings.Cut(signed, ",")
		query := r.URL.Query()
		s.asked = append(s.asked, fmt.Sprint(action, " ", signed, " ", query.Get("RoleArn"), query.Get("ExternalId"), query.Get("OIDCProviderArn"), query.Get("OIDCToken"), " ", query.Get("RoleSessionName")))
		if query.Has("AccessKeyId") || query.Has("Signature") || query.Has("SecurityToken") {
			t.Errorf("what it is signed with is in the URL: %s", r.URL)
		}
		status, text := s.reply(action)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	var err error
	if s.TokenService, err = NewTokenService(server.URL, false); err != nil {
		t.Fatal(err)
	}
	return s
}

// calls checks what the service was asked since.
func (s *service) calls(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.asked, "; "); got != strings.Join(want, "; ") {
		t.Errorf("asked\n%s, want\n%s", got, strings.Join(want, "; "))
	}
	s.asked = nil
}

func TestAssume(t *testing.T) {
	t.Parallel()
	s := newService(t)
	role := s.Assume(testKey(t), "acs:ram::1:role/r", "external")
	for range 3 {
		if err := role.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.calls(t, "AssumeRole test-id acs:ram::1:role/rexternal live-notify-operator")
	if k, err := role.source.load(t.Context()); err != nil || *k != (keys{"STS.id", "session-secret", "session-token"}) {
		t.Errorf("got %v, %v", k, err)
	}
	who, err := s.Identify(t.Context(), role)
	if want := "1234567890123456"; err != nil || who != want {
		t.Errorf("got %v, %v", who, err)
	}
	s.calls(t, "GetCallerIdentity STS.id  ")
}

func TestExchange(t *testing.T) {
	t.Parallel()
	s := newService(t)
	minted := 0
	role := s.Exchange("acs:ram::1:role/r", "acs:ram::1:oidc-provider/p", func(context.Context) (string, error) {
		minted++
		return "oidc", nil
	})
	for range 3 {
		if err := role.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.calls(t, "AssumeRoleWithOIDC  acs:ram::1:role/racs:ram::1:oidc-provider/poidc live-notify-operator")
	if minted != 1 {
		t.Errorf("%d tokens were minted", minted)
	}
	refused := s.Exchange("r", "p", func(context.Context) (string, error) { return "", errSaid })
	if err := refused.Load(t.Context()); ClassOf(err) != NoCredentials || strings.Contains(err.Error(), "Canary") {
		t.Errorf("got %v", err)
	}
	s.calls(t)
}

// What the token service says of credentials is one thing, that it cannot be asked
// another.
func TestClassesOfIdentify(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]Class{
		"InvalidAccessKeyId.NotFound": NoCredentials, "InvalidAccessKeyId.Inactive": NoCredentials, "SignatureDoesNotMatch": NoCredentials,
		"InvalidSecurityToken.Expired": NoCredentials, "InvalidSecurityToken.Malformed": NoCredentials,
		"Throttling.User": Unavailable, "InternalError": Unavailable, "NoPermission": Unavailable, "InvalidTimeStamp.Expired": Unavailable, "SomethingNew": Unavailable,
	} {
		s := newService(t)
		s.reply = func(string) (int, string) { return 400, `{"RequestId":"R","Code":"` + code + `","Message":"m"}` }
		_, err := s.Identify(t.Context(), testKey(t))
		if e, ok := errors.AsType[*Error](err); !ok || e.Class != want || e.Code != code || e.Action != "GetCallerIdentity" {
			t.Errorf("%s: got %#v, want class %s", code, err, want)
		}
		if err := s.Assume(testKey(t), "r", "").Load(t.Context()); ClassOf(err) != NoCredentials || !Refused(err) {
			t.Errorf("%s: got %v of a role", code, err)
		}
	}
	for _, text := range []string{
		`{"RequestId":"R"}`, `{"RequestId":"R","AccountId":""}`, `{"RequestId":"R","AccountId":"12a"}`, `{"RequestId":"R","AccountId":"` + strings.Repeat("1", 33) + `"}`,
		`{"RequestId":"R","AccountId":null,"Credentials":null}`, `{"RequestId":"R","Credentials":{}}`, `{"RequestId":"R","Credentials":[]}`, `{"AccountId":"1"}`,
	} {
		s := newService(t)
		s.reply = func(string) (int, string) { return 200, text }
		if _, err := s.Identify(t.Context(), testKey(t)); ClassOf(err) != Unavailable {
			t.Errorf("%s: got %v", text, err)
		}
		if err := s.Assume(testKey(t), "r", "").Load(t.Context()); ClassOf(err) != NoCredentials {
			t.Errorf("%s: got %v of a role", text, err)
		}
	}
}

// A role whose base has an expired session loads that anew.
func TestExpiredBase(t *testing.T) {
	t.Parallel()
	s := newService(t)
	n := 0
	far := time.Now().Add(time.Hour)
	base := from(func(context.Context, bool) (session, error) {
		n++
		return session{keys: keys{fmt.Sprint("base", n), "secret", "token"}, renews: true, renew: far, expires: far}, nil
	})
	works := s.reply
	s.reply = func(string) (int, string) {
		return 400, `{"RequestId":"R","Code":"InvalidSecurityToken.Expired","Message":"m"}`
	}
	if err := s.Assume(base, "r", "").Load(t.Context()); ClassOf(err) != NoCredentials {
		t.Errorf("got %v", err)
	}
	s.reply = works
	if err := s.Assume(base, "r", "").Load(t.Context()); err != nil {
		t.Error(err)
	}
	s.calls(t, "AssumeRole base1 r live-notify-operator", "AssumeRole base2 r live-notify-operator")
}

func TestAccessKey(t *testing.T) {
	t.Parallel()
	const id, secret = "LTAI5tCanaryKeyIdentity1", "CanarySecretOfKey0123456789abc"
	utf16 := func(s string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, c := range s {
			b.WriteRune(c)
			b.WriteByte(0)
		}
		return b.String()
	}
	for name, tc := range map[string]struct{ id, secret, token, refused string }{
		"a key":                      {id, secret, "", ""},
		"a session":                  {"STS.NTCanarySessionIdentity1", secret, "CAIS+/canary==", ""},
		"of an emulator":             {"test-id", "test-secret", "", ""},
		"no ID":                      {"", secret, "", "accessKeyID is empty"},
		"no secret":                  {id, "", "", "accessKeySecret is empty"},
		"swapped":                    {secret, id, "", "swapped"},
		"an ID in UTF-16":            {utf16(id), secret, "", "accessKeyID is in UTF-16"},
		"a secret in UTF-16":         {id, utf16(secret), "", "accessKeySecret is in UTF-16"},
		"UTF-16 without a mark":      {utf16(id)[2:], secret, "", "accessKeyID is in UTF-16"},
		"a byte order mark":          {"\ufeff" + id, secret, "", "accessKeyID begins with a byte order mark"},
		"a mark before a secret":     {id, "\ufeff" + secret, "", "accessKeySecret begins with a byte order mark"},
		"a line break":               {id + "\n", secret, "", "accessKeyID holds a line break"},
		"a Windows line break":       {id, secret + "\r\n", "", "accessKeySecret holds a line break"},
		"a blank inside":             {id, secret[:9] + " " + secret[9:], "", "accessKeySecret holds a blank"},
		"a tab":                      {id, secret + "\t", "", "accessKeySecret holds a blank"},
		"a letter outside ASCII":     {id, secret + "é", "", "accessKeySecret holds a character"},
		"a control character":        {id, secret + "\x1b", "", "accessKeySecret holds a character"},
		"no UTF-8":                   {id + "\xff", secret, "", "accessKeyID holds a character"},
		"what no ID has":             {id + "/", secret, "", "accessKeyID holds a character"},
		"a token with a line break":  {id, secret, "CanaryToken\nX", "securityToken holds a line break"},
		"a token in two":             {id, secret, "CanaryToken X", "securityToken holds a blank"},
		"an ID that is too long":     {strings.Repeat("a", 129), secret, "", "accessKeyID has more than"},
		"a secret that is too long":  {id, strings.Repeat("a", 257), "", "accessKeySecret has more than"},
		"a token that is too long":   {id, secret, strings.Repeat("a", 8193), "securityToken has more than"},
		"a token as long as may be":  {id, secret, strings.Repeat("a", 8192), ""},
		"an ID as long as may be":    {strings.Repeat("a", 128), secret, "", ""},
		"a secret that is a JSON":    {id, `{"secret":"x"}`, "", ""}, // the cloud says what it is
		"all of it in one, by lines": {id + "\n" + secret, secret, "", "accessKeyID holds a line break"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := AccessKey(tc.id, tc.secret, tc.token)
			if tc.refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				k, err := c.source.load(t.Context())
				if err != nil || *k != (keys{tc.id, tc.secret, tc.token}) {
					t.Errorf("got %v, %v", k, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.refused) {
				t.Fatalf("got %v, want %q", err, tc.refused)
			}
			if strings.Contains(err.Error(), "Canary") || Clean(err.Error(), 200) != err.Error() {
				t.Errorf("the error quotes something: %v", err)
			}
		})
	}
}

func TestNoCredentialsGiven(t *testing.T) {
	t.Parallel()
	c, err := NewClient(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewStream(c).Get(t.Context(), quota.User, "d"); ClassOf(err) != NoCredentials {
		t.Errorf("got %v", err)
	}
	if _, err := newService(t).Identify(t.Context(), Credentials{}); ClassOf(err) != NoCredentials {
		t.Errorf("got %v", err)
	}
}

func TestMaskedID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"LTAI5tCanaryKeyIdentity1": "LTAI****ity1", "STS.NTCanarySessionIdentity1": "STS.****ity1", "TMP.3KfCanaryIdentity": "TMP.****tity",
		"": "****", "test-id": "****", "CanarySecretOfKey0123456789abc": "****", "LTAI": "****", "LTAIshort": "****", "LTAI5tCanary Key": "****",
		"LTAI\xff\xfet\x00aaaaaaaaaaaaaaaa": "****", "xLTAI5tCanaryKeyIdentity1": "****", "LTAI" + strings.Repeat("a", 200): "****",
	} {
		if got := MaskedID(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

func TestNewTokenService(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{"": true, "sts-vpc.cn-shanghai.aliyuncs.com": true, "http://127.0.0.1:1": true, "http://sts.example.com": false, "https://sts/x": false} {
		if _, err := NewTokenService(endpoint, false); (err == nil) != want {
			t.Errorf("%s: got %v", endpoint, err)
		}
	}
	if _, err := NewTokenService("http://emulator.default.svc", true); err != nil {
		t.Error(err)
	}
}
