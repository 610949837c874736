# `make demo` and `make test` are all the set-up there is: each makes the virtual
# environment that it needs from a pinned lock file, once; so does `make fuzz`.

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
DEMO := .venv/demo
TEST := .venv/test
FUZZ := .venv/fuzz
CODE := sdp mime cpim digest markup msrp sip samples tests benchmarks
ARGS ?=
# All targets of tests/fuzz share these seconds.
FUZZ_SECONDS ?= 60

.PHONY: demo test check lint types unit fuzz bench bench-check big compliance format lock clean

demo: $(DEMO)/.made
	$(DEMO)/bin/msrp-chat demo $(ARGS)

test: check unit

check: lint types

unit: $(TEST)/.made
	$(TEST)/bin/python -m pytest $(ARGS)

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
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--extra terminal --group pyproject.toml:build pyproject.toml -o requirements/demo.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--extra terminal --extra speed \
		--group pyproject.toml:build --group pyproject.toml:dev \
		pyproject.toml -o requirements/test.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--group pyproject.toml:build --group pyproject.toml:fuzz \
		pyproject.toml -o requirements/fuzz.lock

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO)/.made: requirements/demo.lock pyproject.toml
	$(call environment,$(DEMO),requirements/demo.lock)

$(TEST)/.made: requirements/test.lock pyproject.toml
	$(call environment,$(TEST),requirements/test.lock)

$(FUZZ)/.made: requirements/fuzz.lock pyproject.toml
	$(call environment,$(FUZZ),requirements/fuzz.lock)

define environment
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found: install one or say make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "Making $(1) with $(PYTHON); this happens once."
	@rm -rf $(1)
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef
