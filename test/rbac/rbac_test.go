// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
	"github.com/live-notify/live-notify-operator/test/controlplane"
	"github.com/live-notify/live-notify-operator/test/programs"
)

const (
	root = "../.."
	// system is the namespace that the operator is installed into, tenant the one
	// with the objects.
	system, tenant = "live-notify-system", "media"
	release        = "live-notify-operator"
	patience       = time.Minute
)

// TestClusterWide installs config/default.
func TestClusterWide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kubectl("apply", "--server-side", "-k", root+"/config/default")
	w.kubectl("apply", "--server-side", "-n", tenant, "-k", root+"/config/oidc")
	w.audit()
}

// TestNamespaced installs the operator for one namespace: what config/default
// grants of namespaced resources is granted there alone.
func TestNamespaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kubectl("apply", "--server-side", "-k", root+"/config/default")
	w.kubectl("apply", "--server-side", "-n", tenant, "-k", root+"/config/oidc")
	const name = release + "-manager"
	var everywhere rbacv1.ClusterRole
	var binding rbacv1.ClusterRoleBinding
	w.must(w.api.Get(t.Context(), client.ObjectKey{Name: name}, &binding))
	w.must(w.api.Get(t.Context(), client.ObjectKey{Name: binding.RoleRef.Name}, &everywhere))
	local := &rbacv1.Role{ObjectMeta: inTenant(release)}
	everywhere.Rules = slices.DeleteFunc(everywhere.Rules, func(rule rbacv1.PolicyRule) bool {
		ofCluster := slices.ContainsFunc(rule.APIGroups, func(group string) bool {
			return group == "authentication.k8s.io" || group == "authorization.k8s.io" || group == "coordination.k8s.io"
		})
		if !ofCluster {
			local.Rules = append(local.Rules, rule)
		}
		return !ofCluster
	})
	everywhere.Rules = append(everywhere.Rules, rbacv1.PolicyRule{ // what the policy of statuses asks for
		APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"statuses"}, Verbs: []string{"own"},
	})
	w.must(w.api.Update(t.Context(), &everywhere))
	w.create(local, &rbacv1.RoleBinding{
		ObjectMeta: inTenant(release), Subjects: binding.Subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: local.Name},
	})
	w.audit("--watch-namespaces=" + tenant)
}

// world is an API server that logs each request, a cloud, and an operator for
// the two.
type world struct {
	*testing.T
	dir, assets string
	config      *rest.Config
	api         client.Client
	cloud       *emulator.Server
	endpoint    string
	log         *journal

	mu        sync.Mutex
	exchanged []string // hosts that the operator went to by its proxy
}

type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, dir: t.TempDir(), log: &journal{}}
	var err error
	w.assets, err = controlplane.Assets(t.Context(), os.Stderr)
	w.must(err)
	w.must(os.WriteFile(w.file("policy"), []byte(auditPolicy), 0o600))
	env := &envtest.Environment{BinaryAssetsDirectory: w.assets}
	server := env.ControlPlane.GetAPIServer().Configure()
	server.Set("authorization-mode", "RBAC")
	server.Set("audit-policy-file", w.file("policy")).Set("audit-log-path", w.file("audit")).Set("audit-log-format", "json")
	w.config, err = env.Start()
	w.must(err)
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.must(os.WriteFile(w.file("admin"), env.KubeConfig, 0o600))

	scheme := runtime.NewScheme()
	w.must(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	w.config.QPS = -1
	w.config.WarningHandler = rest.NoWarnings{}
	w.api, err = client.New(w.config, client.Options{Scheme: scheme})
	w.must(err)

	w.cloud = emulator.New(emulator.Options{AccessKeys: []emulator.AccessKey{{ID: "own", Secret: "secret"}, {ID: "team", Secret: "secret"}}})
	door := httptest.NewServer(w.cloud)
	t.Cleanup(func() { door.Close(); w.cloud.Close() })
	w.endpoint = door.URL
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}})
	return w
}

func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) kubectl(args ...string) {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), filepath.Join(w.assets, "kubectl"), append([]string{"--kubeconfig", w.file("admin")}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w *world) create(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		w.must(w.api.Create(w.Context(), o))
	}
}

