// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// Credentials prove to the cloud who is calling. Nothing is loaded before the
// first request.
type Credentials struct{ source *source }

// keys sign a request.
type keys struct{ id, secret, token string }

// session are keys, and for how long they are kept. Those of the vendor's library
// are not: it is asked each time, and keeps its own.
type session struct {
	keys
	renews         bool // another can be had when the cloud says that it has expired
	renew, expires time.Time
}

const (
	// loading bounds one load. Who does not end in spite of that is left behind
	// after lost: libraries do not listen to a context.
	loading = 10 * time.Second
	lost    = loading + time.Second
	// failing is for how long a failure is remembered: the objects of an account do
	// not all wait for the same token service, one after the other.
	failing = 5 * time.Second

	late = "the credentials could not be loaded in time"
)

// source loads keys: one load at a time, whoever waits for it.
type source struct {
	// fetch returns a session: fresh, if the cloud said that the last has expired.
	fetch func(ctx context.Context, fresh bool) (session, error)
	now   func() time.Time

	mu     sync.Mutex
	good   *load     // the last that succeeded
	before keys      // those of the one before it, if they were others
	bad    *load     // the last, if it failed
	failed time.Time // when it did
	under  *load     // the one that is waited for
	busy   bool      // fetch runs, perhaps for one that was given up
	stale  bool      // the cloud said that the last session has expired
}

// load is one, and what came of it once done is closed.
type load struct {
	done chan struct{}
	session
	err error
}

func from(fetch func(ctx context.Context, fresh bool) (session, error)) Credentials {
	return Credentials{&source{fetch: fetch, now: time.Now}}
}

// Load loads the credentials, as a request would. The error is an *Error of class
// NoCredentials, or the context's.
func (c Credentials) Load(ctx context.Context) error {
	_, err := c.source.load(ctx)
	return err
}

// load returns keys to sign one request with.
func (s *source) load(ctx context.Context) (*keys, error) {
	if s == nil {
		return nil, noCredentials("no credentials were given")
	}
	l := s.join(context.WithoutCancel(ctx))
	select {
	case <-l.done:
	default:
		select {
		case <-l.done:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ctx.Err()
			}
			return nil, noCredentials(late)
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	return &l.keys, nil
}

// join returns a load to wait for. While a session is valid, another is loaded
// beside, and a failure of that is none.
func (s *source) join(ctx context.Context) *load {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	valid := s.good != nil && now.Before(s.good.expires)
	if valid && now.Before(s.good.renew) {
		return s.good
	}
	if !s.busy && (s.bad == nil || now.Sub(s.failed) >= failing) {
		s.start(ctx)
	}
	switch {
	case valid:
		return s.good
	case s.under != nil:
		return s.under
	default:
		return s.bad
	}
}

// start begins a load. The caller holds the lock.
func (s *source) start(ctx context.Context) {
	l, fresh := &load{done: make(chan struct{})}, s.stale
	s.under, s.busy, s.stale = l, true, false
	giveUp := time.AfterFunc(lost, func() { s.end(l, session{}, noCredentials(late), true) })
	go func() {
		ctx, cancel := context.WithTimeout(ctx, loading)
		defer cancel()
		fetched, err := s.guarded(ctx, fresh)
		giveUp.Stop()
		s.end(l, fetched, err, false)
	}()
}

// guarded fetches. A panic of a library is an error.
func (s *source) guarded(ctx context.Context, fresh bool) (fetched session, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = noCredentials(fmt.Sprintf("panic while loading credentials (%T)", p))
		}
	}()
	fetched, err = s.fetch(ctx, fresh)
	if err == nil && fetched.check() != nil {
		err = noCredentials("what was loaded is no access key")
	}
	return fetched, err
}

// end notes what came of a load, once. One that was given up may run on.
func (s *source) end(l *load, fetched session, err error, runs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = runs
	if s.under != l {
		return
	}
	s.under = nil
	if l.session, l.err = fetched, err; err == nil {
		if s.good != nil && s.good.keys != l.keys {
			s.before = s.good.keys
		}
		s.good, s.bad = l, nil
	} else {
		s.bad, s.failed = l, s.now()
	}
	close(l.done)
}

// used returns what requests were signed with lately: the last keys, and those before
// them, which may still be valid. What is shorter than any of the vendor's is none, but a
// word that an emulator takes.
func (s *source) used() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.before
	secrets := []string{k.id, k.secret, k.token}
	if s.good != nil {
		secrets = append(secrets, s.good.id, s.good.secret, s.good.token)
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return len(s) < minKey })
}

