// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
)

const (
	roleARN     = "acs:ram::1234567890123456:role/live-notify"
	otherARN    = "acs:ram::6543210987654321:role/other"
	providerARN = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-test"
	secondID    = "second-key-id"
	strangerID  = "stranger-key-id" // of another cloud account
)

// sessions are the credentials that the fake token service hands out for a
// role; the emulated cloud knows them.
var sessions = map[string]emulator.AccessKey{
	roleARN:    {ID: "STS.role", Secret: "sts-secret-of-role", SecurityToken: "sts-token-of-role"},
	otherARN:   {ID: "STS.other", Secret: "sts-secret-of-other", SecurityToken: "sts-token-of-other"},
	"ecs-role": {ID: "STS.ecs", Secret: "sts-secret-of-ecs", SecurityToken: "sts-token-of-ecs"},
}

// tokenService is a small token service.
type tokenService struct {
	*httptest.Server
	mu       sync.Mutex
	requests []url.Values
}

func newTokenService(t *testing.T) *tokenService {
	s := &tokenService{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Form.Set("Action", r.Header.Get("x-acs-action"))
	s.mu.Lock()
	s.requests = append(s.requests, r.Form)
	s.mu.Unlock()
	if r.Form.Get("Action") == "GetCallerIdentity" {
		id := "1234567890123456"
		if strings.Contains(r.Header.Get("Authorization"), strangerID) {
			id = "6543210987654321"
		}
		writeSession(w, map[string]any{"RequestId": "R", "AccountId": id, "Arn": "acs:ram::" + id + ":user/streamer"})
		return
	}
	session, known := sessions[r.Form.Get("RoleArn")]
	if !known {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"RequestId":"%d","Code":"EntityNotExist.Role","Message":"The role not exists."}`, time.Now().UnixNano())
		return
	}
	writeSession(w, map[string]any{"RequestId": "R", "Credentials": map[string]string{
		"AccessKeyId": session.ID, "AccessKeySecret": session.Secret, "SecurityToken": session.SecurityToken,
		"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}})
}

func writeSession(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

// seen returns the requests of an action.
func (s *tokenService) seen(action string) []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []url.Values
	for _, r := range s.requests {
		if r.Get("Action") == action {
			found = append(found, r)
		}
	}
	return found
}

// metadataService answers as the ECS metadata service does.
func metadataService(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPut:
		fmt.Fprint(w, "metadata-token")
	case strings.HasSuffix(r.URL.Path, "/security-credentials/ecs-role"):
		session := sessions["ecs-role"]
		writeSession(w, map[string]string{
			"Code": "Success", "AccessKeyId": session.ID, "AccessKeySecret": session.Secret, "SecurityToken": session.SecurityToken,
			"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "LastUpdated": time.Now().UTC().Format(time.RFC3339),
		})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// trustFakes makes the library find the fake metadata service at the address of
// the real one.
func trustFakes() (closeAll func()) {
	metadata := httptest.NewServer(http.HandlerFunc(metadataService))
	there, err := url.Parse(metadata.URL)
	if err != nil {
		panic(err)
	}
	http.DefaultTransport.(*http.Transport).Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Hostname() == "100.100.100.200" {
			return there, nil
		}
		return nil, nil
	}
	return metadata.Close
}

// account creates the LiveAccount called account.
func (w *world) account(edit func(*v1alpha1.LiveAccountSpec)) {
	w.t.Helper()
	account := &v1alpha1.LiveAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "account"},
		Spec:       v1alpha1.LiveAccountSpec{Endpoint: w.endpoint},
	}
	edit(&account.Spec)
	w.Expect(w.api.Create(w.ctx, account)).To(Succeed())
}

func byAccessKey(s *v1alpha1.LiveAccountSpec) {
	s.Credentials.AccessKeySecretRef = &v1alpha1.LocalSecretReference{Name: "access-key"}
}

// accessKeySecret creates or replaces the Secret of the account.
func (w *world) accessKeySecret(entries map[string]string) {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "access-key"}, StringData: entries}
	w.Expect(client.IgnoreNotFound(w.api.Delete(w.ctx, secret.DeepCopy()))).To(Succeed())
	w.Expect(w.api.Create(w.ctx, secret)).To(Succeed())
}

func (w *world) accountStatus() v1alpha1.LiveAccountStatus {
	w.t.Helper()
	var account v1alpha1.LiveAccount
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "account"}, &account)).To(Succeed())
	return account.Status
}

func viaAccount(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "account"} }

// accounts runs an operator whose own credentials the cloud refuses, so that
// what works does so by the account.
func accounts(t *testing.T, f fixture) (*driver, *tokenService) {
	t.Helper()
	w := newWorld(t, emulator.Options{})
	sts := newTokenService(t)
	var err error
	w.tokens, err = live.NewTokenService(sts.URL, false)
	w.Expect(err).NotTo(HaveOccurred())
	w.own = w.credentials("nobody", "nothing")
	f.prepare(w.cloud)
	w.run()
	return &driver{world: w, f: f}, sts
}

func TestAccountKinds(t *testing.T) {
	f := streamFixture()
	for name, c := range map[string]struct {
		spec     func(*v1alpha1.LiveAccountSpec)
		key      string // that the cloud sees
		identity string
	}{
		"an access key": {byAccessKey, keyID, "access key ****"},
		"a ServiceAccount's role": {func(s *v1alpha1.LiveAccountSpec) {
			s.Credentials.OIDC = &v1alpha1.OIDCCredentials{RoleARN: roleARN, OIDCProviderARN: providerARN, ServiceAccountName: "streamer"}
		}, "STS.role", "role " + roleARN},
		"the instance's role": {func(s *v1alpha1.LiveAccountSpec) {
			s.Credentials.ECSRAMRole = &v1alpha1.ECSRAMRole{RoleName: "ecs-role"}
		}, "STS.ecs", "ECS RAM role ecs-role"},
		"a role assumed with an access key": {func(s *v1alpha1.LiveAccountSpec) {
			byAccessKey(s)
			s.AssumeRole = &v1alpha1.AssumeRole{RoleARN: otherARN, ExternalID: "external"}
		}, "STS.other", "role " + otherARN},
		"a role assumed with a ServiceAccount's role": {func(s *v1alpha1.LiveAccountSpec) {
			s.Credentials.OIDC = &v1alpha1.OIDCCredentials{RoleARN: roleARN, OIDCProviderARN: providerARN, ServiceAccountName: "streamer"}
			s.AssumeRole = &v1alpha1.AssumeRole{RoleARN: otherARN}
		}, "STS.other", "role " + otherARN},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, sts := accounts(t, f)
			d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
			d.Expect(d.api.Create(d.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "streamer"}})).To(Succeed())
			d.account(c.spec)
			d.create("a", viaAccount)
			obj := d.reaches("a", v1alpha1.ReasonInSync)
			d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))

			d.Eventually(func(g Gomega) {
				status := d.accountStatus()
				g.Expect(status.Identity).To(HavePrefix(c.identity))
				g.Expect(status.Conditions).To(HaveLen(2))
				g.Expect(status.Conditions[0].Reason).To(Equal(v1alpha1.ReasonCredentialsLoaded))
				g.Expect(status.Conditions[1].Reason).To(Equal(v1alpha1.ReasonIdentified))
				g.Expect(status.AccountID).To(Equal("1234567890123456"))
			}).Should(Succeed())
			for _, r := range sts.seen("AssumeRoleWithOIDC") {
				claims := claimsOf(t, r.Get("OIDCToken"))
				d.Expect(claims["aud"]).To(ConsistOf("sts.aliyuncs.com"))
				d.Expect(claims["sub"]).To(Equal("system:serviceaccount:" + d.namespace + ":streamer"))
			}
			for _, r := range sts.seen("AssumeRole") {
				d.Expect(r.Get("RoleSessionName")).To(Equal("live-notify-operator"))
			}
			for _, call := range d.cloud.Calls() {
				d.Expect(call.Code).To(BeEmpty(), call.Action)
			}
		})
	}
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestAccountComesAndGoes(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		d, _ := accounts(t, f)
		says := func(text string) {
			d.t.Helper()
			d.Eventually(func(g Gomega) {
				obj := d.get("a")
				g.Expect(reasonIn(obj, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonAccountNotReady))
				g.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring(text))
			}).WithPolling(20 * time.Millisecond).Should(Succeed())
		}
		d.create("a", viaAccount)
		says(`LiveAccount "account" does not exist`)
		d.account(byAccessKey)
		says(`Secret "access-key" does not exist`)
		d.accessKeySecret(map[string]string{"accessKeyID": keyID})
		says("no entry accessKeySecret")
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret + "\n"})
		d.reaches("a", v1alpha1.ReasonInSync)

		// A rotated Secret takes effect at once.
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": "wrong"})
		d.update("a", f.change)
		d.reaches("a", v1alpha1.ReasonAccessDenied)
		d.accessKeySecret(map[string]string{"accessKeyID": secondID, "accessKeySecret": keySecret})
		start := time.Now()
		obj := d.reaches("a", v1alpha1.ReasonInSync, v1alpha1.ReasonApplied)
		d.Expect(time.Since(start)).To(BeNumerically("<", 12*time.Second), "before the retry, which is after 15 s")
		d.Expect(f.have(d.cloud)).To(Equal(f.want(obj, "")))

		// Credentials gone: those that were loaded serve on for the removal.
		d.Expect(d.api.Delete(d.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "access-key"}})).To(Succeed())
		says(`Secret "access-key" does not exist`) // else the deletion may find them still in the cache
		d.remove("a")
		d.Eventually(func() bool { return d.gone("a") }).Should(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())
	})
}

// TestDeletionWithoutCredentials: an operator that never had the credentials
// cannot remove anything, and says what releases the object.
func TestDeletionWithoutCredentials(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
		d.account(byAccessKey)
		d.create("a", viaAccount)
		d.settle("a")
		d.Expect(d.api.Delete(d.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "access-key"}})).To(Succeed())
		d.remove("a")
		d.restart()
		obj := d.until("a", v1alpha1.ReasonDeletionBlocked)
		d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(And(ContainSubstring("deletionPolicy: Retain"), ContainSubstring("access-key")))
		d.Expect(stalled(obj)).To(BeTrue())
		want := f.have(d.cloud)
		d.update("a", func(o Object) { spec(o).DeletionPolicy = v1alpha1.DeletionRetain })
		d.pass("a")
		d.Expect(d.gone("a")).To(BeTrue())
		d.Expect(f.have(d.cloud)).To(Equal(want))
	})
}

// TestNoHeirAtAnotherEndpoint: who has the same credentials but asks somewhere else takes
// over nothing, as what is there is another configuration.
func TestNoHeirAtAnotherEndpoint(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	d, _ := accounts(t, f)
	other := newCloud(t, emulator.Options{})
	f.prepare(other.cloud)
	d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
	d.account(byAccessKey)
	elsewhere := d.theAccount("account")
	elsewhere.ObjectMeta = metav1.ObjectMeta{Namespace: d.namespace, Name: "elsewhere"}
	elsewhere.Spec.Endpoint = other.endpoint
	d.Expect(d.api.Create(d.ctx, elsewhere)).To(Succeed())
	for _, name := range []string{"account", "elsewhere"} {
		d.Eventually(func() string { return d.theAccount(name).Status.AccountID }).ShouldNot(BeEmpty())
	}
	d.create("a", viaAccount)
	d.reaches("a", v1alpha1.ReasonInSync)
	d.create("b", func(o Object) { spec(o).AccountRef = &v1alpha1.AccountReference{Name: "elsewhere"} })
	d.reaches("b", v1alpha1.ReasonConflict)
	d.remove("a")
	d.Eventually(func() bool { return d.gone("a") }).Should(BeTrue())
	d.Expect(f.have(d.cloud)).To(BeNil())
	b := d.reaches("b", v1alpha1.ReasonInSync)
	d.Expect(f.have(other.cloud)).To(Equal(f.want(b, "")))
}

// TestMovingToAnotherAccount: in another account an object owns nothing, so that
// what is there is adopted or left alone like anybody's; it is no drift.
func TestMovingToAnotherAccount(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		other := newCloud(t, emulator.Options{})
		f.prepare(other.cloud)
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
		d.account(func(s *v1alpha1.LiveAccountSpec) {
			byAccessKey(s)
			s.Endpoint = other.endpoint
		})
		d.create("a", func(o Object) { spec(o).DriftPolicy = v1alpha1.DriftReport })
		d.settle("a")
		f.edit(other.cloud)
		theirs := f.have(other.cloud)

		d.update("a", viaAccount)
		obj := d.until("a", v1alpha1.ReasonExistingConfiguration)
		d.Expect(f.have(other.cloud)).To(Equal(theirs))
		d.Expect(kind.Wrote(obj)).To(BeFalse(), "what is not ours is not deleted either")
		d.Expect(statusOf(obj).Drift.Count).To(BeZero())

		f.erase(other.cloud)
		d.clock.advance(maxStalled * 2)
		obj = d.settle("a")
		d.Expect(f.have(other.cloud)).To(Equal(f.want(obj, "")))
		d.Expect(obj.GetFinalizers()).To(ConsistOf(v1alpha1.Finalizer))
		d.Expect(statusOf(obj).Drift.Count).To(BeZero())
		d.Expect(statusOf(obj).Applied.Account).To(Equal("account"))
	})
}

// TestNamespaceGoesAway deletes everything of a namespace, the credentials
// first: what they were for is still removed from the cloud.
func TestNamespaceGoesAway(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		d, _ := accounts(t, f)
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
		d.account(byAccessKey)
		d.create("a", viaAccount)
		d.reaches("a", v1alpha1.ReasonInSync)

		// What the namespace controller does, in the worst order.
		d.Expect(d.api.Delete(d.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}})).To(Succeed())
		d.Expect(d.api.DeleteAllOf(d.ctx, &corev1.Secret{}, client.InNamespace(d.namespace))).To(Succeed())
		d.Expect(d.api.DeleteAllOf(d.ctx, &v1alpha1.LiveAccount{}, client.InNamespace(d.namespace))).To(Succeed())
		d.Eventually(func(g Gomega) {
			var account v1alpha1.LiveAccount
			g.Expect(d.mgr.GetClient().Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "account"}, &account)).To(Succeed())
			g.Expect(account.DeletionTimestamp).NotTo(BeNil(), "it stays while it is needed")
		}).Should(Succeed())
		d.remove("a")
		d.Eventually(func() bool { return d.gone("a") }).Should(BeTrue())
		d.Expect(f.have(d.cloud)).To(BeNil())
		d.Eventually(func() error {
			return d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "account"}, &v1alpha1.LiveAccount{})
		}).Should(HaveOccurred())
	})
}

// TestNamespaceGoesAwayWithinTheLimit of deletions: one configuration is removed in
// the first hour, the other in the next, and then the account goes too.
func TestNamespaceGoesAwayWithinTheLimit(t *testing.T) {
	t.Parallel()
	d, _ := accounts(t, streamFixture())
	d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
	d.account(func(s *v1alpha1.LiveAccountSpec) { byAccessKey(s); s.MaxDeletionsPerHour = 1 })
	const other = "other.example.com"
	d.cloud.AddDomain("", other, emulator.IngestDomain)
	d.create("a", viaAccount)
	d.create("b", viaAccount, func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.DomainName = other })
	d.reaches("a", v1alpha1.ReasonInSync)
	d.reaches("b", v1alpha1.ReasonInSync)

	d.Expect(d.api.Delete(d.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}})).To(Succeed())
	for _, o := range []client.Object{&corev1.Secret{}, &v1alpha1.LiveAccount{}, &v1alpha1.LiveNotifyConfig{}} {
		d.Expect(d.api.DeleteAllOf(d.ctx, o, client.InNamespace(d.namespace))).To(Succeed())
	}
	left := func() (names []string) {
		var list v1alpha1.LiveNotifyConfigList
		d.Expect(d.api.List(d.ctx, &list, client.InNamespace(d.namespace))).To(Succeed())
		for _, o := range list.Items {
			names = append(names, o.Name)
		}
		return names
	}
	d.Eventually(left).Should(HaveLen(1))
	held := left()[0]
	d.Eventually(func() string { return readyReason(d.get(held)) }).Should(Equal(v1alpha1.ReasonDeletionHeld))
	d.clock.advance(61 * time.Minute)
	d.ask(held, "now") // the queue goes by the clock of the machine
	d.Eventually(left).Should(BeEmpty())
	d.Eventually(func() error {
		return d.api.Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "account"}, &v1alpha1.LiveAccount{})
	}).Should(HaveOccurred())
	for _, domain := range []string{ingestDomain, other} {
		_, there := d.cloud.StreamConfig(domain)
		d.Expect(there).To(BeFalse(), domain)
	}
}

func TestAccountRestrictions(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	for name, c := range map[string]struct {
		spec    func(*v1alpha1.LiveAccountSpec)
		reason  string
		message string
	}{
		"a domain that it does not allow": {
			func(s *v1alpha1.LiveAccountSpec) { s.AllowedDomains = []string{"*.elsewhere.com", "example.com"} },
			v1alpha1.ReasonAccessDenied, "does not allow the domain " + ingestDomain,
		},
		"an endpoint that would leak keys": {
			func(s *v1alpha1.LiveAccountSpec) { s.Endpoint = "http://live.example.com" },
			v1alpha1.ReasonAccountNotReady, "--allow-insecure-endpoints",
		},
		"a role that does not exist": {
			func(s *v1alpha1.LiveAccountSpec) {
				s.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "acs:ram::1234567890123456:role/nobody"}
			},
			v1alpha1.ReasonAccountNotReady, "EntityNotExist.Role",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := accounts(t, f)
			d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
			d.account(func(s *v1alpha1.LiveAccountSpec) {
				byAccessKey(s)
				c.spec(s)
			})
			d.create("a", viaAccount)
			obj := d.reaches("a", c.reason)
			d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring(c.message))
			d.Expect(d.cloud.CallCount()).To(BeZero())
			d.Expect(obj.GetFinalizers()).To(BeEmpty())
			if c.reason == v1alpha1.ReasonAccountNotReady {
				d.Eventually(func() string {
					conditions := d.accountStatus().Conditions
					if len(conditions) == 0 {
						return ""
					}
					return conditions[0].Message
				}).Should(ContainSubstring(c.message))
			}
		})
	}
	t.Run("a domain that it allows", func(t *testing.T) {
		t.Parallel()
		d, _ := accounts(t, f)
		d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
		d.account(func(s *v1alpha1.LiveAccountSpec) {
			byAccessKey(s)
			s.AllowedDomains = []string{"*.example.com"}
		})
		d.create("a", viaAccount)
		d.reaches("a", v1alpha1.ReasonInSync)
	})
}

func TestOwnCredentialsCanBeRefused(t *testing.T) {
	forEachKind(t, func(t *testing.T, f fixture) {
		d := driven(t, f, emulator.Options{})
		s := d.shared()
		s.accounts.RequireRef = true
		d.r = f.reconciler(s)
		d.create("a")
		obj := d.until("a", v1alpha1.ReasonAccountNotReady)
		d.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring("spec.accountRef"))
		d.Expect(d.cloud.CallCount()).To(BeZero())

		// The role of the operator's own instance is no way around it.
		d.account(func(spec *v1alpha1.LiveAccountSpec) {
			spec.Credentials.ECSRAMRole = &v1alpha1.ECSRAMRole{RoleName: "ecs-role"}
		})
		d.update("a", viaAccount)
		d.Eventually(func() string {
			d.pass("a")
			return messageOf(d.get("a"), v1alpha1.ConditionReady)
		}).Should(ContainSubstring("Use accessKeySecretRef or oidc"))
		d.Expect(d.cloud.CallCount()).To(BeZero())
	})
}

// TestAnotherNamespacesAccountIsOutOfReach: a reference has no namespace, so the
// account of another one does not exist for it.
func TestAnotherNamespacesAccountIsOutOfReach(t *testing.T) {
	forKindsInTurn(t, func(t *testing.T, f fixture) {
		rich, _ := accounts(t, f)
		rich.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
		rich.account(byAccessKey)
		poor, _ := accounts(t, f)
		poor.create("a", viaAccount)
		obj := poor.reaches("a", v1alpha1.ReasonAccountNotReady)
		poor.Expect(messageOf(obj, v1alpha1.ConditionReady)).To(ContainSubstring("does not exist"))
	})
}

// TestKeysOfAnotherCloudAccount: a LiveAccount whose key comes to be that of another
// cloud account is another account, from the first pass on.
func TestKeysOfAnotherCloudAccount(t *testing.T) {
	t.Parallel()
	f := streamFixture()
	w := newWorld(t, emulator.Options{})
	var err error
	w.tokens, err = live.NewTokenService(newTokenService(t).URL, false)
	w.Expect(err).NotTo(HaveOccurred())
	f.prepare(w.cloud)
	d := w.drive(f)
	d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
	d.account(byAccessKey)
	d.create("a", viaAccount)
	d.settle("a")
	d.update("a", f.change)
	obj := d.settle("a")
	d.Expect(statusOf(obj).Applied.AccountID).To(BeEmpty(), "no LiveAccount was looked at yet")
	_, err = d.accounts.Identify(d.ctx, d.accounts.Last(d.namespace, spec(obj).AccountRef))
	d.Expect(err).NotTo(HaveOccurred())
	d.update("a", func(o Object) { o.(*v1alpha1.LiveNotifyConfig).Spec.NotifyURL += "/again" })
	obj = d.settle("a")
	d.Expect(statusOf(obj).Applied.AccountID).To(Equal("1234567890123456"))
	d.cloud.ResetCalls()

	d.accessKeySecret(map[string]string{"accessKeyID": strangerID, "accessKeySecret": keySecret})
	d.Eventually(func() bool {
		d.clock.advance(11 * time.Minute)
		d.pass("a")
		return slices.ContainsFunc(d.cloud.Calls(), func(c emulator.Call) bool { return c.Account == "stranger" })
	}).Should(BeTrue())
	obj = d.get("a")
	d.Expect(statusOf(obj).Applied == nil || statusOf(obj).Applied.AccountID == "6543210987654321").To(BeTrue(), "what it owns is in the other account")
	for _, call := range d.cloud.Calls() {
		d.Expect(call.Action).NotTo(HavePrefix("Delete"), "%+v", call)
	}
}

// TestWhatTheAPIServerRefusesForAnAccountIsTold, and once.
func TestWhatTheAPIServerRefusesForAnAccountIsTold(t *testing.T) {
	t.Parallel()
	d := served(t, streamFixture(), emulator.Options{})
	d.accessKeySecret(map[string]string{"accessKeyID": keyID, "accessKeySecret": keySecret})
	d.account(func(s *v1alpha1.LiveAccountSpec) { byAccessKey(s) })
	var account v1alpha1.LiveAccount
	d.Eventually(func() error {
		return d.mgr.GetClient().Get(d.ctx, client.ObjectKey{Namespace: d.namespace, Name: "account"}, &account)
	}).Should(Succeed())
	r := &accountReconciler{d.shared()}
	fault := &apiFault{"patching the finalizer", apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a", errors.New("SECRET"))}
	for range 2 {
		_, err := r.faulted(d.ctx, account.DeepCopy(), fault)
		d.Expect(err).NotTo(HaveOccurred())
	}
	c := meta.FindStatusCondition(d.accountStatus().Conditions, v1alpha1.ConditionReady)
	d.Expect(c).NotTo(BeNil())
	d.Expect(c.Reason).To(Equal(v1alpha1.ReasonClusterRefused))
	d.Expect(c.Message).To(And(ContainSubstring("Forbidden"), Not(ContainSubstring("SECRET"))))
}

// TestWhatTheAPIServerRefusesForAPolicyIsTold in an event: there is nothing else to write.
func TestWhatTheAPIServerRefusesForAPolicyIsTold(t *testing.T) {
	t.Parallel()
	recorder := events.NewFakeRecorder(1)
	r := &rolloutReconciler{&shared{events: recorder}}
	fault := &apiFault{"patching the status", apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "a", errors.New("SECRET"))}
	if result, err := r.faulted(&v1alpha1.LiveRolloutPolicy{}, fault); err != nil || result.RequeueAfter != retryAccount {
		t.Errorf("got %v, %v", result, err)
	}
	if said := <-recorder.Events; !strings.Contains(said, "patching the status: Forbidden") || strings.Contains(said, "SECRET") {
		t.Error(said)
	}
}