// told waits for an event.
func (w *world) told(what string, is func(eventsv1.Event) bool) {
	w.Helper()
	w.eventually(what, func() bool {
		var list eventsv1.EventList
		w.must(w.api.List(w.Context(), &list, client.InNamespace(tenant)))
		return slices.ContainsFunc(list.Items, is)
	})
}

func (w *world) patch(obj client.Object, patch string) {
	w.Helper()
	w.must(w.api.Patch(w.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))))
}

func (w *world) eventually(what string, done func() bool) {
	w.Helper()
	for start := time.Now(); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > patience {
			w.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// becomes waits for Ready of an object to have a reason.
func (w *world) becomes(obj client.Object, reason string) {
	w.Helper()
	w.eventually(fmt.Sprintf("%T %s becomes %s", obj, obj.GetName(), reason), func() bool {
		w.must(w.api.Get(w.Context(), client.ObjectKeyFromObject(obj), obj))
		var conditions []metav1.Condition
		switch o := obj.(type) {
		case *v1alpha1.LiveAccount:
			conditions = o.Status.Conditions
		case interface {
			Callback() (*v1alpha1.CallbackSpec, *v1alpha1.CallbackStatus)
		}:
			_, status := o.Callback()
			conditions = status.Conditions
		}
		ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason && ready.ObservedGeneration == obj.GetGeneration()
	})
}

// gone waits until objects are deleted that were told to be.
func (w *world) gone(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		w.must(client.IgnoreNotFound(w.api.Delete(w.Context(), o)))
		w.eventually(fmt.Sprintf("%T %s is gone", o, o.GetName()), func() bool {
			return apierrors.IsNotFound(w.api.Get(w.Context(), client.ObjectKeyFromObject(o), o))
		})
	}
}

// token returns one of a ServiceAccount, as its pod would have.
func (w *world) token(account client.ObjectKey) string {
	w.Helper()
	request := &authenticationv1.TokenRequest{}
	w.must(w.api.SubResource("token").Create(w.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}}, request))
	return request.Status.Token
}

// audit runs the operator that is installed through all that it can do, and
// compares what it asked for with what it is granted.
func (w *world) audit(args ...string) {
	w.Helper()
	var deployments appsv1.DeploymentList
	w.must(w.api.List(w.Context(), &deployments, client.InNamespace(system)))
	if len(deployments.Items) != 1 {
		w.Fatalf("%d Deployments in %s, want the operator's alone", len(deployments.Items), system)
	}
	pod := deployments.Items[0].Spec.Template.Spec
	account := client.ObjectKey{Namespace: system, Name: pod.ServiceAccountName}

	metrics, profiles := address(w.T), address(w.T)
	args = slices.Concat(pod.Containers[0].Args, args, []string{
		"--leader-elect-namespace=" + system, "--endpoint=" + w.endpoint,
		"--metrics-bind-address=" + metrics, "--metrics-cert-dir=" + w.certificate(), "--pprof-bind-address=" + profiles, "--health-probe-bind-address=0", "--quota-share-percent=10000",
	})
	end := w.start(account, nil, args)
	w.scenario()
	w.scrape("https://" + metrics + "/metrics")
	w.profile("http://" + profiles + "/debug/pprof/cmdline")
	end()
	// The next one finds a lease that was given back, and what there is as it
	// would at an API server that does not stream lists yet.
	end = w.start(account, []string{"KUBE_FEATURE_WatchListClient=false"}, args)
	last := notify("last", "last.example.com")
	w.create(last)
	w.becomes(last, v1alpha1.ReasonDomainNotFound)
	end()

	used, refused := audited(w.T, w.file("audit"), "system:serviceaccount:"+account.Namespace+":"+account.Name)
	for _, e := range refused {
		w.Errorf("refused: %s", e)
	}
	compare(w.T, granted(w.T, w.api, account), used)
}

