// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/live-20161101/v2/client"
	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/aliyun/credentials-go/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"
)

// sdkMethod returns the method of the SDK's client that makes a request.
func sdkMethod(t testing.TB, action string) reflect.Type {
	m, ok := reflect.TypeFor[*sdk.Client]().MethodByName(action + "WithContext")
	if !ok {
		t.Fatalf("the SDK has no %s", action)
	}
	return m.Type
}

// filled returns a value of a type in which every field is set.
func filled(t testing.TB, r *rand.Rand, of reflect.Type) reflect.Value {
	switch of.Kind() {
	case reflect.Pointer:
		p := reflect.New(of.Elem())
		p.Elem().Set(filled(t, r, of.Elem()))
		return p
	case reflect.Struct:
		v := reflect.New(of).Elem()
		for i := range of.NumField() {
			v.Field(i).Set(filled(t, r, of.Field(i).Type))
		}
		return v
	case reflect.Slice:
		if of.Elem().Elem().Kind() == reflect.Struct {
			return reflect.Zero(of) // tags, which nobody sends
		}
		v := reflect.MakeSlice(of, 0, 12)
		for range 12 { // so that .10 sorts before .2
			v = reflect.Append(v, filled(t, r, of.Elem()))
		}
		return v
	case reflect.String:
		const odd = "aZ09-_.~ +*%/?&=#:;,<>\"'{}|\\^`@!$()[]\n中é😀"
		runes := []rune(odd)
		b := make([]rune, r.IntN(12))
		for i := range b {
			b[i] = runes[r.IntN(len(runes))]
		}
		return reflect.ValueOf(string(b)).Convert(of)
	case reflect.Int32, reflect.Int64:
		return reflect.ValueOf(r.Int32()).Convert(of)
	case reflect.Bool:
		return reflect.ValueOf(r.IntN(2) == 0).Convert(of)
	default:
		t.Fatalf("a field of type %s", of)
		panic("unreachable")
	}
}

// seen is what a server sees of a request, without what differs each time, and without
// the header that says which of the vendor's libraries loaded the keys: none did.
type seen struct {
	Method, Path, Host, Body string
	Query                    url.Values
	Header                   http.Header
	raw                      *http.Request
}

// listening returns the address of a server that notes requests and answers with the
// reply.
func listening(t *testing.T, reply *string) (host string, last *seen) {
	last = &seen{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		query, malformed := url.ParseQuery(r.URL.RawQuery)
		if err != nil || malformed != nil {
			t.Error(err, malformed)
		}
		h := r.Header.Clone()
		for _, name := range []string{"X-Acs-Date", "X-Acs-Signature-Nonce", "Authorization", "Accept-Encoding", "X-Acs-Credentials-Provider"} {
			h.Del(name)
		}
		*last = seen{r.Method, r.URL.Path, r.Host, string(body), query, h, r}
		_, _ = io.WriteString(w, *reply)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), last
}

// signedAs returns the Authorization that the SDK gives a request, from what a server
// saw of it.
func (s *seen) signedAs(id, secret string) string {
	r := &dara.Request{Method: &s.Method, Pathname: &s.Path, Query: map[string]*string{}, Headers: map[string]*string{"host": &s.Host}}
	for name, values := range s.Query {
		r.Query[name] = &values[0]
	}
	for name, values := range s.raw.Header {
		r.Headers[strings.ToLower(name)] = &values[0]
	}
	return dara.StringValue(utils.GetAuthorization(r, new("ACS3-HMAC-SHA256"), r.Headers["x-acs-content-sha256"], &id, &secret))
}

// own gives keys to the SDK.
type own keys

func (p own) GetCredentials() (*providers.Credentials, error) {
	return &providers.Credentials{AccessKeyId: p.id, AccessKeySecret: p.secret, SecurityToken: p.token}, nil
}

func (own) GetProviderName() string { return "test" }

