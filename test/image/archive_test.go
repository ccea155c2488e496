// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"strings"
)

// image is one of an OCI archive, with its layers laid over one another.
type image struct {
	config config
	files  map[string]file // by absolute path
	size   int64           // of all layers, unpacked
}

// config is what the tests read of an image's configuration.
type config struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Config       struct {
		User       string
		WorkingDir string
		Entrypoint []string
		Cmd        []string
		Env        []string
		Labels     map[string]string
	} `json:"config"`
}

// file is a file of an image. A directory and a link have no data.
type file struct {
	header *tar.Header
	data   []byte
}

type descriptor struct {
	Digest   string
	Platform *struct{ OS, Architecture string }
}

// open reads the image of an archive for this machine's architecture.
func open(archive string) (image, error) {
	img := image{files: map[string]file{}}
	f, err := os.Open(archive)
	if err != nil {
		return img, err
	}
	defer f.Close()
	entries, err := unpack(f)
	if err != nil {
		return img, err
	}
	manifest, err := findManifest(entries)
	if err != nil {
		return img, err
	}
	if err := decode(entries, blob(manifest.Config), &img.config); err != nil {
		return img, err
	}
	for _, layer := range manifest.Layers {
		if err := img.lay(entries[blob(layer)].data); err != nil {
			return img, fmt.Errorf("layer %s: %w", layer.Digest, err)
		}
	}
	return img, nil
}

type manifest struct {
	Config descriptor
	Layers []descriptor
}

// findManifest follows the index of an archive, and the one within that docker
// writes.
func findManifest(entries map[string]file) (manifest, error) {
	name := "/index.json"
	for range 3 {
		var node struct {
			manifest
			Manifests []descriptor
		}
		if err := decode(entries, name, &node); err != nil {
			return manifest{}, err
		}
		if node.Config.Digest != "" {
			return node.manifest, nil
		}
		name = ""
		for _, m := range node.Manifests {
			if m.Platform == nil || m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
				name = blob(m)
				break
			}
		}
	}
	return manifest{}, errors.New("the index leads to no image for linux/" + runtime.GOARCH)
}

func blob(d descriptor) string { return "/blobs/" + strings.Replace(d.Digest, ":", "/", 1) }

func decode(entries map[string]file, name string, into any) error {
	entry, ok := entries[name]
	if !ok {
		return fmt.Errorf("no %s: is this an OCI archive?", name)
	}
	return json.Unmarshal(entry.data, into)
}

// lay adds a layer, which may take away what is below.
func (i *image) lay(layer []byte) error {
	var in io.Reader = bytes.NewReader(layer)
	if bytes.HasPrefix(layer, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = unzipped
	}
	entries, err := unpack(in)
	if err != nil {
		return err
	}
	for name, entry := range entries {
		if strings.HasPrefix(path.Base(name), ".wh.") {
			return fmt.Errorf("%s takes files away, which this test does not follow", name)
		}
		i.files[name] = entry
		i.size += int64(len(entry.data))
	}
	return nil
}

// unpack returns the entries of a tar file by their absolute paths.
func unpack(from io.Reader) (map[string]file, error) {
	entries := map[string]file{}
	in := tar.NewReader(from)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			if len(entries) == 0 {
				return nil, errors.New("empty, or no tar file")
			}
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		entries[path.Clean("/"+header.Name)] = file{header, data}
	}
}
