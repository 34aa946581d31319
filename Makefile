# Two commands to begin with: `make demo` and `make test`. Both install into .venv and nowhere else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test check format bench fuzz docs lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mailroom wants Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install  ## A simulated Exchange, a local Ray, and all mail flowing until Ctrl-C.
	$(BIN)/mailroom demo $(ARGS)

WHOLE = tests/cluster tests/chaos

test: install  ## Every test: first what runs side by side, then whole Mailrooms, which want the machine to themselves.
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n 2 $(WHOLE:%=--ignore=%)
	$(BIN)/python -m pytest $(WHOLE)
endif

check: install  ## Lint, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install  ## Every benchmark, at its usual size.
	$(BIN)/python -m bench backfill
	$(BIN)/python -m bench footprint

fuzz: install  ## schemathesis over the API, as each role: some thousand requests.
	$(BIN)/python -m bench api-fuzz $(ARGS)

docs: install  ## docs/failures.md, from the table of failures, and the tables of docs/api.md, from the routes.
	$(BIN)/python -m engine.failure_page
	$(BIN)/python -m api.openapi.markdown

lock:  ## Pin what pyproject.toml asks for anew.
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet --editable . --group dev
	{ echo "# Every version that is installed, for Python 3.11 and newer. Made by 'make lock'."; \
	  .venv-lock/bin/python -m pip freeze --exclude-editable --exclude pip --exclude setuptools; } > requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
