# `make demo` and `make test` set everything up by themselves: an environment in .venv from the lock files, nothing outside it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
OUT ?= demo-out
FIRST ?= 0
SEEDS ?= 2000
BUGS ?=
FORMATS ?=
MINUTES ?= 10
IMAGES ?= 1000000

.PHONY: demo test cometbft toxiproxy test-cometbft test-fabric lint determinism simulate planted fuzz faults bench-training bench-accuracy \
	bench-unlinkability bench-contract bench-ledger bench-consortium bench-scale bench-caliper bench-cheating lock clean

demo: $(VENV)/.demo
	$(BIN)/freehold demo --out $(OUT)

# What starts markets of real processes runs alone: its clocks matter.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto -m "not processes"
	$(BIN)/python -m pytest -m processes

lint: $(VENV)/.test
	$(BIN)/ruff check src tests bench docs
	$(BIN)/ruff format --check src tests bench docs
	$(BIN)/mypy
	$(BIN)/lint-imports

# The golden digests of training on every installed Python of the supported line.
determinism: $(VENV)/.demo
	PYTHON=$(BIN)/python sh tests/determinism/every_python.sh

# Whole markets, each decided by one seed; one that breaks a promise prints how to replay it.
simulate: $(VENV)/.test
	$(BIN)/python -m tests.simulation $(FIRST) --count $(SEEDS)

# Each bug of tests/planted/bugs alone, in a copy of the product: which test catches it?
planted: $(VENV)/.test
	$(BIN)/python -m tests.planted $(BUGS)

# The readers of strangers' bytes, each tried for MINUTES; what they handle wrongly is kept in tests/vectors/fuzz.
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz $(FORMATS) --minutes $(MINUTES)

# CometBFT, by Go, of exactly this version.
GO ?= go
COMETBFT := github.com/cometbft/cometbft/cmd/cometbft@v0.38.26
cometbft: $(VENV)/cometbft/cometbft
$(VENV)/cometbft/cometbft: $(VENV)/.made
	CGO_ENABLED=0 GOBIN=$(abspath $(VENV)/cometbft) $(GO) install $(COMETBFT)

# The engine of several operators, on real networks of one and of four validators on this machine.
test-cometbft: $(VENV)/.test
	@if command -v $(GO) > /dev/null; then \
		$(MAKE) --no-print-directory cometbft toxiproxy && \
		FREEHOLD_COMETBFT=$(abspath $(VENV)/cometbft/cometbft) FREEHOLD_TOXIPROXY=$(abspath $(VENV)/toxiproxy/server) \
		$(BIN)/python -m pytest tests/cometbft tests/engines -k cometbft; \
	else echo "GO IS NOT INSTALLED: nothing ran on CometBFT"; fi

# Between operators' nodes, for faults of the links.
TOXIPROXY := github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
toxiproxy: $(VENV)/toxiproxy/server
$(VENV)/toxiproxy/server: $(VENV)/.made
	CGO_ENABLED=0 GOBIN=$(abspath $(VENV)/toxiproxy) $(GO) install $(TOXIPROXY)

# The paper's engine, on real networks of Hyperledger Fabric, whose programs only its release archive has: FREEHOLD_FABRIC names
# the unpacked folder. Without it nothing runs, and the program says so and ends with 3.
test-fabric: $(VENV)/.test requirements/fabric.txt
	$(PIP) install --require-hashes -r requirements/fabric.txt
	$(BIN)/python -m tests.fabric

# Every system call of the ledger made to fail, and IMAGES of power losses.
faults: $(VENV)/.test
	$(BIN)/python -m tests.ledger calls
	$(BIN)/python -m tests.ledger images --count $(IMAGES)

bench-training bench-accuracy bench-unlinkability bench-contract bench-ledger bench-scale: bench-%: $(VENV)/.demo
	$(BIN)/python bench/$*.py

# Their stories are told by people of the tests.
bench-contract bench-ledger bench-scale: $(VENV)/.test

# Several operators: how fast, and with every link between them delayed, cut and lied over. Fabric too, where FREEHOLD_FABRIC names it.
bench-consortium: $(VENV)/.test cometbft toxiproxy
	FREEHOLD_COMETBFT=$(abspath $(VENV)/cometbft/cometbft) FREEHOLD_TOXIPROXY=$(abspath $(VENV)/toxiproxy/server) \
		$(BIN)/python bench/consortium.py

# Hyperledger Caliper drives a node of one operator, and nodes of one and of four.
bench-caliper: $(VENV)/.test cometbft
	@if command -v npm > /dev/null; then \
		(cd bench/caliper && npm ci --ignore-scripts --no-audit --no-fund) && \
		FREEHOLD_COMETBFT=$(abspath $(VENV)/cometbft/cometbft) $(BIN)/python bench/caliper/run.py; \
	else echo "NPM IS NOT INSTALLED: Caliper did not run"; fi

# Every attack of freehold.bench.attacks on whole markets.
bench-cheating: $(VENV)/.demo
	$(BIN)/freehold bench cheating --out $(OUT)/cheating

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Freehold needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made requirements/demo.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/demo.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.demo requirements/test.txt
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.test requirements/fuzz.txt
	$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@

# Renews the lock files: names, versions and hashes only.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url pyproject.toml --extra demo --group build
lock: $(VENV)/.test
	$(COMPILE) --output-file requirements/demo.txt > /dev/null
	$(COMPILE) --group test --constraint requirements/demo.txt --output-file requirements/test.txt > /dev/null
	$(COMPILE) --extra fabric --constraint requirements/demo.txt --output-file requirements/fabric.txt > /dev/null
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --group fuzz --output-file requirements/fuzz.txt > /dev/null

clean:
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
