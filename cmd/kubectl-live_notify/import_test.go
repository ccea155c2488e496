// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/internal/emulator"
)

// An application that the cloud does not know is a no, also beside one that it knows.
func TestImportOfAnUnknownApplication(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddApp("", "app1")
	w.cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: "https://hooks.example.com/mpu"})
	const says = "1 application not found"
	w.call("import", "--app-id", "nosuch").want(t, exitNo, "0 imported", says, "no such application")
	w.call("import", "--app-id", "nosuch,app1", "-o", "table").want(t, exitNo, "1 imported", says)
	w.call("import", "--app-id", "app1").want(t, exitYes, "1 imported")
}

// A file that someone has edited stays, and is told; one that is the same is no matter.
func TestImportKeepsEditedFiles(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, domain := range []string{"a.example.com", "b.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/"})
	}
	dir := t.TempDir()
	w.call("import", "--output-dir", dir).want(t, exitYes)
	w.call("import", "--output-dir", dir).want(t, exitYes)
	path := filepath.Join(dir, "livenotifyconfigs-a-example-com.yaml")
	if err := os.WriteFile(path, []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"--dry-run=true", "--dry-run=false"} {
		got := w.call("import", "--output-dir", dir, more).want(t, exitNo, path+" is there, and says something else")
		if strings.Contains(got.err, "b-example-com") {
			t.Errorf("got %s", got.err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "edited" {
		t.Errorf("got %q, %v", text, err)
	}
}

// The end says exactly what became of the domains, each counted once, and apart from
// that of the configurations; after a halt nothing is imported.
func TestImportCountsDomainsAndConfigurations(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for n, domain := range []string{"a.example.com", "b.example.com", "c.example.com", "d.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		if n < 2 {
			w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/"})
		}
	}
	w.cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	w.cloud.AddDomain("", "sub.example.com", emulator.StreamingDomain)
	w.cloud.SetRecordConfig("play.example.com", emulator.RecordConfig{NotifyURL: "https://hooks.example.com/"})
	if err := w.cloud.MapPlayDomain("play.example.com", "sub.example.com"); err != nil {
		t.Fatal(err)
	}
	w.cloud.AddApp("", "app1")
	w.cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: "https://hooks.example.com/mpu"})
	kinds := []string{"import", "--kind", "lnc,lrnc"}
	w.call(kinds...).want(t, exitYes, "Import: 6 domains seen, 3 imported, 3 without configuration, 0 denied, 0 failed. Configurations: 3 imported, 3 without, 0 denied, 0 failed.\n")
	w.call("import", "--app-id", "app1", "--domain", "b.*").want(t, exitYes, "Import: 1 domain seen, 1 imported, 0 without configuration, 0 denied, 0 failed. Configurations: 2 imported, ")

	for _, fault := range []struct {
		code, counts, reason string
		status               int
	}{
		{"Forbidden.RAM", "1 denied, 0 failed", "AccessDenied", http.StatusForbidden},
		{"InternalError", "0 denied, 1 failed", "CloudUnavailable", http.StatusInternalServerError},
	} {
		w.cloud.Inject(emulator.Fault{Action: "DescribeLiveStreamsNotifyUrlConfig", Match: "c.example.com", Code: fault.code, Status: fault.status})
		w.call(append(kinds, "--on-error", "continue")...).want(t, exitNo,
			"6 domains seen, 3 imported, 2 without configuration, "+fault.counts+". Configurations: 3 imported, 2 without, "+fault.counts+".")
		dir := filepath.Join(t.TempDir(), "out")
		for range 5 { // whoever is read meanwhile
			got := w.call(append(kinds, "--on-error", "halt", "--output-dir", dir)...).want(t, exitUnknown,
				"6 domains seen, 0 imported, 0 without configuration, "+fault.counts+", 5 not imported. Configurations: 0 imported, 0 without, "+fault.counts+".",
				"nothing was written", "Error: LiveNotifyConfig/c.example.com: "+fault.reason+": ")
			if _, err := os.Stat(dir); err == nil || got.out != "" {
				t.Errorf("something was written, or %s", got.out)
			}
		}
		w.cloud.ClearFaults()
	}
}

