// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// Not all that kubectl's libraries do takes a context: they find out which kinds a
// cluster has, look for objects and read files without one. What is here makes an
// interrupt end that, too.

// interruptible makes all requests to a cluster end with the context.
func interruptible(ctx context.Context) func(*rest.Config) *rest.Config {
	return func(config *rest.Config) *rest.Config {
		if config.Timeout == 0 {
			config.Timeout = clusterTimeout
		}
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &ending{ctx, next} })
		return config
	}
}

// ending is a way to the cluster that ends with the context.
type ending struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e *ending) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(e.ctx, cancel) //nolint:contextcheck // the end of either ends the request
	done := func() { stop(); cancel() }
	reply, err := e.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		done()
		return nil, err
	}
	if reply.StatusCode == http.StatusSwitchingProtocols {
		// Nothing is upgraded here, and the body would be the connection itself, which
		// neither the context nor the timeout ends.
		_ = reply.Body.Close()
		reply.Body = http.NoBody
	}
	reply.Body = &endingBody{reply.Body, done}
	return reply, nil
}

// endingBody tells when a reply was read.
type endingBody struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (b *endingBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// unless does something that takes no context, and leaves it when the context ends:
// the program ends then.
func unless[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		value, err := do()
		ended <- result{value, err}
	}()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
