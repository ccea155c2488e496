// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "time"

// Some configurations have an ID that the cloud gives them, and are found in lists that
// may lag. A client remembers the ID of what an object owns, so that a change and a
// removal reach it all the same, and that none is created twice.

// identity is what a client knows of a configuration with an ID. It has none if it may
// have been created, but the reply was lost.
type identity struct {
	id      string
	ours    bool // an object owns it
	written time.Time
}

// inDoubt is for how long one that may have been created is looked for before another
// one is: a create has no token that would tell a repeat.
const inDoubt = 20 * time.Second

// identified returns what is known of the configuration of a key.
func (c *Client) identified(key string) identity {
	known, _ := c.identities.Load(key)
	i, _ := known.(identity)
	return i
}

// remind notes what an object owns, by its status. What is known already is newer.
func (c *Client) remind(key, id string) {
	if !c.identified(key).ours {
		c.identities.Store(key, identity{id, true, c.options.Now()})
	}
}

// shown notes what a list has.
func (c *Client) shown(key, id string) {
	c.identities.Store(key, identity{id: id, ours: c.identified(key).ours})
}

// owned returns the ID of what an object owns and a list does not have; "" for nothing. It
// is not known for a while after a create had no reply.
func (c *Client) owned(key string, creates Operation) (string, error) {
	i := c.identified(key)
	switch age := max(c.options.Now().Sub(i.written), 0); {
	case !i.ours:
		return "", nil
	case i.id == "" && age < inDoubt:
		return "", &Error{Class: Unavailable, Action: creates.Action, Code: codeTimeout, RetryAfter: inDoubt - age,
			Message: "it is not known yet whether it was created; the operator looks again before it goes on"}
	default:
		return i.id, nil
	}
}

// noted notes, and returns, what came of a write.
func (c *Client) noted(key, id string, err error) error {
	switch {
	case ClassOf(err) == NotFound:
		c.identities.Delete(key)
	case !Refused(err):
		c.identities.Store(key, identity{id, true, c.options.Now()})
	}
	return err
}

// removed notes, and returns, what came of a removal.
func (c *Client) removed(key string, err error) error {
	if err == nil || ClassOf(err) == NotFound {
		c.identities.Delete(key)
	}
	return err
}
