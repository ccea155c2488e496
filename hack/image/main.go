// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command image builds the container images of this repository, for all
// platforms, without a container engine:
//
//	go -C hack/image run . -root ../.. -out bin/image -version v0.1.0 -commit $(git rev-parse HEAD) -created $(git log -1 --format=%ct)
//
// The same flags, sources and Go version give the same digests. It is a module of its own, so
// that what it takes to write images is no dependency of the operator.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// program is one image: a static binary and what it says of itself.
type program struct {
	name, pkg, description string
}

var programs = []program{
	{"live-notify-operator", ".", "Keeps the callback configuration of ApsaraVideo Live equal to custom resources."},
	{"live-emulator", "./cmd/live-emulator", "Emulates the callback plane of ApsaraVideo Live, for tests and trials."},
}

// options are what the flags say.
type options struct {
	root, out       string
	version, commit string
	source          string
	created         time.Time
	platforms       []v1.Platform
	repository      string
	push            bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	o, err := parseFlags(os.Args[1:])
	if err == nil {
		err = run(ctx, o, programs)
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("image", flag.ContinueOnError)
	fs.StringVar(&o.root, "root", ".", "`directory` of the repository")
	fs.StringVar(&o.out, "out", "bin/image", "`directory` to write to, from the root")
	fs.StringVar(&o.version, "version", "dev", "version of the programs, and tag of the images")
	fs.StringVar(&o.commit, "commit", "", "commit that they are built from")
	fs.StringVar(&o.source, "source", "", "`URL` of the repository, for the images' labels")
	created := fs.Int64("created", 0, "Unix `time` of the images: that of the commit, so that it says nothing of the build")
	platforms := fs.String("platforms", "linux/amd64,linux/arm64", "comma-separated platforms")
	fs.StringVar(&o.repository, "repository", "localhost", "`prefix` of the images' names")
	fs.BoolVar(&o.push, "push", false, "push to the repository, with the credentials of the user's registry logins")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.created = time.Unix(*created, 0).UTC()
	o.out = filepath.Join(o.root, o.out)
	for text := range strings.SplitSeq(*platforms, ",") {
		p, err := v1.ParsePlatform(text)
		if err != nil || p.OS == "" || p.Architecture == "" || p.Variant != "" {
			return o, fmt.Errorf("-platforms: %q is not of the form os/architecture", text)
		}
		o.platforms = append(o.platforms, *p)
	}
	return o, nil
}

// run builds each program for each platform, and from these an image with an
// SBOM for each platform.
func run(ctx context.Context, o options, programs []program) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	var digests bytes.Buffer
	for _, p := range programs {
		var builds []build
		for _, platform := range o.platforms {
			b, err := compile(ctx, o, p, platform)
			if err != nil {
				return fmt.Errorf("%s for %s: %w", p.name, platform, err)
			}
			if err := os.WriteFile(b.path+".cdx.json", b.sbom, 0o644); err != nil {
				return err
			}
			builds = append(builds, b)
		}
		image, err := assemble(o, p, builds)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := image.writeArchive(filepath.Join(o.out, p.name+".oci.tar")); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if o.push {
			if err := image.push(ctx); err != nil {
				return fmt.Errorf("pushing %s: %w", image.name, err)
			}
		}
		digest, err := image.index.Digest()
		if err != nil {
			return err
		}
		fmt.Printf("%s@%s\n", image.name, digest)
		fmt.Fprintf(&digests, "%s@%s\n", image.name.Context(), digest)
	}
	return os.WriteFile(filepath.Join(o.out, "digests.txt"), digests.Bytes(), 0o644)
}
