// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/livetest"
)

// TestReceiver creates a LiveNotifyConfig, starts a stream, and looks at what the
// receiver and the status say.
func TestReceiver(t *testing.T) {
	// An API server with the kinds. The programs are those of KUBEBUILDER_ASSETS.
	env := &envtest.Environment{CRDInstallOptions: envtest.CRDInstallOptions{CRDs: livetest.CRDs()}}
	config, err := env.Start()
	check(t, err)
	t.Cleanup(func() { check(t, env.Stop()) })
	scheme := runtime.NewScheme()
	check(t, v1alpha1.AddToScheme(scheme))
	api, err := client.New(config, client.Options{Scheme: scheme})
	check(t, err)

	// The cloud, with a domain, and the operator between the two.
	cloud := livetest.Start(t)
	cloud.AddIngestDomain("push.example.com")
	livetest.RunOperator(t, config, cloud)

	// What a manifest would say. The operator brings it to the cloud.
	receiver := &Receiver{}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	object := &v1alpha1.LiveNotifyConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "push-example-com"},
		Spec:       v1alpha1.LiveNotifyConfigSpec{DomainName: "push.example.com", NotifyURL: server.URL},
	}
	check(t, api.Create(t.Context(), object))
	wait(t, api, object, v1alpha1.ConditionReady, metav1.ConditionTrue)

	// A stream, of which the cloud really sends callbacks.
	check(t, cloud.StartStream("push.example.com", "live", "news"))
	cloud.Wait()
	if !receiver.On("news") {
		t.Error("the receiver was not told that the stream began")
	}

	// A receiver that fails is seen in the status.
	receiver.Break()
	check(t, cloud.StopStream("push.example.com", "live", "news"))
	cloud.Wait()
	wait(t, api, object, v1alpha1.ConditionCallbacksHealthy, metav1.ConditionFalse)
	if object.Status.Callbacks.Failed != 1 {
		t.Errorf("%d callbacks failed, want 1", object.Status.Callbacks.Failed)
	}

	// A deletion cleans up the cloud.
	check(t, api.Delete(t.Context(), object))
	held := true
	for end := time.Now().Add(time.Minute); held && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, held = cloud.StreamConfig("push.example.com")
	}
	if held {
		t.Error("the cloud still has callbacks of a domain whose object was deleted")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wait asks the operator to look, until a condition has a status.
func wait(t *testing.T, api client.Client, object *v1alpha1.LiveNotifyConfig, condition string, want metav1.ConditionStatus) {
	t.Helper()
	var conditions []metav1.Condition
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		check(t, livetest.Refresh(t.Context(), api, object))
		check(t, api.Get(t.Context(), client.ObjectKeyFromObject(object), object))
		conditions = object.Status.Conditions
		if meta.IsStatusConditionPresentAndEqual(conditions, condition, want) {
			return
		}
	}
	t.Fatalf("%s is not %s: %v", condition, want, conditions)
}
