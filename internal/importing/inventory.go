// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/quota"
)

// Query selects what of an account is read.
type Query struct {
	Kinds   []*kind.Kind
	Domains []string // globs; none for all
	AppIDs  []string
	// Halt ends at the first configuration that cannot be read, with an Unread.
	Halt bool
	// Progress is told how much there is to read, and of each that was read; nil for
	// nobody.
	Progress func(read, known int)
	// Patience is that of the run.
	Patience *access.Patience
	// check judges what was read, while others wait for their turns; nil for no need.
	check func(ctx context.Context, f found) error
}

// found is one configuration that was looked for.
type found struct {
	kind *kind.Kind
	key  string
	id   string // the domain, or the application
	// channel is that of the application, for a kind that has several; "" for all.
	channel string
	have    kind.Config // nil for none
	bad     error       // nothing that a manifest may say
	err     error
	// foreign: it is of an application that this product of the cloud does not know.
	foreign bool
}

// object names the object in messages.
func (f found) object() string { return f.kind.Name + "/" + f.key }

// parallel is how many requests of one operation wait for their turn at a time.
const parallel = 8

// inventory reads all that a query selects, ordered by kind and key, and tells how many
// domains there are. With an error it is what was read until then.
func inventory(ctx context.Context, c *live.Client, q Query) (all []found, domains int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// What is asked for twice is read once.
	q.Kinds = slices.DeleteFunc(slices.Clone(kind.All), func(k *kind.Kind) bool { return !slices.Contains(q.Kinds, k) })
	q.AppIDs = slices.Compact(slices.Sorted(slices.Values(q.AppIDs)))
	i := &reading{client: c, query: q, roles: map[string]string{}, fail: cancel}
	var ingest, streaming []string
	for _, typed := range []struct {
		name string
		into *[]string
	}{{live.IngestType, &ingest}, {live.StreamingType, &streaming}} {
		if !slices.ContainsFunc(q.Kinds, func(k *kind.Kind) bool { return k.OfDomain && k.Ingest == (typed.name == live.IngestType) }) {
			continue
		}
		if *typed.into, err = listed(ctx, c, q.Patience, typed.name, q.Domains); err != nil {
			return nil, 0, err
		}
	}
	domains = len(ingest) + len(streaming)
	i.expect(ingest, streaming)
	var wg sync.WaitGroup
	for _, k := range q.Kinds {
		switch {
		case !k.OfDomain:
			wg.Go(func() { i.each(ctx, q.AppIDs, func(ctx context.Context, id string) { i.get(ctx, k, id) }) })
		case k.Ingest:
			wg.Go(func() { i.each(ctx, ingest, func(ctx context.Context, name string) { i.get(ctx, k, name) }) })
		}
	}
	wg.Go(func() { i.streaming(ctx, streaming) })
	wg.Wait()
	order := func(k *kind.Kind) int { return slices.Index(kind.All, k) }
	slices.SortFunc(i.all, func(a, b found) int {
		if a.kind != b.kind {
			return order(a.kind) - order(b.kind)
		}
		if a.key < b.key {
			return -1
		}
		return 1
	})
	if ctx.Err() != nil {
		return i.all, domains, context.Cause(ctx) // not all of it
	}
	return i.all, domains, nil
}

// strangers returns the applications that none of the products knows.
func strangers(all []found) map[string]bool {
	known, unknown := map[string]bool{}, map[string]bool{}
	for _, f := range all {
		// To the list of channels an application that is not there has none.
		lists, _ := manifest.FieldType(f.kind.Name, "channelID")
		if !f.foreign && (f.have != nil || f.err != nil || lists == "") {
			known[f.id] = true
		}
	}
	for _, f := range all {
		if f.foreign && !known[f.id] {
			unknown[f.id] = true
		}
	}
	return unknown
}

// maxPages bounds the pages of domains that are read, whatever the cloud says of
// their number.
const maxPages = 2000

// listed returns the domains of a type that match, sorted. Rows shift when domains
// come and go between pages: each counts once.
func listed(ctx context.Context, c *live.Client, patience *access.Patience, domainType string, globs []string) ([]string, error) {
	seen := map[string]bool{}
	for number := 1; ; number++ {
		var page []live.Domain
		var total int
		err := patience.Make(ctx, c, func(ctx context.Context) (err error) {
			page, total, err = c.Domains(ctx, domainType, number)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			if matches(globs, d.Name) {
				seen[d.Name] = true
			}
		}
		if len(page) == 0 || number*live.MaxDomainsPage >= total {
			break
		}
		if number == maxPages {
			return nil, fmt.Errorf("the cloud lists domains without an end: %d, it says", total)
		}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// matches tells whether a domain is one of the globs. None are all.
func matches(globs []string, domain string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := path.Match(glob, domain)
		return err == nil && ok
	})
}

// CheckGlobs tells which glob is none.
func CheckGlobs(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return errors.New("the glob " + live.Bound(glob, 100) + " is malformed")
		}
	}
	return nil
}

