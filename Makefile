# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# The tools that are built from source; git, npm and KUBECTL are those of the machine.
# Each has a module in hack/tools, which records the version and the checksum of all
# that it is built from, and is built once, into bin/<tool>-<version>.
# $(call tool,name,directory,module) is the file.
tool = bin/$(1)-$(shell sed -n 's|^\(require\)\{0,1\}[[:space:]]*$(3) \(v[^ ]*\).*|\2|p' hack/tools/$(2)/go.mod)

CONTROLLER_GEN := $(call tool,controller-gen,controller-gen,sigs.k8s.io/controller-tools)
ACTIONLINT     := $(call tool,actionlint,actionlint,github.com/rhysd/actionlint)
CRDIFY         := $(call tool,crdify,crdify,sigs.k8s.io/crdify)
CRD_REF_DOCS   := $(call tool,crd-ref-docs,crd-ref-docs,github.com/elastic/crd-ref-docs)
GOJQ           := $(call tool,gojq,gojq,github.com/itchyny/gojq)
GOLANGCI_LINT  := $(call tool,golangci-lint,golangci-lint,github.com/golangci/golangci-lint/v2)
GORELEASER     := $(call tool,goreleaser,goreleaser,github.com/goreleaser/goreleaser/v2)
HELM           := $(call tool,helm,helm,helm.sh/helm/v4)
HELM_DOCS      := $(call tool,helm-docs,helm-docs,github.com/norwoodj/helm-docs)
HUGO           := $(call tool,hugo,hugo,github.com/gohugoio/hugo)
KUSTOMIZE      := $(call tool,kustomize,kustomize,sigs.k8s.io/kustomize/kustomize/v5)
LICENSE_EYE    := $(call tool,license-eye,license-eye,github.com/apache/skywalking-eyes)
PROMTOOL       := $(call tool,promtool,prometheus,github.com/prometheus/prometheus)
PROMETHEUS     := $(call tool,prometheus,prometheus,github.com/prometheus/prometheus)