// start runs the operator with the identity of a ServiceAccount, until end is
// called.
func (w *world) start(account client.ObjectKey, env, args []string) (end func()) {
	w.Helper()
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["c"] = &clientcmdapi.Cluster{Server: w.config.Host, CertificateAuthorityData: w.config.CAData}
	kubeconfig.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: w.token(account)}
	kubeconfig.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	kubeconfig.CurrentContext = "x"
	w.must(clientcmd.WriteToFile(*kubeconfig, w.file("operator.kubeconfig")))

	proxy := httptest.NewServer(http.HandlerFunc(w.proxy))
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = slices.Concat(os.Environ(), env, []string{
		"KUBECONFIG=" + w.file("operator.kubeconfig"), "HTTPS_PROXY=" + proxy.URL,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=own", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret",
	})
	cmd.Stdout, cmd.Stderr = w.log, w.log
	w.must(cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	w.Cleanup(func() {
		cancel()
		<-ended
		proxy.Close()
		if w.Failed() {
			w.Logf("the operator:\n%s", w.log.buf.String())
		}
	})
	w.eventually("the operator leads", func() bool { return w.leader() != "" })
	return func() {
		w.Helper()
		w.must(cmd.Process.Signal(syscall.SIGTERM))
		<-ended
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			w.Errorf("exit code %d", code)
		}
		if leader := w.leader(); leader != "" {
			w.Errorf("%s keeps the lease", leader)
		}
	}
}

// leader returns who holds the lease.
func (w *world) leader() string {
	var leases coordinationv1.LeaseList
	w.must(w.api.List(w.Context(), &leases, client.InNamespace(system)))
	for _, lease := range leases.Items {
		if holder := lease.Spec.HolderIdentity; holder != nil {
			return *holder
		}
	}
	return ""
}

// proxy lets nobody out, and remembers who was to be reached.
func (w *world) proxy(reply http.ResponseWriter, request *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanged = append(w.exchanged, request.Host)
	reply.WriteHeader(http.StatusBadGateway)
}

