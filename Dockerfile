# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# The operator, as --target emulator the emulated cloud, and as --target cli the
# command line: each is one static
# binary on a base without a shell. "make docker-build" passes the arguments.
# docs/releasing.md tells how to move to newer bases.
ARG BUILDER_IMAGE=docker.io/library/golang:1.26.8@sha256:3c3e25a4da13fd0478eed2df1eb35a0e667094a7124d3993a6a1d30f71c17e79
ARG RUNTIME_IMAGE=gcr.io/distroless/static:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3

# Go compiles for other platforms by itself, which no emulation does as fast: this
# stage runs on the platform of the machine that builds.
FROM --platform=$BUILDPLATFORM ${BUILDER_IMAGE} AS builder
WORKDIR /workspace
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# .dockerignore says what there is.
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG COMMIT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build-cache \
    GOCACHE="${GOCACHE:-/go/build-cache}" CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -tags kustomize_disable_go_plugin_support \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=$VERSION -X github.com/prometheus/common/version.Revision=$COMMIT" \
    -o /out/ . ./cmd/...

# What all images share. One more program is one more stage from it.
FROM ${RUNTIME_IMAGE} AS runtime
ARG VERSION=dev
ARG COMMIT=
ARG SOURCE=https://github.com/live-notify/live-notify-operator
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$COMMIT \
      org.opencontainers.image.source=$SOURCE \
      org.opencontainers.image.licenses=Apache-2.0
WORKDIR /
# By number, so that a kubelet can tell that it is not root.
USER 65532:65532

FROM runtime AS emulator
LABEL org.opencontainers.image.title=live-emulator \
      org.opencontainers.image.description="Emulates the callback plane of ApsaraVideo Live, for tests and trials."
COPY --from=builder /out/live-emulator /live-emulator
ENTRYPOINT ["/live-emulator"]

FROM runtime AS cli
LABEL org.opencontainers.image.title=kubectl-live_notify \
      org.opencontainers.image.description="The command line of live-notify-operator: plan, import, failures, replay and more."
COPY --from=builder /out/kubectl-live_notify /kubectl-live_notify
ENTRYPOINT ["/kubectl-live_notify"]

# The last stage is what a build without --target gives.
FROM runtime AS operator
LABEL org.opencontainers.image.title=live-notify-operator \
      org.opencontainers.image.description="Keeps the callback configuration of ApsaraVideo Live equal to custom resources."
COPY --from=builder /out/live-notify-operator /live-notify-operator
ENTRYPOINT ["/live-notify-operator"]
