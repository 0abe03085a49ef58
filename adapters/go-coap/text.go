// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"
)

const (
	defaultPort = 5683
	securePort  = 5684
)

var methods = map[string]codes.Code{
	"GET": codes.GET, "POST": codes.POST, "PUT": codes.PUT, "DELETE": codes.DELETE,
}

func withoutZone(address string) string {
	bare, _, _ := strings.Cut(address, "%")
	return bare
}

// parseEndpoint reads [2001:db8::1]:5683, 192.0.2.1:5683, or either without a port.
func parseEndpoint(text string) (*net.UDPAddr, error) {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return net.UDPAddrFromAddrPort(a), nil
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return nil, fmt.Errorf("%q is no endpoint", text)
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, defaultPort)), nil
}

// endpointText writes zones as numbers, as Chorus does.
func endpointText(endpoint net.Addr) string {
	a, ok := endpoint.(*net.UDPAddr)
	if !ok || a.Zone == "" {
		return endpoint.String()
	}
	ifi, err := net.InterfaceByName(a.Zone)
	if err != nil {
		return endpoint.String()
	}
	return (&net.UDPAddr{IP: a.IP, Port: a.Port, Zone: strconv.Itoa(ifi.Index)}).String()
}

// isNarrow says whether an address means something only together with a zone.
func isNarrow(ip net.IP) bool {
	return ip.To4() == nil && (ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsInterfaceLocalMulticast())
}

func parseDuration(text string) (time.Duration, error) {
	units := map[string]time.Duration{
		"ns": 1, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"min": time.Minute, "h": time.Hour,
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	number, err := strconv.ParseUint(text[:digits], 10, 31)
	unit, known := units[text[digits:]]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is no duration such as 200ms", text)
	}
	return time.Duration(number) * unit, nil
}

// parseCode reads a Response Code such as 5.03.
func parseCode(text string) (codes.Code, error) {
	var class, detail uint
	n, err := fmt.Sscanf(text, "%d.%d", &class, &detail)
	if n != 2 || err != nil || class < 2 || class > 5 || detail > 31 || len(text) != 4 {
		return 0, fmt.Errorf("%q is no Response Code such as 5.03", text)
	}
	return codes.Code(class<<5 | detail), nil
}

// target is a URI, taken apart as RFC 7252, section 6.4 says.
type target struct {
	address *net.UDPAddr
	secure  bool
	path    []string
	query   []string
}

func unescapeAll(parts []string) ([]string, error) {
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		parts[i] = plain
	}
	return parts, nil
}

func parseURI(text string) (*target, error) {
	t := &target{}
	rest, plain := strings.CutPrefix(text, "coap://")
	if !plain {
		if rest, t.secure = strings.CutPrefix(text, "coaps://"); !t.secure {
			return nil, fmt.Errorf("%q is no coap URI", text)
		}
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	var err error
	if t.address, err = parseEndpoint(strings.ReplaceAll(authority, "%25", "%")); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	if path != "" {
		if t.path, err = unescapeAll(strings.Split(path, "/")); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	if hasQuery {
		if t.query, err = unescapeAll(strings.Split(query, "&")); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	return t, nil
}
