// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"

	"github.com/live-notify/live-notify-operator/test/system"
)

// hintText is what to try in another terminal. Words in braces are replaced.
const hintText = `
In another terminal:

  export KUBECONFIG={kubeconfig}
  export PATH={bin}:$PATH ALIBABA_CLOUD_ACCESS_KEY_ID={id} ALIBABA_CLOUD_ACCESS_KEY_SECRET={secret key}
  alias kubectl={kubectl}

  kubectl live-notify status
  kubectl get live -o wide
  kubectl get live -o custom-columns-file={columns}
  kubectl describe lnc {name}

Things to try, while the table below follows:

  # Change a URL: it is in the cloud within a second.
  kubectl patch lnc {name} --type merge -p '{"spec":{"exceptionNotifyURL":null}}'
  curl {emulator}/_emulator/configs/stream/{domain}

  # Change the cloud behind the operator's back: it is undone within a minute, with an event and a count in status.drift.
  # (Within two, if the operator wrote in the last minute: the cloud may show old values for a while, so it is patient.)
  curl -X PUT {emulator}/_emulator/configs/stream/{domain} -d '{"notifyURL":"http://127.0.0.1:9/stolen"}'
  kubectl get events --watch --field-selector involvedObject.name={name}

  # Rotate the key that callbacks are signed with: it is written at once.
  kubectl patch secret {secret} --type merge -p '{"stringData":{"{key}":"Rotated0123456789"}}'

  # Ask for what cannot be: the API server says what to write instead.
  kubectl patch lnc {name} --type merge -p '{"spec":{"notifyURL":"hooks.example.com"}}'

  # What would the operator do? Which callbacks failed? Deliver them again, each once.
  kubectl live-notify plan --show-in-sync --endpoint {emulator}
  kubectl live-notify failures lnc/{name} --endpoint {emulator}
  kubectl live-notify replay lnc/{name} --endpoint {emulator}

  # Delete: the cloud forgets the callbacks. Then put everything back.
  kubectl delete lnc {name}
  kubectl apply -f {applied}

  # What monitoring sees.
  curl -s {metrics} | grep ^live_notify_
`

// hints are the hintText for what runs here.
func hints(s *system.System, all samples) string {
	stream := all.first("LiveNotifyConfig")
	absolute := func(path string) string { return system.Must(filepath.Abs(path)) }
	return strings.NewReplacer(
		"{kubeconfig}", s.Kubeconfig(),
		"{kubectl}", filepath.Join(s.Assets, "kubectl"),
		"{bin}", absolute(programsDir),
		"{id}", accessKey.ID,
		"{secret key}", accessKey.Secret,
		"{emulator}", s.URL,
		"{metrics}", s.MetricsURL(),
		"{applied}", absolute(appliedFile),
		"{columns}", absolute(columns),
		"{name}", stream.GetName(),
		"{domain}", text(stream, "spec", "domainName"),
		"{secret}", text(stream, "spec", "authentication", "keySecretRef", "name"),
		"{key}", text(stream, "spec", "authentication", "keySecretRef", "key"),
	).Replace(hintText)
}
