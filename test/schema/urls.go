// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import "strings"

// The faults of URLs, in the order in which they are looked for.
const (
	SayEmpty    = "is empty; write a URL such as https://hooks.example.com/live"
	SayLeaveOut = ", or leave the field out"
	SayTemplate = "looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for, and a < or > that is meant as %3C or %3E"
	SayBraces   = "must not hold { or }: in a URL the cloud puts nothing in place of {DomainName} and the like; write what it stands for, and a brace that is meant as %7B or %7D"
	SayBlank    = "must not begin or end with a space or a line break; remove it (in YAML, write the URL on the line of its field)"
	SayScheme   = "must start with http:// or https:// in lower case, such as https://hooks.example.com/live"
	SayUser     = "must not hold a user name or a password; remove what is before the @"
	SayPunycode = "must have its host in ASCII, not percent-encoded; write a name in other letters in punycode, such as xn--fiq228c.example.com"
	SayEncode   = "must not hold spaces, line breaks or characters outside ASCII; percent-encode them"
	SayEscape   = "must have two hexadecimal digits behind each %, such as %20; write a % that is meant as %25"
	SayHost     = "must have a host that can exist: labels of 1 to 63 letters, digits and inner hyphens with single dots in between, such as hooks.example.com, or an IPv4 address"
	SayPort     = "must have a port from 1 to 65535, or none"
	SayBrackets = ", or an IPv6 address in brackets"
	SayInside   = "; an IPv6 address goes in brackets"
	SayMPUURL   = "must hold only letters, digits and - _ ? % = # . / + : as the cloud demands; percent-encode others, such as & as %26"
	SaySlash    = "must not hold a backslash; write /, or %5C where one is meant"
	SayNoPort   = "must have no port, which the cloud does not allow here: it calls port 80 with http:// and port 443 with https://"
	SayPrivate  = "must have a public address, or a name of the public DNS: the cloud calls no private or reserved address, and no name of one label or below localhost, local, internal, svc and the like"
	SayNowhere  = "must have a host that can be called: no address in 0.0.0.0/8 or from 224.0.0.0 on is, no IPv6 address that is unspecified, multicast or link-local, and no IPv4 address that is written as IPv6; write that of the receiver"
	SayEndpoint = "must be host or host:port, optionally with https:// in front and nothing behind, such as live.aliyuncs.com"
)

// AtHost returns a URL with this host.
func AtHost(host string) string { return "https://" + host + "/live" }

// BadURL is one, and what is said of it; Relay in the field of a relay subscription,
// if that is another.
type BadURL struct{ URL, Say, Relay string }

