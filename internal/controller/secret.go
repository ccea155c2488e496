// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// authentication is the state of an object's authentication key. The key itself is
// not kept.
type authentication struct {
	version     string // of its Secret; "" without a Secret
	fingerprint string // of the key; "" if it cannot be used
	rotated     bool   // it is another key than was last written
}

// authentication tells whether the key is another than was last written. The
// Secret is read only if it was touched since.
func (p *pass) authentication(ctx context.Context) (authentication, error) {
	ref := p.kind.KeyRef(p.wanted())
	if ref == nil {
		return authentication{}, nil
	}
	version, err := account.SecretVersion(ctx, p.Client, p.obj.GetNamespace(), ref.Name)
	if err != nil {
		return authentication{}, err
	}
	if a := p.status.Applied; a != nil && a.SecretVersion == version && version != "" {
		return authentication{version, a.KeyFingerprint, false}, nil
	}
	if p.mem.key.version == version && version != "" {
		return p.mem.key, nil
	}
	_, auth, err := p.authKey(ctx)
	if _, unavailable := asUnavailable(err); unavailable {
		return authentication{version: version, rotated: true}, nil
	}
	return auth, err
}

// authKey reads the authentication key, once in a pass. One that cannot be used is
// a plan.Unavailable.
func (p *pass) authKey(ctx context.Context) (live.Key, authentication, error) {
	if p.keyRead == nil {
		key, auth, err := p.readKey(ctx)
		p.keyRead = func() (live.Key, authentication, error) { return key, auth, err }
	}
	return p.keyRead()
}

func (p *pass) readKey(ctx context.Context) (live.Key, authentication, error) {
	ref := p.kind.KeyRef(p.wanted())
	if ref == nil {
		return "", authentication{}, nil
	}
	secret, err := account.ReadSecret(ctx, p.uncached, p.obj.GetNamespace(), ref.Name)
	if err != nil {
		return "", authentication{}, err
	}
	if secret == nil {
		return "", authentication{}, keyUnavailable("Secret %q does not exist: create it with the key in entry %q", ref.Name, ref.Key)
	}
	value, found := secret.Data[ref.Key]
	if !found {
		return "", authentication{}, keyUnavailable("Secret %q has no entry %q: add it", ref.Name, ref.Key)
	}
	key, err := live.ParseKey(string(value), p.kind.MaxAuthKey)
	if err != nil {
		return "", authentication{}, keyUnavailable("entry %q of Secret %q %w", ref.Key, ref.Name, err)
	}
	auth := authentication{version: string(secret.UID) + "/" + secret.ResourceVersion, fingerprint: kind.Fingerprint(p.obj, key)}
	a := p.status.Applied
	auth.rotated = a == nil || a.KeyFingerprint != auth.fingerprint
	p.mem.key = auth
	return key, auth, nil
}

// hide returns what the cloud said without the credentials of URLs, without those of the
// account, and without the authentication key, if this pass has read it. The cloud shows
// the key, and someone may have put it where it does not belong.
func (p *pass) hide(text string) string {
	var key live.Key
	if p.keyRead != nil {
		key, _, _ = p.keyRead()
	}
	if p.account == nil {
		return callback.HideIn(text, string(key))
	}
	return p.account.Client.Hide(text, key)
}

// hideIn hides keys and credentials in a failed callback, which is noted in the status.
func (p *pass) hideIn(ctx context.Context, f *live.Failure) {
	if f == nil {
		return
	}
	if p.kind.KeyRef(p.wanted()) != nil {
		_, _, _ = p.authKey(ctx) // without it there is no key to hide
	}
	for _, said := range []*string{&f.Type, &f.URL, &f.AppName, &f.StreamName, &f.Reason} {
		*said = p.hide(*said)
	}
}

func keyUnavailable(format string, args ...any) error {
	return &plan.Unavailable{
		Reason:  v1alpha1.ReasonAuthKeyUnavailable,
		Message: "The authentication key cannot be used: " + words.Sentence(fmt.Errorf(format, args...).Error()) + " The cloud keeps what it has.",
	}
}
