// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import "context"

// change is one way to bring a configuration to the cloud. Whether a write
// clears the fields that it leaves out is undocumented, and so is whether it
// replaces what exists: put tries it, and falls back to removing the
// configuration first.
type change[C comparable] struct {
	write  func(context.Context) error      // sends the wanted configuration
	read   func(context.Context) (C, error) // the configuration in the cloud
	remove func(context.Context) error      // removes it
	// create sends the wanted configuration when there is none.
	create func(context.Context) error
}

// put makes the cloud hold the wanted configuration in place of one that
// exists. kept tells whether the write left a field that it should have
// cleared; nil if the write clears none, so that nothing needs to be checked.
// A configuration that was just removed is written again by the next pass if
// the second write fails.
func (c change[C]) put(ctx context.Context, kept func(C) bool) error {
	err := c.write(ctx)
	if err != nil && ClassOf(err) != Exists {
		return err
	}
	if err == nil {
		if kept == nil {
			return nil
		}
		have, err := c.read(ctx)
		if err != nil || !kept(have) {
			return err
		}
	}
	return c.replace(ctx)
}

// rewrite is put where nothing that can be read would tell whether a field was
// cleared. It is written first all the same: what the cloud refuses, such as a URL
// that it takes for unsafe, is refused before anything is removed.
func (c change[C]) rewrite(ctx context.Context) error {
	if err := c.write(ctx); err != nil && ClassOf(err) != Exists {
		return err
	}
	return c.replace(ctx)
}

// replace removes the configuration and creates the wanted one. What began is
// finished, also when the operator is told to stop in between.
func (c change[C]) replace(ctx context.Context) error {
	if err := c.remove(ctx); err != nil {
		return err
	}
	return c.create(context.WithoutCancel(ctx))
}
