// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/importing"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/words"
)

type importOptions struct {
	domains, kinds, appIDs  []string
	management, deletion    string
	dir, keySecret, onError string
	keysToCluster           bool
	consent
}

func (a *app) importing() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write the callback configurations of an account as manifests",
		Long: "Write the callback configurations of an account as manifests. Nothing is changed in the cloud, and the manifests only observe it until you say otherwise.\n\n" +
			"RTC applications cannot be listed: name them with --app-id. Apply the result with \"kubectl create -f\", so that nothing that exists is changed.",
		Example: "  # See what there is:\n  " + a.name + " import -o table\n\n" +
			"  # One file for each, of the domains below example.com:\n  " + a.name + " import --domain '*.example.com' --output-dir callbacks/",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doImport(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.domains, "domain", nil, "Only domains that match, such as '*.example.com'.")
	f.StringSliceVar(&o.kinds, "kind", nil, "Only these kinds, by name or short name, such as lnc,lrnc.")
	f.StringSliceVar(&o.appIDs, "app-id", nil, "Applications, which cannot be listed: of RTC, or of messaging for lmac.")
	f.StringVar(&o.management, "management-policy", string(v1alpha1.Observe), "managementPolicy of the manifests: Observe or Manage.")
	f.StringVar(&o.deletion, "deletion-policy", string(v1alpha1.DeletionRetain), "deletionPolicy of the manifests: Retain or Delete.")
	f.StringVar(&o.dir, "output-dir", "", "Directory to write one file for each manifest to.")
	f.BoolVar(&o.keysToCluster, "keys-to-cluster", false, "Write the authentication keys to Secrets of the cluster.")
	f.StringVar(&o.keySecret, "key-secret", "", "One Secret for all keys. Default: one for each object.")
	f.StringVar(&o.onError, "on-error", "halt", "What to do when something cannot be read: halt or continue.")
	o.flags(cmd, "Write no files and no Secrets.")
	a.outputFlagOr("yaml", cmd, "jsonl", "helm-values")
	return cmd
}

