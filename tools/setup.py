#!/usr/bin/env python3
"""Put libtorch (CPU) into third/libtorch, so that plain cargo commands find it.

The shared libraries and headers are taken out of PyTorch's wheel on PyPI: about 540 MB to download, 500 MB kept, 1.1 GB
free needed meanwhile. Safe to run again: a finished set-up is left alone, a broken one goes on where it can, and no file is
used unless its SHA-256 is the one recorded here.

Your own libtorch wins, and nothing is downloaded:
  LIBTORCH=/path/to/libtorch   a libtorch 2.11.0 of yours
  LIBTORCH_USE_PYTORCH=1       the PyTorch 2.11.0 of the active Python
No libtorch at all: build with `cargo build --no-default-features`; everything but the torch engine works.

Downloads go through pip and follow its settings. With wheels that are already on this machine:
  PIP_NO_INDEX=1 PIP_FIND_LINKS=/folder/with/wheels make setup

CUDA's libraries are a set-up of their own, setup_cuda.py.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VERSION = "2.11.0"
FREE_BYTES_NEEDED = 1_100_000_000
ATTEMPTS = 3

WAYS_OUT = (
    "Other ways: set LIBTORCH to a libtorch " + VERSION + " of your own, or LIBTORCH_USE_PYTORCH=1 to take the active Python's\n"
    "PyTorch, or build with `cargo build --no-default-features` (everything but the torch engine)."
)


class Stop(Exception):
    """Set-up can't go on; the message says why and what to do."""


class Wheel(NamedTuple):
    """One wheel of PyPI: the release, the platform tag pip selects it by, and its sum."""

    requirement: str
    tag: str
    filename: str
    sha256: str


class Source(NamedTuple):
    """What one kind of machine needs: wheels, and the libraries to take out of them."""

    wheels: tuple
    libraries: tuple


class Job(NamedTuple):
    """What the messages of a set-up say of it."""

    command: str
    free_bytes_needed: int
    kept: str
    ways_out: str


# Only C++ libraries are used, so any machine with pip can take the wheels of CPython 3.11.
# libtorch_cpu.so of these builds needs the CUDA runtime's two small libraries to load, though no GPU is used.
CUDA_LIBRARIES = ("nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcupti.so.13")
TORCH_LIBRARIES = ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1")

