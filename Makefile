# `make demo` and `make test` are all the set-up there is: each makes the virtual
# environment that it needs from a pinned lock file, once; so does `make fuzz`.

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
DEMO := .venv/demo
TEST := .venv/test
FUZZ := .venv/fuzz
DOCS := .venv/docs
RELEASE := .venv/release
WHEEL := .venv/wheel
CODE := sdp mime cpim digest markup recording msrp sip samples tests benchmarks
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
ARGS ?=
# All targets of tests/fuzz share these seconds.
FUZZ_SECONDS ?= 60

.PHONY: all demo test check lint types unit docs dist soak fuzz bench bench-check big compliance format lock clean

demo: $(DEMO)/.made
	$(DEMO)/bin/msrp-chat demo $(ARGS)

# Everything that CI does.
all: test docs dist

test: check unit

check: lint types

# The files of tests go to two processes; ARGS="-n 0 -k words" is for some of them only.
unit: $(TEST)/.made
	$(TEST)/bin/python -m pytest -n 2 --dist loadfile $(ARGS)

# Ten thousand calls over real sockets, in some minutes; `make test` has some hundred.
soak: $(TEST)/.made
	MSRPKIT_CALLS=10000 $(TEST)/bin/python -m pytest -k many_calls_leave tests/sip/aio/test_many_calls.py

# The site, in build/site.
docs: $(DOCS)/.made
	$(DOCS)/bin/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs build/site
	@echo "build/site/index.html is written."

# What is released, and a look at it as a user gets it: in an environment with nothing else.
dist: $(RELEASE)/.made
	rm -rf dist build/lib build/bdist.* $(WHEEL) && mkdir -p build
	$(RELEASE)/bin/python -m build --no-isolation --outdir dist > build/dist.log 2>&1 || { cat build/dist.log; exit 1; }
	$(RELEASE)/bin/python -m twine check --strict dist/*
	$(PYTHON) -m venv $(WHEEL)
	$(WHEEL)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(WHEEL)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	cd $(WHEEL) && bin/msrp-chat demo

fuzz: $(FUZZ)/.made
	$(FUZZ)/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)

compliance: $(TEST)/.made
	$(TEST)/bin/python -m pytest --compliance

# ARGS="--only texts ping" measures some rows, "--full" the full sizes.
bench: $(TEST)/.made
	$(TEST)/bin/python -m benchmarks $(ARGS)

# Says which figures fell by more than 15 % below benchmarks/kept.json.
bench-check: $(TEST)/.made
	$(TEST)/bin/python -m benchmarks --check $(ARGS)

# Two files of 4 GiB in the temporary directory; ARGS="--size 256M" needs less.
big: $(TEST)/.made
	$(TEST)/bin/python -m benchmarks.big $(ARGS)

lint: $(TEST)/.made
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .

types: $(TEST)/.made
	$(TEST)/bin/mypy $(CODE)

format: $(TEST)/.made
	$(TEST)/bin/ruff check --fix-only --quiet .
	$(TEST)/bin/ruff format .

# Written by uv (not needed otherwise): `pip install uv`, then `make lock`.
lock:
	$(LOCK) --extra terminal --group pyproject.toml:build pyproject.toml -o requirements/demo.lock
	$(LOCK) --extra terminal --extra speed --group pyproject.toml:build --group pyproject.toml:dev \
		pyproject.toml -o requirements/test.lock
	$(LOCK) --group pyproject.toml:build --group pyproject.toml:fuzz pyproject.toml -o requirements/fuzz.lock
	$(LOCK) --group pyproject.toml:build --group pyproject.toml:docs pyproject.toml -o requirements/docs.lock
	$(LOCK) --group pyproject.toml:build --group pyproject.toml:release -o requirements/release.lock

clean:
	rm -rf .venv build dist docs/reference *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO)/.made: requirements/demo.lock pyproject.toml
	$(call environment,$(DEMO),requirements/demo.lock)

$(TEST)/.made: requirements/test.lock pyproject.toml
	$(call environment,$(TEST),requirements/test.lock)

$(FUZZ)/.made: requirements/fuzz.lock pyproject.toml
	$(call environment,$(FUZZ),requirements/fuzz.lock)

$(DOCS)/.made: requirements/docs.lock pyproject.toml
	$(call environment,$(DOCS),requirements/docs.lock)

$(RELEASE)/.made: requirements/release.lock pyproject.toml
	$(call environment,$(RELEASE),requirements/release.lock)

define environment
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found: install one or say make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "Making $(1) with $(PYTHON); this happens once."
	@rm -rf $(1)
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef
