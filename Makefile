# What README calls. Everything lives in .venv; each target is quick the second time.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test test-all bench lint clean

install: $(STAMP)

# A new entry point or dependency needs a new install: hence the stamp's two prerequisites.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,dev]"
	touch $@

# A cell that failed has its row in the table too; the demo's exit status says that there was one.
demo: install
	@status=0; \
	$(BIN)/pdebench run --problem burgers --methods mlp,pinn,diffphys --max-time 30s || status=$$?; \
	test $$status -le 1 || exit $$status; \
	$(BIN)/pdebench table && $(BIN)/pdebench plot && exit $$status

# One process per processor; a file's tests stay together. Figures of speed come from `make bench`.
WORKERS ?= logical
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist loadfile

test: install lint
	$(BIN)/python -m pytest $(PARALLEL)

test-all: install lint
	$(BIN)/python -m pytest -m "" $(PARALLEL)

bench: install
	$(BIN)/python -m pytest tests/benchmarks -m "" --benchmark-enable --benchmark-only

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .benchmarks
