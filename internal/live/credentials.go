// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"sync"
	"time"

	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
)

// Credentials prove to the cloud who is calling. They come from the vendor's
// credentials library, which refreshes temporary ones. Nothing is loaded before
// the first request.
type Credentials struct {
	provider credentials.Credential
}

// sessionName is that of all role sessions, for the cloud's audit log.
const sessionName = "live-notify-operator"

// OwnCredentials returns the credentials of the process's surroundings, by the
// library's default chain: the ALIBABA_CLOUD_* environment, an RRSA token
// mount, the vendor's configuration file, the RAM role of the ECS instance.
func OwnCredentials() (Credentials, error) {
	return from(&ownProvider{}, nil)
}

// ownProvider is the library's default chain, which remembers its first search
// also when that found nothing: then it is searched again, since credentials may
// turn up later.
type ownProvider struct {
	chain providers.CredentialsProvider
	found bool // the chain has found its link: stay with that identity
}

// GetCredentials implements the library's provider.
func (p *ownProvider) GetCredentials() (*providers.Credentials, error) {
	if !p.found {
		p.chain = providers.NewDefaultCredentialsProvider()
	}
	c, err := p.chain.GetCredentials()
	p.found = p.found || err == nil
	return c, err
}

// GetProviderName implements the library's provider.
func (p *ownProvider) GetProviderName() string { return "default" }

// AccessKey returns the credentials of an access key. The token is that of
// temporary credentials, else empty.
func AccessKey(id, secret, token string) (Credentials, error) {
	if token != "" {
		return from(providers.NewStaticSTSCredentialsProviderBuilder().
			WithAccessKeyId(id).WithAccessKeySecret(secret).WithSecurityToken(token).Build())
	}
	return from(providers.NewStaticAKCredentialsProviderBuilder().
		WithAccessKeyId(id).WithAccessKeySecret(secret).Build())
}

// ECSRAMRole returns the credentials of the RAM role of the ECS instance that
// the process runs on.
func ECSRAMRole(name string) (Credentials, error) {
	return from(providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(name).Build())
}

// OIDC returns the credentials of a RAM role that an OIDC token is exchanged
// for (RRSA). mint returns a new token and when it expires. stsEndpoint is a
// host, empty for the library's default.
func OIDC(roleARN, providerARN, stsEndpoint string, mint func(context.Context) (string, time.Time, error)) (Credentials, error) {
	return from(&oidcProvider{mint: mint, exchange: func(token string) (providers.CredentialsProvider, error) {
		return providers.NewOIDCCredentialsProviderBuilder().
			WithRoleArn(roleARN).WithOIDCProviderARN(providerARN).WithOIDCToken(token).
			WithRoleSessionName(sessionName).WithSTSEndpoint(stsEndpoint).Build()
	}}, nil)
}

// Assume returns the credentials of a RAM role that is assumed with c.
func (c Credentials) Assume(roleARN, externalID, stsEndpoint string) (Credentials, error) {
	return from(providers.NewRAMRoleARNCredentialsProviderBuilder().
		WithCredentialsProvider(base{c.provider}).WithRoleArn(roleARN).WithExternalId(externalID).
		WithRoleSessionName(sessionName).WithStsEndpoint(stsEndpoint).Build())
}

// Load loads the credentials, as a request would. The error is of class
// NoCredentials.
func (c Credentials) Load() error { return c.load("credentials") }

func (c Credentials) load(action string) error {
	if _, err := c.provider.GetCredential(); err != nil {
		return noCredentials(action, err)
	}
	return nil
}

func from[P providers.CredentialsProvider](provider P, err error) (Credentials, error) {
	if err != nil {
		return Credentials{}, noCredentials("credentials", err)
	}
	return Credentials{credentials.FromCredentialsProvider(provider.GetProviderName(), &serial{CredentialsProvider: provider})}, nil
}

// serial lets one request at a time ask a provider: those of the library refresh
// temporary credentials without regard to others.
type serial struct {
	providers.CredentialsProvider
	mu sync.Mutex
}

// GetCredentials implements the library's provider.
func (s *serial) GetCredentials() (*providers.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.CredentialsProvider.GetCredentials()
}

// base makes a provider of credentials, for a role to be assumed with.
type base struct{ credentials.Credential }

func (b base) GetProviderName() string { return *b.GetType() }

func (b base) GetCredentials() (*providers.Credentials, error) {
	model, err := b.GetCredential()
	if err != nil {
		return nil, err
	}
	return &providers.Credentials{
		AccessKeyId: value(model.AccessKeyId), AccessKeySecret: value(model.AccessKeySecret),
		SecurityToken: value(model.SecurityToken), ProviderName: value(model.ProviderName),
	}, nil
}

// mintTimeout bounds the minting of a token, in which the library has no say.
const mintTimeout = 10 * time.Second

// oidcProvider exchanges a token for a role session, and a new token for
// another before the token expires. The library's own provider reads a token
// once or from a file; the tokens here are minted in memory.
type oidcProvider struct {
	mint     func(context.Context) (string, time.Time, error)
	exchange func(token string) (providers.CredentialsProvider, error)

	session providers.CredentialsProvider
	renew   time.Time
}

func (p *oidcProvider) GetProviderName() string { return "oidc_role_arn" }

func (p *oidcProvider) GetCredentials() (*providers.Credentials, error) {
	now := time.Now()
	if p.session == nil || now.After(p.renew) {
		ctx, cancel := context.WithTimeout(context.Background(), mintTimeout)
		defer cancel()
		token, expires, err := p.mint(ctx)
		if err != nil {
			return nil, err
		}
		if p.session, err = p.exchange(token); err != nil {
			return nil, err
		}
		p.renew = now.Add(expires.Sub(now) * 4 / 5)
	}
	return p.session.GetCredentials()
}
