# Everything that is done with this project on one's own machine. `make help` lists it.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help install serve test fmt lint check fuzz faults bench bench-large storm profile

# python3.11 where it is there and runs, else python3.
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
BIN := .venv/bin
# Twice quiet: errors only. A mirror that lacks a package is no news.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
# What no check should depend on, or leave behind: a database, a kept key.
SCRATCH = env DATABASE_URL=sqlite:///:memory: SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1	\2/' | expand -t 13

install: $(BIN)/.development ## The virtual environment (.venv) with all that running, testing and linting need

serve: $(BIN)/.runtime ## From a fresh clone to the running server, with the demo institute on an empty default database
	@$(BIN)/python manage.py serve --prepare

# What Python compiled is kept, also where a shell says otherwise: each process would compile the tests anew.
test: $(BIN)/.development ## The tests, on SQLite or on what TEST_DATABASE_URL and TEST_REDIS_URL name; ARGS="-k review"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto $(ARGS)

fmt: $(BIN)/.development ## Format the code, and mend what the linter can mend
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

lint: $(BIN)/.development ## Linter, format, forgotten migrations, deployment check, and a schema without warnings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(SCRATCH) $(BIN)/python manage.py makemigrations --check --dry-run
	@$(SCRATCH) HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(SCRATCH) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	@echo "The schema has no warnings."

check: lint test ## Lint and tests: what has to pass before a change is done

fuzz: $(BIN)/.development ## Made-up requests to every path of a server of its own; ARGS="--max-examples 100"
	@$(BIN)/python -m tests.project.fuzz $(ARGS)

faults: $(BIN)/.development ## Processes and databases are killed while 200 students save; FAULTS_SECONDS=4 is short; ARGS="-k redis"
	@$(BIN)/python -m pytest -o python_files='fault_*.py' -s tests/faults $(ARGS)

# These four need a PostgreSQL whose database `bench` they may drop; benchmarks/README.md.
bench: $(BIN)/.runtime ## How fast each call is, beside a bare baseline; PHASES="save end" PHASE_SECONDS=4 STUDENTS=2000
	@$(BIN)/python -m benchmarks.run

bench-large: $(BIN)/.runtime ## How the cost grows: the same with 1,000,000 attempts in the table
	@$(BIN)/python -m benchmarks.large

storm: $(BIN)/.runtime ## N students log in, sit and end, as on the day; N=1000 or N="1000 2000 5000", STORM_MINUTES=10
	@N="$(N)" $(BIN)/python -m benchmarks.storm

profile: $(BIN)/.runtime ## Where the time of a call goes, by function; PHASE=save REQUESTS=300
	@PHASE="$(PHASE)" $(BIN)/python -m benchmarks.profiling

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=…")'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(BIN)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing what the server needs into .venv …"
	@$(PIP) -r requirements.txt
	@touch $@

$(BIN)/.development: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing what development needs into .venv …"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(BIN)/.runtime