// scenario has the operator do all that takes a request to the API server.
func (w *world) scenario() {
	w.Helper()
	for _, domain := range []string{"push.example.com", "equal.example.com", "taken.example.com", "blocked.example.com", "unsaid.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
	}
	w.cloud.AddDomain("", "live.example.com", emulator.StreamingDomain)
	w.cloud.AddApp("", "app")

	key := secret("key", "key", "0123456789abcdef")
	access := secret("access", "accessKeyID", "team", "accessKeySecret", "secret")
	team := account("team")
	team.Spec.Endpoint, team.Spec.Credentials.AccessKeySecretRef = w.endpoint, &v1alpha1.LocalSecretReference{Name: access.Name}
	team.Spec.MaxDeletionsPerHour = 100
	through := &v1alpha1.AccountReference{Name: team.Name}
	auth := &v1alpha1.AuthenticationSpec{KeySecretRef: v1alpha1.SecretKeyReference{Name: key.Name, Key: "key"}}

	// All kinds are created, then edited.
	stream := notify("stream", "push.example.com")
	stream.Spec.Authentication = auth
	record := &v1alpha1.LiveRecordNotifyConfig{ObjectMeta: inTenant("record")}
	record.Spec.DomainName, record.Spec.NotifyURL, record.Spec.AccountRef = "live.example.com", "http://hooks.example.com/one", through
	relay := &v1alpha1.LiveRtcMPUEventSub{ObjectMeta: inTenant("relay")}
	relay.Spec.AppID, relay.Spec.CallbackURL, relay.Spec.AccountRef = "app", "http://hooks.example.com/one", through
	many := intstr.FromInt32(10)
	steps := &v1alpha1.LiveRolloutPolicy{ObjectMeta: inTenant("steps")}
	steps.Spec.MaxConcurrent = &many
	others := w.others()
	w.create(key, access, team, steps, stream, record, relay)
	w.create(others...)
	w.becomes(team, v1alpha1.ReasonCredentialsLoaded)
	for _, o := range append([]client.Object{stream, record, relay}, others...) {
		w.becomes(o, v1alpha1.ReasonInSync)
	}
	w.patch(stream, `{"spec":{"notifyURL":"http://hooks.example.com/two"}}`)
	w.patch(record, `{"spec":{"notifyURL":"http://hooks.example.com/two"}}`)
	w.patch(relay, `{"spec":{"callbackURL":"http://hooks.example.com/two"}}`)
	for _, o := range []client.Object{stream, record, relay} {
		w.becomes(o, v1alpha1.ReasonInSync)
	}

	// A key is rotated.
	w.patch(key, `{"stringData":{"key":"fedcba9876543210"}}`)
	w.eventually("the new key is in the cloud", func() bool {
		c, _ := w.cloud.StreamConfig("push.example.com")
		return c.AuthKey == "fedcba9876543210"
	})

	// Drift is corrected: at once, as nothing was written that may still have to
	// show, and by a change of the spec that asks for no other configuration.
	w.cloud.SetStreamConfig("equal.example.com", emulator.StreamConfig{NotifyURL: "http://hooks.example.com/one"})
	equal := notify("equal", "equal.example.com")
	w.create(equal)
	w.becomes(equal, v1alpha1.ReasonInSync)
	w.cloud.SetStreamConfig("equal.example.com", emulator.StreamConfig{NotifyURL: "http://elsewhere.example.com/"})
	w.patch(equal, `{"spec":{"resyncInterval":"20m"}}`)
	w.eventually("drift is corrected", func() bool {
		c, _ := w.cloud.StreamConfig("equal.example.com")
		return c.NotifyURL == "http://hooks.example.com/one"
	})

	// What is there already is adopted; the younger of two objects loses.
	w.cloud.SetStreamConfig("taken.example.com", emulator.StreamConfig{NotifyURL: "http://elsewhere.example.com/"})
	adopted := notify("adopted", "taken.example.com")
	adopted.Spec.AdoptionPolicy = v1alpha1.AdoptAlways
	w.create(adopted)
	w.becomes(adopted, v1alpha1.ReasonInSync)
	loser := notify("loser", "taken.example.com")
	w.create(loser)
	w.becomes(loser, v1alpha1.ReasonConflict)

	// A token is minted for the cloud's token service, which is not there.
	role := account("role")
	role.Spec.Credentials.OIDC = &v1alpha1.OIDCCredentials{
		RoleARN: "acs:ram::1:role/live-notify", OIDCProviderARN: "acs:ram::1:oidc-provider/ack", ServiceAccountName: "tenant",
	}
	w.create(&corev1.ServiceAccount{ObjectMeta: inTenant("tenant")}, role)
	w.becomes(role, v1alpha1.ReasonCredentialsUnavailable)
	w.eventually("the token is exchanged", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.Contains(w.exchanged, "sts.aliyuncs.com:443")
	})

	// What the API server refuses is told in an event, where the status cannot tell.
	// It is the same event each time.
	w.refuseStatus("unsaid")
	unsaid := notify("unsaid", "push.example.com")
	w.create(unsaid)
	w.told("an event of a status that is refused, twice", func(e eventsv1.Event) bool {
		return e.Regarding.Name == unsaid.Name && e.Reason == v1alpha1.EventRejected && e.Series != nil
	})

	// Without its Secret an object is cleared up with the credentials that were loaded.
	blocked := notify("blocked", "blocked.example.com")
	blocked.Spec.AccountRef = through
	w.create(blocked)
	w.becomes(blocked, v1alpha1.ReasonInSync)
	w.gone(access)
	w.gone(blocked)
	if _, found := w.cloud.StreamConfig("blocked.example.com"); found {
		w.Error("the configuration of what was deleted without its Secret is still there")
	}

	// Everything is deleted.
	w.create(secret(access.Name, "accessKeyID", "team", "accessKeySecret", "secret"))
	w.gone(others...)
	w.gone(unsaid, loser, adopted, equal, stream, record, relay, team, role)
	if _, found := w.cloud.StreamConfig("push.example.com"); found {
		w.Error("the configuration of a deleted object is still in the cloud")
	}
}

// others are objects of the kinds of which nothing but their lives is looked at, and
// makes what they name exist in the cloud.
func (w *world) others() []client.Object {
	w.Helper()
	w.must(w.cloud.AddMessageApp(emulator.MessageApp{DataCenter: "cn-shanghai", AppID: "chat"}))
	const url = "http://hooks.example.com/one"
	snapshot := &v1alpha1.LiveSnapshotNotifyConfig{ObjectMeta: inTenant("snapshot")}
	snapshot.Spec.DomainName, snapshot.Spec.NotifyURL = "live.example.com", url
	detect := &v1alpha1.LiveDetectNotifyConfig{ObjectMeta: inTenant("detect")}
	detect.Spec.DomainName, detect.Spec.NotifyURL = "live.example.com", url
	audit := &v1alpha1.LiveAudioAuditNotifyConfig{ObjectMeta: inTenant("audit")}
	audit.Spec.DomainName, audit.Spec.CallbackURL = "live.example.com", url
	event := &v1alpha1.LiveRtcEventSub{ObjectMeta: inTenant("event")}
	event.Spec.AppID, event.Spec.CallbackURL, event.Spec.Events = "app", url, []v1alpha1.RtcEvent{"ChannelEvent"}
	message := &v1alpha1.LiveMessageAppCallback{ObjectMeta: inTenant("message")}
	message.Spec.AppID, message.Spec.EventCallbackURL = "chat", url
	return []client.Object{snapshot, detect, audit, event, message}
}

