// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// loaded is one object of a source, or what is wrong with it.
type loaded struct {
	source string
	object *unstructured.Unstructured
	err    error
}

// load reads all that files name. A source that is not there, or holds something else,
// is a mistake of the call; what may not be read, breaks while it is read, or does not
// come over the network is not known, and to try again may help. What can be read is
// returned with an error, too.
func (a *app) load(ctx context.Context, f files) (list []loaded, err error) {
	var trouble []error
	add := func(source string, of func(*resource.Builder) *resource.Builder) {
		more, err := documents(source, of)
		list, trouble = append(list, more...), append(trouble, err...)
	}
	in := &watched{Reader: a.in}
	for n, name := range f.Filenames {
		switch {
		case slices.Contains(f.Filenames[:n], name): // its objects are there
		case name == "-":
			add("stdin", func(b *resource.Builder) *resource.Builder { return b.Stream(in, "stdin") })
		case isURL(name):
			text, err := fetch(ctx, name)
			if err != nil {
				trouble = append(trouble, err)
				continue
			}
			shown := shownURL(name)
			add(shown, func(b *resource.Builder) *resource.Builder { return b.Stream(bytes.NewReader(text), shown) })
		default:
			for _, path := range pathsOf(name, f.Recursive) {
				add(path, func(b *resource.Builder) *resource.Builder {
					return b.FilenameParam(false, &resource.FilenameOptions{Filenames: []string{path}})
				})
			}
		}
	}
	if f.Kustomize != "" {
		add(f.Kustomize, func(b *resource.Builder) *resource.Builder {
			return b.FilenameParam(false, &resource.FilenameOptions{Kustomize: f.Kustomize})
		})
	}
	if in.err != nil {
		return list, errors.Join(append(trouble, unknown("stdin cannot be read"))...)
	}
	return list, errors.Join(trouble...)
}

// pathsOf returns the files of a directory, or a path itself: also one that cannot be
// read, to be told why.
func pathsOf(name string, recursive bool) (paths []string) {
	visitors, err := resource.ExpandPathsToFileVisitors(nil, name, recursive, resource.FileExtensions, nil)
	if err != nil || len(visitors) == 0 {
		return []string{name}
	}
	for _, v := range visitors {
		paths = append(paths, v.(*resource.FileVisitor).Path)
	}
	return paths
}

// texts are the documents of a source, each as JSON.
type texts [][]byte

// ValidateBytes implements resource.ContentValidator: the reader shows each document to it.
func (t *texts) ValidateBytes(text []byte) error {
	*t = append(*t, slices.Clone(text))
	return nil
}

// documents returns the objects of a source, and what keeps it from being read to the end.
func documents(source string, of func(*resource.Builder) *resource.Builder) (list []loaded, trouble []error) {
	var all texts
	_, err := of(resource.NewLocalBuilder().Unstructured().ContinueOnError().Local().Schema(&all)).Do().Infos()
	several := []error{err}
	if all, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		several = utilerrors.Flatten(all).Errors()
	}
	for _, one := range several {
		if one != nil && !notDecoded.MatchString(one.Error()) { // which is found out again, below
			trouble = append(trouble, unreadable(one))
		}
	}
	for _, text := range all {
		list = append(list, decoded(text)...)
	}
	source = live.Bound(source, maxSource)
	for n := range list {
		list[n].source = source
		if len(list) > 1 {
			list[n].source += fmt.Sprintf(" (object %d)", n+1)
		}
	}
	return list, trouble
}

// decoded returns the objects of a document: several, if it is a list.
func decoded(text []byte) []loaded {
	var o map[string]any
	if err := json.Unmarshal(text, &o); err != nil {
		return []loaded{{err: undecodable(err)}}
	}
	return flattened(&unstructured.Unstructured{Object: o})
}

// flattened returns an object, or those of a list, which may be lists.
func flattened(o *unstructured.Unstructured) []loaded {
	gv, err := schema.ParseGroupVersion(o.GetAPIVersion())
	switch {
	case o.GetKind() == "":
		return []loaded{{err: errNoType("Kind")}}
	case gv.Empty() && err == nil:
		return []loaded{{err: errNoType("apiVersion")}}
	case err != nil || gv.Version == "":
		return []loaded{{err: usage("apiVersion: Invalid value: want GROUP/VERSION, or v1")}}
	case o.IsList():
		return itemsOf(o)
	}
	metadata, err := json.Marshal(o.Object["metadata"])
	if err == nil {
		err = json.Unmarshal(metadata, &metav1.ObjectMeta{})
	}
	if err != nil {
		return []loaded{{err: undecodable(err)}}
	}
	return []loaded{{object: o}}
}

