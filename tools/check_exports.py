#!/usr/bin/env python3
"""Runs the files that odesync exports with the libraries they are for, against the derivatives and solutions of odesync itself.

    tools/check_exports.py [--install] [FOLDER]

Without FOLDER the files are written first, by a test of crates/export. A library that is not installed is skipped, and said so; with
CI=true that is a failure. Needed are numpy and scipy; tried are onnxruntime, jax, torch (with torchdiffeq for its solves), safetensors, and
tree_sitter with tree_sitter_julia, which reads the Julia files. --install brings them all into a virtual environment, target/exports (some
6 GB, once).
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, enter

PACKAGES = ["numpy", "scipy", "onnxruntime", "jax", "torch", "torchdiffeq", "safetensors", "tree_sitter", "tree_sitter_julia"]
if "--install" in sys.argv:
    enter("exports", PACKAGES)

import numpy as np


def export(folder):
    """Has the test of crates/export write the files of all fields."""
    command = ["cargo", "test", "--no-default-features", "--test", "export", "files_for_the_tests_of_other_languages"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "EXPORT_TO": str(folder)}, check=True, stdout=subprocess.DEVNULL)


def has(*names):
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing and os.environ.get("CI") == "true":
        sys.exit(f"{', '.join(missing)} missing")
    if missing:
        print(f"skipped: {', '.join(missing)} missing")
    return not missing


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(what, found, expected, tolerance):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape, f"{what}: shape {found.shape} instead of {expected.shape}"
    # NaN where odesync has NaN.
    with np.errstate(invalid="ignore"):
        error = np.nanmax(np.abs(found - expected) / np.maximum(np.abs(expected), 1.0), initial=0.0)
    assert (np.isnan(found) == np.isnan(expected)).all() and error <= tolerance, f"{what}: error {error}"


def python(folder, name, suffix, reference, solves):
    module = load(folder / f"{name}{suffix}.py")
    t, u, du = (np.array(reference[key]) for key in ("t", "u", "du"))
    check(f"{name}{suffix}, batch", module.f(t, u), du, 1e-12)
    for i in (0, 1):
        check(f"{name}{suffix}, one state", module.f(t[i], u[i]), du[i], 1e-12)
    if suffix == "_torch":
        import torch

        check(f"{name}{suffix}, module", module.Field()(torch.tensor(t), torch.tensor(u)).detach(), du, 1e-12)
    if solves and reference["solution"]:
        states = module.solve(reference["u0"], np.array(reference["times"]), rtol=1e-10, atol=1e-12)
        check(f"{name}{suffix}, solve", states, reference["solution"], 1e-6)


def onnx(folder, name, reference):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    t, u, du = (np.array(reference[key]) for key in ("t", "u", "du"))
    check(f"{name}.onnx, batch", session.run(None, {"t": t, "u": u})[0], du, 1e-12)
    check(f"{name}.onnx, one state", session.run(None, {"t": t[:1], "u": u[:1]})[0], du[:1], 1e-12)


def julia(folder, name):
    import tree_sitter
    import tree_sitter_julia

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_julia.language()))
    tree = parser.parse((folder / f"{name}.jl").read_bytes())
    assert not tree.root_node.has_error, f"{name}.jl is no Julia: {tree.root_node}"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--install"]
    if arguments:
        folder = Path(arguments[0])
    else:
        folder = Path(tempfile.mkdtemp())
        export(folder)
    names = sorted(path.stem for path in folder.glob("*.json"))
    assert len(names) > 10, f"{folder} holds no exported fields"
    with_onnx, with_jax, with_julia = has("onnxruntime"), has("jax"), has("tree_sitter", "tree_sitter_julia")
    with_torch = has("torch")
    with_torchdiffeq = with_torch and has("torchdiffeq")
    failed = 0
    for name in names:
        reference = json.loads((folder / f"{name}.json").read_text())
        checks = [lambda: python(folder, name, "", reference, True)]
        if with_onnx:
            checks.append(lambda: onnx(folder, name, reference))
        if with_jax:
            # jax's solver does not know of the times of inputs.
            checks.append(lambda: python(folder, name, "_jax", reference, name != "driven"))
        if with_torch:
            checks.append(lambda: python(folder, name, "_torch", reference, with_torchdiffeq))
        if with_julia:
            checks.append(lambda: julia(folder, name))
        for run in checks:
            try:
                run()
            except Exception as error:  # all of them are to be seen
                failed += 1
                print(f"FAILED {name}: {type(error).__name__}: {error}")
    print(f"{len(names)} fields, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