KUBECTL ?= kubectl
VERSION ?= $(shell git describe --tags --always --dirty --abbrev=12 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make <target>" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Try it

.PHONY: demo
demo: ## Run the operator against an emulated cloud, no cluster needed; ONCE=1 ends once all is in sync; SCENE=guard or SCENE=rollout plays a change that fails.
	go run ./hack/demo $(if $(filter-out 0,$(ONCE)),-once) $(if $(SCENE),-scene $(SCENE))

.PHONY: run
run: ## Run the operator on this machine against the cluster of KUBECONFIG; ARGS="..." are its flags.
	go run . $(ARGS)

##@ Develop

PKGS ?= ./...

# How long an API server of a test may take to start and to stop: longer than envtest
# gives it, which a machine that does other things as well does not keep to.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT ?= 3m
export KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT ?= 2m

# Where the programs are that tests run as processes: all tests together have them
# built once, a narrow run builds what it needs.
PROGRAMS = $(if $(filter ./...,$(PKGS)),$(CURDIR)/bin/test)

# Results are not cached: some tests run programs whose sources and files Go does
# not see, such as the operator, helm and kubectl. Garbage is collected less often, in
# the API servers of the tests too, which takes memory rather than time. Tests are
# linked without what a debugger needs, a third of the linker's work, and vetted by
# make verify. Some packages wait more than they work, so that there are more at a time
# than there are cores; the longest come first.
LONGEST := ./internal/controller ./test/docs ./test/rbac ./test/leaders ./cmd/kubectl-live_notify

.PHONY: test
test: $(HELM) ## Run all tests, against a real API server; TESTFLAGS="-run X" and PKGS=./internal/... narrow it.
	@go run ./hack/controlplane >/dev/null
	@$(MAKE) --no-print-directory -j 2 test-packages $(if $(filter ./...,$(PKGS)),test-modules)

.PHONY: test-packages
test-packages:
	@assets=$$(go run ./hack/controlplane) || exit 1; \
	$(if $(PROGRAMS),mkdir -p $(PROGRAMS) && go build -buildvcs=false -tags kustomize_disable_go_plugin_support -ldflags '-s -w' -o $(PROGRAMS)/ . ./cmd/kubectl-live_notify || exit 1;) \
	set -x; MAKEFLAGS= KUBEBUILDER_ASSETS=$$assets HELM=$(CURDIR)/$(HELM) LIVE_NOTIFY_PROGRAMS=$(PROGRAMS) GOGC=300 \
		go test -vet=off -ldflags=-w -count=1 -p $$(($$(getconf _NPROCESSORS_ONLN) + 2)) -parallel 8 -timeout 40m $(TESTFLAGS) \
		$(if $(filter ./...,$(PKGS)),$(LONGEST)) $(PKGS)

.PHONY: test-modules
test-modules:
	@export KUBEBUILDER_ASSETS=$$(go run ./hack/controlplane) || exit 1; $(call in-modules,go test -count=1 -timeout 20m $(TESTFLAGS) ./...)

RACY ?= . ./cmd/... ./internal/...

.PHONY: test-race
test-race: ## Run the short form of the tests with the race detector, which needs a C compiler.
	@assets=$$(go run ./hack/controlplane) || exit 1; \
	set -x; KUBEBUILDER_ASSETS=$$assets go test -race -short -count=1 -parallel 8 -timeout 30m $(TESTFLAGS) $(RACY)

# Modules whose dependencies are not the operator's.
MODULES := hack/monitoring test/livetest-example

# $(call in-modules,command) runs a command in each of them.
in-modules = for module in $(MODULES); do (set -x; cd $$module && $(1)) || exit 1; done

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, one after another; TESTFLAGS="-parallel 1" and the like narrow it.
	@for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' api internal test | xargs -n 1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' $$dir/*_test.go); do \
			echo "==> $$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $(TESTFLAGS) ./$$dir || exit 1; \
		done; \
	done

.PHONY: bench
bench: ## Measure the operator under the cloud's limits, and what a pass costs; ARGS="-n 10000 -qps-scale 20" and the like, ARGS=-h lists them.
	go run ./hack/bench $(ARGS)
	go test -run '^$$' -bench . ./internal/controller ./internal/live ./test/cli

MINUTES ?= 10

.PHONY: soak
soak: ## Wear the operator out for MINUTES, and see whether all is well afterwards; ARGS=-h lists flags. First the tests in their long form.
	LONG=1 $(MAKE) test PKGS='./internal/controller ./internal/live ./internal/replay ./cmd/kubectl-live_notify ./test/leaders ./test/lifecycle' TESTFLAGS='-timeout 3h'
	go run ./hack/soak -minutes $(MINUTES) $(ARGS)

.PHONY: test-monitoring
test-monitoring: $(PROMETHEUS) ## Run the demo under a real Prometheus: every panel has data, every alert its metrics.
	PROMETHEUS=$(CURDIR)/$(PROMETHEUS) go test -count=1 -timeout 10m -run TestUnderPrometheus -v ./test/monitoring

.PHONY: e2e
e2e: $(HELM) ## Run the end-to-end tests in the cluster of KUBECONFIG, with images E2E_IMAGE and E2E_EMULATOR_IMAGE; hack/e2e.sh does it all.
	HELM=$(CURDIR)/$(HELM) KUBECTL='$(KUBECTL)' E2E_IMAGE='$(E2E_IMAGE)' E2E_NEXT_IMAGE='$(E2E_NEXT_IMAGE)' \
		E2E_EMULATOR_IMAGE='$(E2E_EMULATOR_IMAGE)' go test -tags e2e -count=1 -timeout 20m -v $(TESTFLAGS) ./test/e2e

# A directory DIR/VERSION of archives, as hack/images.sh writes it.
IMAGES ?= bin/images/dev

.PHONY: test-image
test-image: ## Test the images whose archives are in IMAGES: user, labels, content, size; hack/images.sh writes archives.
	E2E_IMAGES='$(abspath $(IMAGES))' go test -tags e2e -count=1 -v $(TESTFLAGS) ./test/image

# Where generate writes: the tree itself, or another one to compare with it.
OUT ?= .

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(GOJQ) $(HELM_DOCS) ## Write everything generated: deepcopy, CRDs, RBAC, docs/reference, monitoring, files of the chart.
	@mkdir -p $(OUT)/api/v1alpha1 $(OUT)/config/crd/bases $(OUT)/config/prometheus $(OUT)/config/rbac $(OUT)/docs/reference
	$(CONTROLLER_GEN) paths=./api/... \
		object:headerFile=hack/boilerplate.go.txt output:object:dir=$(OUT)/api/v1alpha1 \
		crd:headerFile=hack/boilerplate.yaml.txt output:crd:dir=$(OUT)/config/crd/bases
	$(CONTROLLER_GEN) paths=. paths=./internal/... \
		rbac:roleName=manager-role,headerFile=hack/boilerplate.yaml.txt output:rbac:dir=$(OUT)/config/rbac
	$(CRD_REF_DOCS) --log-level=ERROR --source-path=api --renderer=markdown \
		--config=hack/api-docs/config.yaml --templates-dir=hack/api-docs \
		--output-path=$(OUT)/docs/reference/api.md
	go run ./hack/refdocs -out $(OUT)
	@# The rule of the Prometheus operator is rules.yaml below a head.
	@GOFLAGS= GOWORK=off go -C hack/monitoring run . >$(OUT)/config/prometheus/dashboard.json.new && \
		mv $(OUT)/config/prometheus/dashboard.json.new $(OUT)/config/prometheus/dashboard.json
	@sed -n -e '/^groups:/,$$ { s/^./  &/; p; }' config/prometheus/rules.yaml | cat hack/monitoring/prometheusrule.yaml - >$(OUT)/config/prometheus/prometheusrule.yaml
	GOJQ=$(CURDIR)/$(GOJQ) hack/chart/chart.sh '$(OUT)'
	$(call helm-docs,live-notify-operator)
	$(call helm-docs,live-callbacks)

# $(call helm-docs,chart) writes the page of a chart. helm-docs writes beside
# Chart.yaml, or prints.
helm-docs = @mkdir -p $(OUT)/charts/$(1) && $(HELM_DOCS) --chart-search-root charts/$(1) --log-level error --sort-values-order file --dry-run >$(OUT)/charts/$(1)/README.md.new && \
	sed -e '$${/^$$/d;}' $(OUT)/charts/$(1)/README.md.new >$(OUT)/charts/$(1)/README.md && rm $(OUT)/charts/$(1)/README.md.new

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	go vet ./...
	@$(call in-modules,go vet ./...)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters; LINTFLAGS=--fix mends what can be mended.
	$(GOLANGCI_LINT) run $(LINTFLAGS)
	@$(call in-modules,$(CURDIR)/$(GOLANGCI_LINT) run $(LINTFLAGS))

.PHONY: clean
clean: ## Remove what was built here, tools included.
	rm -rf bin dist

##@ Verify

VERIFY := verify-generate verify-fmt verify-tidy verify-headers verify-links verify-rules verify-crds verify-workflows vet lint

.PHONY: verify
verify: ## Check all that a change must satisfy besides its tests; reports every failure, not only the first.
	@failed=; for check in $(VERIFY); do \
		echo "==> $$check"; \
		$(MAKE) $$check || failed="$$failed $$check"; \
	done; \
	if [ -n "$$failed" ]; then echo "make verify: FAILED:$$failed" >&2; exit 1; fi; \
	echo "make verify: ok"

.PHONY: verify-generate
verify-generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(GOJQ) $(HELM_DOCS) ## Check that generated files are fresh.
	@hack/verify-generate.sh

# It asks a database on the internet, so that it is not part of verify.
.PHONY: govulncheck
govulncheck: ## Look for known weaknesses in the dependencies; needs the internet.
	GOFLAGS= go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

.PHONY: verify-fmt
verify-fmt: $(GOLANGCI_LINT) ## Check that the Go code is formatted.
	@$(GOLANGCI_LINT) fmt --diff || { echo "run: make fmt" >&2; exit 1; }

.PHONY: verify-tidy
verify-tidy: ## Check that go.mod and go.sum say what is used.
	@go mod tidy -diff || { echo "run: go mod tidy" >&2; exit 1; }
	@cd hack/controlplane/kubernetes && go mod tidy -diff || \
		{ echo "run: cd hack/controlplane/kubernetes && go mod tidy" >&2; exit 1; }
	@$(call in-modules,go mod tidy -diff) || { echo "run go mod tidy there" >&2; exit 1; }

# license-eye 0.7.0 panics in a linked work tree of git, so that it gets a copy.
.PHONY: verify-headers
verify-headers: $(LICENSE_EYE) ## Check that source files have their licence header.
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	git ls-files -z --cached --others --exclude-standard | tar c --ignore-failed-read --null -T - 2>/dev/null | tar x -C "$$copy" && \
	cd "$$copy" && $(CURDIR)/$(LICENSE_EYE) -v error header check

.PHONY: licenses
licenses: $(LICENSE_EYE) ## Print the licences of the dependencies.
	@$(LICENSE_EYE) -v error dependency resolve

.PHONY: verify-links
verify-links: ## Check that the links of the documentation lead somewhere; needs npm.
	@if ! command -v npm >/dev/null; then echo "verify-links: SKIPPED: there is no npm" >&2; else \
		$(MAKE) hack/links/node_modules && git ls-files -z --cached --others --exclude-standard '*.md' | \
			xargs -0 hack/links/node_modules/.bin/remark --no-config --rc-path hack/links/remark.json --quiet --frail --no-stdout; \
	fi

.PHONY: verify-rules
verify-rules: $(PROMTOOL) ## Check the alerts, and run their tests.
	@$(PROMTOOL) check rules config/prometheus/rules.yaml
	@$(PROMTOOL) test rules config/prometheus/rules_test.yaml

.PHONY: verify-crds
verify-crds: export CRDIFY := $(CURDIR)/$(CRDIFY)
verify-crds: export GOJQ := $(CURDIR)/$(GOJQ)
verify-crds: $(CRDIFY) $(GOJQ) ## Check that the CRDs break nothing that works with the last release, and test this check; BASE=<commit> compares with another.
	@hack/crdcheck/crdcheck.sh '$(BASE)'
	@go test -count=1 ./hack/crdcheck

.PHONY: verify-workflows
verify-workflows: $(ACTIONLINT) ## Check the workflows of the forge.
	@$(ACTIONLINT) -shellcheck= -pyflakes= # whether they are installed must not matter
	@! grep -nE 'uses: +[^.]' .github/workflows/*.yaml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$$' || \
		{ echo "pin each action by its commit, with its version in a comment" >&2; exit 1; }

##@ Documentation

SITE_URL ?= https://live-notify.github.io/live-notify-operator/
# The versions that are released, the newest first, as name=commit.
DOCS_VERSIONS ?= $(shell git tag --list 'v*' --sort=-version:refname 2>/dev/null | grep -v - | sed 's/.*/&=&/')
# Hugo's modules come from where Go's do, and are checked as Go's are: by go.sum, and
# what is new in that by the checksum database, which Hugo alone leaves out.
site = HUGO=$(CURDIR)/$(HUGO) URL='$(SITE_URL)' HUGO_MODULE_PROXY=$$(go env GOPROXY) HUGO_MODULE_NOPROXY=none HUGO_MODULE_PRIVATE=none GOFLAGS= GOWORK=off hack/site/build.sh

%/node_modules: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --ignore-scripts && touch node_modules

.PHONY: docs
docs: $(HUGO) hack/site/node_modules ## Build the documentation as a site, with that of each release, into bin/site; needs npm. A dead link fails it.
	$(site) $(CURDIR)/bin/site $(DOCS_VERSIONS)

.PHONY: docs-serve
docs-serve: $(HUGO) hack/site/node_modules ## Serve the documentation on this machine, and build it anew when it changes.
	$(site) serve

# There may be no release yet, so that the site of this test has one of its own.
.PHONY: test-docs
test-docs: $(HUGO) hack/site/node_modules ## Open each page of the site in Chromium (CHROMIUM=/usr/bin/chromium): links, versions, search, width, accessibility.
	$(site) $(CURDIR)/bin/site-test v0.0.0-test=HEAD
	node hack/site/test.mjs

##@ Build and install

MODULE  := github.com/live-notify/live-notify-operator
LDFLAGS = -s -w -X github.com/prometheus/common/version.Version=$(VERSION) -X github.com/prometheus/common/version.Revision=$(COMMIT)
# The same flags as in the Dockerfile: the same commit and the same Go give the
# same binary, in an image or not. A program that can load plugins of Go keeps every
# exported method, half of the command line: kustomizations here have no plugins.
GOBUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags kustomize_disable_go_plugin_support -ldflags '$(LDFLAGS)'
BINARY          ?= bin/live-notify-operator
EMULATOR_BINARY ?= bin/live-emulator
CLI_BINARY      ?= bin/kubectl-live_notify

.PHONY: build
build: $(BINARY) $(EMULATOR_BINARY) ## Build the operator and the emulator into bin/.

.PHONY: cli
cli: $(CLI_BINARY) ## Build the command line into bin/; as kubectl-live_notify in the PATH it is "kubectl live-notify".

.PHONY: $(BINARY)
$(BINARY):
	$(GOBUILD) -o $@ .

.PHONY: $(EMULATOR_BINARY)
$(EMULATOR_BINARY):
	$(GOBUILD) -o $@ ./cmd/live-emulator

.PHONY: $(CLI_BINARY)
$(CLI_BINARY):
	$(GOBUILD) -o $@ ./cmd/kubectl-live_notify

CONTAINER_TOOL ?= docker
IMG            ?= live-notify-operator:dev
EMULATOR_IMG   ?= live-emulator:dev
PLATFORMS      ?= linux/amd64,linux/arm64
SOURCE         ?= https://$(MODULE)
# BuildKit makes images as old as this: their commit, so that they say nothing of
# the build.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

IMAGE_ARGS = --build-arg VERSION='$(VERSION)' --build-arg COMMIT='$(COMMIT)' --build-arg SOURCE='$(SOURCE)' $(DOCKER_BUILD_FLAGS)

# What goes to a registry: the operator, and the emulator if it was given a name.
PUSHED_EMULATOR_IMG = $(filter-out live-emulator:dev,$(EMULATOR_IMG))

.PHONY: docker-build
docker-build: ## Build the images IMG and EMULATOR_IMG with CONTAINER_TOOL; DOCKER_BUILD_FLAGS="..." are flags of its build.
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CONTAINER_TOOL) build $(IMAGE_ARGS) --target operator --tag $(IMG) .
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CONTAINER_TOOL) build $(IMAGE_ARGS) --target emulator --tag $(EMULATOR_IMG) .