// kindsOf returns kinds by their names; all for none.
func kindsOf(names []string) ([]*kind.Kind, error) {
	if len(names) == 0 {
		return kind.All, nil
	}
	var kinds []*kind.Kind
	for _, name := range names {
		k := kindCalled(name)
		if k == nil {
			return nil, usage("--kind %q: there is no such callback kind", name)
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

// kindCalled returns the callback kind of a name, as kubectl takes names of types;
// nil if there is none.
func kindCalled(name string) *kind.Kind {
	name, group, qualified := strings.Cut(strings.ToLower(name), ".")
	if g := v1alpha1.GroupVersion; qualified && group != g.Group && group != g.Version+"."+g.Group {
		return nil
	}
	for _, k := range kind.All {
		if plural, short := manifest.Names(k.Name); name == strings.ToLower(k.Name) || name == plural || name == short {
			return k
		}
	}
	return nil
}

func (o importOptions) check() error {
	if err := importing.CheckGlobs(o.domains); err != nil {
		return usage("--domain: %s", err)
	}
	if o.keySecret != "" && len(content.IsDNS1123Subdomain(o.keySecret)) > 0 {
		return usage("--key-secret: the name of a Secret has lower-case letters, digits, hyphens and dots, at most 253, and each part between dots begins and ends with a letter or a digit")
	}
	return cmp.Or(
		oneOf("management-policy", o.management, string(v1alpha1.Observe), string(v1alpha1.Manage)),
		oneOf("deletion-policy", o.deletion, string(v1alpha1.DeletionRetain), string(v1alpha1.DeletionDelete)),
		oneOf("on-error", o.onError, "halt", "continue"))
}

func (a *app) doImport(ctx context.Context, o importOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	kinds, err := kindsOf(o.kinds)
	if err != nil {
		return err
	}
	if o.keysToCluster && !o.dryRun && !o.yes && !a.isTerminal(a.in) {
		return errNoTerminal() // before anything is read, written or printed
	}
	if o.dir != "" && a.output == "helm-values" {
		return usage("-o helm-values is printed, and no files are written: leave --output-dir out")
	}
	if o.dir != "" && !o.dryRun && !canMake(o.dir) {
		return usage("--output-dir: it cannot be made, or written to")
	}
	cluster, clouds, err := a.connect(ctx, o.keysToCluster)
	if err != nil {
		return err
	}
	account, err := clouds.Default(ctx)
	if err != nil {
		return err
	}
	options := importing.Options{
		Query:            importing.Query{Kinds: kinds, Domains: o.domains, AppIDs: o.appIDs, Halt: o.onError == "halt", Patience: clouds.Patience},
		Account:          a.account,
		ManagementPolicy: v1alpha1.ManagementPolicy(o.management), DeletionPolicy: v1alpha1.DeletionPolicy(o.deletion), KeySecret: o.keySecret,
	}
	if *a.config.Namespace != "" {
		options.Namespace = *a.config.Namespace
	}
	progress, done := a.reading("reading")
	options.Progress = progress
	r, err := importing.Import(ctx, account.Client, options)
	done()
	if err != nil && r != nil {
		fmt.Fprintln(a.err, importing.Line(r.Summary))
		fmt.Fprintln(a.err, "It ended before all was read, and nothing was written. --on-error continue leaves out what cannot be read; --domain asks for less.")
	}
	if unread, ok := errors.AsType[*importing.Unread](err); ok {
		return because(unread.Unwrap(), "%s", unread.Object)
	}
	if err != nil {
		return err
	}
	return a.imported(ctx, cluster, r, kinds, o)
}

// imported writes what was read.
func (a *app) imported(ctx context.Context, c client.Client, r *importing.Report, kinds []*kind.Kind, o importOptions) error {
	keys := keysOf(r)
	if o.keysToCluster {
		if err := a.mayWrite(ctx, c, keys, o); err != nil {
			return err // before the first file
		}
	}
	files, err := a.writeImport(r, o)
	if o.dir != "" {
		fmt.Fprintln(a.err, files.line(o.dryRun))
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.err, importing.Line(r.Summary))
	a.whyEmpty(r, kinds, o)
	if o.keysToCluster && !o.dryRun {
		if err := a.keysToCluster(ctx, c, keys); err != nil {
			return err
		}
	}
	if r.Summary.Denied+r.Summary.Failed+r.Summary.NotFound+files.kept > 0 {
		return errNo
	}
	return nil
}

// whyEmpty says why nothing was imported, and what to try.
func (a *app) whyEmpty(r *importing.Report, kinds []*kind.Kind, o importOptions) {
	ofDomains := slices.ContainsFunc(kinds, func(k *kind.Kind) bool { return k.OfDomain })
	switch {
	case r.Summary.Imported+r.Summary.Failed > 0: // what failed was told
	case !ofDomains && len(o.appIDs) == 0:
		fmt.Fprintln(a.err, "These kinds belong to applications, which cannot be listed: name them with --app-id, for lmac a messaging application, for les and lmes an RTC application.")
	case !ofDomains && r.Summary.Denied == 0:
		fmt.Fprintln(a.err, "None of these applications has a callback configuration of these kinds. Is it the right account? Look at the IDs, or leave --kind out.")
	case r.Summary.Domains == 0 && len(o.domains) > 0:
		fmt.Fprintln(a.err, "The account has no domain that matches --domain. Is it the right account?")
	case r.Summary.Domains == 0:
		fmt.Fprintln(a.err, "The account has no live domains. Is it the right account? RTC applications are named with --app-id.")
	case r.Summary.Denied > 0:
		fmt.Fprintln(a.err, "Nothing may be read: docs/reference/ram-policies.md has the policy for import.")
	case len(o.domains)+len(o.kinds) > 0:
		fmt.Fprintln(a.err, "None of these domains has a callback configuration of these kinds. Ask for other domains, or leave --kind out.")
	default:
		fmt.Fprintln(a.err, "The domains of the account have no callback configuration. Is it the right account? RTC applications are named with --app-id.")
	}
}

// written counts files.
type written struct {
	wrote, same, kept int // kept are those that are there, say something else, and stay
}

// line says what became of the files.
func (w written) line(dryRun bool) string {
	return fmt.Sprintf("Files: %d %s, %d the same, %d left as they are.", w.wrote, map[bool]string{true: "to be written", false: "written"}[dryRun], w.same, w.kept)
}

// writeImport prints what was read, or writes its files.
func (a *app) writeImport(r *importing.Report, o importOptions) (files written, err error) {
	if a.output != "yaml" && a.output != "helm-values" && o.dir == "" {
		return files, show(a, r, importView())
	}
	a.tell(r.Warnings, r.Errors)
	if a.output == "helm-values" {
		text, err := importing.HelmValues(r)
		if err == nil {
			_, err = fmt.Fprint(a.out, text)
		}
		if err != nil {
			return files, errOutput
		}
		return files, nil
	}
	if o.dir != "" && !o.dryRun {
		if err := os.MkdirAll(o.dir, 0o755); err != nil {
			return files, usage("--output-dir: it cannot be made")
		}
	}
	for _, i := range r.Items {
		text, err := i.Manifest()
		switch {
		case err != nil:
			return files, err
		case text == "":
			continue
		case o.dir == "":
			_, err = fmt.Fprint(a.out, "---\n"+text)
		default:
			err = a.writeManifest(filepath.Join(o.dir, i.File()), text, o.dryRun, &files)
		}
		if err != nil {
			return files, errOutput
		}
	}
	return files, nil
}

// writeManifest writes a file, or names it in a dry run. One that is there and says
// something else stays as it is: someone may have edited it.
func (a *app) writeManifest(path, text string, dryRun bool, files *written) error {
	have, err := os.ReadFile(path)
	switch {
	case err == nil && string(have) != text:
		fmt.Fprintf(a.err, "%s is there, and says something else: it stays as it is. Compare it, move it away, or give another --output-dir.\n", path)
		files.kept++
		return nil
	case err == nil:
		files.same++
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case dryRun:
		_, err = fmt.Fprintln(a.out, path)
	default:
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err == nil {
		files.wrote++
	}
	return err
}

func importView() view[importing.Item] {
	return view[importing.Item]{
		head: []string{"KIND", "KEY", "RESULT", "NAME", "AUTHENTICATION"}, wide: []string{"SECRET", "MESSAGE"},
		row: func(i importing.Item) []string {
			return []string{i.Kind, i.Key, i.Result, orDash(i.Name), orDash(i.Authentication), orDash(i.SecretName), i.Message}
		},
		name: func(i importing.Item) string {
			if i.Name == "" {
				return "" // nothing was imported
			}
			return strings.ToLower(i.Kind) + "/" + i.Name
		},
	}
}

// secret is one Secret to be written, with the keys that were read.
type secret struct {
	name    string
	entries map[string][]byte
}

// keysOf returns the Secrets that the keys of an import go to, in its order.
func keysOf(r *importing.Report) (secrets []secret) {
	for _, i := range r.Items {
		if i.AuthKey() == "" || i.Result != importing.Imported {
			continue
		}
		n := slices.IndexFunc(secrets, func(s secret) bool { return s.name == i.SecretName })
		if n < 0 {
			n = len(secrets)
			secrets = append(secrets, secret{i.SecretName, map[string][]byte{}})
		}
		secrets[n].entries[i.SecretKey] = []byte(string(i.AuthKey()))
	}
	return secrets
}

// mayWrite says which Secrets are to be written, and what becomes of those that exist,
// and asks.
func (a *app) mayWrite(ctx context.Context, c client.Client, secrets []secret, o importOptions) error {
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		fmt.Fprintln(a.err, "No configuration has a key: there is no Secret to write.")
		return nil
	}
	var names []string
	for _, s := range secrets {
		fate, err := s.fate(ctx, c, namespace)
		if err != nil {
			return because(err, "reading Secret %q", s.name)
		}
		names = append(names, fmt.Sprintf("%s (%s)", s.name, fate))
	}
	fmt.Fprintf(a.err, "%s in namespace %s: %s\n", words.Count(len(names), "Secret"), namespace, strings.Join(names, ", "))
	if o.dryRun {
		return nil
	}
	return a.confirm(ctx, o.yes, "Write the keys to them?")
}

// fate says what is to become of a Secret as the cluster has it.
func (s secret) fate(ctx context.Context, c client.Client, namespace string) (string, error) {
	var have corev1.Secret
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: s.name}, &have)
	if err != nil {
		return "new", client.IgnoreNotFound(err)
	}
	added := false
	for name, key := range s.entries {
		switch now, found := have.Data[name]; {
		case !found:
			added = true
		case !bytes.Equal(now, key):
			return "replaces another key", nil
		}
	}
	if added {
		return "adds a key", nil
	}
	return "same", nil
}

// keysToCluster writes Secrets.
func (a *app) keysToCluster(ctx context.Context, c client.Client, secrets []secret) error {
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	wrote, same := 0, 0
	others := func() string {
		if same == 0 {
			return "."
		}
		return fmt.Sprintf(", %d the same.", same)
	}
	for _, s := range secrets {
		changed, err := writeSecret(ctx, c, namespace, s.name, s.entries)
		switch {
		case err != nil:
			fmt.Fprintf(a.err, "%d of %s written%s Run the same again to go on.\n", wrote, words.Count(len(secrets), "Secret"), others())
			return because(err, "writing Secret %q", s.name)
		case changed:
			wrote++
		default:
			same++
		}
	}
	if len(secrets) > 0 {
		fmt.Fprintf(a.err, "Wrote %s%s\n", words.Count(wrote, "Secret"), others())
	}
	return nil
}

// canMake tells whether a directory is there, or can be made, and can be written to.
// Nothing of the trial is left.
func canMake(dir string) bool {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		_, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		if err != nil {
			return false
		}
		trial, err := os.MkdirTemp(at, ".live-notify-")
		return err == nil && os.Remove(trial) == nil
	}
}

// writeSecret creates a Secret, or sets entries of one that exists, unless it has them.
func writeSecret(ctx context.Context, c client.Client, namespace, name string, data map[string][]byte) (changed bool, err error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: data}
	err = c.Create(ctx, secret)
	if !apierrors.IsAlreadyExists(err) {
		return true, err
	}
	if err := c.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return false, err
	}
	before := maps.Clone(secret.Data)
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	maps.Copy(secret.Data, data)
	if maps.EqualFunc(before, secret.Data, bytes.Equal) {
		return false, nil
	}
	return true, c.Update(ctx, secret)
}

// reading returns progress of work whose size is found out on the way.
func (a *app) reading(what string) (progress func(read, known int), done func()) {
	var once sync.Once
	step, end := func() {}, func() {}
	return func(_, known int) {
		once.Do(func() { step, end = a.progress(known, what) })
		step()
	}, func() { end() }
}
