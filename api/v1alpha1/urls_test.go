// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/test/schema"
)

// The rule of all URLs is defined here, in parts that can be read, since the
// markers of a field cannot refer to anything. TestURLRule holds the markers
// to it, those of kinds to come included, and prints what to write there.
//
// It has one rule with one messageExpression, and not a rule for each fault, so
// that a value gets one message, the one of its first fault. It is made of
// patterns alone: the oldest Kubernetes has no isIP(), and its isURL() accepts
// more or less with each version of Go.
const (
	label = `[0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?`
	named = label + `([.]` + label + `)*`
	octet = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4  = `(` + octet + `[.]){3}` + octet
	group = `[0-9A-Fa-f]{1,4}`
	// Eight groups, or fewer around one "::".
	ipv6 = `(` + group + `:){7}` + group +
		`|(` + group + `:){1,7}:` +
		`|(` + group + `:){1,6}:` + group +
		`|(` + group + `:){1,5}(:` + group + `){1,2}` +
		`|(` + group + `:){1,4}(:` + group + `){1,3}` +
		`|(` + group + `:){1,3}(:` + group + `){1,4}` +
		`|(` + group + `:){1,2}(:` + group + `){1,5}` +
		`|` + group + `:(:` + group + `){1,6}` +
		`|:(:` + group + `){1,7}|::`
	bracketed = `[[](` + ipv6 + `)[]]`
	ports     = `(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})`
	// All of ASCII that can be seen, without < > { } and the backslash; a % encodes.
	visible = `([]-z|~!-$&-;=?-[]|%[0-9A-Fa-f]{2})`
	// What the cloud allows in the URL of a relay subscription.
	relay    = `[-A-Za-z0-9_?%=#./+:]`
	relayed  = `([-A-Za-z0-9_?=#./+:]|%[0-9A-Fa-f]{2})`
	template = `[$][{(]|[{][{]`
)

// form is what one sort of address may look like.
type form struct {
	scheme, hosts, behind string // patterns
	faults                []fault
	portless, public      bool
}

// fault is what may be wrong, as an expression that is true then, and what is
// said of it.
type fault struct{ when, say string }

// matches returns the expression that a field matches a pattern.
func matches(pattern string) string { return "self.matches('" + pattern + "')" }

// Patterns of a URL's faults; where is what the host is in.
const (
	where   = `^https?://`
	ahead   = `([^/?#:[]*|[[][^]]*[]])` // a host, whatever is in it
	between = `([/?#]|$)`
	numeric = `([0-9]+|0[xX][0-9A-Fa-f]*)`
	// Addresses that nobody is called by, in any network: of no host, of many, or
	// reserved; and in IPv6 those of one link, and IPv4 addresses in another spelling.
	nowhere = `(0|22[4-9]|2[34][0-9]|25[0-5])([.][0-9]+){3}|[[](` +
		`(0{1,4}:)+:?(0{1,4}:)*0{0,4}|::(0{1,4}:)*0{0,4}` +
		`|([Ff]{2}[0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f]):[0-9A-Fa-f:]*` +
		`|[0:]*:[Ff]{4}(:[0-9A-Fa-f]{0,4}){2}|[0:]*:[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*:[0-9A-Fa-f]{1,4})[]]`
	// Addresses of one network, as RFC 6890 lists them.
	private = `(10|127|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|169[.]254|172[.](1[6-9]|2[0-9]|3[01])|192[.]168|192[.]0[.]0|198[.]1[89])[.][0-9.]+`
)

// inside are the names that no public DNS has: of one label, or below one of these.
var inside = `[^./?#]+|[^/?#]*[.](` + strings.Join([]string{
	folded("localhost"), folded("localdomain"), folded("local"), folded("internal"), folded("svc"), folded("invalid"), folded("home") + `[.]` + folded("arpa"),
}, "|") + `)`

// folded returns the pattern of a word in any case.
func folded(word string) string {
	var pattern strings.Builder
	for _, letter := range word {
		fmt.Fprintf(&pattern, "[%c%c]", unicode.ToUpper(letter), letter)
	}
	return pattern.String()
}

