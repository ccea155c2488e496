// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/live-notify/live-notify-operator/api/v1alpha1"
	"github.com/live-notify/live-notify-operator/internal/access"
	"github.com/live-notify/live-notify-operator/internal/callback"
	"github.com/live-notify/live-notify-operator/internal/kind"
	"github.com/live-notify/live-notify-operator/internal/live"
	"github.com/live-notify/live-notify-operator/internal/manifest"
	"github.com/live-notify/live-notify-operator/internal/planning"
	"github.com/live-notify/live-notify-operator/internal/report"
	"github.com/live-notify/live-notify-operator/internal/words"
)

// Options say what the manifests are like.
type Options struct {
	Query

	Namespace        string // "" to leave it out
	Account          string // LiveAccount; "" for none
	ManagementPolicy v1alpha1.ManagementPolicy
	DeletionPolicy   v1alpha1.DeletionPolicy
	// KeySecret is one Secret for all keys; "" for one for each object.
	KeySecret string
}

// Results of an item.
const (
	Imported = "imported"
	Absent   = "none"   // without configuration
	Denied   = "denied" // without permission
	Failed   = "failed"
	NotFound = "not found" // an application that the cloud does not know
)

// Item is what became of one domain or application, for one kind.
type Item struct {
	Kind   string `json:"kind"`
	Key    string `json:"key"`
	Result string `json:"result"`
	// Name of the object that was imported.
	Name    string `json:"name,omitempty"`
	Message string `json:"message,omitempty"`
	// Authentication is set or not set.
	Authentication string `json:"authentication,omitempty"`
	// SecretName and SecretKey are where the key is expected.
	SecretName string `json:"secretName,omitempty"`
	SecretKey  string `json:"secretKey,omitempty"`

	object map[string]any
	key    live.Key
	notes  []string
}

// AuthKey returns the authentication key that was read; "" for none.
func (i Item) AuthKey() live.Key { return i.key }

// Summary counts the configurations, and the domains.
type Summary struct {
	// Domains that the account has, of those that were asked for.
	Domains int `json:"domains"`
	DomainCounts

	// Imported are configurations, as are all that follow.
	Imported int `json:"imported"`
	// WithoutConfiguration were read, and have none.
	WithoutConfiguration int `json:"withoutConfiguration"`
	Denied               int `json:"denied"`
	Failed               int `json:"failed"`
	// NotFound are applications that the cloud does not know.
	NotFound int `json:"notFound"`
}

// DomainCounts count what became of the domains: each once, by the worst of its
// configurations.
type DomainCounts struct {
	DomainsImported             int `json:"domainsImported"`
	DomainsWithoutConfiguration int `json:"domainsWithoutConfiguration"`
	DomainsDenied               int `json:"domainsDenied"`
	DomainsFailed               int `json:"domainsFailed"`
	// DomainsNotImported are the others of a run that was halted.
	DomainsNotImported int `json:"domainsNotImported"`
}

// Report is what was imported.
type Report = report.Report[Summary, Item]

// Import reads an account. With Halt, what cannot be read is an error: the report then has
// the counts of what was read until then, of which nothing is imported. Without counts
// there is none.
func Import(ctx context.Context, c *live.Client, o Options) (*Report, error) {
	o.check = func(ctx context.Context, f found) error {
		if err := checkKey(f); err != nil {
			return err
		}
		i := Item{}
		i.written(f, cmp.Or(plainName(f.id), "unnamed"), o)
		// Defaults are for the check, not for the manifest.
		return manifest.Default(ctx, &unstructured.Unstructured{Object: runtime.DeepCopyJSON(i.object)})
	}
	all, domains, err := inventory(ctx, c, o.Query)
	if err != nil && domains == 0 {
		return nil, err
	}
	r := report.New[Summary, Item]("Import")
	r.Summary.Domains = domains
	if err != nil {
		r.Summary.halted(all)
		return r, err
	}
	results := map[string]string{} // of domains
	names, unknown, told := namesOf(all), strangers(all), map[string]bool{}
	for _, f := range all {
		if f.key == "" && f.err == nil {
			r.Summary.WithoutConfiguration++ // a sub-streaming domain
			results[f.id] = cmp.Or(results[f.id], Absent)
			continue
		}
		if unknown[f.id] {
			if !told[f.id] {
				notFound(r, f)
			}
			told[f.id] = true
			continue
		}
		i := itemOf(r, f, names[f.kind][f.key], o)
		r.Summary.add(i.Result)
		r.Items = append(r.Items, i)
		if before := results[f.id]; f.kind.OfDomain && slices.Index(worse, i.Result) > slices.Index(worse, before) {
			results[f.id] = i.Result
		}
	}
	r.Summary.domains(results)
	return r, nil
}

