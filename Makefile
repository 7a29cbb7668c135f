# make run    a sandbox domain with planted faults, verified, reported, and shown on the page until Ctrl-C (without a terminal: no page)
# make test   the tests, with real mail servers, Redis and PostgreSQL
# make test-debian12, make test-debian13   the same in a fresh system of that release; needs root; TESTS="tests/servers" for some
# make check  formatting, lint, types, import rules, then the tests
# make bench  speed and memory of a verification, as a ratio to curl
# make chaos  200 faults (processes killed, servers restarted, clocks put wrong) during real runs; make chaos CHAOS="--seed 5"
# make fuzz   a minute of mutated replies, certificates and documents; make fuzz FUZZ="--minutes 300", FUZZ="--seed 5 soap"
# make size   10,000 mailboxes in one run, 5,000 domains with a history in the store: what that takes
# make sbom   what the lock file installs, as a CycloneDX document (sbom.cdx.json)
# make lock   the newest allowed versions into both lock files
# make node-clients  the mail clients of Node that the tests ask; NODE=no leaves them, Node and npm out, here and in make test
# make clean  everything that the above made

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --require-hashes -r
# setuptools comes from the lock too: an isolated build would fetch it without a hash.
INSTALL_SELF := $(PIP) install --quiet --no-deps --no-build-isolation --editable .
COMPILE := $(BIN)/uv pip compile pyproject.toml - --extra demo --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make lock" --upgrade --quiet

NODE_CLIENTS := tests/checks/clients/node
TARGET ?= test

# Compiled modules are kept, whatever the environment says: the tests start many processes, and each would compile anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-debian12 test-debian13 test-servers node-clients lint check bench bench-short chaos fuzz size sbom lock clean

run: .venv/.runtime
	$(BIN)/mail-preflight demo

test: .venv/.dev node-clients
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS)

test-servers:
	scripts/install-test-servers.sh $(if $(filter no,$(NODE)),,--with-node)

# The tests that need the clients skip where there is no npm.
node-clients: | test-servers
	@$(if $(filter no,$(NODE)),:,$(MAKE) --no-print-directory $(NODE_CLIENTS)/node_modules/.package-lock.json) || \
		echo "Node's mail clients cannot be installed here: the tests with imapflow and nodemailer are skipped."

$(NODE_CLIENTS)/node_modules/.package-lock.json: $(NODE_CLIENTS)/package-lock.json
	@echo "Installing the mail clients of Node that the tests ask (once) ..."
	cd $(NODE_CLIENTS) && npm ci --ignore-scripts --loglevel=error

test-debian12 test-debian13: test-debian%:
	scripts/in-debian.sh $* $(TARGET) $(if $(NODE),NODE=$(NODE)) $(if $(TESTS),TESTS="$(TESTS)")

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(MAKE) test

bench: .venv/.dev
	scripts/install-test-servers.sh
	$(BIN)/python -m bench

bench-short: .venv/.dev
	scripts/install-test-servers.sh
	$(BIN)/python -m bench --short

chaos: .venv/.dev
	scripts/install-test-servers.sh
	$(BIN)/python -m tests.flows.chaos --faults 200 $(CHAOS)

fuzz: .venv/.dev
	$(BIN)/python -m tests.fuzz $(FUZZ)

size: .venv/.dev
	scripts/install-test-servers.sh
	$(BIN)/python -m tests.flows.size $(SIZE)

sbom:
	$(PYTHON) scripts/sbom.py requirements.lock > sbom.cdx.json

lock: .venv/.dev
	printf 'setuptools\n' | $(COMPILE) --output-file requirements.lock
	printf 'setuptools\nuv\n' | $(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf .venv $(NODE_CLIENTS)/node_modules sbom.cdx.json build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.created:
	scripts/create-venv.sh "$(PYTHON)"
	@touch $@

.venv/.runtime: requirements.lock pyproject.toml | .venv/.created
	@echo "Installing what the service needs into .venv (once) ..."
	$(INSTALL) requirements.lock
	$(INSTALL_SELF)
	@touch $@

# The development lock holds every package of the other one in the same version.
.venv/.dev: requirements-dev.lock pyproject.toml | .venv/.created
	@echo "Installing what the service and its tests need into .venv (once) ..."
	$(INSTALL) requirements-dev.lock
	$(INSTALL_SELF)
	@touch $@ .venv/.runtime