.PHONY: docker-push
docker-push: ## Push the image IMG and, if it is set, EMULATOR_IMG.
	$(CONTAINER_TOOL) push $(IMG)
	$(if $(PUSHED_EMULATOR_IMG),$(CONTAINER_TOOL) push $(EMULATOR_IMG))

BUILDX_BUILDER ?= live-notify-operator
# $(call buildx,target,image) builds and pushes for all platforms, and writes down
# the digest. BuildKit adds provenance and an SBOM for each platform.
buildx = SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(CONTAINER_TOOL) buildx build --builder $(BUILDX_BUILDER) --platform=$(PLATFORMS) $(IMAGE_ARGS) \
	--provenance=mode=max --sbom=true --metadata-file bin/images/$(1).json --push --target $(1) --tag $(2) .

# The default builder cannot build for several platforms. The one made here stays,
# with its caches, for the next time.
.PHONY: docker-buildx
docker-buildx: ## Build IMG and, if it is set, EMULATOR_IMG for all PLATFORMS, with provenance and SBOMs, and push them.
	@mkdir -p bin/images
	@$(CONTAINER_TOOL) buildx inspect $(BUILDX_BUILDER) >/dev/null 2>&1 || \
		$(CONTAINER_TOOL) buildx create --name $(BUILDX_BUILDER) --driver docker-container
	$(call buildx,operator,$(IMG))
	$(if $(PUSHED_EMULATOR_IMG),$(call buildx,emulator,$(EMULATOR_IMG)))