// callable returns the faults of a host that exists, but not where it is needed.
func callable(scheme string) fault {
	return fault{matches(`^` + scheme + `(` + nowhere + `)([:/?#]|$)`), sayNowhere}
}

var (
	empty     = fault{"self == ''", sayEmpty}
	atTheEnds = []fault{
		{matches(template + `|[<>]`), sayTemplate},
		{matches(`[{}]`), sayBraces},
		{"self != self.trim()", sayBlank},
		{"!" + matches(where), sayScheme},
		{matches(where + `[^/?#]*@`), sayUser},
		{matches(where + `[^/?#:[]*([^[:ascii:]]|%)`), sayPunycode},
	}
	// A name that exists comes first, so that what is none is told so.
	notPublic = fault{matches(where+`(`+named+`)`+between) + " && " + matches(where+`(`+strings.Join([]string{nowhere, private, inside}, "|")+`)`+between), sayPrivate}
	wrongPort = matches(where+ahead+`:`) + " && !" + matches(where+ahead+`:`+ports+between)

	standardURL = form{`https?://`, named + `|` + bracketed, `([/?#]` + visible + `*)?`, slices.Concat(atTheEnds, []fault{
		{matches(`[^]-~!-[]`) + " && !" + matches(`[^!-~]`), saySlash},
		{matches(where + `[^/?#]*[/?#][!-~]*[^!-~]`), sayEncode},
		{matches(`%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)`), sayEscape},
		{wrongPort, sayPort + sayInside},
		callable(`https?://`),
		{"", sayHost + sayBrackets},
	}), false, false}
	relayURL = form{`https?://`, named, `([/?#]` + relayed + `*)?`, slices.Concat(atTheEnds, []fault{
		{"!" + matches(`^`+relay+`*$`), sayMPUURL},
		{matches(`%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)`), sayEscape},
		{wrongPort, sayPort},
		callable(`https?://`),
		{"", sayHost},
	}), false, false}
	messageURL = form{`https?://`, named, `([/?#]` + visible + `*)?`, slices.Concat(atTheEnds, []fault{
		{matches(`[^]-~!-[]`) + " && !" + matches(`[^!-~]`), saySlash},
		{matches(where + `[^/?#]*[/?#][!-~]*[^!-~]`), sayEncode},
		{matches(`%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)`), sayEscape},
		{matches(where + `[^/?#:[]*:`), sayNoPort},
		notPublic,
		{"", sayHost},
	}), true, true}
	endpoint = form{`(https?://)?`, named + `|` + bracketed, ``, []fault{
		{"self == ''", "is empty; leave the field out for live.aliyuncs.com"},
		{matches(template + `|[<>]`), "looks like a template that was not rendered, since it has $ before a bracket, two opening braces, < or >; write what it stands for"},
		{"!" + matches(`^(https?://)?([^]/?#@[:space:]:[]*|[[][^]/?#@]*[]])(:[0-9]+)?$`), sayEndpoint},
		{matches(`:[0-9]+$`) + " && !" + matches(`:`+ports+`$`), sayPort},
		callable(`(https?://)?`),
		{"", sayHost + sayBrackets},
	}, false, false}
)

// rule returns the expression that is true of what has the form.
func (f form) rule() string {
	const ends = `([:/?#]|$)`
	port := `(:` + ports + `)?`
	if f.portless {
		port = ""
	}
	return strings.Join([]string{
		matches(`^` + f.scheme + `(` + f.hosts + `)` + port + f.behind + `$`),
		// Not more than a name in the DNS can have.
		matches(`^` + f.scheme + `[^:/?#]{1,253}` + ends),
		// A number at the end makes it an IPv4 address, for everyone who resolves it.
		"(" + matches(`^`+f.scheme+ipv4+ends) + " || !" + matches(`^`+f.scheme+`([^:/?#]*[.])?`+numeric+ends) + ")",
		"!" + matches(template),
		"!" + matches(`^`+f.scheme+`(`+f.never()+`)`+ends),
	}, " && ")
}