// judge looks at what came of a request. A session that the cloud calls expired is
// dropped: the next request has another.
func (s *source) judge(signed *keys, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != codeExpired {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.good == nil || !s.good.renews {
		return err
	}
	if &s.good.keys == signed {
		s.good.expires, s.stale = time.Time{}, true
	}
	e.Class, e.Message = Unavailable, "the session has expired; another is loaded"
	return e
}

// noCredentials is the error of credentials that cannot be loaded.
func noCredentials(message string) *Error {
	return &Error{Class: NoCredentials, Action: "credentials", Code: string(NoCredentials), Message: message}
}

// OwnCredentials returns the credentials of the process's surroundings, by the
// library's default chain: the ALIBABA_CLOUD_* environment, an RRSA token
// mount, the vendor's configuration file, the RAM role of the ECS instance. Once
// one of them is found, it stays with that.
func OwnCredentials() (Credentials, error) {
	var chain providers.CredentialsProvider
	found := false
	return from(func(context.Context, bool) (session, error) {
		if !found {
			// The chain remembers a search that found nothing.
			chain = providers.NewDefaultCredentialsProvider()
		}
		loaded, ok := loadedBy(chain)
		if found = found || ok; ok {
			return loaded, nil
		}
		return loaded, noCredentials("the environment, an RRSA token mount, the configuration file and the ECS instance give no credentials" + surroundings())
	}), quiet()
}

// surroundings names the variables that are set, as a hint at what was tried.
func surroundings() string {
	var set []string
	for _, name := range []string{"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE", "PROFILE", "ECS_METADATA", "CREDENTIALS_URI"} {
		if os.Getenv("ALIBABA_CLOUD_"+name) != "" {
			set = append(set, "ALIBABA_CLOUD_"+name)
		}
	}
	if set == nil {
		return "; no ALIBABA_CLOUD_ variable of theirs is set"
	}
	return "; set are " + strings.Join(set, ", ")
}

// loadedBy asks a provider of the library. What it says of a failure may hold a
// request with its signature, and is not told.
func loadedBy(p providers.CredentialsProvider) (session, bool) {
	c, err := p.GetCredentials()
	if err != nil || c == nil {
		return session{}, false
	}
	static := strings.HasSuffix(c.ProviderName, "/env") || strings.HasSuffix(c.ProviderName, "static_sts")
	return session{keys: keys{c.AccessKeyId, c.AccessKeySecret, c.SecurityToken}, renews: c.SecurityToken != "" && !static}, true
}

// ECSRAMRole returns the credentials of the RAM role of the ECS instance that
// the process runs on.
func ECSRAMRole(name string) (Credentials, error) {
	if !roleName.MatchString(name) {
		return Credentials{}, noCredentials("this is not the name of a RAM role")
	}
	var provider providers.CredentialsProvider
	return from(func(_ context.Context, fresh bool) (session, error) {
		if provider == nil || fresh {
			p, err := providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(name).Build()
			if err != nil {
				return session{}, noCredentials("the metadata of the ECS instance are not to be used: ALIBABA_CLOUD_ECS_METADATA_DISABLED is set")
			}
			provider = p
		}
		if loaded, ok := loadedBy(provider); ok {
			return loaded, nil
		}
		return session{}, noCredentials("the ECS instance gives no credentials of the RAM role")
	}), nil
}

var roleName = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

// AccessKey returns the credentials of an access key. The token is that of
// temporary credentials, else empty. The error names the entry of the Secret that
// cannot be used, and why, without quoting it.
func AccessKey(id, secret, token string) (Credentials, error) {
	k := keys{id, secret, token}
	if err := k.check(); err != nil {
		return Credentials{}, err
	}
	done := make(chan struct{})
	close(done)
	never := time.Now().AddDate(1000, 0, 0)
	return Credentials{&source{now: time.Now, good: &load{done: done, session: session{keys: k, renew: never, expires: never}}}}, nil
}

// check tells whether keys have the shape of some.
func (k keys) check() error {
	for _, entry := range []struct {
		name, value string
		most        int
	}{{"accessKeyID", k.id, 128}, {"accessKeySecret", k.secret, 256}, {"securityToken", k.token, 8192}} {
		why := oddity(entry.value, entry.most)
		if why != "" && (entry.value != "" || entry.name != "securityToken") {
			return fmt.Errorf("%s %s", entry.name, why)
		}
	}
	switch {
	case !keyID.MatchString(k.id) && keyID.MatchString(k.secret):
		return errors.New("accessKeyID and accessKeySecret are swapped")
	case strings.ContainsFunc(k.id, func(r rune) bool { return r != '.' && r != '-' && r != '_' && !isAlphanumeric(r) }):
		return errors.New("accessKeyID holds a character that no access key ID has")
	}
	return nil
}

// oddity tells why a value cannot be one line of visible ASCII; "" if it is.
func oddity(s string, most int) string {
	switch {
	case s == "":
		return "is empty"
	case strings.HasPrefix(s, "\ufeff"):
		return "begins with a byte order mark: store it without"
	case strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") || strings.ContainsRune(s, 0):
		return "is in UTF-16: store it as plain text"
	case strings.ContainsAny(s, "\r\n"):
		return "holds a line break: store it without"
	case strings.ContainsAny(s, " \t"):
		return "holds a blank: store it without"
	case strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' }):
		return "holds a character that is not visible ASCII"
	case len(s) > most:
		return fmt.Sprintf("has more than %d characters", most)
	}
	return ""
}

// keyID is the shape of the vendor's access key IDs.
var keyID = regexp.MustCompile(`^(LTAI|STS\.|TMP\.)[A-Za-z0-9.]{12,124}$`)

// MaskedID returns an access key ID so that its owner knows it again. Of what is
// none, such as a secret in its place, nothing is shown.
func MaskedID(id string) string {
	if !keyID.MatchString(id) {
		return "****"
	}
	return id[:4] + "****" + id[len(id)-4:]
}
