// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

// DefaultTokenService is the endpoint of the vendor's token service.
const DefaultTokenService = "sts.aliyuncs.com"

// sessionName is that of all role sessions, for the cloud's audit log.
const sessionName = "live-notify-operator"

// TokenService tells whose credentials are, and gives sessions of roles. It is
// called by the vendor's SDK through the transport of this package: the vendor's
// credentials library prints signed requests, and does not listen to a context.
type TokenService struct {
	sdk       *sts.Client
	transport *transport
}

// NewTokenService returns the token service at an endpoint, [http[s]://]host[:port];
// the vendor's if empty. Plain http is for loopback, unless allowInsecure is true.
func NewTokenService(endpoint string, allowInsecure bool) (*TokenService, error) {
	e, err := parseEndpoint(endpoint, DefaultTokenService, allowInsecure)
	if err != nil {
		return nil, err
	}
	if err := quiet(); err != nil {
		return nil, err
	}
	c, err := sts.NewClient(&utils.Config{Endpoint: &e.host, Protocol: &e.scheme})
	if err != nil {
		return nil, fmt.Errorf("setting up the SDK of the token service (%T)", err)
	}
	// As requests to the Live API are: the signature is in the header, not in a URL.
	c.SignatureAlgorithm = nil
	c.DisableSDKError = new(true)
	return &TokenService{c, newTransport()}, nil
}

// bound is the transport within a context, which the methods of this SDK do not take.
type bound struct {
	*transport
	ctx context.Context
}

func (b bound) Call(req *http.Request, t *http.Transport) (*http.Response, error) {
	return b.transport.Call(req.WithContext(b.ctx), t)
}

// ask makes one request to the token service, signed unless there are no keys.
func ask[Req, Resp any](
	ctx context.Context, t *TokenService, signed *keys, action string,
	do func(*sts.Client, Req, *dara.RuntimeOptions) (Resp, error), req Req,
) (Resp, *exchange, error) {
	return send(ctx, DefaultTimeout, action, func(ctx context.Context) (Resp, error) {
		one := *t.sdk
		one.HttpClient = bound{t.transport, ctx}
		if signed != nil {
			one.Credential = credential(signed)
		}
		return do(&one, req, &dara.RuntimeOptions{})
	})
}

// Identity is whose credentials are.
type Identity struct {
	AccountID string // of the cloud account: digits
	ARN       string
}

// accountID is the shape of the ID of a cloud account.
var accountID = regexp.MustCompile(`^[0-9]{1,32}$`)

// Identify returns whose credentials are. The error is an *Error, of class
// NoCredentials if there are none or the token service says that they are no good,
// else Unavailable, or the context's.
func (t *TokenService) Identify(ctx context.Context, c Credentials) (Identity, error) {
	const action = "GetCallerIdentity"
	signed, err := c.source.load(ctx)
	if err != nil {
		return Identity{}, err
	}
	reply, _, err := ask(ctx, t, signed, action, func(s *sts.Client, _ any, o *dara.RuntimeOptions) (*sts.GetCallerIdentityResponse, error) {
		return s.GetCallerIdentityWithOptions(o)
	}, nil)
	if err != nil {
		return Identity{}, identifying(c.source.judge(signed, err))
	}
	if !accountID.MatchString(value(reply.Body.AccountId)) {
		return Identity{}, malformed(action, "the reply has no account ID")
	}
	return Identity{AccountID: *reply.Body.AccountId, ARN: Bound(value(reply.Body.Arn), 512)}, nil
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
	const action = "AssumeRole"
	req := &sts.AssumeRoleRequest{RoleArn: &roleARN, ExternalId: optional(externalID), RoleSessionName: new(sessionName)}
	return from(func(ctx context.Context, _ bool) (session, error) {
		signed, err := base.source.load(ctx)
		if err != nil {
			return session{}, err
		}
		reply, x, err := ask(ctx, t, signed, action, (*sts.Client).AssumeRoleWithOptions, req)
		if err != nil {
			return session{}, loadingError(base.source.judge(signed, err))
		}
		return x.session(reply.Body.Credentials)
	})
}

// Exchange returns the credentials of a RAM role that an OIDC token is exchanged
// for (RRSA). mint returns a new token; its error is in words of our own.
func (t *TokenService) Exchange(roleARN, providerARN string, mint func(context.Context) (string, error)) Credentials {
	const action = "AssumeRoleWithOIDC"
	return from(func(ctx context.Context, _ bool) (session, error) {
		token, err := mint(ctx)
		if err != nil {
			return session{}, noCredentials("no token to exchange: " + Clean(err.Error(), maxMessage))
		}
		reply, x, err := ask(ctx, t, nil, action, (*sts.Client).AssumeRoleWithOIDCWithOptions, &sts.AssumeRoleWithOIDCRequest{
			RoleArn: &roleARN, OIDCProviderArn: &providerARN, OIDCToken: &token, RoleSessionName: new(sessionName),
		})
		if err != nil {
			return session{}, loadingError(err)
		}
		return x.session((*sts.AssumeRoleResponseBodyCredentials)(reply.Body.Credentials))
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
	left := max(0, min(end.Sub(x.date), longest))
	s.expires = x.received.Add(left)
	s.renew = s.expires.Add(-min(renewing, left/2))
	return s, nil
}
