PYTHON ?= python3
BIN := .venv/bin
SOAK_SHARE ?= 1
BENCHES ?= loop_overhead arithmetic_floor seeds_together start_up group_convolution contrastive augmentation bare_loop handbook_loop simclr_loop compiled_steps levers shared_seed streaming learn_check

.PHONY: quickstart test check lint types contracts soak coverage notebooks docs bench clean
quickstart: .venv/installed ; $(BIN)/gradlab run lenet --seeds 0 1 2 --quick
test: .venv/installed-dev ; OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal
check: lint types contracts test
lint: .venv/installed-dev ; $(BIN)/ruff format --check . && $(BIN)/ruff check .
types: .venv/installed-dev ; $(BIN)/basedpyright
contracts: .venv/installed-dev ; $(BIN)/lint-imports
soak: .venv/installed-dev ; OMP_NUM_THREADS=1 $(BIN)/python -m tests.reliability.soak --share $(SOAK_SHARE)
coverage: .venv/installed-dev ; OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest && $(BIN)/coverage combine --quiet && $(BIN)/coverage report
notebooks: .venv/installed-notebooks ; OMP_NUM_THREADS=1 $(BIN)/python -m tools.notebooks
docs: .venv/installed-docs ; $(BIN)/python -m tools.site && NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/test_docs.py
bench: .venv/installed-bench ; failed=; for name in $(BENCHES); do OMP_NUM_THREADS=1 $(BIN)/python -m bench.$$name || failed="$$failed $$name"; done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }
clean: ; rm -rf .venv build

.venv/bin/python: ; $(PYTHON) -m venv .venv
.venv/pip: constraints.txt | .venv/bin/python ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip && touch $@
.venv/installed: pyproject.toml constraints.txt .venv/pip ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . && touch $@
.venv/installed-dev: pyproject.toml constraints.txt .venv/pip ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' && touch $@
.venv/installed-notebooks: pyproject.toml constraints.txt .venv/pip ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[notebooks]' && touch $@
.venv/installed-docs: pyproject.toml constraints.txt .venv/pip ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]' && touch $@
.venv/installed-bench: pyproject.toml constraints.txt .venv/pip ; $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]' && touch $@
