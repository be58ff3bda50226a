#!/usr/bin/env python3
"""Install the packages odesync and odesync-torch of dist/ beside PyTorch, and try the torch engine there: program, module, kernel.

    python3 tools/test_wheel_torch.py [--environment DIR]

The environment is made anew in a temporary folder (2.6 GB to download, 5 GB on disk); DIR is one that has PyTorch already, and keeps it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

import wheel_torch
from test_wheel import ROOT, clean, notebook, run

# Losses of the same training on both engines.
SCRIPT = """
let opt = args(#{ engine: "native" });
let data = dataset(lotka_volterra(), [1, 1], linspace(0, 2, 21));
seed(1);
let run = train(blackbox([2, 8, 2]), data, vanilla(), #{ epochs: 5, lr: 0.01, progress: false, engine: opt.engine });
print(run.best_mse);
"""

IN_PYTHON = """
import odesync
native, torch = (float(odesync.run("engines.rhai", engine=engine)) for engine in ("native", "torch"))
assert 0 < torch and abs(torch - native) < 1e-6 * native, (native, torch)
"""

CELLS = ['solve(lotka_volterra(), [1, 1], [0.0, 1.0], #{ engine: "torch" }).u.col(0)[0] == 1.0']


class PackTest(unittest.TestCase):
    """The wheel itself, with a program that is none, by the real pip."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def test_pip_accepts_it_and_keeps_the_program_a_program(self):
        program = self.folder / "odesync"
        program.write_text("#!/bin/sh\necho here\n")
        path = wheel_torch.pack(program, "any", "their licences", self.folder)
        site = self.folder / "site"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
        run(*command, "--root-user-action", "ignore", "--target", site, path)
        installed = site / "odesync_torch" / "odesync"
        self.assertEqual(installed.read_text(), program.read_text())
        self.assertTrue(installed.stat().st_mode & 0o100)
        (info,) = site.glob("odesync_torch-*.dist-info")
        metadata = (info / "METADATA").read_text()
        self.assertIn("Requires-Dist: torch==2.11.*\n", metadata)
        self.assertIn(f"Requires-Dist: odesync=={wheel_torch.version()}\n", metadata)
        self.assertTrue((info / "licenses" / "LICENSE-MIT").is_file())

    def test_the_newest_c_library_is_found(self):
        lines = "0 DF *UND* 0 (GLIBC_2.34) __libc_start_main\n0 DF *UND* 0 (GLIBC_2.9) x\n0 DF *UND* 0 (GLIBCXX_3.4.29) y\n"
        self.assertEqual(wheel_torch.newest_glibc(lines), (2, 34))
        self.assertEqual(wheel_torch.newest_glibc("(GLIBC_2.17)"), (2, 28))


def newest(pattern):
    wheels = sorted((ROOT / "dist").glob(pattern))
    if not wheels:
        raise SystemExit(f"test_wheel_torch: there is no {pattern} in dist/; make wheel and make wheel-torch build them")
    return wheels[-1]


def line(text, topic):
    """The line of `odesync doctor` about a topic."""
    return next(one for one in text.splitlines() if one[2:].startswith(topic))


def doctor(program, work, env):
    return run(program, "doctor", cwd=work, env=env, stdout=subprocess.PIPE, text=True).stdout


def try_out(environment, work):
    python = environment / "bin" / "python"
    wheels = [newest("odesync-*.whl"), newest("odesync_torch-*.whl")]
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Once more without what they need: where they are there already in the same version, pip would leave them.
    run(*pip, *wheels, "ipykernel", "nbconvert", "jupyter_client")
    run(*pip, "--force-reinstall", "--no-deps", *wheels)
    program, env = environment / "bin" / "odesync", clean(python)
    text = doctor(program, work, env)
    assert "engines native and torch, of the package odesync-torch" in line(text, "odesync"), text
    assert line(text, "libtorch").startswith("✓") and "torch/lib/libtorch_cpu.so" in line(text, "libtorch"), text
    # Where PyTorch came with CUDA, its part is loaded, whether there is a GPU or not.
    cuda = line(text, "CUDA")
    assert "not there" in cuda or "CUDA's libraries are loaded" in cuda or cuda.startswith("✓"), cuda
    print(text)

    (work / "engines.rhai").write_text(SCRIPT)
    run(python, "-c", textwrap.dedent(IN_PYTHON), cwd=work, env=env)
    outputs = notebook(python, "odesync-script", CELLS, work)
    assert "".join(outputs[-1]["data"]["text/plain"]) == "true", outputs

    # The kernel that is registered by hand is the program that stays when the package goes.
    run(program, "kernel", "install", "--prefix", work, env=env)
    spec = json.loads((work / "share/jupyter/kernels/odesync-script/kernel.json").read_text())
    assert spec["argv"][0] == str(program), spec

    # Without the package, or without a torch that fits, all else works.
    native = [program, "run", "engines.rhai"]
    without = subprocess.run([*native, "engine=torch"], cwd=work, env=env | {"ODESYNC_TORCH": "off"}, capture_output=True, text=True)
    assert without.returncode == 1 and "no torch engine" in without.stderr, without
    (info,) = environment.glob("lib/python*/site-packages/torch-2.11.*.dist-info")
    away = info.with_name("torch-2.12.0.dist-info")
    info.rename(away)
    try:
        run(*native, cwd=work, env=env, stdout=subprocess.PIPE)
        text = doctor(program, work, env)
        assert "2.12.0 is installed" in line(text, "libtorch"), text
    finally:
        away.rename(info)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, metavar="DIR", help="an environment that has PyTorch already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        environment = arguments.environment and arguments.environment.resolve()
        if environment is None:
            environment = scratch / "env"
            run(sys.executable, "-m", "venv", environment)
        work = scratch / "work"
        work.mkdir()
        try_out(environment, work)
        shutil.rmtree(work)
    print("odesync-torch: program, module, kernel and notebook train and solve by engine \"torch\"; without it all else works")


if __name__ == "__main__":
    main()
