# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

# The operator, and as --target emulator the cloud emulator, each as one static
# binary on a base without a shell:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v0.1.0 -t <image> .
#
# BASE_IMAGE needs nothing but CA certificates.
ARG GO_IMAGE=golang:1.26
ARG BASE_IMAGE=gcr.io/distroless/static:nonroot

# Go compiles for other platforms by itself: build on the machine's own.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
ENV GOCACHE=/cache/build GOMODCACHE=/cache/mod
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/cache go mod download
COPY main.go ./
COPY api/ api/
COPY cmd/ cmd/
COPY internal/ internal/
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG COMMIT=
RUN --mount=type=cache,target=/cache \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/live-notify/live-notify-operator/internal/version.version=$VERSION -X github.com/live-notify/live-notify-operator/internal/version.commit=$COMMIT" -o /out/ . ./cmd/live-emulator

FROM ${BASE_IMAGE} AS emulator
COPY --from=build /out/live-emulator /live-emulator
USER 65532:65532
ENTRYPOINT ["/live-emulator"]

FROM ${BASE_IMAGE} AS operator
COPY --from=build /out/live-notify-operator /live-notify-operator
USER 65532:65532
ENTRYPOINT ["/live-notify-operator"]
