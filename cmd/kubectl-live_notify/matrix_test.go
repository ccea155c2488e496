// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// cell is one call, and the exit code that it has to have.
type cell struct {
	code int
	args string // "" for those of yes
	says string
}

// columns are what each verb is tried in, with how it comes about. A verb that has
// no cell of a column must say so by never.
var columns = map[string]func(w *world, c *callOptions){
	"yes":           func(*world, *callOptions) {},
	"no":            func(w *world, c *callOptions) { w.refuse(); c.in, c.terminal = "n\n", true },
	"usage":         func(*world, *callOptions) {},
	"no cluster":    func(w *world, _ *callOptions) { w.t.Setenv("KUBECONFIG", filepath.Join(w.t.TempDir(), "none")) },
	"cluster down":  func(_ *world, c *callOptions) { c.more = []string{"--server", "https://127.0.0.1:1"} },
	"not permitted": func(w *world, _ *callOptions) { w.t.Setenv("KUBECONFIG", w.nobody()) },
	"no credentials": func(w *world, _ *callOptions) {
		w.t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
		w.t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	},
	"denied by the cloud": func(w *world, _ *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Forbidden.RAM", Status: http.StatusForbidden})
	},
	"cloud down": func(w *world, _ *callOptions) { w.url = "http://127.0.0.1:1" },
	"cloud throttling": func(w *world, _ *callOptions) {
		w.cloud.Inject(emulator.Fault{Code: "Throttling.User", Times: 1, RetryAfter: 10 * time.Millisecond})
	},
	"Ctrl-C":        func(_ *world, c *callOptions) { c.interrupted = true },
	"closed stdout": func(_ *world, c *callOptions) { c.out = deaf{} },
	"no terminal":   func(*world, *callOptions) {},
}

// never marks a cell that a verb cannot come to.
var never = cell{code: -1}