// bothClients returns the SDK's client and ours, with the same keys.
func bothClients(t *testing.T, host string, k keys) (*sdk.Client, *wire) {
	c, err := sdk.NewClient(&utils.Config{
		Endpoint: &host, Protocol: new("http"), RegionId: new("cn-shanghai"), Credential: credentials.FromCredentialsProvider("test", own(k)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, newWire(endpoint{"http", host}, apiVersion, "")
}

// TestWireIsTheSDKs: for each operation, with each parameter set to odd values, a
// request is what the SDK makes of it, and signed as the SDK would sign it; and a reply
// that spells its values in any way is read as the SDK reads it.
func TestWireIsTheSDKs(t *testing.T) {
	t.Parallel()
	var reply string
	host, last := listening(t, &reply)
	for _, op := range Operations() {
		t.Run(op.Action, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			method := sdkMethod(t, op.Action)
			model, answer := method.In(2), method.Out(0).Elem()
			body, _ := answer.FieldByName("Body")
			for round := range 8 {
				k := keys{"test-id", "test-secret", []string{"", "token"}[round%2]}
				theirs, ours := bothClients(t, host, k)
				request := filled(t, r, model)
				reply = spelled(r, body.Type, false)
				if round == 0 {
					request = reflect.New(model.Elem()) // nothing is set
				}
				result := reflect.ValueOf(theirs).MethodByName(op.Action + "WithContext").Call([]reflect.Value{
					reflect.ValueOf(t.Context()), request, reflect.ValueOf(&dara.RuntimeOptions{}),
				})
				if err, _ := reflect.TypeAssert[error](result[1]); err != nil {
					t.Fatal(err)
				}
				want := *last
				raw, err := ours.exchange(t.Context(), &exchange{action: op.Action}, &k, op.Method(), request.Interface())
				if err != nil {
					t.Fatal(err)
				}
				got := *last
				if got.raw.Header.Get("Authorization") != got.signedAs(k.id, k.secret) {
					t.Errorf("the signature is %s, want %s", got.raw.Header.Get("Authorization"), got.signedAs(k.id, k.secret))
				}
				got.raw, want.raw = nil, nil
				if !reflect.DeepEqual(got, want) {
					t.Errorf("sent %+v\nwant %+v", got, want)
				}
				read := reflect.New(body.Type.Elem())
				if err := dara.Convert(json.RawMessage(raw), read.Interface()); err != nil {
					t.Fatal(err)
				}
				if wanted := result[0].Elem().FieldByName("Body").Interface(); !reflect.DeepEqual(read.Interface(), wanted) {
					t.Errorf("read %s\nwant %s\nof %s", dara.Stringify(read.Interface()), dara.Stringify(wanted), reply)
				}
			}
		})
	}
}

// spelled returns JSON that a model may be read from: numbers as texts, texts as
// numbers or truth values, null, and fields that no one knows.
func spelled(r *rand.Rand, of reflect.Type, inside bool) string {
	switch of.Kind() {
	case reflect.Pointer:
		if inside && r.IntN(8) == 0 {
			return "null"
		}
		return spelled(r, of.Elem(), inside)
	case reflect.Struct:
		fields := []string{`"Unknown":{"a":[1,"b",null]}`}
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case name == "RequestId":
				fields = append(fields, `"RequestId":"6EBD1AC4-C34D-4AE1-963E-B688A228BE31"`)
			case name != "Code" && r.IntN(8) > 0:
				fields = append(fields, fmt.Sprintf("%q:%s", name, spelled(r, field.Type, true)))
			}
		}
		return "{" + strings.Join(fields, ",") + "}"
	case reflect.Slice:
		items := make([]string, r.IntN(4))
		for i := range items {
			items[i] = spelled(r, of.Elem(), true)
		}
		return "[" + strings.Join(items, ",") + "]"
	case reflect.Bool:
		return []string{"true", "false", `"true"`, `"False"`, "0", "1", `""`}[r.IntN(7)]
	case reflect.String:
		return []string{`"text"`, `""`, "12", "0.5", "true", `"<a href=\"x\">&amp;"`, `"中\u0000\n"`, "123456789012345678"}[r.IntN(8)]
	default: // numbers
		return []string{"7", `"7"`, `""`, "0", "7.0", "true", "-1"}[r.IntN(7)]
	}
}

// TestWireOfTheTokenService: likewise for the requests to the token service.
func TestWireOfTheTokenService(t *testing.T) {
	t.Parallel()
	reply := `{"RequestId":"R"}`
	host, last := listening(t, &reply)
	k := keys{"test-id", "test-secret", ""}
	theirs, err := sts.NewClient(&utils.Config{Endpoint: &host, Protocol: new("http"), Credential: credentials.FromCredentialsProvider("test", own(k))})
	if err != nil {
		t.Fatal(err)
	}
	theirs.SignatureAlgorithm = nil // in the header, not in the older way in the query
	service, err := NewTokenService("http://"+host, false)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	assume := filled(t, r, reflect.TypeFor[*sts.AssumeRoleRequest]()).Interface().(*sts.AssumeRoleRequest)
	exchange := filled(t, r, reflect.TypeFor[*sts.AssumeRoleWithOIDCRequest]()).Interface().(*sts.AssumeRoleWithOIDCRequest)
	for action, c := range map[string]struct {
		theirs  func() error
		request any
		signed  *keys
	}{
		"GetCallerIdentity":  {func() error { _, err := theirs.GetCallerIdentity(); return err }, nil, &k},
		"AssumeRole":         {func() error { _, err := theirs.AssumeRole(assume); return err }, assume, &k},
		"AssumeRoleWithOIDC": {func() error { _, err := theirs.AssumeRoleWithOIDC(exchange); return err }, exchange, nil},
	} {
		if err := c.theirs(); err != nil {
			t.Fatal(action, err)
		}
		want := *last
		if _, _, err := asked[sts.AssumeRoleResponseBody](t.Context(), service, c.signed, action, c.request); err != nil {
			t.Fatal(action, err)
		}
		got := *last
		if c.signed != nil {
			if got.raw.Header.Get("Authorization") != got.signedAs(k.id, k.secret) {
				t.Errorf("%s: the signature is not the SDK's", action)
			}
		}
		if (got.raw.Header["Authorization"] == nil) != (want.raw.Header["Authorization"] == nil) {
			t.Errorf("%s: signed as %q, want as %q", action, got.raw.Header["Authorization"], want.raw.Header["Authorization"])
		}
		got.raw, want.raw = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: sent %+v\nwant %+v", action, got, want)
		}
	}
}