// BadURLs are refused in every field. What is said in that of a relay
// subscription, whose alphabet is smaller, stands beside it where it is another.
var BadURLs = map[string]BadURL{
	// Templates that were not rendered.
	"a shell's variable for the host":      {AtHost("${HOOK_HOST}"), SayTemplate, ""},
	"a variable with a default":            {AtHost("${HOOK_HOST:-hooks.example.com}"), SayTemplate, ""},
	"a variable in the name":               {AtHost("${env}.example.com"), SayTemplate, ""},
	"a variable for the port":              {"https://hooks.example.com:${PORT}/live", SayTemplate, ""},
	"a variable for the whole":             {"${HOOK_URL}", SayTemplate, ""},
	"a variable for the scheme":            {"${scheme}://hooks.example.com/", SayTemplate, ""},
	"a variable in the path":               {"https://hooks.example.com/${tenant}/live", SayTemplate, ""},
	"a variable in the query":              {"https://hooks.example.com/live?token=${TOKEN}", SayTemplate, ""},
	"a variable in the fragment":           {"https://hooks.example.com/live#${x}", SayTemplate, ""},
	"a value of Helm":                      {AtHost("{{.Values.host}}"), SayTemplate, ""},
	"a value of Helm, with blanks":         {AtHost("{{ .Values.host }}"), SayTemplate, ""},
	"a value of Helm in the path":          {"https://hooks.example.com/{{.Values.path}}", SayTemplate, ""},
	"a value of Helm in front":             {"{{ .Values.url }}", SayTemplate, ""},
	"a variable of Kubernetes":             {AtHost("$(HOOK_HOST)"), SayTemplate, ""},
	"a variable of Kubernetes in the path": {"https://hooks.example.com/$(TENANT)/live", SayTemplate, ""},
	"words to be replaced":                 {AtHost("<your-host>"), SayTemplate, ""},
	"a token to be replaced":               {"https://hooks.example.com/live/<token>", SayTemplate, ""},
	"a template of ERB":                    {"https://hooks.example.com/<%= path %>", SayTemplate, ""},
	"a template that ends":                 {"https://hooks.example.com/live>", SayTemplate, ""},
	"a template after a user name":         {"https://user:${PASSWORD}@hooks.example.com/", SayTemplate, ""},
	"a template and a line break":          {"https://${HOST}/\n", SayTemplate, ""},

	// What is around it.
	"a line break behind":                   {AtHost("hooks.example.com") + "\n", SayBlank, ""},
	"a line break of Windows behind":        {AtHost("hooks.example.com") + "\r\n", SayBlank, ""},
	"a blank behind":                        {AtHost("hooks.example.com") + " ", SayBlank, ""},
	"a tab behind":                          {"https://hooks.example.com\t", SayBlank, ""},
	"a blank in front":                      {" https://hooks.example.com/", SayBlank, ""},
	"a line break in front":                 {"\nhttps://hooks.example.com/", SayBlank, ""},
	"a blank that does not break, behind":   {"https://hooks.example.com/\u00a0", SayBlank, ""},
	"only a blank":                          {" ", SayBlank, ""},
	"quotation marks around it":             {`"https://hooks.example.com/"`, SayScheme, ""},
	"a mark of the order of bytes in front": {"\ufeffhttps://hooks.example.com/", SayScheme, ""},

	// Schemes.
	"no scheme":                   {"hooks.example.com/live", SayScheme, ""},
	"no scheme but slashes":       {"//hooks.example.com/live", SayScheme, ""},
	"another scheme":              {"ftp://hooks.example.com/live", SayScheme, ""},
	"a scheme in capitals":        {"HTTPS://hooks.example.com/live", SayScheme, ""},
	"a scheme twice":              {"https://https://hooks.example.com/live", SayPort, ""},
	"a scheme with one slash":     {"https:/hooks.example.com", SayScheme, ""},
	"a scheme with three slashes": {"https:///hooks.example.com/live", SayHost, ""},
	"a scheme with a backslash":   {`https:\\hooks.example.com`, SayScheme, ""},
	"a scheme without a colon":    {"https//hooks.example.com", SayScheme, ""},

	// User names.
	"a user name":                  {"https://user@hooks.example.com/", SayUser, ""},
	"a password":                   {"https://user:pass@hooks.example.com:8443/", SayUser, ""},
	"an empty user name":           {"https://@hooks.example.com/", SayUser, ""},
	"another host for a user name": {"https://hooks.example.com@evil.example.net", SayUser, ""},

	// Hosts.
	"nothing but a scheme":               {"https://", SayHost, ""},
	"a query in place of a host":         {"https://?a=b", SayHost, ""},
	"a port in place of a host":          {"https://:8080/live", SayHost, ""},
	"an empty label":                     {AtHost("hooks..example.com"), SayHost, ""},
	"a dot in front":                     {AtHost(".hooks.example.com"), SayHost, ""},
	"a dot at the end":                   {AtHost("hooks.example.com."), SayHost, ""},
	"only dots":                          {AtHost(".."), SayHost, ""},
	"a hyphen in front":                  {AtHost("-hooks.example.com"), SayHost, ""},
	"a hyphen in front of a later label": {AtHost("hooks.-example.com"), SayHost, ""},
	"a hyphen at the end of a label":     {AtHost("hooks-.example.com"), SayHost, ""},
	"a hyphen at the end":                {AtHost("hooks.example.com-"), SayHost, ""},
	"a label of 64 characters":           {AtHost(Label63 + "a.example.com"), SayHost, ""},
	"a name of 254 characters":           {AtHost(Domain63 + strings.Repeat("a", 62)), SayHost, ""},
	"an underscore":                      {AtHost("my_hooks.example.com"), SayHost, ""},
	"a wildcard":                         {AtHost("*.example.com"), SayHost, SayMPUURL},
	"a blank inside":                     {AtHost("hooks example.com"), SayHost, SayMPUURL},
	"two hosts":                          {AtHost("a.example.com,b.example.com"), SayHost, SayMPUURL},
	"a dollar without a brace":           {AtHost("$HOST"), SayHost, SayMPUURL},
	"one brace":                          {AtHost("{host}"), SayBraces, ""},
	"a percent sign":                     {AtHost("%%"), SayPunycode, ""},
	"a variable of Windows":              {AtHost("%HOOK_HOST%"), SayPunycode, ""},
	"an encoded letter":                  {AtHost("%68ooks.example.com"), SayPunycode, ""},
	"an encoded name in Chinese":         {AtHost("%E7%9B%B4%E6%92%AD.example.com"), SayPunycode, ""},
	"a name in Chinese":                  {AtHost("直播.example.com"), SayPunycode, ""},
	"a name with an umlaut":              {AtHost("hühner.example.com"), SayPunycode, ""},
	"a Cyrillic letter":                  {AtHost("h\u043eoks.example.com"), SayPunycode, ""},
	"an ideographic dot":                 {AtHost("hooks\u3002example.com"), SayPunycode, ""},
	"a blank of no width":                {AtHost("hooks\u200b.example.com"), SayPunycode, ""},
	"a backslash for a slash":            {`https://hooks.example.com\live`, SaySlash, SayMPUURL},
	"a backslash in front of a slash":    {`http://good\evil/`, SaySlash, SayMPUURL},
	"a backslash in the path":            {`https://hooks.example.com/a\b`, SaySlash, SayMPUURL},
	"a NUL":                              {"https://hooks.example.com\x00/", SayHost, SayMPUURL},

	// IPv4 addresses.
	"octets over 255":                  {"http://999.1.1.1/", SayHost, ""},
	"an octet of 256":                  {"http://192.0.2.256/", SayHost, ""},
	"an octet with a zero in front":    {"http://192.0.2.01/", SayHost, ""},
	"three octets":                     {"http://192.0.2/", SayHost, ""},
	"five octets":                      {"http://192.0.2.1.1/", SayHost, ""},
	"two octets, with a port":          {"http://127.1:8080/", SayHost, ""},
	"an address as one number":         {"http://2130706433/", SayHost, ""},
	"a name that ends in a number":     {"http://hooks.example.1/", SayHost, ""},
	"an address with a dot at the end": {"http://192.0.2.1./", SayHost, ""},
	"an address as one hex number":     {"http://0x7f000001/", SayHost, ""},
	"an address with a hex number":     {"http://127.0.0.0X1/", SayHost, ""},
	"a hex number of no digits":        {"http://127.0.0.0x:80", SayHost, ""},
	"an address with two numbers":      {"http://0x7f.1", SayHost, ""},
	"an octal address":                 {"http://0177.0.0.1/", SayHost, ""},

	// Addresses that nobody is called by.
	"the address of no host":              {"http://0.0.0.0/live", SayNowhere, ""},
	"the address of no host, with a port": {"http://0.0.0.0:8080", SayNowhere, ""},
	"an address of this network":          {"https://0.1.2.3?a=b", SayNowhere, ""},
	"the first address of many":           {"https://224.0.0.0/", SayNowhere, ""},
	"the last address of many":            {"https://239.255.255.255#a", SayNowhere, ""},
	"a reserved address":                  {"https://240.0.0.1/", SayNowhere, ""},
	"the address of all":                  {"https://255.255.255.255:443/", SayNowhere, ""},
	"an IPv6 address of no host":          {"https://[::]/live", SayNowhere, SayMPUURL},
	"an IPv6 address of no host, in full": {"https://[0:0:0000:0:0:0:0:0]:8080", SayNowhere, SayMPUURL},
	"an IPv6 address of many":             {"https://[ff02::1]/", SayNowhere, SayMPUURL},
	"an IPv6 address of one link":         {"https://[fe80::1]/", SayNowhere, SayMPUURL},
	"the last IPv6 address of one link":   {"https://[FEBF:0::1]:1/", SayNowhere, SayMPUURL},
	"an IPv4 address mapped into IPv6":    {"https://[::ffff:7f00:1]/", SayNowhere, SayMPUURL},
	"one mapped, in full":                 {"https://[0:0:0:0:0:FFFF:a00:1]/", SayNowhere, SayMPUURL},
	"one mapped, with a gap at the end":   {"https://[0:0:0:0:0:ffff::]/", SayNowhere, SayMPUURL},
	"an IPv4 address as if it were IPv6":  {"https://[::7f00:1]/", SayNowhere, SayMPUURL},

	// Ports.
	"port 99999":                          {"https://hooks.example.com:99999/live", SayPort, ""},
	"port 65536":                          {"https://hooks.example.com:65536/live", SayPort, ""},
	"port 0":                              {"https://hooks.example.com:0", SayPort, ""},
	"a port with a zero in front":         {"https://hooks.example.com:0443", SayPort, ""},
	"a port of many digits":               {"https://hooks.example.com:99999999999999999999/", SayPort, ""},
	"no port behind the colon":            {"https://hooks.example.com:/live", SayPort, ""},
	"a negative port":                     {"https://hooks.example.com:-1/", SayPort, ""},
	"a port in words":                     {"https://hooks.example.com:https/live", SayPort, ""},
	"two ports":                           {"https://hooks.example.com:80:80/", SayPort, ""},
	"a port out of bounds, of an address": {"http://192.0.2.1:70000", SayPort, ""},
	"a port out of bounds, and a query":   {"https://hooks.example.com:65536?a=b", SayPort, ""},

	// IPv6 addresses. The cloud takes none in a relay subscription.
	"an IPv6 address without brackets": {"https://2001:db8::1/live", SayInside, SayPort},
	"only colons":                      {"https://[::::]/", SayHost, SayMPUURL},
	"two gaps":                         {"https://[2001::db8::1]/", SayHost, SayMPUURL},
	"nine groups":                      {"https://[1:2:3:4:5:6:7:8:9]/", SayHost, SayMPUURL},
	"seven groups":                     {"https://[1:2:3:4:5:6:7]/", SayHost, SayMPUURL},
	"eight groups and a gap":           {"https://[1:2:3:4::5:6:7:8]/", SayHost, SayMPUURL},
	"a group of five digits":           {"https://[2001:db8::12345]/", SayHost, SayMPUURL},
	"a group that is no number":        {"https://[2001:db8::g]/", SayHost, SayMPUURL},
	"empty brackets":                   {"https://[]/", SayHost, SayMPUURL},
	"an open bracket":                  {"https://[2001:db8::1/live", SayHost, SayMPUURL},
	"a bracket that was not opened":    {"https://hooks]/live", SayHost, SayMPUURL},
	"a name in brackets":               {"https://[hooks.example.com]/", SayHost, SayMPUURL},
	"an IPv4 address in brackets":      {"https://[192.0.2.1]/", SayHost, SayMPUURL},
	"an IPv4 address in an IPv6 one":   {"https://[::ffff:192.0.2.1]/", SayHost, SayMPUURL},
	"a zone":                           {"https://[fe80::1%25eth0]/", SayHost, SayMPUURL},
	"port 65536 of an IPv6 address":    {"https://[::1]:65536/", SayPort, SayMPUURL},
	"something behind the bracket":     {"https://[::1]a/", SayHost, SayMPUURL},

	// Behind the host.
	"a blank in the path":       {"https://hooks.example.com/a b", SayEncode, SayMPUURL},
	"a line break in the path":  {"https://hooks.example.com/a\nb", SayEncode, SayMPUURL},
	"a tab in the query":        {"https://hooks.example.com?a=\tb", SayEncode, SayMPUURL},
	"Chinese in the path":       {"https://hooks.example.com/直播", SayEncode, SayMPUURL},
	"an umlaut in the fragment": {"https://hooks.example.com/#ü", SayEncode, SayMPUURL},
	"DEL in the path":           {"https://hooks.example.com/\x7f", SayEncode, SayMPUURL},
	"a % at the end":            {"https://hooks.example.com/100%", SayEscape, ""},
	"a % before no digits":      {"https://hooks.example.com/%zz", SayEscape, ""},
	"a % before one digit":      {"https://hooks.example.com/%4", SayEscape, ""},
	"a % before a digit and no": {"https://hooks.example.com/%4g?a", SayEscape, ""},
	"a bare % in the query":     {"https://hooks.example.com/?a=%&b=1", SayEscape, SayMPUURL},
	"a bare % in the fragment":  {"https://hooks.example.com/#%", SayEscape, ""},
	"a bare % among right ones": {"https://hooks.example.com/%20%2/%20", SayEscape, ""},
	"a % behind a %":            {"https://hooks.example.com/%%20", SayEscape, ""},
	"a variable in the path, %": {"https://hooks.example.com/%TENANT%/live", SayEscape, ""},
	"a placeholder":             {"https://hooks.example.com/{DomainName}/live", SayBraces, ""},
	"an unclosed placeholder":   {"https://hooks.example.com/{DomainName", SayBraces, ""},
	"a closing brace":           {"https://hooks.example.com/DomainName}", SayBraces, ""},
	"a placeholder of a query":  {"https://hooks.example.com/?stream={StreamName}", SayBraces, ""},
	"a placeholder of nobody":   {"https://hooks.example.com/#{room}", SayBraces, ""},
	"two URLs":                  {"https://a.example.com/ https://b.example.com/", SayEncode, SayMPUURL},
}