// never returns the pattern of the hosts that exist, but are not to be called.
func (f form) never() string {
	if f.public {
		return strings.Join([]string{nowhere, private, inside}, "|")
	}
	return nowhere
}

// message returns the expression of what is said of a value that breaks the rule.
func (f form) message(before ...fault) string {
	var text strings.Builder
	for _, fault := range slices.Concat(before, f.faults) {
		if fault.when != "" {
			text.WriteString(fault.when + " ? ")
		}
		text.WriteString("'" + fault.say + "'")
		if fault.when != "" {
			text.WriteString(" : ")
		}
	}
	return text.String()
}

// TestURLRule looks through all CRDs for fields that hold a URL or an endpoint.
func TestURLRule(t *testing.T) {
	t.Parallel()
	seen := 0
	for kind, spec := range specs(t) {
		for field, schema := range spec.Properties {
			form := standardURL
			switch {
			case kind == mpu && field == "callbackURL":
				form = relayURL
			case kind == message && field == "eventCallbackURL":
				form = messageURL
			case field == "endpoint":
				form = endpoint
			case !strings.HasSuffix(field, "URL"):
				continue
			}
			seen++
			want := apiextensionsv1.ValidationRule{Rule: form.rule(), MessageExpression: form.message()}
			if field != "endpoint" {
				none := empty
				if !slices.Contains(spec.Required, field) {
					none.say += sayLeaveOut
				}
				want.MessageExpression = form.message(none)
			}
			if !slices.ContainsFunc(schema.XValidations, func(got apiextensionsv1.ValidationRule) bool {
				return got.Rule == want.Rule && got.MessageExpression == want.MessageExpression && got.Message == ""
			}) {
				t.Errorf("%s: spec.%s needs this marker:\n// +kubebuilder:validation:XValidation:rule=`%s`,messageExpression=`%s`",
					kind, field, want.Rule, want.MessageExpression)
			}
		}
	}
	if seen < 12 {
		t.Errorf("found %d fields with an address", seen)
	}
}

// specs returns the schemas of all specs, by kind.
func specs(t *testing.T) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	all := map[string]apiextensionsv1.JSONSchemaProps{}
	for _, file := range files {
		crd := readCRD(t, file)
		all[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	}
	return all
}