// itemOf returns what became of what was looked for, and notes in the report why it
// cannot be imported.
func itemOf(r *Report, f found, name string, o Options) Item {
	i := Item{Kind: f.kind.Name, Key: f.key, Result: Absent}
	switch {
	case f.err != nil:
		i.Result = Failed
		if live.ClassOf(f.err) == live.AccessDenied {
			i.Result = Denied
		}
		var reason string
		reason, i.Message = access.Explain(f.err)
		r.Fail(report.Problem{Object: f.object(), Reason: reason, Message: i.Message})
	case f.bad != nil:
		i.Result, i.Message = Failed, "What the cloud holds is nothing that a manifest may say: "+refusal(f.bad)
		r.Fail(report.Problem{Object: f.object(), Reason: "Invalid", Message: i.Message})
	case f.have != nil:
		i.written(f, name, o)
	}
	return i
}

// worse are the results of domains, the worst last.
var worse = []string{"", Absent, Imported, Denied, Failed}

// domains counts what became of each domain.
func (s *Summary) domains(results map[string]string) {
	var of Summary
	for _, result := range results {
		of.add(result)
	}
	s.DomainsImported, s.DomainsWithoutConfiguration, s.DomainsDenied, s.DomainsFailed = of.Imported, of.WithoutConfiguration, of.Denied, of.Failed
}

// halted counts what was read until something could not be: nothing is imported.
func (s *Summary) halted(all []found) {
	results := map[string]string{}
	for _, f := range all {
		result := ""
		switch {
		case live.ClassOf(f.err) == live.AccessDenied:
			result = Denied
		case f.err != nil && !errors.Is(f.err, context.Canceled):
			result = Failed
		default:
			continue
		}
		s.add(result)
		if f.kind.OfDomain && slices.Index(worse, result) > slices.Index(worse, results[f.id]) {
			results[f.id] = result
		}
	}
	s.domains(results)
	s.DomainsNotImported = s.Domains - len(results)
}

// unfit is what is wrong with the key of a configuration, in words of our own.
type unfit struct{ message string }

// Error returns the message.
func (u *unfit) Error() string { return u.message }

// refusal says why no manifest may say what was read.
func refusal(err error) string {
	if u, ok := errors.AsType[*unfit](err); ok {
		return u.message
	}
	return manifest.Refusal(err)
}

// checkKey tells whether the key of a configuration cannot be that of a manifest: no
// Secret may have it, or another value repeats it, and would be in the file.
func checkKey(f found) error {
	fields := f.have.Fields()
	key := live.KeyOf(fields)
	if !slices.ContainsFunc(fields, func(field live.Field) bool { return field.Secret && field.Value != "" }) {
		return nil
	}
	if _, err := live.ParseKey(string(key), f.kind.MaxAuthKey); err != nil {
		return &unfit{"the authentication key " + words.Sentence(err.Error()) + " Give the configuration another key in the cloud."}
	}
	for _, field := range fields {
		if !field.Secret && callback.Holds(field.Value, string(key)) {
			return &unfit{"spec." + field.Name + " has the authentication key in it, which would be in the file. Take it out in the cloud, or give the configuration another key."}
		}
	}
	return nil
}

// notFound tells of an application that the cloud does not know, once for all kinds.
func notFound(r *Report, f found) {
	i := Item{Kind: f.kind.Name, Key: f.key, Result: NotFound}
	i.Message = "The account has no such application: check the ID, and that it belongs to the account in use."
	r.Fail(report.Problem{Object: f.object(), Reason: v1alpha1.ReasonDomainNotFound, Message: i.Message})
	r.Summary.add(i.Result)
	r.Items = append(r.Items, i)
}