// What halts an import writes no Secret, whichever request of a domain it is.
func TestImportThatHaltsWritesNoSecret(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: streamKey})
	w.cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	w.cloud.Inject(emulator.Fault{Match: "play.example.com", Code: "Forbidden.RAM", Status: http.StatusForbidden})
	w.call("import", "--kind", "lnc,lrnc", "--keys-to-cluster", "--yes").want(t, exitUnknown, "Error: LiveRecordNotifyConfig/play.example.com: AccessDenied: ")
	var secrets corev1.SecretList
	if err := api.List(t.Context(), &secrets, client.InNamespace(w.namespace)); err != nil || len(secrets.Items) > 0 {
		t.Errorf("got %d Secrets, %v", len(secrets.Items), err)
	}
}

// What was read and no manifest may say is a no, whatever --on-error is; the rest is
// written.
func TestImportOfWhatNoManifestMaySay(t *testing.T) {
	w := newWorld(t, emulator.Options{Switches: emulator.Switches{AcceptAnyKey: true}})
	for domain, c := range map[string]emulator.StreamConfig{
		"fine.example.com": {NotifyURL: "https://hooks.example.com/"},
		"odd.example.com":  {NotifyURL: "ftp://hooks.example.com/"},
		"weak.example.com": {NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: "tooShort"},
	} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, c)
	}
	for _, mode := range []string{"halt", "continue"} {
		w.call("import", "--kind", "lnc", "--on-error", mode, "--output-dir", t.TempDir()).want(t, exitNo, "Files: 1 written", "1 imported", "2 failed",
			"Error: LiveNotifyConfig/odd.example.com: Invalid: ", "Error: LiveNotifyConfig/weak.example.com: Invalid: ")
	}
}

// What cannot be read, or no manifest may say, is told in every format, and -o name lists
// only what was imported.
func TestImportTellsInEveryFormat(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for domain, url := range map[string]string{"fine.example.com": "https://hooks.example.com/", "odd.example.com": "ftp://hooks.example.com/"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: url})
	}
	w.cloud.AddDomain("", "denied.example.com", emulator.IngestDomain)
	w.cloud.Inject(emulator.Fault{Action: "DescribeLiveStreamsNotifyUrlConfig", Match: "denied.example.com", Code: "Forbidden.RAM", Status: http.StatusForbidden})
	for _, format := range []string{"table", "wide", "json", "yaml", "jsonl", "name", "helm-values"} {
		got := w.call("import", "--kind", "lnc", "--on-error", "continue", "-o", format).want(t, exitNo, "1 imported, 0 without configuration, 1 denied, 1 failed")
		for _, line := range []string{"Error: LiveNotifyConfig/denied.example.com: AccessDenied: ", "Error: LiveNotifyConfig/odd.example.com: Invalid: "} {
			if strings.Count(got.err, line) != 1 {
				t.Errorf("-o %s: want %q once on stderr, got\n%s", format, line, got.err)
			}
		}
		if format == "name" && got.out != "livenotifyconfig/fine-example-com\n" {
			t.Errorf("-o name: got\n%s", got.out)
		}
	}
}

// What is asked for twice is imported once, under its plain name.
func TestImportOfTheSameTwice(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.AddApp("", "app1")
	w.cloud.SetMPUSub("app1", emulator.MPUSub{CallbackURL: "https://hooks.example.com/mpu"})
	w.cloud.AddDomain("", "push.example.com", emulator.IngestDomain)
	w.cloud.SetStreamConfig("push.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/"})
	w.cloud.AddDomain("", "play.example.com", emulator.StreamingDomain)
	w.cloud.SetRecordConfig("play.example.com", emulator.RecordConfig{NotifyURL: "https://hooks.example.com/"})
	once := w.call("import", "--kind", "lnc,lrnc,lmes", "--app-id", "app1", "--domain", "*.example.com").want(t, exitYes, "Configurations: 3 imported")
	twice := w.call("import", "--kind", "lmes,lnc,lrnc", "--kind", "livenotifyconfig,LiveRecordNotifyConfig,lmes", "--app-id", "app1,app1", "--app-id", "app1",
		"--domain", "*.example.com", "--domain", "*.example.com").want(t, exitYes)
	if twice != once {
		t.Errorf("got\n%s%s\nwant\n%s%s", twice.out, twice.err, once.out, once.err)
	}
}