// AddressFields are the fields with URLs.
var AddressFields = map[string][]string{
	Stream: {"notifyURL", "exceptionNotifyURL", "switchNotifyURL"},
	Record: {"notifyURL", "onDemandURL"},
	MPU:    {"callbackURL"},
	Detect: {"notifyURL"},
	Audit:  {"callbackURL"},
	Event:  {"callbackURL"},
}

// BadEndpoints are refused in an account, with what is said of them.
var BadEndpoints = map[string]string{
	"":                                "leave the field out for live.aliyuncs.com",
	"${LIVE_ENDPOINT}":                SayTemplate[:42],
	"https://{{ .Values.endpoint }}":  SayTemplate[:42],
	"live.<region>.aliyuncs.com":      SayTemplate[:42],
	"live.aliyuncs.com\n":             SayEndpoint,
	" live.aliyuncs.com":              SayEndpoint,
	"https://live.aliyuncs.com/":      SayEndpoint,
	"live.aliyuncs.com/api":           SayEndpoint,
	"live.aliyuncs.com?a=b":           SayEndpoint,
	"https://user@live.aliyuncs.com":  SayEndpoint,
	"ftp://live.aliyuncs.com":         SayEndpoint,
	"live.aliyuncs.com:https":         SayEndpoint,
	"live.aliyuncs.com:":              SayEndpoint,
	"--metrics-bind-address":          SayHost,
	"https://":                        SayHost,
	"live.aliyuncs.com:99999":         SayPort,
	"live.aliyuncs.com:65536":         SayPort,
	"https://live.aliyuncs.com:0":     SayPort,
	"live.aliyuncs.com:0443":          SayPort,
	"http://[::1]:65536":              SayPort,
	"live..aliyuncs.com":              SayHost,
	"live.aliyuncs.com.":              SayHost,
	"-live.aliyuncs.com":              SayHost,
	"live_cn.aliyuncs.com":            SayHost,
	"直播.aliyuncs.com":                 SayHost,
	"999.1.1.1":                       SayHost,
	"10.0.0":                          SayHost,
	"http://[::::]":                   SayHost,
	"0x7f000001":                      SayHost,
	"0.0.0.0":                         SayNowhere,
	"https://0.0.0.0:443":             SayNowhere,
	"255.255.255.255":                 SayNowhere,
	"https://[::]":                    SayNowhere,
	"[::ffff:7f00:1]:443":             SayNowhere,
	"https://[fe80::1]:443":           SayNowhere,
	"http://[1:2:3:4:5:6:7:8:9]:8080": SayHost,
	Label63 + "a.aliyuncs.com":        SayHost,
}

// GoodEndpoints are accepted.
var GoodEndpoints = []string{
	"live.aliyuncs.com", "https://live.aliyuncs.com:443", "http://localhost:65535", "http://127.0.0.1:18090", "192.0.2.1",
	"http://[::1]", "https://[2001:db8::1]:1", "Live.Aliyuncs.Com", "https://" + Domain63 + strings.Repeat("a", 61),
}
