# 两条命令 · the two commands: `make demo` and `make test`. Everything is installed into .venv from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_DIR ?=

.PHONY: setup demo test lint bench bundle lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "需要 Python 3.11 以上 · Python 3.11 or newer is needed (PYTHON=/path/to/python3 make $(MAKECMDGOALS))" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "缺少 venv 模块，请先安装 python3-venv · the venv module is missing: install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	@echo "正在安装依赖，一到三分钟 · Installing what it depends on, one to three minutes"
	$(BIN)/pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@echo "正在编译排期程序，约一分钟，只此一次 · Compiling the planner, about a minute, once"
	$(BIN)/python -c 'from govcloud.planning.scheduling.heuristic import warm; warm()'
	@touch $@

demo: setup
	$(BIN)/govcloud demo $(DEMO_DIR)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not root and not browser and not servers and not openstack"

bench: setup
	set -e; for program in benchmarks/*.py; do $(BIN)/python $$program; done

# 离线安装包，写到 dist/ · the offline bundle, for machines without a network (BUNDLE="--machine aarch64 --extras postgres clouds": another architecture).
bundle: setup
	$(BIN)/python packaging/bundle.py -o dist $(BUNDLE)

# Made with uv; no index address goes into the lock.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
