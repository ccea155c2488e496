# Copyright The live-notify-operator Authors.
# SPDX-License-Identifier: Apache-2.0

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# All tools and their versions. Each is built once, into bin/<tool>-<version>.
CONTROLLER_GEN_VERSION := v0.23.0
CRD_REF_DOCS_VERSION   := v0.3.0
GOLANGCI_LINT_VERSION  := v2.15.0
PROMETHEUS_VERSION     := v0.316.0

CONTROLLER_GEN := bin/controller-gen-$(CONTROLLER_GEN_VERSION)
CRD_REF_DOCS   := bin/crd-ref-docs-$(CRD_REF_DOCS_VERSION)
GOLANGCI_LINT  := bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
PROMTOOL       := bin/promtool-$(PROMETHEUS_VERSION)
PROMETHEUS     := bin/prometheus-$(PROMETHEUS_VERSION)

KUBECTL ?= kubectl
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN { FS = ":.*## "; print "Usage: make <target>" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Try it

.PHONY: demo
demo: ## Run the operator against an emulated cloud, no cluster needed; ONCE=1 ends once all is in sync.
	go run ./hack/demo $(if $(filter-out 0,$(ONCE)),-once)

.PHONY: run
run: ## Run the operator on this machine against the cluster of KUBECONFIG; ARGS="..." are its flags.
	go run . $(ARGS)

##@ Develop

.PHONY: test
test: ## Run all tests, against a real API server; TESTFLAGS="-run X" and PKGS=./internal/... narrow it.
	@assets=$$(go run ./hack/controlplane) || exit 1; \
	race=-race; \
	go test -race -run '^$$' errors >/dev/null 2>&1 || \
		{ race=; echo "make test: no working C compiler, so the race detector is off" >&2; }; \
	set -x; KUBEBUILDER_ASSETS=$$assets go test $$race -parallel 8 -timeout 20m $(TESTFLAGS) $(PKGS)

PKGS ?= ./...

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
bench: ## Measure the operator under the cloud's limits; ARGS="-n 10000 -qps-scale 20" and the like, ARGS=-h lists them.
	go run ./hack/bench $(ARGS)

.PHONY: test-monitoring
test-monitoring: $(PROMETHEUS) ## Run the demo under a real Prometheus: every panel has data, every alert its metrics.
	PROMETHEUS=$(CURDIR)/$(PROMETHEUS) go test -count=1 -timeout 10m -run TestUnderPrometheus -v ./test/monitoring

# Where generate writes: the tree itself, or another one to compare with it.
OUT ?= .

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Write everything generated: deepcopy, CRDs, RBAC, docs/reference, monitoring.
	@mkdir -p $(OUT)/api/v1alpha1 $(OUT)/config/crd/bases $(OUT)/config/rbac $(OUT)/docs/reference
	$(CONTROLLER_GEN) paths=./api/... \
		object:headerFile=hack/boilerplate.go.txt output:object:dir=$(OUT)/api/v1alpha1 \
		crd:headerFile=hack/boilerplate.yaml.txt output:crd:dir=$(OUT)/config/crd/bases
	$(CONTROLLER_GEN) paths=. paths=./internal/... \
		rbac:roleName=manager-role,headerFile=hack/boilerplate.yaml.txt output:rbac:dir=$(OUT)/config/rbac
	$(CRD_REF_DOCS) --log-level=ERROR --source-path=api --renderer=markdown \
		--config=hack/api-docs/config.yaml --templates-dir=hack/api-docs \
		--output-path=$(OUT)/docs/reference/api.md
	go run ./hack/refdocs -out $(OUT)
	go run ./hack/monitoring -out $(OUT)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters; LINTFLAGS=--fix mends what can be mended.
	$(GOLANGCI_LINT) run $(LINTFLAGS)

.PHONY: clean
clean: ## Remove what was built here, tools included.
	rm -rf bin dist

##@ Verify

VERIFY := verify-generate verify-fmt verify-tidy verify-headers verify-links verify-rules vet lint

.PHONY: verify
verify: ## Check all that a change must satisfy besides its tests; reports every failure, not only the first.
	@failed=; for check in $(VERIFY); do \
		echo "==> $$check"; \
		$(MAKE) $$check || failed="$$failed $$check"; \
	done; \
	if [ -n "$$failed" ]; then echo "make verify: FAILED:$$failed" >&2; exit 1; fi; \
	echo "make verify: ok"

.PHONY: verify-generate
verify-generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Check that generated files are fresh.
	@hack/verify-generate.sh

.PHONY: verify-fmt
verify-fmt: $(GOLANGCI_LINT) ## Check that the Go code is formatted.
	@$(GOLANGCI_LINT) fmt --diff || { echo "run: make fmt" >&2; exit 1; }

.PHONY: verify-tidy
verify-tidy: ## Check that go.mod and go.sum say what is used.
	@go mod tidy -diff || { echo "run: go mod tidy" >&2; exit 1; }
	@cd hack/controlplane/kubernetes && go mod tidy -diff || \
		{ echo "run: cd hack/controlplane/kubernetes && go mod tidy" >&2; exit 1; }

.PHONY: verify-headers
verify-headers: ## Check that source files have their licence header.
	@go run ./hack/headers

.PHONY: verify-links
verify-links: ## Check that the links of the documentation lead somewhere.
	@go run ./hack/doclinks

.PHONY: verify-rules
verify-rules: $(PROMTOOL) ## Check the alerts, and run their tests.
	@$(PROMTOOL) check rules config/prometheus/rules.yaml
	@$(PROMTOOL) test rules config/prometheus/rules_test.yaml

##@ Build and install

LDFLAGS = -s -w -X main.version=$(VERSION)

.PHONY: build
build: ## Build the operator and the emulator into bin/.
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/live-notify-operator .
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/live-emulator ./cmd/live-emulator

.PHONY: install
install: ## Install the CRDs into the cluster of KUBECONFIG.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every resource of these kinds.
	$(KUBECTL) delete --ignore-not-found -k config/crd

IMG ?= live-notify-operator:dev
EMULATOR_IMG ?= live-emulator:dev

# $(call with-images,directory) prints manifests, with the images to use.
with-images = $(KUBECTL) kustomize $(1) | \
	sed -e 's|image: live-notify-operator:dev$$|image: $(IMG)|' -e 's|image: live-emulator:dev$$|image: $(EMULATOR_IMG)|'

.PHONY: deploy
deploy: ## Install the operator, image IMG, into the cluster of KUBECONFIG.
	$(call with-images,config/default) | $(KUBECTL) apply --server-side -f -

.PHONY: deploy-trial
deploy-trial: ## The same, with an emulated cloud, image EMULATOR_IMG, in place of the real one.
	$(call with-images,config/trial) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator, and the trial's emulator; the CRDs, all resources and the cloud stay as they are.
	$(KUBECTL) delete --ignore-not-found namespace live-notify-system
	$(KUBECTL) delete clusterroles,clusterrolebindings -l app.kubernetes.io/part-of=live-notify-operator

# Tools

# $(call go-install,file,package,version) builds a tool without touching any go.mod.
define go-install
	@echo "building $(1) (once)" >&2
	@mkdir -p bin && rm -rf $(1).tmp && \
		CGO_ENABLED=0 GOOS= GOARCH= GOFLAGS= GOWORK=off \
		GOBIN="$(CURDIR)/$(1).tmp" go install -trimpath -ldflags '-s -w' $(2)@$(3) && \
		mv $(1).tmp/* $(1) && rmdir $(1).tmp
endef

$(CONTROLLER_GEN):
	$(call go-install,$@,sigs.k8s.io/controller-tools/cmd/controller-gen,$(CONTROLLER_GEN_VERSION))

$(CRD_REF_DOCS):
	$(call go-install,$@,github.com/elastic/crd-ref-docs,$(CRD_REF_DOCS_VERSION))

$(GOLANGCI_LINT):
	$(call go-install,$@,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT_VERSION))

$(PROMTOOL):
	$(call go-install,$@,github.com/prometheus/prometheus/cmd/promtool,$(PROMETHEUS_VERSION))

$(PROMETHEUS):
	$(call go-install,$@,github.com/prometheus/prometheus/cmd/prometheus,$(PROMETHEUS_VERSION))
