// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

type endpoint struct{ scheme, host string }

// split splits [http[s]://]host[:port].
func split(endpoint string) (scheme, host string) {
	if scheme, host, found := strings.Cut(endpoint, "://"); found {
		return scheme, host
	}
	return "https", endpoint
}

// parseEndpoint reads [http[s]://]host[:port]. Plain http is for loopback,
// since requests carry authentication keys, unless insecure is true.
func parseEndpoint(s, fallback string, insecure bool) (endpoint, error) {
	scheme, host := split(cmp.Or(s, fallback))
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || scheme != "http" && scheme != "https" || u.Hostname() == "" || u.Host != host || !isPort(u.Port(), host) {
		return endpoint{}, errors.New("the endpoint is not host or host:port, with or without https:// in front")
	}
	if scheme == "http" && !insecure && !isLoopback(u.Hostname()) {
		return endpoint{}, errors.New("the endpoint would be sent authentication keys in clear: use https://, or give --allow-insecure-endpoints")
	}
	return endpoint{scheme, host}, nil
}

// CheckEndpoint tells why a client would not use an endpoint, without repeating it.
func CheckEndpoint(endpoint string, allowInsecure bool) error {
	_, err := parseEndpoint(endpoint, DefaultEndpoint, allowInsecure)
	return err
}

// HostOf returns what Host returns of a client to an endpoint.
func HostOf(endpoint string) string {
	_, host := split(endpoint)
	return strings.ToLower(cmp.Or(host, DefaultEndpoint))
}

// vendor are the endpoints of ApsaraVideo Live.
var vendor = regexp.MustCompile(`^live(\.[a-z0-9-]+|-vpc\.[a-z0-9-]+)?\.aliyuncs\.com(:443)?$`)

// VendorEndpoint tells whether a host, as Host returns it, is one of the vendor's.
func VendorEndpoint(host string) bool { return vendor.MatchString(host) }

// isPort tells whether the port of a host is a number from 1 to 65535, or left
// out together with its colon.
func isPort(port, host string) bool {
	n, err := strconv.ParseUint(cmp.Or(port, "443"), 10, 16)
	return err == nil && n > 0 && !strings.HasSuffix(host, ":")
}

// isLoopback tells whether a host is an address of this machine. A name is taken at
// its word for localhost only.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