func (s *Summary) add(result string) {
	switch result {
	case Imported:
		s.Imported++
	case Absent:
		s.WithoutConfiguration++
	case Denied:
		s.Denied++
	case NotFound:
		s.NotFound++
	default:
		s.Failed++
	}
}

// Line sums an import up.
func Line(s Summary) string {
	line := fmt.Sprintf("Import: %s seen, %d imported, %d without configuration, %d denied, %d failed",
		words.Count(s.Domains, "domain"), s.DomainsImported, s.DomainsWithoutConfiguration, s.DomainsDenied, s.DomainsFailed)
	if s.DomainsNotImported > 0 {
		line += fmt.Sprintf(", %d not imported", s.DomainsNotImported)
	}
	line += fmt.Sprintf(". Configurations: %d imported, %d without, %d denied, %d failed", s.Imported, s.WithoutConfiguration, s.Denied, s.Failed)
	if s.NotFound > 0 {
		line += ", " + words.Count(s.NotFound, "application") + " not found"
	}
	return line + "."
}

// keyOf returns the key of the object of a kind for a domain or an application, and
// a channel of that if it is not empty: the other parts of a key have their defaults.
func keyOf(k *kind.Kind, id, channel string) (string, error) {
	spec := map[string]any{}
	for _, name := range []string{"channelID", "dataCenter"} {
		if typed, otherwise := manifest.FieldType(k.Name, name); typed != "" && otherwise != nil {
			spec[name] = otherwise
		}
	}
	spec[keyField(k)] = id
	if channel != "" {
		spec["channelID"] = channel
	}
	o := k.New()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": spec}, o); err != nil {
		return "", fmt.Errorf("making a %s of an ID", k.Name)
	}
	return k.Key(o), nil
}

func keyField(k *kind.Kind) string {
	if k.OfDomain {
		return "domainName"
	}
	return "appID"
}

// written makes an item a manifest.
func (i *Item) written(f found, name string, o Options) {
	i.Name, i.Result = name, Imported
	spec := map[string]any{keyField(f.kind): f.id, "managementPolicy": string(o.ManagementPolicy), "deletionPolicy": string(o.DeletionPolicy)}
	if o.Account != "" {
		spec["accountRef"] = map[string]any{"name": o.Account}
	}
	if f.channel != "" && f.channel != live.AllChannels {
		spec["channelID"] = f.channel
	}
	for _, field := range f.have.Fields() {
		i.field(spec, f, field, o)
	}
	metadata := map[string]any{"name": name}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	i.object = map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": f.kind.Name, "metadata": metadata, "spec": spec}
}

// field writes one field of a configuration into a spec.
func (i *Item) field(spec map[string]any, f found, field live.Field, o Options) {
	typed, _ := manifest.FieldType(f.kind.Name, field.Name)
	switch {
	case field.WriteOnly:
		i.notes = append(i.notes, field.Name+" cannot be read from the cloud. If one is in use, add it here before the operator may write.")
	case field.Secret:
		i.Authentication = "not set"
		if field.Value == "" {
			return
		}
		i.Authentication = "set"
		i.key = live.KeyOf(f.have.Fields())
		_, short := manifest.Names(f.kind.Name)
		i.SecretName, i.SecretKey = i.Name+"-"+short+"-key", "key"
		if o.KeySecret != "" {
			i.SecretName, i.SecretKey = o.KeySecret, short+"."+i.Name
		}
		spec[field.Name] = map[string]any{"keySecretRef": map[string]any{"name": i.SecretName, "key": i.SecretKey}}
		i.notes = append(i.notes, fmt.Sprintf("The key is not in this file: entry %q of Secret %q is to hold it, see --keys-to-cluster.", i.SecretKey, i.SecretName))
	case field.Value == "" || field.Value == "false" || typed == "", typed == "array" && field.Value == "*": // * is all, as is none
	case typed == "boolean":
		spec[field.Name] = field.Value == "true"
	case typed == "array":
		list := []any{}
		for part := range strings.SplitSeq(field.Value, ",") {
			list = append(list, part)
		}
		spec[field.Name] = list
	default:
		spec[field.Name] = field.Value
	}
}

