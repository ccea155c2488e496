// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

// wire makes requests of the vendor's RPC style to one endpoint, as the vendor's SDK
// makes them: parameters in the query, signed by ACS3-HMAC-SHA256 in a header. The
// models are the SDK's, and so is what reads a reply into them, which takes a number
// for a string and the like; docs/decisions.md says why its client is not used.
// TestWireIsTheSDKs holds the two against each other.
type wire struct {
	endpoint
	version   string // of the API
	region    string // for the operations that take one; "" to leave it out
	transport *transport
}

// ask makes one request with a timeout, signed unless there are no keys. Every failure
// is an *Error or the context's error.
func ask[Reply any](ctx context.Context, w *wire, timeout time.Duration, signed *keys, method, action string, request any) (*Reply, *exchange, error) {
	return send(ctx, timeout, action, func(ctx context.Context) (*Reply, error) {
		body, err := w.exchange(ctx, signed, method, action, request)
		if err != nil {
			return nil, err
		}
		reply := new(Reply)
		return reply, dara.Convert(json.RawMessage(body), reply)
	})
}

// exchange sends a request and returns the body of its reply.
func (w *wire) exchange(ctx context.Context, signed *keys, method, action string, request any) ([]byte, error) {
	query, ok := encode(request, w.region)
	if !ok {
		return nil, malformed(action, fmt.Sprintf("%T has a parameter of a kind that cannot be sent", request))
	}
	r, err := http.NewRequestWithContext(ctx, method, w.scheme+"://"+w.host+"/?"+query, nil)
	if err != nil {
		return nil, malformed(action, fmt.Sprintf("a request that cannot be made (%T)", err))
	}
	h := header{
		{"host", w.host},
		{"x-acs-action", action},
		{"x-acs-content-sha256", emptyHash},
		{"x-acs-date", time.Now().UTC().Format("2006-01-02T15:04:05Z")},
		{"x-acs-signature-nonce", rand.Text()},
		{"x-acs-version", w.version},
	}
	if signed != nil {
		if signed.token != "" {
			h = append(h, field{"x-acs-accesskey-id", signed.id}, field{"x-acs-security-token", signed.token})
		}
		slices.SortFunc(h, byName)
		r.Header.Set("Authorization", h.signature(signed, method, query))
	}
	for _, f := range h[1:] { // the host is where it goes
		r.Header.Set(f.name, f.value)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	return w.transport.call(r)
}

var (
	userAgent = dara.StringValue(utils.GetUserAgent(nil))
	emptyHash = hexHash("")
)

// field is one of a request's header, or a parameter.
type field struct{ name, value string }

func byName(a, b field) int { return strings.Compare(a.name, b.name) }

// header are the fields that are signed, by name.
type header []field

// signature returns the header that signs a request without a body.
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func (h header) signature(by *keys, method, query string) string {
	const algorithm = "ACS3-HMAC-SHA256"
	var canonical, names strings.Builder
	canonical.WriteString(method + "\n/\n" + query + "\n")
	for i, f := range h {
		if i > 0 {
			names.WriteByte(';')
		}
		names.WriteString(f.name)
		canonical.WriteString(f.name + ":" + f.value + "\n")
	}
	canonical.WriteString("\n" + names.String() + "\n" + emptyHash)
	mac := hmac.New(sha256.New, []byte(by.secret))
	mac.Write([]byte(algorithm + "\n" + hexHash(canonical.String())))
	return algorithm + " Credential=" + by.id + ",SignedHeaders=" + names.String() + ",Signature=" + hex.EncodeToString(mac.Sum(nil))
}

func hexHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// encode returns the parameters of a request as the query that is signed and sent:
// sorted, and escaped as RFC 3986 has it. What is nil is left out, but for the region,
// and a list has a parameter for each item. It is not ok if the model has anything else.
func encode(request any, region string) (_ string, ok bool) {
	if request == nil {
		return "", true
	}
	var parameters []field
	v := reflect.ValueOf(request).Elem()
	for i, name := range namesOf(v.Type()) {
		value := v.Field(i)
		if value.IsNil() {
			if name == "RegionId" && region != "" {
				parameters = append(parameters, field{name, region})
			}
			continue
		}
		switch value.Type() {
		case reflect.TypeFor[*string](), reflect.TypeFor[*int32](), reflect.TypeFor[*int64](), reflect.TypeFor[*bool]():
			parameters = append(parameters, field{name, fmt.Sprint(value.Elem())})
		case reflect.TypeFor[[]*string]():
			for i, item := range value.Interface().([]*string) {
				parameters = append(parameters, field{name + "." + strconv.Itoa(i+1), dara.StringValue(item)})
			}
		default:
			return "", false
		}
	}
	slices.SortFunc(parameters, byName)
	var query strings.Builder
	for i, p := range parameters {
		if i > 0 {
			query.WriteByte('&')
		}
		query.WriteString(p.name + "=" + rfc3986.Replace(url.QueryEscape(p.value)))
	}
	return query.String(), true
}

// rfc3986 is where it differs from how a form is escaped.
var rfc3986 = strings.NewReplacer("+", "%20", "%7E", "~")

var names sync.Map // by the type of a model: what namesOf returned

// namesOf returns the names of the parameters that the fields of a model are.
func namesOf(model reflect.Type) []string {
	if known, ok := names.Load(model); ok {
		return known.([]string)
	}
	found := make([]string, model.NumField())
	for i := range found {
		found[i], _, _ = strings.Cut(model.Field(i).Tag.Get("json"), ",")
	}
	names.Store(model, found)
	return found
}
