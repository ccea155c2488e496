// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

// wire makes requests of the vendor's RPC style to one endpoint, as the vendor's SDK
// makes them: parameters in the query, signed by ACS3-HMAC-SHA256 in a header. The
// models are the SDK's, and so is what reads a reply into them, which takes a number
// for a string and the like; docs/decisions.md says why its client is not used.
// TestWireIsTheSDKs holds the two against each other.
//
// It turns every failure into an *Error: texts of the network have the request URL in
// them, which holds authentication keys.
type wire struct {
	endpoint
	version  string // of the API
	region   string // for the operations that take one; "" to leave it out
	client   *http.Client
	decoding chan struct{} // a place for each reply that is being decoded
	large    chan struct{} // the place of one that is large
}

// ask makes one request with a timeout, signed unless there are no keys. Every failure
// is an *Error or the context's error. A panic is one: its text, which may hold the
// request, must not reach the log.
func ask[Reply any](ctx context.Context, w *wire, timeout time.Duration, signed *keys, method, action string, request any) (reply *Reply, x *exchange, err error) {
	x = &exchange{action: action}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			err = malformed(action, fmt.Sprintf("panic (%T)", p))
		}
		for _, places := range x.places {
			<-places
		}
		err = normalize(ctx, action, err)
		cancel()
		observeRequest(action, err, time.Since(start))
	}()
	body, err := w.exchange(ctx, x, signed, method, request)
	if err == nil {
		reply = new(Reply)
		err = dara.Convert(json.RawMessage(body), reply)
		x.ails = ails(body, reflect.TypeFor[Reply]())
		x.stray = func() bool { return strays(body, reply) }
	}
	return reply, x, err
}

// strays tells whether a reply has URLs, and its model none of them: what it tells has
// another name than is known here.
func strays(body []byte, model any) bool {
	if !hasURL(body) {
		return false
	}
	read, err := json.Marshal(model)
	return err != nil || !hasURL(read)
}

// hasURL tells whether JSON has a URL anywhere.
func hasURL(text []byte) bool {
	return bytes.Contains(text, []byte("://")) || bytes.Contains(text, []byte(`:\/\/`))
}

// exchange sends a request and returns the body of its reply.
func (w *wire) exchange(ctx context.Context, x *exchange, signed *keys, method string, request any) ([]byte, error) {
	query, ok := encode(request, w.region)
	if !ok {
		return nil, malformed(x.action, fmt.Sprintf("%T has a parameter of a kind that cannot be sent", request))
	}
	r, err := http.NewRequestWithContext(ctx, method, w.scheme+"://"+w.host+"/?"+query, nil)
	if err != nil {
		return nil, malformed(x.action, fmt.Sprintf("a request that cannot be made (%T)", err))
	}
	header := map[string]string{
		"host":                  w.host,
		"x-acs-action":          x.action,
		"x-acs-content-sha256":  emptyHash,
		"x-acs-date":            time.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": rand.Text(),
		"x-acs-version":         w.version,
	}
	if signed != nil {
		if signed.token != "" {
			header["x-acs-accesskey-id"], header["x-acs-security-token"] = signed.id, signed.token
		}
		r.Header.Set("Authorization", signature(header, signed, method, query))
	}
	delete(header, "host") // it is where the request goes
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	return w.call(r, x)
}

var (
	userAgent = dara.StringValue(utils.GetUserAgent(nil))
	emptyHash = hexHash("")
)

// signature returns the header that signs a request without a body, with these fields
// of its header.
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func signature(header map[string]string, by *keys, method, query string) string {
	const algorithm = "ACS3-HMAC-SHA256"
	names := slices.Sorted(maps.Keys(header))
	list := strings.Join(names, ";")
	var fields strings.Builder
	for _, name := range names {
		fields.WriteString(name + ":" + header[name] + "\n")
	}
	canonical := method + "\n/\n" + query + "\n" + fields.String() + "\n" + list + "\n" + emptyHash
	mac := hmac.New(sha256.New, []byte(by.secret))
	mac.Write([]byte(algorithm + "\n" + hexHash(canonical)))
	return algorithm + " Credential=" + by.id + ",SignedHeaders=" + list + ",Signature=" + hex.EncodeToString(mac.Sum(nil))
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
	query := url.Values{}
	for field, value := range reflect.ValueOf(request).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if value.IsNil() {
			if name == "RegionId" && region != "" {
				query.Set(name, region)
			}
			continue
		}
		switch v := value.Interface().(type) {
		case *string, *int32, *int64, *bool:
			query.Set(name, fmt.Sprint(value.Elem()))
		case []*string:
			for i, item := range v {
				query.Set(name+"."+strconv.Itoa(i+1), dara.StringValue(item))
			}
		default:
			return "", false
		}
	}
	return rfc3986.Replace(query.Encode()), true
}

// rfc3986 is where it differs from how a form is escaped.
var rfc3986 = strings.NewReplacer("+", "%20", "%7E", "~")
