# One command each; every one of them makes what it needs on a fresh machine.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# Only when written as `make demo KUBECONFIG=...`: one in the environment is somebody's daily work.
OWN_CLUSTER = $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

.PHONY: help demo demo-down test check unit unit-shipped component e2e lab-test mutants bench chaos load soak crds manifests clean

help: ## what can be made
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, and this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@$(PYTHON) -m tests.lab.venv $(VENV)
	@touch $@

demo: $(READY) ## real images into real ranges, on a Kubernetes made on the spot (or KUBECONFIG=... DEMO='--help')
	@$(RUN) -m tests.demo $(OWN_CLUSTER) $(DEMO)

demo-down: $(READY) ## end the demo's Kubernetes, without a trace
	@$(RUN) -m tests.demo --down $(OWN_CLUSTER)

test: $(READY) ## everything that is checked
	@$(RUN) -m tests.run

check: $(READY) ## style, types, layers, generated files
	@$(RUN) -m tests.run check

unit: $(READY) ## decisions and values, in seconds
	@$(RUN) -m tests.run unit

unit-shipped: $(READY) ## the same on the Python that the operator's image ships
	@$(RUN) -m tests.run unit-shipped

component: $(READY) ## each part against the real thing
	@$(RUN) -m tests.run component

e2e: $(READY) ## the scenarios of the README on a whole cluster
	@$(RUN) -m tests.run e2e

mutants: $(READY) ## do the tests notice wrong decisions? (SEED=n MINUTES=m ONLY='plan/*')
	@$(RUN) -m tests.mutants $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ONLY),--only '$(ONLY)')

bench: $(READY) ## the figures on real parts, as a table (ONLY=memory, JSON=file)
	@$(RUN) -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

chaos: $(READY) ## everything breaks at random, then every promise is checked (SEED=n MINUTES=m, JSON=file)
	@$(RUN) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JSON),--json $(JSON))

load: $(READY) ## 500 objects, 1,000 pods, 300 images on one operator, as a table (JSON=file)
	@$(RUN) -m tests.load $(if $(JSON),--json $(JSON))

soak: $(READY) ## 10,000 images and 1,000 pods come and go: what stays of them?
	@$(RUN) -m tests.run soak

crds: $(READY) ## write crds/ from the models
	$(RUN) -m cyroid_images crds crds

manifests: crds ## write the chart's CRDs and manifests/install.yaml
	$(RUN) manifests/generate.py --helm "$$($(RUN) -c 'from tests.lab import tools; print(tools.ensure("helm"))')"

clean: ## remove what was made in this folder
	rm -rf $(VENV) $(VENV)-3.* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
