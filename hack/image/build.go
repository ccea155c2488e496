// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rs/zerolog"
)

const versionPackage = "github.com/live-notify/live-notify-operator/internal/version"

// build is a program for one platform.
type build struct {
	platform v1.Platform
	path     string
	sbom     []byte // CycloneDX
}

// compile builds a program such that neither the directory nor the environment
// nor the state of the repository shows in the binary: the version and the commit
// are what o says.
func compile(ctx context.Context, o options, p program, platform v1.Platform) (build, error) {
	b := build{platform: platform, path: filepath.Join(o.out, p.name+"-"+platform.OS+"-"+platform.Architecture)}
	path, err := filepath.Abs(b.path)
	if err != nil {
		return b, err
	}
	ldflags := fmt.Sprintf("-s -w -buildid= -X %[1]s.version=%[2]s -X %[1]s.commit=%[3]s", versionPackage, o.version, o.commit)
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", path, p.pkg)
	cmd.Dir = o.root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "GOEXPERIMENT=") || strings.HasPrefix(entry, "GODEBUG=") || strings.HasPrefix(entry, "PWD=")
	})
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Architecture,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOFLAGS=", "GOWORK=off")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return b, err
	}
	b.sbom, err = describe(b.path, o.version)
	return b, err
}

// describe returns the SBOM of a binary, from what the Go linker wrote into it:
// this is what is inside, and not what go.mod might have led to. It has neither
// time nor serial number, so that it is the same for the same binary.
func describe(path, version string) ([]byte, error) {
	generator, err := bin.NewGenerator(path, bin.WithIncludeStdlib(true), bin.WithVersionOverride(version), bin.WithLogger(zerolog.Nop()))
	if err != nil {
		return nil, err
	}
	bom, err := generator.Generate()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return text.Bytes(), err
}
