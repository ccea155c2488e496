// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// sbomType is the artifact type by which tools find the SBOMs of an image.
const sbomType = "application/vnd.cyclonedx+json"

// image is one multi-platform image, with what refers to it.
type image struct {
	name  name.Tag
	index v1.ImageIndex
	sboms []v1.Image // one for each platform; its subject is the platform's manifest
}

// assemble makes an image of a program's builds.
func assemble(o options, p program, builds []build) (image, error) {
	tag, err := name.NewTag(o.repository + "/" + p.name + ":" + o.version)
	if err != nil {
		return image{}, err
	}
	base, err := baseLayer()
	if err != nil {
		return image{}, err
	}
	labels := map[string]string{
		ocispec.AnnotationTitle:       p.name,
		ocispec.AnnotationDescription: p.description,
		ocispec.AnnotationLicenses:    "Apache-2.0",
		ocispec.AnnotationVersion:     o.version,
		ocispec.AnnotationCreated:     o.created.Format(time.RFC3339),
	}
	if o.commit != "" {
		labels[ocispec.AnnotationRevision] = o.commit
	}
	if o.source != "" {
		labels[ocispec.AnnotationSource] = o.source
	}

	result := image{name: tag, index: mutate.IndexMediaType(empty.Index, types.OCIImageIndex)}
	for _, b := range builds {
		platformImage, err := forPlatform(o, p, b, base, labels)
		if err != nil {
			return image{}, err
		}
		result.index = mutate.AppendManifests(result.index, mutate.IndexAddendum{
			Add: platformImage, Descriptor: v1.Descriptor{Platform: &b.platform},
		})
		sbom, err := referrer(platformImage, sbomType, b.sbom, labels[ocispec.AnnotationCreated])
		if err != nil {
			return image{}, err
		}
		result.sboms = append(result.sboms, sbom)
	}
	result.index = mutate.Annotations(result.index, labels).(v1.ImageIndex)
	return result, nil
}

func forPlatform(o options, p program, b build, base v1.Layer, labels map[string]string) (v1.Image, error) {
	binary, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	program, err := layer([]entry{{name: p.name, mode: 0o755, data: binary}})
	if err != nil {
		return nil, err
	}
	config := &v1.ConfigFile{
		Created: v1.Time{Time: o.created}, OS: b.platform.OS, Architecture: b.platform.Architecture,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: "65532:65532", Entrypoint: []string{"/" + p.name}, WorkingDir: "/", Labels: labels,
			Env: []string{"PATH=/"},
		},
	}
	img, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	if err != nil {
		return nil, err
	}
	history := func(layer v1.Layer, what string) mutate.Addendum {
		return mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: config.Created, CreatedBy: what}}
	}
	img, err = mutate.Append(img, history(base, "hack/image: CA certificates and users"), history(program, "hack/image: /"+p.name))
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(img, labels).(v1.Image), nil
}

// entry is a file of a layer, or a directory if it has no data.
type entry struct {
	name string
	mode int64
	data []byte
}

// baseLayer has what a static program may look for. The certificates are those
// of Mozilla, in the version that go.mod pins: those of the machine that builds
// would be others on each. Certificates that Mozilla trusts with conditions are
// left out, since a bundle cannot hold the conditions.
func baseLayer() (v1.Layer, error) {
	var certificates bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			if err := pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
				return nil, err
			}
		}
	}
	return layer([]entry{
		{name: "etc", mode: 0o755},
		{name: "etc/group", mode: 0o644, data: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{name: "etc/passwd", mode: 0o644, data: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{name: "etc/ssl", mode: 0o755},
		{name: "etc/ssl/certs", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: certificates.Bytes()},
		{name: "tmp", mode: 0o1777},
	})
}

// layer packs files, all from 1970 and root's.
func layer(entries []entry) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if e.data == nil {
			header.Typeflag, header.Name = tar.TypeDir, e.name+"/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// referrer returns an artifact of one blob that refers to a platform's image, as
// of version 1.1 of the OCI image specification.
func referrer(subject v1.Image, artifactType string, blob []byte, created string) (v1.Image, error) {
	desc, err := partial.Descriptor(subject)
	if err != nil {
		return nil, err
	}
	content := static.NewLayer(blob, types.MediaType(artifactType))
	blobDesc, err := partial.Descriptor(content)
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(struct {
		specs.Versioned
		MediaType    types.MediaType    `json:"mediaType"`
		ArtifactType string             `json:"artifactType"`
		Config       ocispec.Descriptor `json:"config"`
		Layers       []*v1.Descriptor   `json:"layers"`
		Subject      v1.Descriptor      `json:"subject"`
		Annotations  map[string]string  `json:"annotations"`
	}{
		specs.Versioned{SchemaVersion: 2}, types.OCIManifestSchema1, artifactType, ocispec.DescriptorEmptyJSON,
		[]*v1.Descriptor{blobDesc},
		v1.Descriptor{MediaType: desc.MediaType, Size: desc.Size, Digest: desc.Digest},
		map[string]string{ocispec.AnnotationCreated: created},
	})
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(artifact{manifest, content})
}

// artifact is what go-containerregistry takes for an image without a file system.
type artifact struct {
	manifest []byte
	content  v1.Layer
}

// RawConfigFile implements partial.CompressedImageCore.
func (a artifact) RawConfigFile() ([]byte, error) { return ocispec.DescriptorEmptyJSON.Data, nil }

// MediaType implements partial.CompressedImageCore.
func (a artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// RawManifest implements partial.CompressedImageCore.
func (a artifact) RawManifest() ([]byte, error) { return a.manifest, nil }

// LayerByDigest implements partial.CompressedImageCore.
func (a artifact) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	if is, err := a.content.Digest(); err != nil || is != digest {
		return nil, fmt.Errorf("no blob %s (%w)", digest, err)
	}
	return a.content, nil
}