// namesOf names the objects: from the domain, with a short hash where two would
// have the same name.
func namesOf(all []found) map[*kind.Kind]map[string]string {
	byName := map[*kind.Kind]map[string][]string{}
	for _, f := range all {
		if f.key == "" {
			continue // a sub-streaming domain, which has no object
		}
		if byName[f.kind] == nil {
			byName[f.kind] = map[string][]string{}
		}
		name := plainName(f.id)
		byName[f.kind][name] = append(byName[f.kind][name], f.key)
	}
	names := map[*kind.Kind]map[string]string{}
	for k, of := range byName {
		names[k] = map[string]string{}
		for name, keys := range of {
			for _, key := range keys {
				names[k][key] = name
				if len(keys) > 1 || name == "" {
					sum := sha256.Sum256([]byte(key))
					names[k][key] = strings.Trim(name+"-"+hex.EncodeToString(sum[:3]), "-")
				}
			}
		}
	}
	return names
}

var noName = regexp.MustCompile(`[^a-z0-9-]+`)

// plainName makes a name of a domain or an ID.
func plainName(id string) string {
	name := strings.Trim(noName.ReplaceAllString(strings.ToLower(id), "-"), "-")
	return strings.Trim(name[:min(len(name), maxPlain)], "-")
}

// maxPlain is what is left of a name, so that a hash can be added, and the name of a
// Secret and of a file be made of it.
const maxPlain = 200

// Manifest returns the manifest of an item; "" if it has none. It holds no key.
func (i Item) Manifest() (string, error) {
	if i.object == nil {
		return "", nil
	}
	text, err := yaml.Marshal(i.object)
	if err != nil {
		return "", fmt.Errorf("writing the manifest of %s", i.Key)
	}
	var b strings.Builder
	for _, note := range i.notes {
		b.WriteString("# " + note + "\n")
	}
	b.Write(text)
	return b.String(), nil
}

// File returns the name of the file of an item.
func (i Item) File() string {
	plural, _ := manifest.Names(i.Kind)
	return plural + "-" + i.Name + ".yaml"
}

// HelmValues returns the items as values of the chart live-callbacks.
func HelmValues(r *Report) (string, error) {
	values := map[string]any{}
	for _, i := range r.Items {
		if i.object == nil {
			continue
		}
		plural, _ := manifest.Names(i.Kind)
		entry := map[string]any{"name": i.Name}
		maps.Copy(entry, i.object["spec"].(map[string]any))
		list, _ := values[plural].([]any)
		values[plural] = append(list, entry)
	}
	text, err := yaml.Marshal(values)
	return string(text), err
}

// Unmanaged adds to a plan the configured domains that none of the objects names.
func Unmanaged(ctx context.Context, clouds *access.Clouds, r *planning.Report, subjects []planning.Subject) error {
	account, err := clouds.Default(ctx)
	if err != nil {
		return err
	}
	var kinds []*kind.Kind
	for _, k := range kind.All {
		if k.OfDomain {
			kinds = append(kinds, k)
		}
	}
	all, _, err := inventory(ctx, account.Client, Query{Kinds: kinds, Patience: clouds.Patience})
	if err != nil {
		return err
	}
	for _, f := range all {
		switch {
		case f.err != nil:
			reason, message := access.Explain(f.err)
			r.Summary.Add(planning.Unknown)
			r.Fail(report.Problem{Object: f.object(), Reason: reason, Message: message})
		case f.have != nil && !slices.ContainsFunc(subjects, func(s planning.Subject) bool { return s.Kind == f.kind && s.Kind.Key(s.Object) == f.key }):
			r.Summary.Add(planning.Unmanaged)
			r.Items = append(r.Items, planning.Item{
				Change: planning.Unmanaged, Kind: f.kind.Name, Key: f.key, Reason: "Unmanaged",
				Message: "The cloud holds a configuration, and no object names it.",
			})
		}
	}
	return nil
}
