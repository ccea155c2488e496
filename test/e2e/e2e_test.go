// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
)

const (
	root    = "../.."
	chart   = root + "/charts/live-notify-operator"
	release = "live-notify-operator"
	// system is where the operator is installed.
	system = "live-notify-system"
	// marker is a namespace that says that the cluster is for these tests. The
	// emulator that outlives the operator runs in it.
	marker = "live-notify-e2e"
	// label is on all namespaces that the tests make.
	label    = "live-notify-e2e"
	patience = 2 * time.Minute
)

var (
	api     client.Client
	direct  *kubernetes.Clientset // for what runs in pods
	helm    = setting("HELM", "helm")
	kubectl = setting("KUBECTL", "kubectl")
	// The images must be where the cluster finds them.
	image     = os.Getenv("E2E_IMAGE")
	emulated  = os.Getenv("E2E_EMULATOR_IMAGE")
	nextImage = setting("E2E_NEXT_IMAGE", image) // what image is upgraded to
)

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end tests:", err)
		return 1
	}
	code := m.Run()
	if err := sweep(); err != nil {
		fmt.Fprintln(os.Stderr, "clearing up:", err)
		return 1
	}
	return code
}

// connect makes sure that the cluster is for these tests.
func connect() error {
	if image == "" || emulated == "" {
		return errors.New("set E2E_IMAGE and E2E_EMULATOR_IMAGE to images, as repository:tag, that the cluster can run")
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), apiextensionsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if direct, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	switch crds, err := ourCRDs(); {
	case err != nil:
		return err
	case len(crds) > 0:
		// The left-overs of a run that was cut off, or someone's objects?
		if err := api.Get(context.Background(), client.ObjectKey{Name: marker}, &corev1.Namespace{}); err != nil {
			return fmt.Errorf("the operator's CRDs are installed in %s, and not by these tests, which delete them: use another cluster", config.Host)
		}
	}
	return nil
}

func ourCRDs() ([]apiextensionsv1.CustomResourceDefinition, error) {
	var list apiextensionsv1.CustomResourceDefinitionList
	err := api.List(context.Background(), &list)
	var ours []apiextensionsv1.CustomResourceDefinition
	for _, crd := range list.Items {
		if crd.Spec.Group == v1alpha1.GroupVersion.Group {
			ours = append(ours, crd)
		}
	}
	return ours, err
}

// sweep removes all that the tests make, also where the operator is gone.
func sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	crds, err := ourCRDs()
	if err != nil {
		return err
	}
	for _, crd := range crds {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(crd.Spec.Names.Kind + "List"))
		if err := api.List(ctx, list); err != nil {
			return err
		}
		for _, o := range list.Items {
			o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(crd.Spec.Names.Kind))
			err := api.Patch(ctx, &o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
			if client.IgnoreNotFound(err) != nil {
				return err
			}
		}
		if err := client.IgnoreNotFound(api.Delete(ctx, &crd)); err != nil {
			return err
		}
	}
	var namespaces corev1.NamespaceList
	if err := api.List(ctx, &namespaces, client.HasLabels{label}); err != nil {
		return err
	}
	for _, n := range namespaces.Items {
		// What a release has outside of its namespace goes with the release.
		if out, err := output(helm, nil, "list", "--namespace", n.Name, "--short"); err == nil {
			for name := range strings.FieldsSeq(out) {
				if out, err := output(helm, nil, "uninstall", name, "--namespace", n.Name); err != nil {
					return fmt.Errorf("%w\n%s", err, out)
				}
			}
		}
		if err := client.IgnoreNotFound(api.Delete(ctx, &n)); err != nil {
			return err
		}
	}
	for _, n := range namespaces.Items {
		for !apierrors.IsNotFound(api.Get(ctx, client.ObjectKeyFromObject(&n), &n)) {
			if ctx.Err() != nil {
				return fmt.Errorf("namespace %s does not go", n.Name)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}

// restricted is a namespace that refuses pods above the Pod Security level
// restricted.
func restricted(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		label: "", "pod-security.kubernetes.io/enforce": "restricted",
	}}}
}

// world is a test in the cluster.
type world struct{ *testing.T }

// newWorld starts a test in a cluster without anything of the tests before.
func newWorld(t *testing.T) world {
	w := world{t}
	w.must(sweep())
	w.namespace(marker)
	return w
}

func (w world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w world) eventually(what string, done func() bool) {
	w.Helper()
	for start := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > patience {
			w.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// namespace makes one.
func (w world) namespace(name string) {
	w.Helper()
	w.must(api.Create(w.Context(), restricted(name)))
}

// output runs a command and returns all that it says.
func output(name string, input []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return string(out), err
}

// do runs a command that must succeed.
func (w world) do(input string, name string, args ...string) string {
	w.Helper()
	out, err := output(name, []byte(input), args...)
	if err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	return out
}

// values are those of the chart.
type values map[string]any

// chart runs helm install or upgrade.
func (w world) chart(verb, namespace string, v values, args ...string) {
	w.Helper()
	text, err := yaml.Marshal(v)
	w.must(err)
	w.do(string(text), helm, append([]string{verb, release, chart, "--namespace", namespace, "--values", "-"}, args...)...)
}

// imageValues are those of an image that is called repository:tag.
func imageValues(image string) values {
	i := strings.LastIndex(image, ":")
	return values{"repository": image[:i], "tag": image[i+1:], "pullPolicy": "IfNotPresent"}
}

// callback is an object of a callback kind.
type callback interface {
	client.Object
	Callback() (*v1alpha1.CallbackSpec, *v1alpha1.CallbackStatus)
}

func (w world) get(o client.Object) {
	w.Helper()
	w.must(api.Get(w.Context(), client.ObjectKeyFromObject(o), o))
}

// ready tells whether an object says that its spec is in the cloud.
func ready(o callback) bool {
	_, status := o.Callback()
	c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == o.GetGeneration()
}

// becomesReady waits for objects.
func (w world) becomesReady(objects ...callback) {
	w.Helper()
	for _, o := range objects {
		w.eventually(fmt.Sprintf("%T %s is ready", o, o.GetName()), func() bool { w.get(o); return ready(o) })
	}
}

// delete deletes objects, and waits until they are gone.
func (w world) delete(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		w.must(client.IgnoreNotFound(api.Delete(w.Context(), o)))
	}
	for _, o := range objects {
		w.eventually(fmt.Sprintf("%T %s is gone", o, o.GetName()), func() bool {
			return apierrors.IsNotFound(api.Get(w.Context(), client.ObjectKeyFromObject(o), o))
		})
	}
}

func notify(namespace, name, domain, url string) *v1alpha1.LiveNotifyConfig {
	o := &v1alpha1.LiveNotifyConfig{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	o.Spec.DomainName, o.Spec.NotifyURL = domain, url
	return o
}

// pods returns those that run and are not about to end, by their label.
func (w world) pods(namespace, app string) []corev1.Pod {
	w.Helper()
	var list corev1.PodList
	w.must(api.List(w.Context(), &list, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/name": app}))
	var pods []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning {
			pods = append(pods, p)
		}
	}
	return pods
}

// rolledOut waits until the Deployments of a namespace are as they are to be.
func (w world) rolledOut(namespace string) {
	w.Helper()
	w.do("", kubectl, "--namespace", namespace, "rollout", "status", "deployment", "--timeout", patience.String())
}