// matrix is the exit code of every verb in every column.
var matrix = map[string]map[string]cell{
	"plan": {
		"yes": {0, "plan lnc/push --show-in-sync", "1 in sync"}, "no": {1, "", "ExistingConfiguration"}, "usage": {2, "plan --unmanaged=x", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 in sync"}, "Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"import": {
		"yes": {0, "import", "1 imported"}, "no": {1, "import --keys-to-cluster", "Nothing was done."}, "usage": {2, "import extra", ""},
		"no cluster": {3, "import --keys-to-cluster --yes", "no cluster"}, "cluster down": {3, "import --keys-to-cluster --yes", "does not answer"},
		"not permitted": {3, "import --keys-to-cluster --yes", "Forbidden"}, "no credentials": {3, "", "AccountNotReady"},
		"denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"}, "cloud throttling": {0, "", "1 imported"},
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {2, "import --keys-to-cluster", "--yes"},
	},
	"failures": {
		"yes": {0, "failures lnc/push", "1 of 1 shown"}, "no": {1, "failures lnc/push --fail", "1 of 1 shown"}, "usage": {2, "failures push", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 of 1 shown"}, "Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"replay": {
		"yes": {0, "replay lnc/push --yes", "1 delivered"}, "no": {1, "", "1 refused"}, "usage": {2, "replay", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "1 delivered"}, "Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"},
		"no terminal": {2, "replay lnc/push", "Nothing was done"},
	},
	"probe": {
		"yes": {0, "probe lnc/push --yes", "the receiver took it"}, "no": {1, "", "HTTP status 500"}, "usage": {2, "probe --count 0 lnc/push", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {0, "", ""}, "denied by the cloud": {0, "", ""}, "cloud down": {0, "", ""}, "cloud throttling": {0, "", ""}, // it asks no cloud
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {2, "probe lnc/push", "Nothing was done"},
	},
	"conformance": {
		"yes": {0, "conformance --ingest-domain free.example.com --read-only", "readable"},
		"no":  {1, "conformance --ingest-domain free.example.com", "Nothing was done."}, "usage": {2, "conformance", ""},
		"no cluster":   {0, "", "readable"}, // it needs none
		"cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {3, "", "AccountNotReady"}, "denied by the cloud": {3, "", "AccessDenied"}, "cloud down": {3, "", "CloudUnavailable"},
		"cloud throttling": {0, "", "readable"}, "Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"},
		"no terminal": {2, "conformance --ingest-domain free.example.com", "Nothing was done"},
	},
	"check": {
		"yes": {0, "check", "They could be loaded."}, "no": {1, "", "has expired"}, "usage": {2, "check extra", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "forbidden"},
		"no credentials": {1, "", "credentials"}, "denied by the cloud": {1, "", "the cloud answers"}, "cloud down": {3, "", "the cloud answers"},
		"cloud throttling": {0, "", ""}, "Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"reconcile": {
		"yes": {0, "reconcile lnc/push", "asked to be looked at"}, "no": never, "usage": {2, "reconcile", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {0, "", ""}, "denied by the cloud": {0, "", ""}, "cloud down": {0, "", ""}, "cloud throttling": {0, "", ""},
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {0, "", ""},
	},
	"suspend": {
		"yes": {0, "suspend lnc/push --yes", "suspended"}, "no": {1, "suspend lnc/push", "Nothing was done."}, "usage": {2, "suspend", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {0, "", ""}, "denied by the cloud": {0, "", ""}, "cloud down": {0, "", ""}, "cloud throttling": {0, "", ""},
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {2, "suspend lnc/push", "Nothing was done"},
	},
	"resume": {
		"yes": {0, "resume lnc/push --yes", "resumed"}, "no": {1, "resume lnc/push", "Nothing was done."}, "usage": {2, "resume", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {0, "", ""}, "denied by the cloud": {0, "", ""}, "cloud down": {0, "", ""}, "cloud throttling": {0, "", ""},
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "", "could not be written"}, "no terminal": {2, "resume lnc/push", "Nothing was done"},
	},
	"status": {
		"yes": {0, "status", "1 right"}, "no": {1, "", "1 not ready"}, "usage": {2, "status extra", ""},
		"no cluster": {3, "", "no cluster"}, "cluster down": {3, "", "does not answer"}, "not permitted": {3, "", "Forbidden"},
		"no credentials": {0, "", ""}, "denied by the cloud": {0, "", ""}, "cloud down": {0, "", ""}, "cloud throttling": {0, "", ""},
		"Ctrl-C": {130, "", "Interrupted."}, "closed stdout": {3, "status -o json", "could not be written"}, "no terminal": {0, "", ""},
	},
	"version":    local("version", "live-notify", "version extra"),
	"completion": local("completion bash", "bash completion", "completion bash extra"),
}

// local is the row of a verb that asks nobody.
func local(args, says, usage string) map[string]cell {
	row := map[string]cell{}
	for name := range columns {
		row[name] = cell{0, args, says}
	}
	row["no"], row["usage"], row["closed stdout"] = never, cell{2, usage, ""}, cell{3, args, ""}
	return row
}

// callOptions say how a call is made.
type callOptions struct {
	more        []string
	in          string
	terminal    bool
	interrupted bool
	out         io.Writer
}

// Every verb ends with the right code in every column. A verb or a column without
// its cell fails.
func TestExitCodes(t *testing.T) {
	app := newApp("live-notify", nil, nil, nil)
	root := app.root()
	root.InitDefaultCompletionCmd("completion")
	var verbs []string
	for _, cmd := range root.Commands() {
		verbs = append(verbs, cmd.Name())
	}
	if rows := slices.Sorted(maps.Keys(matrix)); !slices.Equal(slices.Sorted(slices.Values(verbs)), rows) {
		t.Fatalf("the verbs are %q, and the rows of the table %q", verbs, rows)
	}
	for verb, row := range matrix {
		for column, arrange := range columns {
			c, ok := row[column]
			if !ok {
				t.Errorf("%s has no cell %q", verb, column)
			}
			if c == never {
				continue
			}
			t.Run(verb+"/"+column, func(t *testing.T) {
				w := newWorld(t, emulator.Options{})
				w.stream("push.example.com")
				w.missed()
				w.healthy(v1alpha1.ReasonInSync, metav1.ConditionTrue, time.Now())
				o := callOptions{}
				arrange(w, &o)
				args := c.args
				if args == "" {
					args = row["yes"].args
				}
				w.callBy(o, strings.Fields(args)...).want(t, c.code, c.says)
			})
		}
	}
}

// missed makes one callback fail, and the receiver well again.
func (w *world) missed() {
	w.t.Helper()
	w.cloud.AddDomain("", "free.example.com", emulator.IngestDomain)
	w.receiver.answers(http.StatusInternalServerError)
	if err := w.cloud.StartStream("push.example.com", "app", "s"); err != nil {
		w.t.Fatal(err)
	}
	w.cloud.Wait()
	w.receiver.answers(http.StatusOK)
}

// refuse makes the answer of every verb no.
func (w *world) refuse() {
	w.receiver.answers(http.StatusInternalServerError)
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://elsewhere.example.com/", Auth: true, AuthKey: recordKey})
	w.healthy(v1alpha1.ReasonExistingConfiguration, metav1.ConditionFalse, time.Now().Add(-time.Hour))
}

// nobody returns a kubeconfig of someone who may do nothing.
func (w *world) nobody() string {
	w.t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "nobody"
	}
	path := filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// healthy makes the status of the object, and the operator's lease, as they would be.
func (w *world) healthy(reason string, ready metav1.ConditionStatus, renewed time.Time) {
	w.t.Helper()
	o := &v1alpha1.LiveNotifyConfig{}
	o.Namespace, o.Name = w.namespace, "push"
	if err := api.Get(w.t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		w.t.Fatal(err)
	}
	o.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, Message: "as told", LastTransitionTime: metav1.Now(),
	}}
	if err := api.Status().Update(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
	holder, seconds := "operator", int32(15)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "live-notify-operator.live.alibabacloud.com"}}
	_ = api.Delete(w.t.Context(), lease.DeepCopy()) // of before, if there is one
	lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &metav1.MicroTime{Time: renewed}}
	w.apply(lease)
}

// callBy calls the program in a way of its own.
func (w *world) callBy(o callOptions, args ...string) answer {
	w.t.Helper()
	args = append(args, "--endpoint", w.url, "-n", w.namespace, "--quota-share-percent", "100000", "--cache-dir", discovered)
	w.t.Setenv("XDG_STATE_HOME", w.t.TempDir())
	var out, errOut bytes.Buffer
	a := newApp("kubectl live-notify", strings.NewReader(o.in), &out, &errOut)
	if o.out != nil {
		a.out = o.out
	}
	a.isTerminal = func(stream any) bool { return o.terminal && stream == any(a.in) }
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if o.interrupted {
		cancel()
	}
	got := answer{a.run(ctx, append(args, o.more...)), out.String(), errOut.String()}
	w.searched(args, got)
	return got
}
