// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
)

// DefaultTokenService is the endpoint of the vendor's token service.
const DefaultTokenService = "sts.aliyuncs.com"

// sessionName is that of all role sessions, for the cloud's audit log.
const sessionName = "live-notify-operator"

// TokenService tells whose credentials are, and gives sessions of roles. The vendor's
// credentials library, which could do the latter, prints signed requests, and does not
// listen to a context.
type TokenService struct{ wire *wire }

// NewTokenService returns the token service at an endpoint, [http[s]://]host[:port];
// the vendor's if empty. Plain http is for loopback, unless allowInsecure is true.
func NewTokenService(endpoint string, allowInsecure bool) (*TokenService, error) {
	e, err := parseEndpoint(endpoint, DefaultTokenService, allowInsecure)
	if err != nil {
		return nil, err
	}
	return &TokenService{newWire(e, "2015-04-01", "")}, quiet()
}

// asked makes one request to the token service, signed unless there are no keys.
func asked[Reply any](ctx context.Context, t *TokenService, signed *keys, action string, request any) (*Reply, *exchange, error) {
	return ask[Reply](ctx, t.wire, DefaultTimeout, signed, http.MethodPost, action, request)
}

// accountID is the shape of the ID of a cloud account.
var accountID = regexp.MustCompile(`^[0-9]{1,32}$`)

// Identify returns the ID of the cloud account whose credentials are. The error is an *Error, of class
// NoCredentials if there are none or the token service says that they are no good,
// else Unavailable, or the context's.
func (t *TokenService) Identify(ctx context.Context, c Credentials) (string, error) {
	const action = "GetCallerIdentity"
	signed, err := c.source.load(ctx)
	if err != nil {
		return "", err
	}
	reply, _, err := asked[sts.GetCallerIdentityResponseBody](ctx, t, signed, action, nil)
	if err != nil {
		return "", identifying(c.source.judge(signed, err))
	}
	if !accountID.MatchString(value(reply.AccountId)) {
		return "", malformed(action, "the reply has no account ID")
	}
	return *reply.AccountId, nil
}

// identifying gives an error of the token service its class.
func identifying(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code == codeExpired && e.Class == Unavailable {
		return err
	}
	e.Class = Unavailable
	for _, prefix := range []string{"InvalidAccessKeyId.", codeSignature, "InvalidSecurityToken."} {
		if strings.HasPrefix(e.Code, prefix) {
			e.Class = NoCredentials
		}
	}
	return e
}

// Assume returns the credentials of a RAM role that is assumed with others. The
// external ID is optional.
func (t *TokenService) Assume(base Credentials, roleARN, externalID string) Credentials {
	req := &sts.AssumeRoleRequest{RoleArn: &roleARN, ExternalId: optional(externalID), RoleSessionName: new(sessionName)}
	return from(func(ctx context.Context, _ bool) (session, error) {
		signed, err := base.source.load(ctx)
		if err != nil {
			return session{}, err
		}
		reply, x, err := asked[sts.AssumeRoleResponseBody](ctx, t, signed, "AssumeRole", req)
		if err != nil {
			return session{}, loadingError(base.source.judge(signed, err))
		}
		return x.session(reply.Credentials)
	})
}

// Exchange returns the credentials of a RAM role that an OIDC token is exchanged
// for (RRSA). mint returns a new token; its error is in words of our own.
func (t *TokenService) Exchange(roleARN, providerARN string, mint func(context.Context) (string, error)) Credentials {
	return from(func(ctx context.Context, _ bool) (session, error) {
		token, err := mint(ctx)
		if err != nil {
			return session{}, noCredentials("no token to exchange: " + Clean(err.Error(), maxMessage))
		}
		reply, x, err := asked[sts.AssumeRoleWithOIDCResponseBody](ctx, t, nil, "AssumeRoleWithOIDC", &sts.AssumeRoleWithOIDCRequest{
			RoleArn: &roleARN, OIDCProviderArn: &providerARN, OIDCToken: &token, RoleSessionName: new(sessionName),
		})
		if err != nil {
			return session{}, loadingError(err)
		}
		return x.session((*sts.AssumeRoleResponseBodyCredentials)(reply.Credentials))
	})
}

// loadingError gives the error of a token service the class of credentials that
// cannot be loaded: of the request that needs them, nothing was sent.
func loadingError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Class = NoCredentials
		return e
	}
	return noCredentials(late) // nobody but the load's own timeout ends it
}

// renewing is how long before its end a session is replaced, and longest for how
// long one is kept at most, whatever the reply says.
const (
	renewing = 5 * time.Minute
	longest  = 12 * time.Hour
)

// session returns one that the reply gave. Its end is told by the clock of the token
// service: ours may be wrong.
func (x *exchange) session(c *sts.AssumeRoleResponseBodyCredentials) (session, error) {
	if c == nil {
		c = &sts.AssumeRoleResponseBodyCredentials{}
	}
	s := session{keys: keys{value(c.AccessKeyId), value(c.AccessKeySecret), value(c.SecurityToken)}, renews: true}
	end, err := time.Parse(time.RFC3339, value(c.Expiration))
	if err != nil || s.token == "" || s.check() != nil {
		return session{}, loadingError(malformed(x.action, "the reply has no session"))
	}
	if x.date.IsZero() {
		x.date = x.received
	}
	left := min(end.Sub(x.date), longest)
	if left <= 0 {
		return session{}, loadingError(malformed(x.action, "the reply has a session that has ended already"))
	}
	s.expires = x.received.Add(left)
	s.renew = s.expires.Add(-min(renewing, left/2))
	return s, nil
}