.PHONY: build-installer
build-installer: $(KUSTOMIZE) ## Write dist/install.yaml, the manifests that make deploy applies, in one file; IMG is the image.
	@mkdir -p dist
	@$(call with-images,config/default) >dist/install.yaml

# The names that these targets had before.
.PHONY: image dist
image: docker-build
dist: build-installer

.PHONY: release-files
release-files: ## Collect what goes with a release into bin/release: binaries for all PLATFORMS, and install.yaml for IMG.
	@rm -rf bin/release && mkdir -p bin/release
	@for platform in $$(echo '$(PLATFORMS)' | tr ',' ' '); do \
		suffix=$$(echo "$$platform" | tr '/' '-'); \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(MAKE) build \
			BINARY=bin/release/live-notify-operator-$$suffix EMULATOR_BINARY=bin/release/live-emulator-$$suffix || exit 1; \
	done
	@$(MAKE) build-installer
	@cp dist/install.yaml bin/release
	@ls bin/release

# Where .goreleaser.yaml has its files written.
CLI_RELEASE := bin/cli-release

.PHONY: cli-release
cli-release: $(GORELEASER) ## Build archives of the command line for all platforms into bin/cli-release, with checksums and a manifest for krew; SNAPSHOT=1 does it where no tag is.
	$(GORELEASER) release --clean --skip=publish $(if $(filter-out 0,$(SNAPSHOT)),--snapshot)