// reading is what one run reads.
type reading struct {
	client *live.Client
	query  Query
	fail   context.CancelCauseFunc

	mu    sync.Mutex
	all   []found
	known int
	roles map[string]string // of domains, as far as mappings told them
}

// expect counts what there is to read.
func (i *reading) expect(ingest, streaming []string) {
	for _, k := range i.query.Kinds {
		switch {
		case !k.OfDomain:
			i.known += len(i.query.AppIDs)
		case k.Ingest:
			i.known += len(ingest)
		default:
			i.known += len(streaming)
		}
	}
}

// each does something for all names, some at a time.
func (i *reading) each(ctx context.Context, names []string, do func(context.Context, string)) {
	work := make(chan string)
	var wg sync.WaitGroup
	for range min(parallel, len(names)) {
		wg.Go(func() {
			for name := range work {
				do(ctx, name)
			}
		})
	}
	for _, name := range names {
		select {
		case work <- name:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
}

// streaming reads the kinds of main streaming domains. The limit of the mapping is
// the tightest: the domains are told apart while those that are known are read.
func (i *reading) streaming(ctx context.Context, names []string) {
	var kinds []*kind.Kind
	for _, k := range i.query.Kinds {
		if k.OfDomain && !k.Ingest {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return
	}
	mains := map[*kind.Kind]chan string{}
	var readers sync.WaitGroup
	for _, k := range kinds {
		main := make(chan string, len(names))
		mains[k] = main // which only this function looks at
		for range parallel {
			readers.Go(func() {
				for name := range main {
					i.get(ctx, k, name)
				}
			})
		}
	}
	i.each(ctx, names, func(ctx context.Context, name string) {
		role, err := i.role(ctx, name)
		for _, k := range kinds {
			switch {
			case err != nil:
				i.note(found{kind: k, key: name, id: name, err: err})
			case role == live.PlayRole:
				i.note(found{kind: k, id: name}) // it has none
			default:
				mains[k] <- name
			}
		}
	})
	for _, k := range kinds {
		close(mains[k])
	}
	readers.Wait()
}

// role returns the role of a streaming domain; "" if nobody says.
func (i *reading) role(ctx context.Context, name string) (string, error) {
	if role, ok := i.roleOf(name); ok {
		return role, nil
	}
	var roles map[string]string
	err := i.query.Patience.Make(ctx, i.client, func(ctx context.Context) (err error) {
		roles, err = i.client.Mapping(ctx, name)
		return err
	})
	if err != nil {
		return "", err
	}
	i.learn(roles)
	return roles[name], nil
}

func (i *reading) roleOf(name string) (string, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	role, ok := i.roles[name]
	return role, ok
}

func (i *reading) learn(roles map[string]string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.Copy(i.roles, roles)
}

// get reads the configurations of a domain or an application: one, or one for each
// channel.
func (i *reading) get(ctx context.Context, k *kind.Kind, id string) {
	channels := []string{""}
	if typed, _ := manifest.FieldType(k.Name, "channelID"); typed != "" {
		// An error comes again from what follows.
		_ = i.query.Patience.Make(ctx, i.client, func(ctx context.Context) error {
			listed, err := i.client.Channels(ctx, id)
			if len(listed) > 0 {
				channels = listed
			}
			return err
		})
	}
	for _, channel := range channels {
		i.getOne(ctx, k, id, channel)
	}
}

// getOne reads one configuration, of a channel if it is not empty.
func (i *reading) getOne(ctx context.Context, k *kind.Kind, id, channel string) {
	key, err := keyOf(k, id, channel)
	f := found{kind: k, key: key, id: id, channel: channel, err: err}
	if err == nil {
		f.err = i.query.Patience.Make(ctx, i.client, func(ctx context.Context) (err error) {
			f.have, err = k.Remote(i.client).Get(ctx, quota.Least, key)
			return err
		})
	}
	switch class := live.ClassOf(f.err); {
	case class == live.WrongDomainType:
		f.err = nil // a domain of the other type, or a sub-streaming one: it has none
	case class == live.DomainNotFound && !k.OfDomain:
		f.err, f.foreign = nil, true // perhaps of another product: it has none in this one
	}
	if f.have != nil && f.err == nil && i.query.check != nil {
		f.bad = i.query.check(ctx, f)
	}
	i.note(f)
}

// Unread tells which configuration could not be read, and why.
type Unread struct {
	Object string // kind and key
	err    error
}

// Error returns the reason behind the object.
func (u *Unread) Error() string { return u.Object + ": " + u.err.Error() }

// Unwrap returns the reason.
func (u *Unread) Unwrap() error { return u.err }

// note keeps what was read.
func (i *reading) note(f found) {
	if f.err != nil && i.query.Halt {
		i.fail(&Unread{f.object(), f.err})
	}
	read, known := i.keep(f)
	if i.query.Progress != nil {
		i.query.Progress(read, known)
	}
}

func (i *reading) keep(f found) (read, known int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, f)
	return len(i.all), i.known
}