func readCRD(t *testing.T, file string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// The pattern of IPv6 addresses knows the same ones as Go does: all ways to
// leave groups away, and to write too many.
func TestIPv6Pattern(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^(` + ipv6 + `)$`)
	groups := func(n int) string { return strings.TrimSuffix(strings.Repeat("a1:", n), ":") }
	var cases []string
	for before := range 10 {
		cases = append(cases, groups(before), groups(before)+":", ":"+groups(before))
		for after := range 10 {
			for _, middle := range []string{"::", ":::", ":0::"} {
				cases = append(cases, groups(before)+middle+groups(after), groups(before)+middle+"12345")
			}
			cases = append(cases, groups(before)+"::"+groups(after)+"::")
		}
	}
	valid := 0
	for _, address := range append(cases, "1::g", "FFFF::0", "fe80::1%eth0") {
		parsed, err := netip.ParseAddr(address)
		want := err == nil && parsed.Is6() && parsed.Zone() == ""
		if got := pattern.MatchString(address); got != want {
			t.Errorf("%q: got %v, want %v", address, got, want)
		}
		if want {
			valid++
		}
	}
	if valid < 30 {
		t.Errorf("only %d of the addresses are valid", valid)
	}
}

// All numbers around the bounds of octets and ports.
func TestNumberPatterns(t *testing.T) {
	t.Parallel()
	anOctet, aPort := regexp.MustCompile(`^`+octet+`$`), regexp.MustCompile(`^`+ports+`$`)
	for n := range 100_000 {
		text := strconv.Itoa(n)
		if got := anOctet.MatchString(text); got != (n <= 255) {
			t.Errorf("octet %d: got %v", n, got)
		}
		if got := aPort.MatchString(text); got != (n >= 1 && n <= 65535) {
			t.Errorf("port %d: got %v", n, got)
		}
		if padded := fmt.Sprintf("0%d", n); anOctet.MatchString(padded) || aPort.MatchString(padded) {
			t.Errorf("%s is taken for an octet or a port", padded)
		}
	}
}

// A CRD goes through templates itself: Flux substitutes variables in what it
// applies, and charts have CRDs among their templates.
func TestCRDsAreNoTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, start := range []string{"${", "$(", "{{"} {
			if at := strings.Index(string(text), start); at >= 0 {
				t.Errorf("%s has %s: ...%s...", file, start, text[max(0, at-40):min(len(text), at+40)])
			}
		}
	}
}

// goodURLs are accepted in every field; those that hold a character which the
// cloud does not allow in a relay subscription, in all but that.
var goodURLs = map[string]string{
	"a name":                               "https://hooks.example.com",
	"a name in capitals":                   "https://Hooks.Example.COM/live",
	"a name of one label":                  "http://localhost/live", // there are trials without a DNS
	"a name inside a cluster":              "http://receiver.media.svc:8080/live",
	"a name of digits and letters":         "https://1.2.3.4a/",
	"a name of digits but for its end":     "https://1.2.3.example/",
	"labels of one character":              "https://a.b.c/",
	"hyphens inside labels":                "https://a--b.c-d.example.com/",
	"punycode":                             "https://xn--fiq228c.example.com/live",
	"punycode for all of it":               "https://xn--gtvr54n.xn--fiqs8s",
	"a label of 63 characters":             atHost(label63 + ".example.com"),
	"a name of 253 characters":             atHost(domain63 + strings.Repeat("a", 61)),
	"a name of 253 characters, and a port": "https://" + domain63 + strings.Repeat("a", 61) + ":65535",
	"an IPv4 address":                      "http://192.0.2.1/live",
	"the least IPv4 address":               "http://1.0.0.0",
	"the last IPv4 address":                "http://223.255.255.255:65535?a=b",
	"an IPv4 address of this machine":      "http://127.0.0.1:8080/live",
	"an IPv4 address of one network":       "http://100.64.0.1/live",
	"port 1":                               "http://hooks.example.com:1/",
	"port 65535":                           "http://hooks.example.com:65535/",
	"port 59999":                           "http://hooks.example.com:59999#x",
	"an IPv6 address":                      "http://[2001:db8::1]/live",
	"an IPv6 address with a port":          "http://[2001:DB8:0:0:8:800:200C:417A]:65535?a",
	"an IPv6 address of this machine":      "http://[::1]:8080/live",
	"an IPv6 address of it, in full":       "http://[0:0:0:0:0:0:0:1]:8080/live",
	"an IPv6 address of one network":       "http://[fc00::1]/live",
	"an IPv6 address with zeros":           "http://[2001:db8::ffff:7f00:1]/",
	"a gap for one group":                  "http://[1:2:3::5:6:7:8]/",
	"a query without a path":               "https://hooks.example.com?a=1",
	"a fragment without a path":            "https://hooks.example.com#a",
	"an ampersand":                         "https://hooks.example.com/?a=1&b=2",
	"an @ behind the host":                 "https://hooks.example.com/@live?to=a@b",
	"another URL in the query":             "https://hooks.example.com/?next=https://other.example.com:99999/",
	"encoded braces":                       "https://hooks.example.com/%7B%7Broom%7D%7D/%24%7Broom%7D/%3Croom%3E",
	"an encoding in lower case":            "https://hooks.example.com/%e7?a=%2f",
	"a dollar":                             "https://hooks.example.com/$room/$metadata",
	"all else that can be seen":            `https://hooks.example.com/!"$&'()*+,-.:;=?@[]^_` + "`|~",
	"dots in the path":                     "https://hooks.example.com/a/../b//c.d",
	"a path of 2 KB":                       url(2083),
}

// set asks the API server whether it would take a fine object with this value.
func set(t *testing.T, kind, field, value string) error {
	t.Helper()
	o := object(t, kind, "{}")
	o.Object["spec"].(map[string]any)[field] = value
	return api.Create(t.Context(), o, client.DryRunAll)
}

func TestBadURLs(t *testing.T) {
	t.Parallel()
	for what, tc := range schema.BadURLs {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for kind, fields := range addressFields {
				say := tc.Say
				if kind == mpu && tc.Relay != "" {
					say = tc.Relay
				}
				for _, field := range fields {
					refusedOnce(t, set(t, kind, field, tc.URL), field, say)
				}
			}
		})
	}
}

