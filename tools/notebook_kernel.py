#!/usr/bin/env python3
"""Start the Rust kernel for one notebook; Jupyter runs this as the kernel, see setup_notebook.py.

A kernel builds each cell on top of the dependencies, and for a first cell that is done in seconds these must have been built
before. They are, in target/notebook/warm; but two kernels can't build in one folder, so each gets a copy of its own, of hard
links to what never changes. It goes when the kernel ends.

Jupyter's interrupt comes as SIGINT. The process that runs the cells catches it while it has loaded odesync: a training then
stops by itself and keeps what it has. Code that can't stop by itself is ended with its process, and the variables with it: at
once where nothing catches the signal, else by a second interrupt.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVCXR_VERSION = "0.22.0"
EVCXR = ROOT / "third" / "tools" / f"evcxr-{EVCXR_VERSION}" / "bin" / "evcxr_jupyter"
NOTEBOOK = ROOT / "target" / "notebook"
WARM = NOTEBOOK / "warm"
KERNELS = NOTEBOOK / "kernels"
# The standard library's sources as the kernel's analysis has them.
SOURCES = NOTEBOOK / "rust-src"
# The member of the workspace in a build folder that evcxr builds cells in.
CELL = "cell"
# Two interrupts within so many seconds end what can't stop by itself.
TWICE = 10.0


def environment():
    """What builds and cells need, and nothing of what would make cargo build something else than it did before."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_"))
        and name not in ("CARGO_INCREMENTAL", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS")
    }
    libraries = [Path(env.get("LIBTORCH_LIB", env["LIBTORCH"])) / "lib"] if "LIBTORCH" in env else []
    libraries += [ROOT / "third" / "libtorch" / "lib"]
    found = [str(folder) for folder in libraries if folder.is_dir()][:1]
    # The first of them; a path of the user's stays behind it.
    paths = found + [path for path in env.get("LD_LIBRARY_PATH", "").split(":") if path]
    if paths:
        env["LD_LIBRARY_PATH"] = ":".join(paths)
    # For odesync's build script.
    env["ODESYNC_NOTEBOOK"] = "1"
    return env


# ---- the build folder ------------------------------------------------------------------------------------------------


def is_own(path):
    """Whether a build writes to a file of the warm folder, so that a link to it would not do."""
    parts = path.relative_to(WARM).parts
    return (
        "target" not in parts
        or path.name in (".cargo-lock", ".rustc_info.json")
        or path.suffix == ".d"
        or any(part.startswith(("odesync", "libodesync")) for part in parts)
    )


def copy_warm(target):
    """The warm folder at `target`: links to what stays as it is, copies of what a build may write to."""
    for folder, folders, files in os.walk(WARM):
        source, there = Path(folder), Path(target) / Path(folder).relative_to(WARM)
        # What belongs to cells would be taken for up to date: cargo goes by times.
        folders[:] = [name for name in folders if name != "incremental" and not name.startswith("ctx-")]
        there.mkdir(exist_ok=True)
        for name in files:
            if name.startswith(("ctx-", "libctx", "libcode_")):
                continue
            if is_own(source / name):
                shutil.copy2(source / name, there / name)
            else:
                os.link(source / name, there / name)


def remove_abandoned():
    """Folders of kernels that were killed before they could tidy up."""
    for folder in KERNELS.glob("*-*"):
        pid = folder.name.split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(folder, ignore_errors=True)


def configure(folder):
    """What evcxr does before the first cell: it takes odesync in as a first cell does, and analyses it. A first cell that says the
    same has nothing left to do but its own."""
    folder.mkdir()
    # Cells are built unoptimised, in a second or two; odesync and what it uses are optimised, see setup_notebook.py. All that is
    # needed so far was fetched for that, so a network that is slow or away does not matter.
    (folder / "evcxr.toml").write_text('[evcxr]\nopt_level = "0"\noffline_mode = true\n')
    root = json.dumps(str(ROOT), ensure_ascii=False)
    (folder / "init.evcxr").write_text(f":dep odesync = {{ path = {root}, default-features = false }}\n")
    # The analysis begins at the first variable; this one does not stay. After a first `?` cells that end in one are shown as what
    # they are. A later `:dep` may use the network.
    (folder / "prelude.rs").write_text(":offline 0\nlet field = odesync::prelude::lotka_volterra()?;\ndrop(field);\n")


# ---- interrupts ------------------------------------------------------------------------------------------------------


def cells_process(kernel):
    """The process that runs the cells: the kernel's child that is the same program."""
    try:
        program = os.readlink(f"/proc/{kernel}/exe")
        children = Path(f"/proc/{kernel}/task/{kernel}/children").read_text().split()
        for task in Path(f"/proc/{kernel}/task").iterdir():
            children += (task / "children").read_text().split()
        return next((int(pid) for pid in children if os.readlink(f"/proc/{pid}/exe") == program), None)
    except OSError:
        return None


def catches_interrupts(process):
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) & 1 << (signal.SIGINT - 1))


def is_idle(process):
    """Whether it waits for the next cell: it reads its standard input."""
    try:
        number, first = Path(f"/proc/{process}/syscall").read_text().split()[:2]
    except (OSError, ValueError):
        return False
    # read(0, …) on x86-64 and on aarch64.
    return number in ("0", "63") and first == "0x0"


class Interrupts:
    """What is done about Jupyter's interrupts beyond what the cells' process does itself."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.last = -TWICE

    def __call__(self, _signal, _frame):
        now, process = time.monotonic(), cells_process(self.kernel.pid)
        again = now - self.last < TWICE
        self.last = now
        if process is None or is_idle(process):
            return
        if again or not catches_interrupts(process):
            os.kill(process, signal.SIGKILL)


# ---- the kernel ------------------------------------------------------------------------------------------------------


def main(connection_file):
    if not WARM.is_dir() or not EVCXR.exists():
        sys.exit(f"the Rust kernel is not set up in {ROOT}; run `make setup-notebook` there")
    KERNELS.mkdir(parents=True, exist_ok=True)
    remove_abandoned()
    # Ignored here, and so by the kernel and the compiler, which inherit that.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=KERNELS, ignore_cleanup_errors=True) as folder:
        copy_warm(folder)
        configure(Path(folder) / "config")
        own = {"EVCXR_TMPDIR": Path(folder) / CELL, "EVCXR_CONFIG_DIR": Path(folder) / "config", "RUST_SRC_PATH": SOURCES}
        env = environment() | {name: str(path) for name, path in own.items()}
        kernel = subprocess.Popen([EVCXR, "--control_file", connection_file], env=env)
        signal.signal(signal.SIGINT, Interrupts(kernel))
        signal.signal(signal.SIGTERM, lambda *_: kernel.terminate())
        code = kernel.wait()
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv[1])
