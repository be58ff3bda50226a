"""The program: where it is, and how it is called."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path


class OdesyncError(RuntimeError):
    """A script or a command failed; the message is the program's."""


def program() -> str:
    """The path of the program: `ODESYNC_PROGRAM`, else that of this environment, else the first on the PATH."""
    name = "odesync" + (sysconfig.get_config_var("EXE") or "")
    given = os.environ.get("ODESYNC_PROGRAM")
    folders = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user"), str(Path(sys.prefix) / "bin")]
    candidates = [given] if given else [os.path.join(folder, name) for folder in folders]
    for path in candidates:
        if path and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if given:
        raise FileNotFoundError(f"ODESYNC_PROGRAM is {given!r}, and there is no program")
    found = shutil.which("odesync")
    if found is None:
        raise FileNotFoundError(f"the program odesync is neither in {folders[0]} nor on the PATH; pip install odesync brings it")
    return found


def literal(value) -> str:
    """A value of Python as a script's argument is written."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, str):
        return value
    raise TypeError(f"an argument of a script is a number, a text, a truth value, None, a list or a dict, not {type(value).__name__}")


def call(arguments: list[str], cwd=None) -> str:
    """Calls the program. Returns what it printed; its notes and progress go to the standard error.

    An interrupt (Ctrl-C, or Jupyter's stop button) reaches the program, which keeps what it has, before it is raised here.
    """
    process = subprocess.Popen(
        [program(), *arguments], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", errors="replace",
    )
    try:
        printed, noted = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            printed, noted = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, noted = process.communicate()
        sys.stdout.write(printed)
        sys.stderr.write(noted)
        raise
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        raise OdesyncError(noted.strip() or f"odesync ended with exit code {process.returncode}")
    sys.stderr.write(noted)
    return printed


def run(script, *, out=None, overwrite=False, overrides=(), cwd=None, **arguments) -> str:
    """Runs a script file, as `odesync run SCRIPT KEY=VALUE …`. Returns what it printed.

    script:    path of a .rhai file
    out:       folder of the run, where the script trains by a configuration
    overwrite: whether what the script trains replaces runs that are in its folders
    overrides: further arguments as they are typed, such as "training.lr=0.01" or "+trainer.epochs=5"
    cwd:       folder in which the script runs
    arguments: the arguments that the script takes by `args(#{ … })`

    Raises OdesyncError with the program's message where the script fails.
    """
    command = ["run", os.fspath(script)]
    command += [f"{key}={literal(value)}" for key, value in arguments.items()]
    command += [str(one) for one in overrides]
    if out is not None:
        command += ["--out", os.fspath(out)]
    if overwrite:
        command.append("--overwrite")
    return call(command, cwd)


def evaluate(code: str, *, cwd=None) -> str:
    """Runs code of the script language, as `odesync eval`. Returns what it printed, its last value included."""
    return call(["eval", code], cwd)
