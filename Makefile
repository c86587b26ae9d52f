# For GNU make 3.81 (macOS) and later. Recipes are POSIX sh.

SHELL = /bin/sh
.DEFAULT_GOAL = help
.PHONY: help export install uninstall test coverage fuzz lint docs example schema lock bench \
	bench-quick clean fleet grafana venv

# Nothing leaves this machine but requests to the package registry.
export DO_NOT_TRACK = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' \
		Makefile

export: venv ## Publish the reports as Parquet (ARGS="--root ~/02luka --dry-run")
	@.venv/bin/ops-atomic export $(ARGS)

install: venv ## Put ops-atomic on the PATH, as a link in ~/.local/bin
	@scripts/link_command.sh install

uninstall: ## Take that link away
	@scripts/link_command.sh uninstall

test: venv ## Everything that continuous integration runs
	@scripts/check.sh

coverage: venv ## The tests again, with the share of branches that they go through
	@scripts/check.sh coverage

fuzz: venv ## Attack the promises for five minutes (ARGS="--minutes 30 --seed 7")
	@.venv/bin/python -m tests.fuzz $(ARGS)

lint: venv ## Style and types only
	@scripts/check.sh sqlfluff ruff mypy shellcheck workflows

docs: venv ## The dbt documentation in the browser, until Ctrl-C (PORT=8080)
	@.venv/bin/dbt docs generate
	@.venv/bin/python scripts/trim_docs.py target/manifest.json
	@.venv/bin/dbt docs serve --port $(or $(PORT),8080)

example: venv ## The example with all that a run makes, and the dbt docs (ARGS=FOLDER)
	@scripts/make_example.sh $(or $(ARGS),build/example)

schema: venv ## Write the schema documents in docs/ from the contracts
	@.venv/bin/python -m exporter.contracts.schema > docs/parquet_schema.json.new
	@mv docs/parquet_schema.json.new docs/parquet_schema.json
	@.venv/bin/python -m exporter.contracts.versions
	@.venv/bin/python -m exporter.dashboard.schemas

grafana: venv ## The DuckDB of Grafana's plugin, for the test of its dashboard
	@scripts/setup_side_venv.sh .venv-grafana tests/grafana/requirements.lock

fleet: venv ## What the marts of many machines on Spark take, in .venv-fleet
	@scripts/setup_side_venv.sh .venv-fleet requirements-fleet.lock --with-project
	@"$${JAVA_HOME:+$$JAVA_HOME/bin/}java" -version >/dev/null 2>&1 || \
		echo 'Spark needs Java 17 or 21: brew install openjdk@17, or' \
			'apt install openjdk-17-jre-headless' >&2

bench: venv ## Measure speed and size side by side with other tools
	@.venv/bin/python -m bench

bench-quick: venv ## The same in about two minutes
	@.venv/bin/python -m bench --quick

COMPILE = uv pip compile --generate-hashes --universal --no-strip-extras \
	--no-emit-index-url --python-version 3.11 $(ARGS) pyproject.toml

lock: ## Bring the locks up to pyproject.toml (ARGS=--upgrade; needs uv)
	@$(COMPILE) --extra dev -o requirements.lock > /dev/null
	@$(COMPILE) --extra fleet --constraint requirements.lock \
		-o requirements-fleet.lock > /dev/null

clean: ## Remove the environment and everything made by tools
	rm -rf .venv .venv-bench .venv-fleet .venv-grafana .venv.new.* .venv.old.* build target logs *.egg-info
	rm -rf .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f ops_atomic.duckdb ops_atomic.duckdb.wal

venv: ## Set up .venv, or bring it up to date
	@scripts/setup_venv.sh