.PHONY: release-check
release-check: $(GORELEASER) ## Check .goreleaser.yaml, build what it says, and test it: archives, size, checksums, the manifest for krew.
	$(GORELEASER) check
	$(MAKE) cli-release SNAPSHOT=1
	E2E_RELEASE='$(CURDIR)/$(CLI_RELEASE)' go test -tags e2e -count=1 -v $(TESTFLAGS) ./test/release

.PHONY: install
install: ## Install the CRDs into the cluster of KUBECONFIG.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every resource of these kinds.
	$(KUBECTL) delete --ignore-not-found -k config/crd

# $(call with-images,directory) prints manifests, with the images to use.
with-images = (mkdir -p bin/overlays/$(1) && cd bin/overlays/$(1) && \
	printf 'resources:\n- ../../../../$(1)\n' >kustomization.yaml && \
	$(CURDIR)/$(KUSTOMIZE) edit set image 'live-notify-operator=$(IMG)' 'live-emulator=$(EMULATOR_IMG)' && \
	$(CURDIR)/$(KUSTOMIZE) build .)

.PHONY: deploy
deploy: $(KUSTOMIZE) ## Install the operator, image IMG, into the cluster of KUBECONFIG.
	$(call with-images,config/default) | $(KUBECTL) apply --server-side -f -

