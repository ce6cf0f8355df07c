# make serve    train on the sample the first time, start MLflow and the service
# make test     the tests
# make help     the rest

PORT ?= 8000
MLFLOW_PORT ?= 5000
HOURS ?= 1
COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.10 --no-header
ON_MLFLOW_2 = tests/training/tracking/test_aliases.py tests/training/tracking/test_versions.py tests/app/registry/test_mlflow_registry.py tests/training/pleased/test_replay.py
FEW_ON_MLFLOW_2 = tests/training/tracking/test_versions.py \
	tests/training/tracking/test_aliases.py::test_the_command_says_what_is_live_and_what_was

# A relative path works even if the folder's name holds a space.
BIN = .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY = true
# Without compiled modules every process takes seconds more to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL = help
.PHONY: help serve repro test test-on-mlflow-3 test-on-mlflow-2 test-long test-all test-pages test-spark test-compose test-hostile soak mutants release audit sbom screenshots env digests up check format lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 15

serve: ## Start MLflow and the service, the first time after training on the sample; Ctrl-C ends both
	@sh scripts/preflight.sh "$(PYTHON)" "$(PORT)" "$(MLFLOW_PORT)"
	@$(MAKE) -s .venv/installed
	@$(BIN)/python -m training check
	@$(BIN)/python -m scripts.serve --port $(PORT) --mlflow-port $(MLFLOW_PORT)

repro: .venv/installed ## Run the pipeline: dvc repro
	@$(BIN)/python -m training check
	@$(BIN)/dvc repro

test: .venv/installed .venv-mlflow2/installed ## Run the tests, and a version, a registration and a promotion on MLflow 2.22
	@$(MAKE) -s --jobs 2 test-on-mlflow-3 test-on-mlflow-2

test-on-mlflow-3:
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# In one piece, among the dots of the other.
test-on-mlflow-2:
	@said=$$(.venv-mlflow2/bin/python -m pytest $(FEW_ON_MLFLOW_2) 2>&1); code=$$?; echo "$$said"; exit $$code

test-long: .venv/installed .venv-mlflow2/installed ## Run the tests that take long: the pipeline with everything real, and what needs many requests or starts
	@$(BIN)/python -m pytest tests -m long --numprocesses 3 --dist loadfile --no-loadscope-reorder
	@.venv-mlflow2/bin/python -m pytest $(ON_MLFLOW_2) -m "long or not long"

test-all: test test-long test-pages test-hostile ## Run all tests that need neither Docker nor Java

test-pages: .venv/installed ## Run every command of the tutorial and other pages, and the examples of CONTRIBUTING.md
	@$(BIN)/python -m pytest tests -m pages --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-spark: .venv-spark/installed ## Run the tests of engine: spark on a small cluster of this machine; needs Java and libpostgresql-jdbc-java, 8 minutes
	@.venv-spark/bin/python -m pytest tests/training/spark -m spark
	@.venv-spark/bin/python -m pytest tests/training/models/test_spark_als.py -m spark

test-compose: .venv/installed ## Build the images, run the whole deployment and break it; needs Docker with Compose
	@$(BIN)/python -m pytest tests/compose -m compose --capture no --timeout 1800

mutants: .venv/installed ## Change the code in NUMBER ways, one at a time, and count those that a test notices
	@$(BIN)/python -m scripts.mutants --number $(or $(NUMBER),60) --seed $(or $(SEED),1) $(ONLY)

release: check test test-long ## Check that everything of a release is there, and write its source archive and images; needs Docker
	@$(BIN)/python -m scripts.release

audit: .venv/installed ## Look up known vulnerabilities of all that the lock files pin; needs the network
	@sh scripts/audit.sh

sbom: .venv/installed ## Write the bills of materials of the images to reports/sbom-*.json
	@mkdir -p reports
	@for image in "api app/requirements.txt app/requirements-tracing.txt" \
			"train training/requirements.txt deploy/requirements.txt" \
			"spark training/requirements.txt deploy/requirements.txt requirements-spark.txt"; do \
		set -- $$image && name=$$1 && shift && \
		$(BIN)/uv pip compile --quiet --no-header --no-annotate \
			--python-version 3.11 "$$@" -o reports/sbom-$$name.txt && \
		$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --output-reproducible \
			-o reports/sbom-$$name.json reports/sbom-$$name.txt && rm reports/sbom-$$name.txt || exit; \
	done

screenshots: .venv/installed ## Go through docs/tutorial.md and take its screenshots and README.md's again; needs Chromium
	@SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/test_tutorial.py -m pages

test-hostile: .venv/installed ## Attack the service for some minutes, and print what was tried and what went wrong
	@$(BIN)/python -m pytest tests/hostile -m hostile --capture no --timeout 900

soak: .venv/installed ## Keep the service busy for HOURS with promotions and faults, and print what grows
	@$(BIN)/python -m benchmarks.soak --hours $(HOURS)

env: ## Write .env and secrets/, the settings and passwords of docker-compose.yml
	@sh scripts/env.sh

digests: ## Pin the base images of docker-compose.yml in .env by the digests that their tags have now
	@sh scripts/digests.sh

up: ## Start the deployment of docker-compose.yml, or bring it to the present code and settings without a failed request
	@sh scripts/upgrade.sh

check: .venv/installed ## Lint, formatting and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: .venv/installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/installed ## Resolve the requirements again into the lock files, with hashes
	@grep -hv '^-' app/requirements*.txt deploy/requirements.txt training/requirements.txt requirements.txt | \
		$(COMPILE) - -o requirements.lock
	@$(COMPILE) tests/requirements-mlflow2.in -o tests/requirements-mlflow2.txt
	@echo pyspark | $(COMPILE) - -o requirements-spark.txt
	@printf 'pip\nuv\n' | $(COMPILE) - -o requirements-installers.txt

clean: ## Remove the virtual environments and everything the pipeline made
	rm -rf .venv .venv-mlflow2 .venv-spark .cache data/raw data/prepared models reports dvc_plots mlruns mlflow.db

.venv/installed: requirements.lock requirements-installers.txt
	@sh scripts/preflight.sh "$(PYTHON)"
	@sh scripts/install.sh "$(PYTHON)" .venv requirements.lock

.venv-spark/installed: requirements.lock requirements-spark.txt requirements-installers.txt
	@sh scripts/install.sh "$(PYTHON)" .venv-spark requirements.lock requirements-spark.txt

.venv-mlflow2/installed: tests/requirements-mlflow2.txt requirements-installers.txt
	@sh scripts/install.sh "$(PYTHON)" .venv-mlflow2 tests/requirements-mlflow2.txt
