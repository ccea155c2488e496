// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/account"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
)

// DefaultSharePercent of each documented limit is what a run uses at most: an
// operator beside it hardly notices.
const DefaultSharePercent = 10

// Options configure Clouds.
type Options struct {
	// Cluster is the caller's own client; nil without a cluster.
	Cluster client.Client
	// Namespace of Account.
	Namespace string
	// Account is a LiveAccount that takes the place of each object's own; "" for
	// none.
	Account string
	// Region and Endpoint are those of the vendor's default credentials.
	Region, Endpoint string
	TokenService     string // endpoint; "" for the vendor's
	AllowInsecure    bool
	SharePercent     int // DefaultSharePercent if 0
	// Sleep waits between the tries of a request; nil for time itself.
	Sleep func(context.Context, time.Duration) error
}

// Clouds are the cloud accounts that a run calls.
type Clouds struct {
	// Patience is that of the run.
	Patience *Patience

	options  Options
	accounts *account.Accounts
	chain    live.Credentials
}

// Open returns the clouds. Nothing is called, and no credentials are loaded.
func Open(o Options) (*Clouds, error) {
	if o.SharePercent == 0 {
		o.SharePercent = DefaultSharePercent
	}
	chain, err := live.OwnCredentials()
	if err != nil {
		return nil, err
	}
	tokens, err := live.NewTokenService(o.TokenService, o.AllowInsecure)
	if err != nil {
		return nil, fmt.Errorf("--sts-endpoint: %w", err)
	}
	cluster := client.Client(none{})
	if o.Cluster != nil {
		cluster = modest{o.Cluster, int32(o.SharePercent)}
	}
	accounts, err := account.New(cluster, cluster, account.Options{
		Credentials: chain, Region: o.Region, Endpoint: o.Endpoint, AllowInsecure: o.AllowInsecure,
		Share: float64(o.SharePercent) / 100, TokenService: tokens,
	})
	if err != nil {
		return nil, err
	}
	patience := &Patience{Sleep: o.Sleep}
	return &Clouds{patience, o, accounts, chain}, nil
}

// Of returns the account for an object of a namespace that refers to a LiveAccount,
// or to none, and manages a domain, or none. One that cannot be used is a
// plan.Unavailable.
func (c *Clouds) Of(ctx context.Context, namespace string, ref *v1alpha1.AccountReference, domain string) (*account.Account, error) {
	if c.options.Account != "" {
		namespace, ref = c.options.Namespace, &v1alpha1.AccountReference{Name: c.options.Account}
	}
	if c.options.Cluster == nil {
		if c.options.Account != "" {
			return nil, errors.New("--account names a LiveAccount of a cluster, and there is no cluster")
		}
		ref = nil
	}
	return c.accounts.Find(ctx, namespace, ref, domain)
}

// Default returns the account that --account names, else that of the vendor's
// default credentials.
func (c *Clouds) Default(ctx context.Context) (*account.Account, error) {
	return c.Of(ctx, c.options.Namespace, nil, "")
}

// Host returns the endpoint of the vendor's default credentials.
func (c *Clouds) Host() string { return c.accounts.Last("", nil).Client.Host() }

// modest is a cluster whose LiveAccounts give a run no more than its share.
type modest struct {
	client.Client
	percent int32
}

// Get implements client.Reader.
func (m modest) Get(ctx context.Context, key types.NamespacedName, into client.Object, opts ...client.GetOption) error {
	err := m.Client.Get(ctx, key, into, opts...)
	if a, ok := into.(*v1alpha1.LiveAccount); ok && err == nil {
		a.Spec.QuotaSharePercent = min(a.Spec.QuotaSharePercent, m.percent)
		if a.Spec.QuotaSharePercent == 0 {
			a.Spec.QuotaSharePercent = m.percent
		}
	}
	return err
}

// none is no cluster: it has nothing.
type none struct{ client.Client }

// Get implements client.Reader.
func (none) Get(_ context.Context, key types.NamespacedName, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("").GroupResource(), key.Name)
}

// unauthorized is how the API server begins to refuse a call about Secrets: it says who may
// not do what where, and nothing of what was sent.
var unauthorized = regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: User "[^"]*" cannot [a-z]+ resource "secrets" in API group "" (?:in the namespace "[^"]*"|at the cluster scope)`)

// ofSecrets returns what the API server says of Secrets: without what may be a value, but
// with a name that is shown anyway.
func ofSecrets(said, name string) string {
	safe := unauthorized.FindString(said)
	rest := live.Clean(strings.ReplaceAll(said[len(safe):], strconv.Quote(name), placeholder), 500)
	return live.Bound(safe, 1000) + strings.ReplaceAll(rest, placeholder, strconv.Quote(name))
}

// placeholder stands for a name where what may be a value is hidden.
const placeholder = `"NAME"`

// Explain says what an error of a call, or of an account, means, with what to do,
// in words that can be shown: nothing of a library's own is in it. A name that the caller
// shows anyway is not hidden in it.
func Explain(err error, name ...string) (reason, message string) {
	if u, ok := errors.AsType[*plan.Unavailable](err); ok {
		return u.Reason, u.Message
	}
	if e, ok := errors.AsType[*live.Error](err); ok {
		v := plan.Failed(e)
		if e.Class == live.Throttled {
			return v.Reason, strings.Replace(v.Message, "The operator retries by itself.", usedUp(e.Action), 1)
		}
		said := strings.NewReplacer("The operator retries by itself.", "Try again later.",
			"or those of the operator if spec.accountRef is not set", "or name a LiveAccount with --account")
		return v.Reason, said.Replace(v.Message)
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		s := status.Status()
		said := live.Bound(strings.Join(strings.Fields(s.Message), " "), 500)
		if s.Details == nil || s.Details.Kind == "secrets" || apierrors.IsInvalid(err) {
			said = ofSecrets(s.Message, strings.Join(name, "")) // which may repeat a value
		}
		return string(s.Reason), "The API server says: " + said
	}
	if errors.Is(err, context.Canceled) {
		return "Interrupted", "It was interrupted."
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "Unreachable", "The API server does not answer: check the kubeconfig, the address and the network."
	}
	return "Failed", live.Clean(err.Error(), 500)
}
