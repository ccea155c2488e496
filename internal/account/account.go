// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/plan"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Options configure Accounts.
type Options struct {
	// Credentials, Region and Endpoint are those of the operator's own account.
	Credentials      live.Credentials
	Region, Endpoint string
	// Share is how much of each documented limit the operator uses of one cloud
	// account, in all its LiveAccounts together; live.DefaultQuotaShare if 0.
	Share float64
	// RequireRef refuses objects that lean on the operator's own account, and
	// LiveAccounts that lean on the role of its instance.
	RequireRef bool
	// AllowInsecure permits plain http endpoints that are not loopback.
	AllowInsecure bool
	// Timeout of one request; live.DefaultTimeout if 0.
	Timeout time.Duration
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// TokenService tells whose credentials are; nil if none is asked.
	TokenService *live.TokenService
}

// Account is a cloud account as it was when it was found.
type Account struct {
	// Label is the namespace and name of the LiveAccount, or "own".
	Label string
	// Name of the LiveAccount; "" for the operator's own account.
	Name string
	// ID of the cloud account, as the token service told it; "" if it did not yet.
	ID string
	// Asked tells that the token service was asked for it.
	Asked bool
	// Identity that is in use, for people.
	Identity string
	// Version changes when the credentials or the endpoint do, and never else.
	Version string
	Client  *live.Client
	Limits  *quota.Limits

	credentials live.Credentials
}

// OwnLabel is the label of the operator's own account.
const OwnLabel = "own"

// Accounts finds the account that an object is managed through.
type Accounts struct {
	Options
	cluster  client.Client // by way of a cache
	uncached client.Reader

	mu     sync.Mutex
	units  map[string]*unit         // by label
	shared map[string]*quota.Limits // by ID of the cloud account
}

// unit is what an account keeps while its credentials come and go.
type unit struct {
	limits  *quota.Limits
	breaker *quota.Breaker
	account *Account // the last one that could be opened; nil before
	made    string   // of what versions of the LiveAccount and the Secret
	id      string   // told by the token service for the credentials of account
	lastID  string   // and the last that it told at all
	asked   time.Time
	answer  error // of the token service when it was asked last
}

// New returns the accounts that a client of the cluster sees.
func New(c client.Client, uncached client.Reader, o Options) (*Accounts, error) {
	if o.Share == 0 {
		o.Share = live.DefaultQuotaShare
	}
	a := &Accounts{Options: o, cluster: c, uncached: uncached, units: map[string]*unit{}, shared: map[string]*quota.Limits{}}
	own := &Account{Label: OwnLabel, Identity: "the operator's own", Version: OwnLabel, credentials: o.Credentials}
	u := a.unit(OwnLabel)
	var err error
	if own.Client, err = a.client(u, OwnLabel, o.Region, o.Endpoint, o.Credentials); err != nil {
		return nil, err
	}
	u.limits.SetShare(o.Share)
	own.Limits, u.account = u.limits, own
	return a, nil
}

// Find returns the account for an object of a namespace that refers to a
// LiveAccount, or to none, and manages a domain, or none. An account that cannot
// be used is a plan.Unavailable.
func (a *Accounts) Find(ctx context.Context, namespace string, ref *v1alpha1.AccountReference, domain string) (*Account, error) {
	if ref == nil {
		if a.RequireRef {
			return nil, plan.Unusable("The operator runs with --require-account-ref. Name a LiveAccount of this namespace in spec.accountRef.")
		}
		return a.known(OwnLabel, ""), nil
	}
	var account v1alpha1.LiveAccount
	err := a.cluster.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, &account)
	if apierrors.IsNotFound(err) {
		return nil, plan.Unusable("LiveAccount %q does not exist. Create it, or correct spec.accountRef.", ref.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading LiveAccount %q: %w", ref.Name, err)
	}
	if !allows(account.Spec.AllowedDomains, domain) {
		return nil, &plan.Unavailable{
			Reason:  v1alpha1.ReasonAccessDenied,
			Message: fmt.Sprintf("LiveAccount %q does not allow the domain %s. Whoever owns the account can add it to spec.allowedDomains.", ref.Name, domain),
		}
	}
	return a.Open(ctx, &account)
}

// Last returns the account as it last could be opened; nil if it never was. It is
// for removing what an object leaves in the cloud, whatever has become of the
// LiveAccount and its Secret.
func (a *Accounts) Last(namespace string, ref *v1alpha1.AccountReference) *Account {
	if ref == nil {
		return a.known(OwnLabel, "")
	}
	return a.known(labelOf(namespace, ref.Name), "")
}

// KnownID returns the ID of the cloud account that a LiveAccount, or the
// operator's own account, was last told to be; "" if none ever was.
func (a *Accounts) KnownID(namespace, name string) (id string) {
	a.locked(labelOf(namespace, name), func(u *unit) { id = u.lastID })
	return id
}

func labelOf(namespace, name string) string {
	if name == "" {
		return OwnLabel
	}
	return namespace + "/" + name
}

// known returns the account of a label as it last could be opened, with the ID
// that is known by now; nil if that was not of these versions, where there are any.
func (a *Accounts) known(label, made string) *Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.units[label]
	if u == nil || u.account == nil || made != "" && u.made != made {
		return nil
	}
	account := *u.account
	account.ID, account.Asked = u.id, u.id != "" || u.answer != nil
	return &account
}

// unit returns that of a label, a new one if there is none.
func (a *Accounts) unit(label string) *unit {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.units[label]
	if u == nil {
		u = &unit{
			limits:  quota.NewLimits(live.DefaultQuotaShare, live.Report(label)),
			breaker: quota.NewBreaker(live.Available(label)),
		}
		if a.Now != nil {
			u.breaker.SetClock(a.Now)
			u.limits.SetClock(a.Now)
		}
		a.units[label] = u
	}
	return u
}

// Forget drops an account whose LiveAccount is gone, and its series.
func (a *Accounts) Forget(namespace, name string) {
	label := labelOf(namespace, name)
	a.locked(label, func(u *unit) {
		u.limits.Join(nil)
		delete(a.units, label)
	})
	live.ForgetAccount(label)
}

// locked does something with the unit of a label, if there is one.
func (a *Accounts) locked(label string, do func(*unit)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u := a.units[label]; u != nil {
		do(u)
	}
}

// allows tells whether a domain matches one of the globs. An empty list allows
// any, and only domains are restricted.
func allows(globs []string, domain string) bool {
	return len(globs) == 0 || domain == "" || slices.ContainsFunc(globs, func(glob string) bool {
		// The schema admits no pattern but *, and a domain has no slash for it
		// to stop at.
		match, err := path.Match(glob, domain)
		return err == nil && match
	})
}

// Load loads the credentials, as a request would.
func (a *Account) Load(ctx context.Context) error { return a.credentials.Load(ctx) }
