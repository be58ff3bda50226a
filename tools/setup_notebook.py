#!/usr/bin/env python3
"""Put what Rust notebooks need into this checkout; it needs cargo, and Python 3.10 or later with venv.

  .venv-jupyter/           JupyterLab and what runs notebooks without it, with the kernel "Rust (odesync)"
  third/tools/evcxr-…/     the program behind that kernel, built by cargo
  target/notebook/warm/    odesync and all it depends on, built as notebooks want it

With --jupyter-only nothing but JupyterLab is brought, for notebooks in the script language: their kernel is the program. With --torch,
odesync is built with the torch engine too, where libtorch is set up: for notebooks whose first cell leaves `default-features = false`
out. Nothing is installed outside. Safe to run again: what is up to date is left alone. Some minutes the first time.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from notebook_kernel import CELL, EVCXR, EVCXR_VERSION, ROOT, SOURCES, WARM, environment

VENV = ROOT / ".venv-jupyter"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "tools" / "notebook" / "requirements.txt"
# In the environment's own data folder, which its Jupyter looks into and no other does.
KERNELSPEC = VENV / "share" / "jupyter" / "kernels" / "odesync"
CARGO = os.environ.get("CARGO", "cargo")

KERNEL = {
    "argv": [str(PYTHON), str(ROOT / "tools" / "notebook_kernel.py"), "{connection_file}"],
    "display_name": "Rust (odesync)",
    "language": "rust",
    # Its other mode, a message, makes evcxr kill the process that holds the variables.
    "interrupt_mode": "signal",
}

# evcxr's package of a cell, as far as it matters here; it writes its own over it. The profile is the workspace's.
CELL_MANIFEST = """\
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "src/lib.rs"

[dependencies]
odesync = {{ path = {root}, default-features = false }}
"""

# A member that can depend on odesync, so that the versions stay locked while a cell depends on nothing. It does so only when
# asked, with the torch engine: what a member depends on is analysed when a kernel starts.
KEPT_MANIFEST = """\
[package]
name = "kept"
version = "1.0.0"
edition = "2024"

[dependencies]
odesync = {{ path = {root}, default-features = false, features = ["torch"], optional = true }}
"""

# Settings of cells as evcxr has them but for the level, see notebook_kernel.py.
WORKSPACE = """\
[workspace]
members = ["{cell}", "kept"]
resolver = "3"

[profile.dev]
opt-level = 0
debug = false
strip = "debuginfo"
rpath = true
codegen-units = 16

[profile.dev.package."*"]
opt-level = 1
debug-assertions = false
overflow-checks = false

# Solves and trainings run in these.
[profile.dev.package.odesync-ode]
opt-level = 3
codegen-units = 4

[profile.dev.package.odesync-train]
opt-level = 2

[profile.dev.package.torch-sys]
opt-level = 0
"""


# The parts of the standard library that code can name, and what they use.
LIBRARIES = ["alloc", "backtrace", "core", "panic_abort", "panic_unwind", "proc_macro", "std", "std_detect", "test", "unwind"]


class Stop(Exception):
    """Set-up can't go on; the message says why and what to do."""


def say(message):
    print(f"setup: {message}", flush=True)


def run(what, cure, *command, **options):
    """A command, its output shown."""
    try:
        subprocess.run(command, check=True, **options)
    except FileNotFoundError as error:
        raise Stop(f"{what} failed: there is no `{error.filename}`.\n{cure}") from error
    except subprocess.CalledProcessError as error:
        raise Stop(f"{what} failed (exit code {error.returncode}).\n{cure}") from error


