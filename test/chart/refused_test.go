// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"strings"
	"testing"
)

// TestImpossible: a value that no cluster takes is refused, with its place.
func TestImpossible(t *testing.T) {
	t.Parallel()
	const subject = "metrics.readerRole.subjects[0]."
	for set, want := range map[string]string{
		"serviceAccount.name=A_b":                                "at '/serviceAccount/name': 'A_b' does not match",
		"serviceAccount.name=a..b":                               "at '/serviceAccount/name'",
		"credentials.existingSecret=A_b":                         "at '/credentials/existingSecret'",
		"credentials.existingSecret=" + strings.Repeat("a", 254): "at '/credentials/existingSecret': maxLength",
		"priorityClassName=A_B":                                  "at '/priorityClassName'",
		"metrics.certificate.existingSecret=A":                   "at '/metrics/certificate/existingSecret'",
		"metrics.certificate.certManager.issuerRef.name=A":       "at '/metrics/certificate/certManager/issuerRef/name'",
		"imagePullSecrets[0].name=A_b":                           "at '/imagePullSecrets/0/name'",
		"global.imagePullSecrets={A_b}":                          "at '/global/imagePullSecrets/0'",
		"image.repository=UPPER/x":                               "at '/image/repository'",
		"image.repository=https://reg.example.com/x":             "at '/image/repository'",
		"image.repository=x:v1":                                  "at '/image/repository'",
		"image.repository=/x":                                    "at '/image/repository'",
		"image.repository=a//b":                                  "at '/image/repository'",
		"image.repository=":                                      "at '/image/repository'",
		"emulator.image.repository=UPPER":                        "at '/emulator/image/repository'",
		"global.imageRegistry=https://reg":                       "at '/global/imageRegistry'",
		"global.imageRegistry=reg:port":                          "at '/global/imageRegistry'",
		"podDisruptionBudget.minAvailable=150%":                  "at '/podDisruptionBudget/minAvailable'",
		"podDisruptionBudget.maxUnavailable=101%":                "at '/podDisruptionBudget/maxUnavailable'",
		"resources.limits.memory=lots":                           "at '/resources/limits/memory': 'lots' does not match",
		"resources.limits.cpu=null":                              "at '/resources/limits/cpu': got null",
		"resources.limits.cpu=-1":                                "at '/resources/limits/cpu'",
		"resources.requests.memory=64MB":                         "at '/resources/requests/memory'",
		"resources.limits.ram=1Gi":                               "at '/resources/limits': additional properties 'ram' not allowed",
		"resources.limit.memory=1Gi":                             "'limit' not allowed",
		"emulator.resources.limits.cpu=fast":                     "at '/emulator/resources/limits/cpu'",
		"commonLabels.a/b/c=d":                                   "at '/commonLabels': additional properties 'a/b/c' not allowed",
		"commonLabels.a=a/b":                                     "at '/commonLabels/a': 'a/b' does not match",
		"podLabels.b_=c":                                         "at '/podLabels': additional properties 'b_' not allowed",
		"podLabels.a=b_":                                         "at '/podLabels/a'",
		"podLabels.a=" + strings.Repeat("b", 64):                 "at '/podLabels/a'",
		"nodeSelector.a=b c":                                     "at '/nodeSelector/a'",
		"serviceMonitor.labels.a b=c":                            "at '/serviceMonitor/labels'",
		"prometheusRule.labels.a=-":                              "at '/prometheusRule/labels/a'",
		"grafanaDashboard.labels.a=b c":                          "at '/grafanaDashboard/labels/a'",
		"podAnnotations.a b=c":                                   "at '/podAnnotations': additional properties 'a b' not allowed",
		"deploymentAnnotations.a/b/c=d":                          "at '/deploymentAnnotations'",
		"serviceAccount.annotations./b=d":                        "at '/serviceAccount/annotations'",
		"tolerations[0].effect=Never":                            "at '/tolerations/0/effect'",
		"tolerations[0].operator=Equals":                         "at '/tolerations/0/operator'",
		"topologySpreadConstraints[0].topologyKey=zone":          "missing properties",
		"extraVolumes[0].name=A_b":                               "at '/extraVolumes/0/name'",
		"extraVolumeMounts[0].name=a":                            "missing property 'mountPath'",
		"extraEnv[0].name=A=B":                                   "at '/extraEnv/0/name'",
		subject + "kind=User," + subject + "name=":               "at '/metrics/readerRole/subjects/0/name'",
		subject + "kind=ServiceAccount," + subject + "name=A_b," + subject + "namespace=a": `the ServiceAccount "A_b", a name that none can have`,
		subject + "kind=ServiceAccount," + subject + "name=a," + subject + "namespace=A_b": "at '/metrics/readerRole/subjects/0/namespace'",
	} {
		if out, err := helm(t, "template", release, dir, "--set", set); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: got %v and %s, want %q", set, err, out, want)
		}
	}
}

// TestPossible: what looks odd and can be is taken.
func TestPossible(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		"serviceAccount.name=a-1", "credentials.existingSecret=a.1", "priorityClassName=system-cluster-critical", "imagePullSecrets[0].name=a.b",
		"image.repository=registry.example.com:5000/team/live-notify_operator", "image.repository=localhost:5000/x", "image.repository=Registry.Example.com/a/b__c--d",
		"image.repository=team/x,image.digest=sha256:" + strings.Repeat("0a", 32), "image.repository=[::1]:5000/x",
		"global.imageRegistry=registry.example.com:5000/team/", "global.imageRegistry=localhost:5000", "global.imageRegistry=registry", "global.imageRegistry=",
		"podDisruptionBudget.minAvailable=100%", "podDisruptionBudget.maxUnavailable=0%", "podDisruptionBudget.minAvailable=150",
		"resources.limits.memory=1.5Gi,resources.limits.cpu=2,resources.requests.cpu=0.5,resources.limits.nvidia\\.com/gpu=1", "resources.limits.memory=1e9", "resources.limits.ephemeral-storage=128M",
		"resources.limits.memory=null",
		"commonLabels.example\\.com/a_b=c_D.1", "podLabels.A=", "podLabels.a=" + strings.Repeat("b", 63), "nodeSelector.kubernetes\\.io/os=linux",
		"podAnnotations.Example\\.com/a=b c/d", "tolerations[0].operator=Exists", "tolerations[0].key=node-role\\.kubernetes\\.io/control-plane,tolerations[0].effect=NoSchedule",
		subject("User", "alice@example.com"), subject("Group", "system:masters"), "extraEnv[0].name=a.b-c",
	} {
		out, err := helm(t, "template", release, dir, "-n", "default", "--set", set)
		if err != nil {
			t.Errorf("%s: %v and %s", set, err, out)
			continue
		}
		accepted(t, parse(t, out))
	}
}

func subject(kind, name string) string {
	return "metrics.readerRole.subjects[0].kind=" + kind + ",metrics.readerRole.subjects[0].name=" + name
}
