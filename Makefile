# What README calls. Everything lives in .venv; each target is quick the second time.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo results peers measure-peers refresh test test-all test-lowest bench lint clean

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

# Measures anew what ships (eight and a half hours, one cell at a time, if each takes its whole
# budget: a study's --dry-run adds them up), keeps records without fields and weights, then makes the
# tables and figures. An interrupted run goes on. A cell that failed is a row, not an end.
# Other libraries live in an environment of their own: they bring frameworks that nothing else needs.
PEERS ?= .venv-peers
MEASURED ?= results/measured
STUDY := results/studies

define measure # program, folder, studies
	for study in $(3); do \
	  $(1) run --results $(MEASURED)/$(2) $(STUDY)/$$study.yaml || test $$? -eq 1 || exit 2; done
endef

results: measure-peers
	$(call measure,$(BIN)/pdebench,reference,reference labels weights)
	$(call measure,$(BIN)/pdebench,targets,targets targets-classical family six-minutes long-torch long half-hour)
	for folder in reference targets; do rm -rf results/$$folder && \
	  $(BIN)/pdebench merge $(MEASURED)/$$folder --into results/$$folder --records-only; done
	$(MAKE) refresh

# Other libraries, ours and the classical solvers beside them: three hours; writes
# results/peers.md, and what else is made from the same records.
peers: measure-peers
	$(BIN)/pdebench merge $(MEASURED)/reference --into results/reference --prefer newest --records-only
	$(MAKE) refresh

measure-peers: install $(PEERS)/.installed
	$(call measure,$(BIN)/pdebench,reference,forward classical)
	$(call measure,$(PEERS)/bin/python -m pdebench_lite,reference,peers peers-double matched peers-inverse peers-viscosity)

# From the records that ship: seconds, nothing is measured.
refresh: install
	$(BIN)/pdebench refresh README.md results/tables.md results/targets.md results/peers.md results/gpu.md
	rm -rf results/plots
	$(BIN)/pdebench plot --results results/reference --out results/plots --format svg

$(PEERS)/.installed: pyproject.toml constraints.txt
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  -e ".[peers,operators,dev]"
	touch $@

# One process per processor; a file's tests stay together. Figures of speed come from `make bench`.
WORKERS ?= logical
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist loadfile

test: install lint
	$(BIN)/python -m pytest $(PARALLEL)

test-all: install lint
	$(BIN)/python -m pytest -m "" $(PARALLEL)

# The lowest releases of direct dependencies that pyproject.toml allows, with the newest ones of what
# those need in turn, of whose deprecations old releases cannot know.
LOWEST ?= .venv-lowest

test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest $(PARALLEL) -W default::DeprecationWarning

$(LOWEST)/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip compile --quiet --resolution lowest-direct --extra all --extra dev \
	  --python $(LOWEST)/bin/python --output-file $(LOWEST)/lowest.txt pyproject.toml
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c $(LOWEST)/lowest.txt -e ".[all,dev]"
	touch $@

# Writes results/benchmarks/ and the page of it; what was too slow is an error in the end. Threads
# wait as they do in the process of a cell.
bench: $(PEERS)/.installed
	@mkdir -p results/benchmarks; status=0; \
	OMP_WAIT_POLICY=PASSIVE OPENBLAS_THREAD_TIMEOUT=4 \
	$(PEERS)/bin/python -m pytest tests/benchmarks -m "" --benchmark-enable --benchmark-only \
	  --benchmark-max-time=0.5 --benchmark-json=results/benchmarks/bench.json || status=$$?; \
	$(PEERS)/bin/python tests/benchmarks/page.py && exit $$status

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-peers .venv-lowest build dist .pytest_cache .mypy_cache .ruff_cache .benchmarks