def rustc(*arguments):
    """What the compiler answers."""
    return subprocess.run(["rustc", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def write(path, text):
    """The text in the file, which is left alone where it is there already: cargo goes by times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


# ---- Jupyter ---------------------------------------------------------------------------------------------------------


def install_jupyter():
    stamp = VENV / "odesync-requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted and PYTHON.exists()):
        if sys.version_info < (3, 10):
            raise Stop(f"JupyterLab needs Python 3.10 or later, and {sys.executable} is {sys.version.split()[0]}; set PYTHON to another.")
        say("Jupyter into .venv-jupyter")
        venv_cure = "On Debian and Ubuntu: apt-get install python3-venv."
        run("a virtual environment", venv_cure, sys.executable, "-m", "venv", "--clear", VENV)
        pip_cure = "It needs PyPI; run it again once that can be reached."
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run("pip install", pip_cure, *pip, "--requirement", REQUIREMENTS)
        stamp.write_text(wanted)


# ---- the kernel ------------------------------------------------------------------------------------------------------


def install_evcxr():
    write(KERNELSPEC / "kernel.json", json.dumps(KERNEL, indent=2) + "\n")
    if EVCXR.exists():
        return
    say(f"evcxr_jupyter {EVCXR_VERSION}, the Rust kernel (some minutes)")
    # It analyses odesync and all that it uses when a kernel starts: unoptimised that takes minutes.
    level = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
    target = ROOT / "target" / "notebook" / "evcxr"
    command = [CARGO, "install", "evcxr_jupyter", "--version", EVCXR_VERSION, "--locked", "--quiet"]
    folders = ["--root", EVCXR.parent.parent, "--target-dir", target]
    run("cargo install evcxr_jupyter", "Run it again once that is mended.", *command, *folders, env=os.environ | level)
    shutil.rmtree(target, ignore_errors=True)


def sources():
    """The standard library's sources for the kernel's analysis, without what only costs it time: the processors' intrinsics, the
    libraries' tests, and the manifest, whose dependencies would be fetched when a kernel starts."""
    library = Path(rustc("--print", "sysroot")) / "lib" / "rustlib" / "src" / "rust" / "library"
    version = rustc("-vV")
    stamp = SOURCES / "version"
    if stamp.exists() and stamp.read_text() == version:
        return
    if not library.is_dir():
        run("rustup component add rust-src", "The kernel needs the standard library's sources, in Debian's package rust-src.", "rustup", "component", "add", "rust-src")
    shutil.rmtree(SOURCES, ignore_errors=True)
    for name in LIBRARIES:
        if (library / name).is_dir():
            shutil.copytree(library / name, SOURCES / name, ignore=shutil.ignore_patterns("tests", "benches"))
    write(SOURCES / "stdarch" / "crates" / "core_arch" / "src" / "mod.rs", "pub mod arch {}\n")
    write(SOURCES / "portable-simd" / "crates" / "core_simd" / "src" / "mod.rs", "pub mod simd {\n    pub mod prelude {}\n}\n")
    write(stamp, version)


# ---- the build folder ------------------------------------------------------------------------------------------------


def warm(torch):
    """Builds what the first cell of a notebook needs, in the way evcxr will."""
    root = json.dumps(str(ROOT), ensure_ascii=False)
    write(WARM / "Cargo.toml", WORKSPACE.format(cell=CELL))
    write(WARM / "kept" / "Cargo.toml", KEPT_MANIFEST.format(root=root))
    write(WARM / "kept" / "src" / "lib.rs", "")
    write(WARM / CELL / "src" / "lib.rs", "")
    write(WARM / CELL / "Cargo.toml", CELL_MANIFEST.format(root=root))
    # The versions that odesync is tested with.
    shutil.copy(ROOT / "Cargo.lock", WARM / "Cargo.lock")
    host = next(line.split()[1] for line in rustc("-vV").splitlines() if line.startswith("host:"))
    env = environment() | {"RUSTFLAGS": "-Cprefer-dynamic", "CARGO_TARGET_DIR": "target"}
    say("odesync for notebooks")
    # A kernel asks for the manifests of all packages, those of other systems too, and may not use the network for it.
    run("cargo fetch", "It needs crates.io; run it again once that can be reached.", CARGO, "fetch", "--quiet", cwd=WARM / CELL, env=env)
    # The torch engine is there for a notebook that wants it.
    for package in [["ctx"], ["kept", "--features", "odesync"]] if torch else [["ctx"]]:
        command = [CARGO, "build", "--quiet", "--target", host, "--package", *package]
        run("the build of odesync", "The compiler's message is above.", *command, cwd=WARM / CELL, env=env)


def main():
    try:
        install_jupyter()
        if "--jupyter-only" in sys.argv[1:]:
            return
        install_evcxr()
        sources()
        libtorch = (ROOT / "third" / "cargo.toml").exists() or not {"LIBTORCH", "LIBTORCH_USE_PYTORCH"}.isdisjoint(os.environ)
        warm(torch=libtorch and "--torch" in sys.argv[1:])
    except Stop as stop:
        sys.exit(f"setup: error: {stop}")
    except KeyboardInterrupt:
        print("\nsetup: interrupted; run it again to go on", file=sys.stderr)
        sys.exit(130)
    say("notebooks are ready")


if __name__ == "__main__":
    main()
