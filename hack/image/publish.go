// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// annotationImageName is the name under which containerd imports an image.
const annotationImageName = "io.containerd.image.name"

// writeArchive writes an OCI layout, as a tar file.
func (i image) writeArchive(file string) error {
	dir, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system clears what is left
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	err = path.AppendIndex(i.index, layout.WithAnnotations(map[string]string{
		annotationImageName: i.name.Name(), ocispec.AnnotationRefName: i.name.TagStr(),
	}))
	if err != nil {
		return err
	}
	for _, sbom := range i.sboms {
		if err := path.AppendImage(sbom); err != nil {
			return err
		}
	}
	return pack(dir, file)
}

// pack writes the files of a directory to a tar file, in order of their names and
// without anything of this machine.
func pack(dir, file string) error {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(files)
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close() // a second time, after the one below that counts
	w := tar.NewWriter(out)
	for _, path := range files {
		if err := add(w, dir, path); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Close()
}

func add(w *tar.Writer, dir, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: info.Size(), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// push writes the image and its SBOMs to its repository.
func (i image) push(ctx context.Context) error {
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(i.name, i.index, options...); err != nil {
		return err
	}
	for _, sbom := range i.sboms {
		digest, err := sbom.Digest()
		if err != nil {
			return err
		}
		if err := remote.Write(i.name.Context().Digest(digest.String()), sbom, options...); err != nil {
			return err
		}
	}
	return nil
}
