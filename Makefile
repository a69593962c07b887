# Set-up, demo and tests; `make` alone lists what there is.
#
# Needed beforehand: python3 (3.11 or newer), make and bash. Everything else goes into .venv, out of
# the locks, each file proven by its hash. A second run installs nothing and needs no network.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

# What may be said on the command line: make demo SECONDS=30, make test PYTHON=/usr/bin/python3.12
PYTHON ?=
SECONDS ?=
VECTORS ?=
ROUNDS ?=
CUTS ?=
SEED ?=
SEEDS ?=
FIRST ?=
MINUTES ?=
FILES ?=
UPGRADE ?=

BIN := .venv/bin
LOCKS := requirements.txt requirements-build.txt

# The caller's own pip settings (mirror, certificates, proxy) hold, but for those that would
# install into another place or demand a hash of this very folder.
PIP := env -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PYTHONPATH -u PYTHONHOME PIP_USER=0 \
	PIP_REQUIRE_HASHES=0 $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input install

COVERED := journal mqtt framing rules
COVERING := tests/journal tests/mqtt tests/app tests/contract tests/rooms/framing tests/rooms/rules \
	tests/rooms/test_pipeline.py tests/test_agreement_file.py tests/test_agreement_signatures.py \
	tests/live/test_rulings.py tests/test_vectors.py \
	tests/health/test_bounds.py tests/live/test_links.py tests/live/test_requests.py \
	tests/live/test_incidents.py tests/live/test_exports.py tests/live/test_lines.py \
	tests/live/test_transmissions.py \
	$(addprefix tests/verbs/test_,orders.py verdict.py compliance.py explain.py steps.py replay.py check.py) \
	$(addprefix tests/faults/test_,time.py certificates.py opening.py broker.py)

.PHONY: help demo test vectors bench coverage cuts faults storms stories noise fuzz mutate schema lock clean FORCE

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

demo: .venv/run.stamp ## the whole gateway at work on a tape of radio traffic, without hardware [SECONDS=N]
	@$(BIN)/distress-gateway demo $(if $(SECONDS),--seconds '$(SECONDS)')

test: .venv/dev.stamp ## style, types, import contracts, every test
	@bash .ci/mosquitto
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/importlinter
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

vectors: .venv/dev.stamp ## compare with the vectors of others, a line a file [VECTORS=path]
	@$(BIN)/python tests/conformance/run.py

bench: .venv/dev.stamp ## print the figures, and the machine they were taken on [ROUNDS=N]
	@$(BIN)/python -m tests.bench.run $(if $(ROUNDS),--rounds '$(ROUNDS)')

coverage: .venv/dev.stamp ## every branch of the journal, the links and the framings: 100 %, or what is missing
	@bash .ci/mosquitto
	@$(BIN)/python -m pytest $(COVERING) $(COVERED:%=--cov=gateway.%) --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100

cuts: .venv/dev.stamp ## cut the power under the journal ten thousand times [CUTS=N] [SEED=N]
	@$(BIN)/python tests/cuts/run.py $(if $(CUTS),--cuts '$(CUTS)') $(if $(SEED),--seed '$(SEED)')

faults: .venv/dev.stamp ## every fault in its whole form, and what was seen of it [FILES=tests/faults/…]
	@bash .ci/mosquitto
	@FAULTS=whole $(BIN)/python -m pytest $(if $(FILES),$(FILES),tests/faults)

storms: .venv/dev.stamp ## the whole service through storms of two virtual hours each [SEEDS=N] [FIRST=N] [MINUTES=N]
	@$(BIN)/python tests/storms/run.py $(if $(SEEDS),--seeds '$(SEEDS)') \
		$(if $(FIRST),--first '$(FIRST)') $(if $(MINUTES),--minutes '$(MINUTES)')

noise: .venv/dev.stamp ## 200,000 spoilt messages and a million frames of noise for each system [SEED=N]
	@$(BIN)/python tests/fuzz/run.py $(if $(SEED),--seed '$(SEED)')

fuzz: .venv/campaigns.stamp ## look for ways through each framing and radio that break it [MINUTES=N]
	@$(BIN)/python tests/fuzz/run.py --minutes '$(if $(MINUTES),$(MINUTES),30)'

stories: .venv/dev.stamp ## every story in two thousand orders of arrival, and ten minutes of flood
	@ORDERS=2000 FLOOD_S=600 $(BIN)/python -m pytest tests/stories

mutate: .venv/dev.stamp ## plant faults in codes, framings, 406 and DSC; how many tests notice [SAMPLE=N|all] [PART=P]
	@$(BIN)/python tests/mutate/run.py $(if $(SAMPLE),--sample '$(SAMPLE)') $(if $(PART),--part '$(PART)') \
	  $(if $(SEED),--seed '$(SEED)')

schema: .venv/dev.stamp ## write the generated schema and docs anew
	@$(BIN)/python docs/make.py

lock: ## resolve the dependencies anew into the locks [UPGRADE=1 takes the newest]
	@bash .ci/lock $(if $(UPGRADE),--upgrade)

clean: ## remove what set-up and tests made; configuration and journals stay
	rm -rf .venv .cache .hypothesis .import_linter_cache .coverage build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ifneq ($(VECTORS),)
export VECTORS
endif

.venv/made-for: FORCE
	@bash .ci/venv '$(PYTHON)'

.venv/run.stamp: .venv/made-for $(LOCKS) pyproject.toml
	@echo "installing what the gateway needs, from the lock …"
	@$(PIP) --require-hashes $(LOCKS:%=-r %)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	@echo "installing what the tests need, from the lock …"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

.venv/campaigns.stamp: .venv/dev.stamp requirements-campaigns.txt
	@echo "installing what the campaigns need, from the lock …"
	@$(PIP) --require-hashes -r requirements-campaigns.txt
	@touch $@