// itemsOf returns the objects of a list, each decoded by itself: one that is none hides no
// other. Those of a list of one kind need not say it.
func itemsOf(o *unstructured.Unstructured) (list []loaded) {
	items, _ := o.Object["items"].([]any) // which makes it a list
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			list = append(list, loaded{err: usage("it cannot be decoded: an item of a list must be an object")})
			continue
		}
		one := &unstructured.Unstructured{Object: object}
		if one.GetKind() == "" && one.GetAPIVersion() == "" {
			one.SetKind(strings.TrimSuffix(o.GetKind(), "List"))
			one.SetAPIVersion(o.GetAPIVersion())
		}
		list = append(list, flattened(one)...)
	}
	return list
}

// errNoType tells of a document that does not say what it is. The document is not repeated.
func errNoType(field string) error { return usage("Object '%s' is missing", field) }

// undecodable says why a document is no object. A reader's own words repeat what is in it,
// a key maybe.
func undecodable(err error) error {
	if e, ok := errors.AsType[*stdjson.UnmarshalTypeError](err); ok && e.Field != "" {
		return usage("it cannot be decoded: metadata.%s is of another type than it must be", live.Clean(e.Field, maxSource))
	}
	return usage("it cannot be decoded: it must be an object, with metadata as every object has")
}

// watched remembers what kept it from being read.
type watched struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

var (
	// repeated is how the reader of manifests repeats one that has no kind, with the keys
	// that may be in it.
	repeated = regexp.MustCompile(`(?s) is missing in '.*`)
	// notDecoded is how it begins what is wrong with one document.
	notDecoded = regexp.MustCompile(`^unable to decode "`)
	// noPath is what it says of a path that it cannot open.
	noPath = regexp.MustCompile(`^the path "[^"]*" (?:does not exist|cannot be accessed: (?:l?stat [^:]+: )?[a-z ]+)$`)
	// ofFile is how it begins what is wrong with a file.
	ofFile = regexp.MustCompile(`^(?:error parsing [^:]+|unable to decode "[^"]*"|error reading "[^"]*"): `)
	// noManifests is what it says of directories without manifests.
	noManifests = regexp.MustCompile(`^error reading \[(.*)\]: recognized file extensions are`)
	// notReadable ends what it says of what is there, and cannot be read for now.
	notReadable = regexp.MustCompile(`: (?:permission denied|operation not permitted|input/output error|Access is denied\.)$`)
	// notFetched is in what it says of a part of a kustomization that is elsewhere.
	notFetched = regexp.MustCompile(`\bdial tcp\b|\bconnection reset\b|\bi/o timeout\b|\bhit [0-9.a-z]+ timeout\b|\bgit fetch\b|\bstatus code [0-9]{3}\b`)
)

// unreadable returns why manifests cannot be read. A reader may repeat what it cannot
// read: behind the name of the file its words are cleaned.
func unreadable(err error) error {
	said := repeated.ReplaceAllString(err.Error(), " is missing")
	if notFetched.MatchString(said) {
		return unknown("reading the manifests: a part of the kustomization cannot be fetched. Check its addresses and the network")
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		said = `error reading "` + at.Path + `": ` + at.Err.Error()
	}
	if m := noManifests.FindStringSubmatch(said); m != nil {
		return usage("%s holds no file that ends with .json, .yaml or .yml: -R looks in the directories below, too", live.Bound(m[1], maxSource))
	}
	file, tell := ofFile.FindString(said), usage
	if errors.Is(err, fs.ErrPermission) || notReadable.MatchString(said) {
		tell = unknown
	}
	words := live.Bound(file, maxUsage) + live.Clean(strings.TrimPrefix(said, file), maxUsage)
	if noPath.MatchString(said) {
		words = live.Bound(said, maxUsage)
	}
	return tell("reading the manifests: %s", words)
}

// isURL tells whether a source is to be fetched.
func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

const (
	// patience is for how long a source is fetched.
	patience = 30 * time.Second
	// maxFetched bounds what is fetched, in bytes: the API server takes less of one object.
	maxFetched = 64 << 20
)

// fetch returns what is at a URL.
func fetch(ctx context.Context, address string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil || request.URL.Host == "" {
		return nil, usage("-f: a URL is malformed")
	}
	shown := shownURL(address)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, unknown("%s cannot be fetched: no answer came. Check the address and the network", shown)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, unknown("%s cannot be fetched: the answer has status %d", shown, reply.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(reply.Body, maxFetched+1))
	switch {
	case err != nil:
		return nil, unknown("%s cannot be fetched: the connection broke in the middle", shown)
	case len(text) > maxFetched:
		return nil, usage("%s is longer than %d MiB", shown, maxFetched>>20)
	}
	return text, nil
}

// shownURL returns a URL as it is shown: neither a password nor a token is in that.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the URL"
	}
	return live.Bound((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), maxSource)
}

// open opens the file that a flag names, or stdin.
func (a *app) open(flag, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.in), nil
	}
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, unknown("%s: the file may not be read", flag)
	case err != nil:
		return nil, usage("%s: the file cannot be opened", flag)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(usage("%s: that is a directory", flag), f.Close())
	}
	return f, nil
}
