#!/usr/bin/env python3
"""Build the package of Python: dist/odesync-…-manylinux_2_17_….whl, and with --sdist its source.

It holds the program without torch, the kernel's registration, the completions of shells, the licences of all crates in it and the
Python module of python/odesync. maturin and zig, which links against the C library of 2014, come into .venv-wheel. On other systems
than Linux the wheel is for this system.

    python3 tools/wheel.py [--sdist]
"""

import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-wheel"
REQUIREMENTS = ROOT / "tools" / "notebook" / "wheel_requirements.txt"
DATA = ROOT / "python" / "odesync.data" / "data" / "share"
LICENCES = ROOT / "python" / "third_party_licences.txt"
CARGO = os.environ.get("CARGO", "cargo")
# As in pyproject.toml.
FEATURES = ("--no-default-features", "--features", "tables")
# Where shells look for completions, below share/.
COMPLETIONS = {
    "bash": "bash-completion/completions/odesync",
    "zsh": "zsh/site-functions/_odesync",
    "fish": "fish/vendor_completions.d/odesync.fish",
}
LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, cwd=ROOT, **options)


def output(*command):
    return run(*command, stdout=subprocess.PIPE, text=True).stdout


def tools():
    """maturin and zig in an environment of their own."""
    if not (VENV / "bin" / "python").exists():
        run(sys.executable, "-m", "venv", VENV)
    run(VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS)


def crates_in_the_program(features=FEATURES):
    """The packages that the program with these features is linked from, our own left out."""
    host = next(line.split()[1] for line in output("rustc", "-vV").splitlines() if line.startswith("host:"))
    metadata = json.loads(output(CARGO, "metadata", "--format-version", "1", "--locked", *features, "--filter-platform", host))
    packages = {package["id"]: package for package in metadata["packages"]}
    edges = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    seen, todo = set(), [root]
    while todo:
        package = todo.pop()
        if package in seen:
            continue
        seen.add(package)
        for edge in edges[package]:
            if any(kind["kind"] is None for kind in edge["dep_kinds"]):
                todo.append(edge["pkg"])
    found = (packages[package] for package in seen)
    return sorted((package for package in found if package["source"]), key=lambda package: (package["name"], package["version"]))


def licences(features=FEATURES):
    """The licences of these packages; each text once, below the names of the packages that have it."""
    texts, without = defaultdict(list), []
    for package in crates_in_the_program(features):
        name = f"{package['name']} {package['version']} ({package['license'] or 'see its file'})"
        folder = Path(package["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(LICENCE_FILES))
        if not files:
            without.append(name)
        for file in files:
            texts[file.read_text(encoding="utf-8", errors="replace").strip()].append(name)
    parts = ["The program odesync contains these packages from crates.io, under these licences.\n"]
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        parts.append("\n".join(["=" * 100, *names, "-" * 100, text, ""]))
    parts.append("\n".join(["=" * 100, "Packages without a file of their licence, which stands on crates.io under its name:", *without, ""]))
    return "\n".join(parts)


def completions(program):
    """Writes the completions of shells beside the kernel's registration, which is in the repository: its path of the program is
    relative, since the environment need not be on the PATH."""
    for shell, name in COMPLETIONS.items():
        path = DATA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output(program, "completions", shell))


def build():
    """Builds the wheel, twice: the completions are the program's own words, and the second time only packs."""
    linux = sys.platform == "linux"
    target = f"{platform.machine()}-unknown-linux-gnu"
    how = ["--zig", "--target", target, "--compatibility", "manylinux2014"] if linux else []
    command = [VENV / "bin" / "maturin", "build", "--release", "--locked", "--out", "dist", *how]
    environment = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    run(*command, env=environment)
    program = ROOT / "target" / (f"{target}/release" if linux else "release") / "odesync"
    completions(program)
    run(*command, env=environment)
    if "--sdist" in sys.argv[1:]:
        run(VENV / "bin" / "maturin", "sdist", "--out", "dist", env=environment)


def main():
    tools()
    LICENCES.write_text(licences(), encoding="utf-8")
    build()
    for file in sorted((ROOT / "dist").glob("odesync-*")):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
