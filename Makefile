# `make` lists the targets. Settings are AIRCALL_... variables or .env: docs/settings.md.

# The first of these that is Python 3.11 or 3.12 and can make virtual environments; or PYTHON=... make run
PYTHON ?= $(shell for p in python3 python3.12 python3.11 /usr/bin/python3; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null \
	&& echo "$$p" && break; done)
VENV ?= .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -q --disable-pip-version-check

# What tests use besides Python: a browser with fonts, SIP peers, sound tools, network namespaces, Node for the browser code.
TEST_PACKAGES := chromium chromium-headless-shell dbus-daemon fonts-dejavu-core fonts-noto-color-emoji sip-tester baresip-core sox iproute2 nodejs openssl
TESTS ?=
WORKERS ?= 3

# What is installed is known by the content of the lists: files of an unpacked release are older than the last install.
checksum = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/installed-$(call checksum,requirements.txt requirements-sip.txt constraints.txt)
INSTALLED_DEV := $(INSTALLED)-dev-$(call checksum,requirements-dev.txt)

.DEFAULT_GOAL := help
.PHONY: help run demo test soak bench lint format audit lock pjsua2 install install-dev packages clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install  ## install, start everything, print where it is; Ctrl-C stops it
	@exec $(PY) -m aircall_core console

demo: install  ## the same over a demo workspace, with people, numbers and calls; prints the sign-ins
	@exec $(PY) -m aircall_core demo

# $(1) how many at once, $(2) which, $(3) where, unless TESTS says it. Status 5: none of them is in TESTS.
define pytest
$(PY) -m pytest $(1) -m $(2) $(or $(TESTS),$(3)) || [ $$? = 5 ]
endef

# The files with tests of this mark: to look through all of them costs each of the short stages seven seconds.
marked = $(sort $(shell grep -rlw --include='test_*.py' 'mark\.$(1)' tests))

test: packages install-dev lint pjsua2  ## install all that tests need, check the code, run the tests
	$(call pytest,-n $(WORKERS) --dist worksteal,"not (alone or in_pairs or soak)")
	$(call pytest,-n 2 --dist loadfile,"in_pairs and not soak",$(call marked,in_pairs))
	$(call pytest,,"alone and not soak",$(call marked,alone))

soak: packages install-dev pjsua2  ## the full counts of the tests that `make test` runs in a short form
	$(PY) -m pytest -m soak --timeout 3600 $(TESTS)

bench: packages install-dev pjsua2  ## measure; writes bench/results/*.json
	$(PY) -m bench

lint: install-dev  ## ruff, mypy, import-linter, oxlint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/oxlint --deny-warnings

format: install-dev  ## let ruff lay out the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

audit: install-dev  ## known vulnerabilities of what is installed
	$(VENV)/bin/pip-audit -r requirements.txt

pjsua2: install  ## build the SIP library for production (256 calls), once; cached outside of this folder
	@$(PY) deploy/pjsua2/build.py

install: $(INSTALLED)  ## the virtual environment for running

install-dev: $(INSTALLED_DEV)  ## the virtual environment for testing

lock: install-dev  ## write constraints.txt anew, from what is installed
	@{ echo "# Everything that requirements*.txt bring along, as tested. Written by: make lock"; \
	$(PY) -m pip freeze --disable-pip-version-check --exclude pjsua2-python; } > constraints.txt

packages:
	@sh deploy/debian-packages.sh $(TEST_PACKAGES)

clean:  ## remove the virtual environment and caches; data/run stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(PY):
ifeq ($(PYTHON),)
	@echo "Python 3.11 or 3.12 with venv is needed."
	@sh deploy/debian-packages.sh python3 python3-venv
	@python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || { echo \
	"This system's python3 is another: name a Python 3.11 or 3.12 with  make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@python3 -m venv $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
endif

# pip checks hashes for all packages of a call or for none, so the SIP wheel, whose bytes are pinned, has a call of its
# own before the others. A production build from the cache takes its place at once.
$(INSTALLED): | $(PY)
	@echo "installing Python packages"
	@rm -f $(VENV)/installed*
	@$(PIP) --no-deps --require-hashes -r requirements-sip.txt
	@$(PIP) -r requirements.txt
	@$(PY) deploy/pjsua2/build.py --cached || test $$? -eq 3
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo "installing Python packages for tests"
	@$(PIP) -r requirements-dev.txt
	@$(PY) deploy/pjsua2/build.py --cached || test $$? -eq 3
	@touch $@
