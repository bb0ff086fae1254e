# One way to run things. Every target sets itself up: on a bare machine,
# `make demo` and `make test` are the only lines you need.
PYTHON ?= python3
BIN    := .venv/bin
SETUP  := $(PYTHON) tools/setup.py
DEMO   := run "pick up the red cube and put it in the blue bowl" --seed 49 \
          --video runs/demo/demo.mp4 --record runs/demo
TRAIN  := train
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo test fast check coverage mutants train clean
help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

setup:  ## make .venv, fetch the assets, see that the cameras can be drawn
	@$(SETUP) sim video

demo: setup  ## say it, and the G1 does it: video and recording in runs/demo
	@mkdir -p runs/demo
	$(BIN)/bidden $(DEMO)

test:  ## the whole test suite, played episodes too
	@$(SETUP) sim video dev --train-if-small
	$(PYTEST) $(ARGS)

fast:  ## the test suite without whole episodes
	@$(SETUP) sim video dev
	$(PYTEST) -m "not slow" $(ARGS)

check:  ## style, types, layers
	@$(SETUP) dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

coverage:  ## lines and branches of the shield that its tests run; fails under 100 %
	@$(SETUP) dev
	$(BIN)/python tools/cover.py $(ARGS)

mutants:  ## small mistakes put into the shield, one by one: do its tests notice?
	@$(SETUP) dev
	$(BIN)/python tools/mutate.py $(ARGS)

train:  ## make the shipped networks again from nothing; resumes after a kill
	@$(SETUP) sim train
	$(BIN)/bidden $(TRAIN) $(ARGS)

clean:  ## remove what was built; keeps fetched assets and trained data
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