// A name that no Secret can have is told before anything is read.
func TestImportKeySecretIsAName(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.cloud.Inject(emulator.Fault{Code: "Forbidden.RAM", Status: http.StatusForbidden}) // nobody asks
	for _, name := range []string{"Bad_Name", "..", ".", "a..b", "a/b", "-a", "a-", "a b", "é", strings.Repeat("a", 254)} {
		w.call("import", "--key-secret", name).want(t, exitUsage, "--key-secret: the name of a Secret has")
		w.call("import", "--key-secret", name, "--keys-to-cluster", "--yes").want(t, exitUsage, "--key-secret: the name of a Secret has")
	}
	w.cloud.ClearFaults()
	for _, name := range []string{"a", "a.b-c", strings.Repeat("a", 253)} {
		w.call("import", "--key-secret", name).want(t, exitYes)
	}
}

// A Secret that has the keys already is not written, and not counted as written.
func TestImportCountsSecrets(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, domain := range []string{"a.example.com", "b.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: streamKey})
	}
	args := []string{"import", "--kind", "lnc", "--keys-to-cluster", "--yes"}
	w.call(append(args, "--domain", "a.*")...).want(t, exitYes, "Wrote 1 Secret.\n")
	w.call(args...).want(t, exitYes, "Wrote 1 Secret, 1 the same.\n")
	w.call(args...).want(t, exitYes, "Wrote 0 Secrets, 2 the same.\n")
	w.cloud.SetStreamConfig("a.example.com", emulator.StreamConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: recordKey})
	w.call(args...).want(t, exitYes, "Wrote 1 Secret, 1 the same.\n")
	w.call(append(args, "--key-secret", "all")...).want(t, exitYes, "Wrote 1 Secret.\n")
	w.call(append(args, "--key-secret", "all")...).want(t, exitYes, "Wrote 0 Secrets, 1 the same.\n")
}

// Files that cannot be written are not counted as written.
func TestImportCountsFiles(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, domain := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		w.cloud.AddDomain("", domain, emulator.IngestDomain)
		w.cloud.SetStreamConfig(domain, emulator.StreamConfig{NotifyURL: "https://hooks.example.com/"})
	}
	dir := t.TempDir()
	second := filepath.Join(dir, "livenotifyconfigs-b-example-com.yaml")
	if err := os.Symlink(filepath.Join(dir, "missing", "x"), second); err != nil { // whose target cannot be made
		t.Fatal(err)
	}
	args := []string{"import", "--kind", "lnc", "--output-dir", dir}
	w.call(args...).want(t, exitUnknown, "Files: 1 written, 0 the same, 0 left as they are.", "could not be written")
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	w.call(append(args, "--dry-run")...).want(t, exitYes, "Files: 2 to be written, 1 the same, 0 left as they are.")
	w.call(args...).want(t, exitYes, "Files: 2 written, 1 the same, 0 left as they are.")
	if err := os.WriteFile(second, []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.call(args...).want(t, exitNo, "Files: 0 written, 2 the same, 1 left as they are.")
}

// The longest domains have names, of which files and Secrets are made.
func TestImportOfLongDomains(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	label := strings.Repeat("a", 60) + "."
	for _, end := range []string{"b.example.com", "c.example.com"} {
		domain := label + label + label + strings.Repeat("a", 50) + "." + end
		w.cloud.AddDomain("", domain, emulator.StreamingDomain)
		w.cloud.SetRecordConfig(domain, emulator.RecordConfig{NotifyURL: "https://hooks.example.com/", Auth: true, AuthKey: recordKey})
	}
	dir := t.TempDir()
	w.call("import", "--kind", "lrnc", "--output-dir", dir, "--keys-to-cluster", "--yes").want(t, exitYes, "Files: 2 written", "Wrote 2 Secrets")
	w.call("plan", "-f", dir).want(t, exitYes, "2 in sync")
	w.call("import", "--kind", "lrnc", "--output-dir", dir, "-o", "helm-values").want(t, exitUsage, "leave --output-dir out")
}