// The example of the vendor's page on signatures.
// https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
func TestSignatureOfTheVendorsExample(t *testing.T) {
	t.Parallel()
	header := map[string]string{
		"host": "ecs.cn-shanghai.aliyuncs.com", "x-acs-action": "RunInstances", "x-acs-content-sha256": emptyHash,
		"x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-version": "2014-05-26",
	}
	got := signature(header, &keys{id: "YourAccessKeyId", secret: "YourAccessKeySecret"}, http.MethodPost,
		"ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai")
	if want := ",Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end with %s", got, want)
	}
}

// The two operations of a write that are sent by one model have the same parameters.
var (
	_ = sdk.UpdateLiveRecordNotifyConfigRequest(sdk.AddLiveRecordNotifyConfigRequest{})
	_ = sdk.UpdateLiveSnapshotNotifyConfigRequest(sdk.AddLiveSnapshotNotifyConfigRequest{})
	_ = sdk.UpdateLiveDetectNotifyConfigRequest(sdk.AddLiveDetectNotifyConfigRequest{})
	_ = sdk.UpdateLiveAudioAuditNotifyConfigRequest(sdk.AddLiveAudioAuditNotifyConfigRequest{})
)

// The region goes to the operations that take one, and to no other.
func TestRegionIsSentWhereItIsTaken(t *testing.T) {
	t.Parallel()
	domain := "push.example.com"
	for _, c := range []struct {
		request any
		want    string
	}{
		{&sdk.DescribeLiveStreamsNotifyUrlConfigRequest{DomainName: &domain}, "DomainName=push.example.com&RegionId=cn-beijing"},
		{&sdk.SetLiveStreamsNotifyUrlConfigRequest{DomainName: &domain}, "DomainName=push.example.com"},
		{nil, ""},
	} {
		if got, ok := encode(c.request, "cn-beijing"); !ok || got != c.want {
			t.Errorf("got %q, %t, want %q", got, ok, c.want)
		}
	}
}

// A model with what this package does not know to send is refused, not sent in part.
func TestEncodeRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	request := &sdk.DescribeLiveUserDomainsRequest{Tag: []*sdk.DescribeLiveUserDomainsRequestTag{{}}}
	if got, ok := encode(request, ""); ok || got != "" {
		t.Errorf("got %q, %t, want a refusal", got, ok)
	}
}

// The bounds count what is there, not what a text says.
func TestBoundsOfAReply(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat("]}", n/2) }
	many := func(n int) string { return `{"a":[0` + strings.Repeat(",0", n) + "]}" }
	for name, tc := range map[string]struct {
		body string
		ok   bool
	}{
		"nothing in it":              {"{}", true},
		"as deep as allowed":         {deep(maxDepth), true},
		"deeper":                     {deep(maxDepth + 2), false},
		"many items":                 {many(maxTokens - 10), true},
		"more":                       {many(maxTokens), false},
		"many fields":                {`{"a":0` + strings.Repeat(`,"a":0`, maxTokens/2) + "}", false},
		"many empty lists":           {`{"a":[[]` + strings.Repeat(",[]", maxTokens/3) + "]}", false},
		"brackets in a text":         {`{"a":"` + strings.Repeat("[{,:", maxTokens) + `"}`, true},
		"quotes in a text":           {`{"a":"` + strings.Repeat(`\"[`, maxTokens) + `"}`, true},
		"a backslash before the end": {`{"a":"\\","b":` + deep(maxDepth) + "}", false},
	} {
		if !json.Valid([]byte(tc.body)) {
			t.Fatalf("%s: no JSON", name)
		}
		if _, ok := headOf([]byte(tc.body), maxReply); ok != tc.ok {
			t.Errorf("%s: got %t, want %t", name, ok, tc.ok)
		}
	}
}