SOURCES = {
    "x86_64": Source(
        wheels=(
            Wheel(
                "torch==2.11.0",
                "manylinux_2_28_x86_64",
                "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl",
                "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
            ),
            Wheel(
                "nvidia-cuda-runtime==13.0.96",
                "manylinux2014_x86_64",
                "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
                "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            ),
            Wheel(
                "nvidia-cuda-cupti==13.0.85",
                "manylinux_2_25_x86_64",
                "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
                "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            ),
        ),
        libraries=TORCH_LIBRARIES + CUDA_LIBRARIES,
    ),
    "aarch64": Source(
        wheels=(
            Wheel(
                "torch==2.11.0",
                "manylinux_2_28_aarch64",
                "torch-2.11.0-cp311-cp311-manylinux_2_28_aarch64.whl",
                "d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6",
            ),
            Wheel(
                "nvidia-cuda-runtime==13.0.96",
                "manylinux2014_aarch64",
                "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
                "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            ),
            Wheel(
                "nvidia-cuda-cupti==13.0.85",
                "manylinux_2_25_aarch64",
                "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_aarch64.whl",
                "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            ),
        ),
        libraries=TORCH_LIBRARIES
        + (
            "torch/lib/libarm_compute.so",
            "torch/lib/libarm_compute_graph.so",
            "torch/lib/libnvpl_blas_core.so.0",
            "torch/lib/libnvpl_blas_lp64_gomp.so.0",
            "torch/lib/libnvpl_lapack_core.so.0",
            "torch/lib/libnvpl_lapack_lp64_gomp.so.0",
        )
        + CUDA_LIBRARIES,
    ),
}

JOB = Job("make setup", FREE_BYTES_NEEDED, "0.5 GB", WAYS_OUT)

CARGO_CONFIG = """\
# Written by `make setup`, included by .cargo/config.toml.
[env]
LIBTORCH = { value = "third/libtorch", relative = true }
"""


def say(message):
    print(f"setup: {message}", flush=True)


# ---- what is already there -------------------------------------------------------------------------------------------


def own_libtorch(environ):
    """A line about the user's own libtorch, or None where setup is to bring one."""
    # The order is torch-sys's: LIBTORCH_USE_PYTORCH wins over LIBTORCH.
    if "LIBTORCH_USE_PYTORCH" in environ:
        return "LIBTORCH_USE_PYTORCH is set: cargo takes the active Python's PyTorch; nothing to download."
    if "LIBTORCH" in environ:
        folder = Path(environ["LIBTORCH"])
        # LIBTORCH_LIB, where set, is torch-sys's name for a separate folder of libraries.
        libraries = Path(environ.get("LIBTORCH_LIB", folder)) / "lib"
        if not any(libraries.glob("libtorch_cpu.*")):
            raise Stop(
                f"LIBTORCH is {folder}, but {libraries} holds no libtorch_cpu library.\n"
                f"Correct LIBTORCH, or unset it to let `make setup` bring libtorch {VERSION}."
            )
        return f"LIBTORCH is set: cargo takes {folder}; nothing to download."
    return None


def stamp_text(source, lib):
    """What third/libtorch/.complete says of a finished set-up: sums of the wheels, sizes of the libraries."""
    lines = [f"{wheel.filename} {wheel.sha256}" for wheel in source.wheels]
    for name in sorted(Path(member).name for member in source.libraries):
        path = lib / name
        lines.append(f"{name} {path.stat().st_size if path.exists() else 'missing'}")
    return "\n".join(lines) + "\n"


def is_complete(source, third):
    libtorch = third / "libtorch"
    stamp = libtorch / ".complete"
    return (
        stamp.is_file()
        and stamp.read_text() == stamp_text(source, libtorch / "lib")
        and (libtorch / "include" / "torch").is_dir()
        and (third / "cargo.toml").is_file()
        and (third / "cargo.toml").read_text() == CARGO_CONFIG
    )


# ---- checks before the download --------------------------------------------------------------------------------------


def source_for_this_machine():
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in SOURCES:
        raise Stop(f"no libtorch recorded for {system} on {machine}; Linux on {' and '.join(SOURCES)} is.\n{WAYS_OUT}")
    return SOURCES[machine]


def check_compiler():
    compiler = os.environ.get("CXX", "c++").split()[0]
    if shutil.which(compiler) is None:
        raise Stop(
            f"no C++ compiler: `{compiler}` is not on the PATH, and the Rust bindings of libtorch need one.\n"
            "On Debian and Ubuntu: apt-get install g++. Elsewhere set CXX to your compiler."
        )


def pip_version():
    """pip's version as a tuple of numbers."""
    answer = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True)
    if answer.returncode != 0:
        raise Stop(
            f"{sys.executable} has no pip, which downloads libtorch from PyPI.\n"
            f"On Debian and Ubuntu: apt-get install python3-pip. Elsewhere: python3 -m ensurepip --user.\n{WAYS_OUT}"
        )
    return tuple(int(part) for part in answer.stdout.split()[1].split(".")[:2] if part.isdigit())


def check_space(third, already, job=JOB):
    free = shutil.disk_usage(third).free
    needed = job.free_bytes_needed - already
    if free < needed:
        raise Stop(
            f"too little disk space: {third} has {free / 1e9:.2f} GB free, set-up needs {needed / 1e9:.2f} GB "
            f"({job.kept} stays).\nFree some, or put the checkout on a larger disk.\n{job.ways_out}"
        )


# ---- download --------------------------------------------------------------------------------------------------------


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fetch(wheel, downloads, pip, job=JOB):
    """The wheel in `downloads`, whole and with the recorded sum."""
    path = downloads / wheel.filename
    if path.exists():
        if sha256(path) == wheel.sha256:
            say(f"{wheel.filename}: already downloaded")
            return path
        say(f"{wheel.filename}: what is there is not whole or not the recorded file; downloading it again")
        path.unlink()

    # pip first writes to its temporary folder: the one here, as /tmp may be small.
    temporary = downloads / "tmp"
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none"]
    command += [f"--platform={wheel.tag}", f"--dest={downloads}"]
    if pip >= (25, 1):
        command.append("--resume-retries=10")
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        again = f" (attempt {attempt} of {ATTEMPTS})" if attempt > 1 else ""
        say(f"{wheel.filename}: downloading{again}")
        answer = subprocess.run(
            [*command, wheel.requirement], env={**os.environ, "TMPDIR": str(temporary)}, stdin=subprocess.DEVNULL
        )
        shutil.rmtree(temporary, ignore_errors=True)
        if answer.returncode == 0 and path.exists():
            break
    else:
        raise Stop(
            f"pip could not download {wheel.filename} in {ATTEMPTS} attempts; its messages are above.\n"
            "Check the connection to PyPI (pip's own settings, PIP_INDEX_URL or PIP_PROXY for example, apply) and run\n"
            f"`{job.command}` again: files that are already whole are kept.\n{job.ways_out}"
        )

    found = sha256(path)
    if found != wheel.sha256:
        path.unlink()
        raise Stop(
            f"{wheel.filename}: SHA-256 mismatch, the file was removed.\n"
            f"  recorded {wheel.sha256}\n  received {found}\n"
            f"Run `{job.command}` again; if it stays, the package index in use serves another file than PyPI."
        )
    return path


def download(source, third, fresh, job=JOB):
    """All wheels, in third/download. `fresh` is the folder that they will be unpacked into."""
    downloads = third / "download"
    pip = pip_version()
    # What an interrupted run left half done would only take up space.
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(downloads / "tmp", ignore_errors=True)
    downloads.mkdir(parents=True, exist_ok=True)
    wanted = {wheel.filename for wheel in source.wheels}
    check_space(third, sum(file.stat().st_size for file in downloads.iterdir() if file.name in wanted), job)
    return [fetch(wheel, downloads, pip, job) for wheel in source.wheels]


# ---- unpack ----------------------------------------------------------------------------------------------------------


def unpack(source, wheels, target, with_headers=True):
    """Needed libraries and headers of the wheels, laid out as libtorch's own archives are."""
    lib = target / "lib"
    lib.mkdir(parents=True)
    wanted = set(source.libraries)
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename
                if name in wanted:
                    destination = lib / Path(name).name
                elif with_headers and name.startswith("torch/include/") and not member.is_dir():
                    destination = target / Path(name).relative_to("torch")
                else:
                    continue
                wanted.discard(name)
                destination.parent.mkdir(parents=True, exist_ok=True)
                # Reading a member to its end also checks its CRC.
                with archive.open(member) as data, open(destination, "wb") as file:
                    shutil.copyfileobj(data, file, 1 << 20)
    if wanted:
        raise Stop(f"not found in the wheels: {', '.join(sorted(wanted))}")


def finish_libtorch(target):
    """What is in no wheel: the linker's libtorch.so, and the version."""
    # The wheel's libtorch.so also names the CUDA libraries; for the linker a script that names the CPU's does.
    (target / "lib" / "libtorch.so").write_text("INPUT(-ltorch_cpu -lc10)\n")
    (target / "build-version").write_text(f"{VERSION}+cpu\n")


def check_loads(*libraries, what="libtorch", job=JOB):
    """Load the libraries, one after the other, in a process of its own, symbols bound, as a program would."""
    code = "import ctypes, os, sys\nfor path in sys.argv[1:]: ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_GLOBAL)"
    answer = subprocess.run([sys.executable, "-c", code, *map(str, libraries)], capture_output=True, text=True)
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or [f"exit status {answer.returncode}"])[-1]
        raise Stop(f"{what} was unpacked but does not load on this machine:\n  {reason}\n{job.ways_out}")


def install(source, third, keep_downloads):
    target, fresh = third / "libtorch", third / "libtorch.new"
    check_compiler()
    wheels = download(source, third, fresh)
    say("unpacking")
    unpack(source, wheels, fresh)
    finish_libtorch(fresh)
    check_loads(fresh / "lib" / "libtorch_cpu.so")
    (fresh / ".complete").write_text(stamp_text(source, fresh / "lib"))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    (third / "cargo.toml").write_text(CARGO_CONFIG)
    if not keep_downloads:
        shutil.rmtree(third / "download")


@contextlib.contextmanager
def alone(third):
    """While it lasts no other set-up is at work in this checkout."""
    third.mkdir(exist_ok=True)
    with open(third / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work in this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(arguments, third=ROOT / "third"):
    own = own_libtorch(os.environ)
    if own is not None:
        say(own)
        return
    source = source_for_this_machine()
    ready = f"libtorch {VERSION} (CPU) is in {third / 'libtorch'}"
    if not arguments.force and is_complete(source, third):
        say(f"{ready}; nothing to do")
        return
    with alone(third):
        if arguments.force or not is_complete(source, third):
            install(source, third, arguments.keep_downloads)
    say(f"{ready}; cargo finds it by itself")


def main(description=__doc__, work=run, job=JOB):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="set up anew even where it is complete")
    parser.add_argument("--keep-downloads", action="store_true", help="keep the wheels in third/download")
    arguments = parser.parse_args()
    try:
        work(arguments)
    except Stop as stop:
        sys.exit(f"setup: error: {stop}")
    except OSError as error:
        sys.exit(f"setup: error: {error}\nRun `{job.command}` again once that is mended; what is whole is kept.")
    except KeyboardInterrupt:
        print(f"\nsetup: interrupted; run `{job.command}` again to go on", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
