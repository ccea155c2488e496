// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/cli-runtime/pkg/resource"

	"github.com/live-notify/live-notify-operator/internal/live"
)

// load reads all that files name. A source that is not there, or holds something else,
// is a mistake of the call; what may not be read, breaks while it is read, or does not
// come over the network is not known, and to try again may help.
func (a *app) load(ctx context.Context, f files) ([]*resource.Info, error) {
	b := resource.NewLocalBuilder().Unstructured().ContinueOnError().Local()
	var trouble []error
	in := &watched{Reader: a.in}
	for n, name := range f.Filenames {
		switch {
		case slices.Contains(f.Filenames[:n], name): // its objects are there
		case name == "-":
			b = b.Stream(in, "stdin")
		case isURL(name):
			text, err := fetch(ctx, name)
			if err != nil {
				trouble = append(trouble, err)
				continue
			}
			b = b.Stream(bytes.NewReader(text), shownURL(name))
		default:
			b = b.FilenameParam(false, &resource.FilenameOptions{Filenames: []string{name}, Recursive: f.Recursive})
		}
	}
	if f.Kustomize != "" {
		b = b.FilenameParam(false, &resource.FilenameOptions{Kustomize: f.Kustomize})
	}
	if len(trouble) == len(f.Filenames) && f.Kustomize == "" {
		return nil, errors.Join(trouble...)
	}
	infos, err := b.Flatten().Do().Infos()
	switch {
	case in.err != nil:
		trouble = append(trouble, unknown("stdin cannot be read"))
	case err == nil:
	default:
		for _, one := range severalOf(err) {
			trouble = append(trouble, unreadable(one))
		}
	}
	return infos, errors.Join(trouble...)
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
