# `make run` and `make test` need python3 (3.11 or newer) with venv, and make; they bring the rest.

PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?= -n 2 --dist worksteal

.PHONY: help run test quick lint format screenshots benchmarks clean
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -hE '^[a-z.]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

run: .venv/run.stamp .env  ## set up everything and serve the demo at http://127.0.0.1:8000
	$(BIN)/python manage.py demo
	$(BIN)/python manage.py serve

test: .venv/test.stamp  ## set up everything and run all tests; DATABASE_URL chooses PostgreSQL
	scripts/need_chromium
	$(BIN)/python -m pytest $(PYTEST_ARGS)

quick: .venv/test.stamp  ## the tests that need neither a browser nor processes of their own: about two minutes
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not browser and not processes"

lint: .venv/test.stamp  ## style, types, migrations, and the deployment checks with production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings
	scripts/check_deploy

format: .venv/test.stamp  ## put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: .venv/test.stamp  ## every page at 1440 and 390, light and dark, into var/screenshots
	scripts/need_chromium
	SCREENSHOTS=var/screenshots $(BIN)/python -m pytest -m browser -p no:xdist tests/browser

benchmarks: .venv/test.stamp  ## what an import and a push cost; TEST_POSTGRESQL_URL adds PostgreSQL
	$(BIN)/python benchmarks/import_contacts.py $(if $(TEST_POSTGRESQL_URL),--postgres $(TEST_POSTGRESQL_URL))
	$(BIN)/python benchmarks/push_contacts.py

clean:  ## remove the environment and what tools left; keeps var/ and .env
	rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis

.env:
	$(PYTHON) scripts/write_env > $@.new && mv $@.new $@ && chmod 600 $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'contactadmin needs Python 3.11 or newer; say PYTHON=python3.12, for example.' >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo 'This Python has no venv. On Debian: apt-get install python3-venv' >&2; exit 1; }

.venv/run.stamp: .venv/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/test.stamp: .venv/bin/python requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run.stamp