.PHONY: deploy-trial
deploy-trial: $(KUSTOMIZE) ## The same, with an emulated cloud, image EMULATOR_IMG, in place of the real one.
	$(call with-images,config/trial) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator, and the trial's emulator; the CRDs, all resources and the cloud stay as they are.
	$(KUBECTL) delete --ignore-not-found namespace live-notify-system
	$(KUBECTL) delete clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings -l app.kubernetes.io/part-of=live-notify-operator

# Tools

# $(call build-tool,directory,package,flags of the linker) builds the target, which is
# there whole or not at all: another make may want it at the same time.
define build-tool
	@echo "building $@ (once)" >&2
	@mkdir -p bin
	@CGO_ENABLED=0 GOOS= GOARCH= GOFLAGS= GOWORK=off \
		go -C hack/tools/$(1) build -trimpath -ldflags '-s -w $(3)' -o $(CURDIR)/$@.$$$$ $(2) && mv $@.$$$$ $@
endef

# It writes its version into the CRDs.
$(CONTROLLER_GEN):
	$(call build-tool,controller-gen,sigs.k8s.io/controller-tools/cmd/controller-gen,-X sigs.k8s.io/controller-tools/pkg/version.version=$(patsubst bin/controller-gen-%,%,$@))

$(ACTIONLINT):
	$(call build-tool,actionlint,github.com/rhysd/actionlint/cmd/actionlint)

$(CRDIFY):
	$(call build-tool,crdify,sigs.k8s.io/crdify)

$(CRD_REF_DOCS):
	$(call build-tool,crd-ref-docs,github.com/elastic/crd-ref-docs)

$(GOJQ):
	$(call build-tool,gojq,github.com/itchyny/gojq/cmd/gojq)

$(GOLANGCI_LINT):
	$(call build-tool,golangci-lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(GORELEASER):
	$(call build-tool,goreleaser,github.com/goreleaser/goreleaser/v2,-X main.version=$(patsubst bin/goreleaser-v%,%,$@))

$(HELM):
	$(call build-tool,helm,helm.sh/helm/v4/cmd/helm)

$(HELM_DOCS):
	$(call build-tool,helm-docs,github.com/norwoodj/helm-docs/cmd/helm-docs)

$(HUGO):
	$(call build-tool,hugo,github.com/gohugoio/hugo)

$(KUSTOMIZE):
	$(call build-tool,kustomize,sigs.k8s.io/kustomize/kustomize/v5)

$(LICENSE_EYE):
	$(call build-tool,license-eye,github.com/apache/skywalking-eyes/cmd/license-eye)

$(PROMTOOL):
	$(call build-tool,prometheus,github.com/prometheus/prometheus/cmd/promtool)

$(PROMETHEUS):
	$(call build-tool,prometheus,github.com/prometheus/prometheus/cmd/prometheus)