// refuseStatus makes the API server refuse the status of an object.
func (w *world) refuseStatus(name string) {
	w.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "refuse-status"}}
	policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
		RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Update},
			Rule: admissionv1.Rule{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"livenotifyconfigs/status"},
			},
		},
	}}}
	policy.Spec.Validations = []admissionv1.Validation{{Expression: fmt.Sprintf("object.metadata.name != %q", name)}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: policy.Name}}
	binding.Spec.PolicyName = policy.Name
	binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	w.create(policy, binding)
	// It takes a moment until the API server heeds it.
	probe := notify("unsaid", "nowhere.example.com")
	probe.Spec.Suspend = true
	w.create(probe)
	w.eventually("the API server refuses the status", func() bool {
		err := w.api.Status().Patch(w.Context(), probe.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"status":{"observedGeneration":0}}`)))
		return apierrors.IsInvalid(err)
	})
	w.gone(probe)
}

// scrape reads the metrics as one who may, and is refused as those who may not.
func (w *world) scrape(url string) {
	w.Helper()
	reader, other := client.ObjectKey{Namespace: tenant, Name: "reader"}, client.ObjectKey{Namespace: tenant, Name: "tenant"}
	var roles rbacv1.ClusterRoleList
	w.must(w.api.List(w.Context(), &roles))
	i := slices.IndexFunc(roles.Items, func(r rbacv1.ClusterRole) bool { return strings.HasSuffix(r.Name, "-metrics-reader") })
	if i < 0 {
		w.Fatal("there is no role of a metrics reader")
	}
	w.create(&corev1.ServiceAccount{ObjectMeta: inTenant(reader.Name)}, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roles.Items[i].Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: reader.Namespace, Name: reader.Name}},
	})
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(w.file("tls.crt"))
	w.must(err)
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"a reader":      {w.token(reader), http.StatusOK},
		"another":       {w.token(other), http.StatusForbidden},
		"who is nobody": {"", http.StatusUnauthorized},
	} {
		request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, url, nil)
		w.must(err)
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := transport.RoundTrip(request)
		w.must(err)
		body, err := io.ReadAll(response.Body)
		w.must(errors.Join(err, response.Body.Close()))
		if response.StatusCode != c.want {
			w.Errorf("%s gets %s, want %d", name, response.Status, c.want)
		}
		if shown := bytes.Contains(body, []byte("live_notify_")); shown != (c.want == http.StatusOK) {
			w.Errorf("%s is shown metrics: %t", name, shown)
		}
	}
}

// certificate makes one for the metrics, and returns its directory.
func (w *world) certificate() string {
	w.Helper()
	cert, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	w.must(err)
	w.must(errors.Join(os.WriteFile(w.file("tls.crt"), cert, 0o600), os.WriteFile(w.file("tls.key"), key, 0o600)))
	return w.dir
}

// profile asks for a profile.
func (w *world) profile(url string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, url, nil)
	w.must(err)
	response, err := http.DefaultClient.Do(request)
	w.must(err)
	body, err := io.ReadAll(response.Body)
	w.must(errors.Join(err, response.Body.Close()))
	if response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("--pprof-bind-address")) {
		w.Errorf("%s answers %s: %s", url, response.Status, body)
	}
}

func inTenant(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: tenant, Name: name} }

func notify(name, domain string) *v1alpha1.LiveNotifyConfig {
	o := &v1alpha1.LiveNotifyConfig{ObjectMeta: inTenant(name)}
	o.Spec.DomainName, o.Spec.NotifyURL = domain, "http://hooks.example.com/one"
	return o
}

func account(name string) *v1alpha1.LiveAccount {
	return &v1alpha1.LiveAccount{ObjectMeta: inTenant(name)}
}

func secret(name string, entries ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: inTenant(name), StringData: map[string]string{}}
	for pair := range slices.Chunk(entries, 2) {
		s.StringData[pair[0]] = pair[1]
	}
	return s
}

// address returns one that is free.
func address(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var program string // the operator

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rbac")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // of a temporary directory nothing depends on
	if program, err = programs.Operator(context.Background(), root, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
