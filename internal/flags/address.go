// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package flags

import (
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var (
	label    = `[0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?`
	named    = regexp.MustCompile(`^` + label + `([.]` + label + `)*$`)
	numeric  = regexp.MustCompile(`(^|[.])([0-9]+|0[xX][0-9A-Fa-f]*)$`)
	endpoint = regexp.MustCompile(`^(?:https?://)?([^\]/?#@\s:\[]*|\[[^\]/?#@]*\])(:[0-9]+)?$`)
	region   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
)

// Endpoint tells what is wrong with the endpoint of an API, by the rule that
// spec.endpoint of a LiveAccount has in its schema.
func Endpoint(value string) error {
	parts := endpoint.FindStringSubmatch(value)
	switch {
	case parts == nil:
		return errors.New("must be host or host:port, optionally with https:// in front and nothing behind, such as live.aliyuncs.com")
	case parts[2] != "" && !isPort(parts[2][1:], 1):
		return errors.New("must have a port from 1 to 65535, or none")
	case !isHost(parts[1]):
		return errors.New("must have a host that can exist and be called: a name such as live.aliyuncs.com, an IPv4 address, or an IPv6 address in brackets; not an address such as 0.0.0.0")
	}
	return nil
}

// Region tells what is wrong with the ID of a region, by the rule that spec.region of
// a LiveAccount has in its schema.
func Region(value string) error {
	if len(value) > 64 || !region.MatchString(value) {
		return errors.New("must be a region ID, such as cn-shanghai")
	}
	return nil
}

// Listen tells what is wrong with an address to listen on; 0 is none.
func Listen(value string) error {
	at := strings.LastIndexByte(value, ':')
	if value == "0" || at >= 0 && isPort(value[at+1:], 0) && (at == 0 || mayListen(value[:at])) {
		return nil
	}
	return errors.New("must be an address to listen on, as [host]:port with a port up to 65535, such as :8443 or 127.0.0.1:8443; or 0 for none")
}

// isPort tells whether a text is the number of a port, without zeros in front.
func isPort(text string, least uint64) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n >= least && strconv.FormatUint(n, 10) == text
}

// mayListen tells whether a host can be one of this machine; 0.0.0.0 is all of them.
func mayListen(host string) bool {
	if inside, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		return err == nil && addr.Is6() && strings.HasSuffix(inside, "]")
	}
	if numeric.MatchString(host) {
		_, err := netip.ParseAddr(host)
		return err == nil
	}
	return named.MatchString(host)
}

// isHost tells whether there can be a host that is called so.
func isHost(host string) bool {
	if inside, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		return err == nil && !strings.ContainsAny(inside, ".%") && isCallable(addr)
	}
	if numeric.MatchString(host) {
		addr, err := netip.ParseAddr(host)
		return err == nil && isCallable(addr)
	}
	return len(host) <= 253 && named.MatchString(host)
}

// isCallable tells whether an address can be that of one host. It is none in
// 0.0.0.0/8 or from 224.0.0.0 on, and in IPv6 none of one link, nor of IPv4.
func isCallable(addr netip.Addr) bool {
	if addr.Is4() {
		first := addr.As4()[0]
		return first > 0 && first < 224
	}
	as := addr.As16()
	ofIPv4 := [12]byte(as[:12]) == [12]byte{} && addr != netip.IPv6Loopback() && (as[12] != 0 || as[13] != 0)
	return !addr.IsUnspecified() && !addr.IsMulticast() && !addr.IsLinkLocalUnicast() && !addr.Is4In6() && !ofIPv4
}