// refusedOnce looks for one reason, and no other.
func refusedOnce(t *testing.T, err error, field, say string) {
	t.Helper()
	status := apierrors.APIStatus(nil)
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		t.Errorf("%s: got %v, want %q", field, err, say)
		return
	}
	causes := status.Status().Details.Causes
	if len(causes) != 1 || causes[0].Field != "spec."+field || !strings.Contains(causes[0].Message, say) {
		t.Errorf("%s: got %v, want %q and nothing else", field, causes, say)
	}
}

func TestGoodURLs(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^` + relay + `*$`)
	for what, url := range goodURLs {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for kind, fields := range addressFields {
				for _, field := range fields {
					err := set(t, kind, field, url)
					if kind == mpu && !allowed.MatchString(url) {
						refusedOnce(t, err, field, sayMPUURL)
					} else if err != nil {
						t.Errorf("%s: %v", field, err)
					}
				}
			}
		})
	}
}

// A field that a template left empty.
func TestEmptyURLs(t *testing.T) {
	t.Parallel()
	for kind, fields := range addressFields {
		for _, field := range fields {
			err := set(t, kind, field, "")
			refusedOnce(t, err, field, sayEmpty)
			required := kind != stream && field != "onDemandURL"
			if leave := strings.Contains(err.Error(), sayLeaveOut); leave == required {
				t.Errorf("%s: got %v", field, err)
			}
		}
	}
}

// The endpoint of an account is an address by the same rules.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for value, say := range schema.BadEndpoints {
		refusedOnce(t, set(t, account, "endpoint", value), "endpoint", say)
	}
	for _, value := range schema.GoodEndpoints {
		if err := set(t, account, "endpoint", value); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// All URLs of an object go into one request, percent-encoded once more.
func TestURLsTogether(t *testing.T) {
	t.Parallel()
	// slashes is a URL of n characters, nearly all of which take three.
	slashes := func(n int) string { return "https://hooks.example.com" + strings.Repeat("/", n-25) }
	for what, tc := range map[string]struct {
		kind string
		urls []string
		fine bool
	}{
		"three long ones, hardly encoded": {stream, []string{url(2083), url(2083), url(2083)}, true},
		"two long ones, hardly encoded":   {record, []string{url(2083), url(2083)}, true},
		"one long one, encoded":           {stream, []string{slashes(2083)}, true},
		"one long one of a recording":     {record, []string{slashes(2083)}, true},
		"one long one of a subscription":  {mpu, []string{slashes(2083)}, true},
		"one encoded, two plain":          {stream, []string{slashes(2083), url(400), url(250)}, true},
		"three long ones, encoded":        {stream, []string{slashes(2083), slashes(2083), slashes(2083)}, false},
		"two long ones, encoded":          {record, []string{slashes(2083), slashes(2083)}, false},
		"a little too much":               {stream, []string{slashes(2083), url(700), url(200)}, false},
	} {
		o := object(t, tc.kind, "{}")
		for i, value := range tc.urls {
			o.Object["spec"].(map[string]any)[addressFields[tc.kind][i]] = value
		}
		err := api.Create(t.Context(), o, client.DryRunAll)
		if tc.fine && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !tc.fine && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "are too long together")) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
