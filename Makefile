# Every target prepares what it needs in .venv; only Python 3.11+, pip and make must be there.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))

.PHONY: demo test slow attack lint bench clean

demo: .venv/.installed  ## simulate, reconstruct with everything installed, score, show
	$(BIN)/spikecore demo

test: .venv/.installed  ## the whole suite
	$(BIN)/python -m pytest -m "not slow"

slow: .venv/.installed  ## the tests that take longer
	$(BIN)/python -m pytest -m slow

attack: .venv/.installed  ## damaged files, kills, full disks and hostile plugins; ATTACK="--target npz-own --keep found"
	$(BIN)/python tests/attack $(ATTACK)

lint: .venv/.installed  ## style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/mypy plugins/*/src

bench: .venv/.installed  ## kernels against their numpy references
	$(BIN)/python tests/benchmarks/kernels.py

.venv/.installed: pyproject.toml $(PLUGINS)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[video,dev]' $(patsubst %/pyproject.toml,-e %,$(PLUGINS))
	touch $@

clean:
	rm -rf .venv
