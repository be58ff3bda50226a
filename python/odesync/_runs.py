"""What runs leave on disk, as NumPy arrays."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from ._program import call, evaluate


class Run:
    """A saved run: a folder with `best.safetensors` and what belongs to it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "best.safetensors").is_file():
            raise FileNotFoundError(f"{self.folder} holds no run: there is no best.safetensors in it")

    @cached_property
    def metrics(self) -> dict[str, np.ndarray]:
        """The table of the training: an array for each column, with a row for each epoch. NaN where a cell is empty."""
        with open(self.folder / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        columns = zip(*rows[1:]) if len(rows) > 1 else [[] for _ in rows[0]]
        return {name: _numbers(column) for name, column in zip(rows[0], columns)}

    @cached_property
    def result(self) -> dict:
        """`result.json`, where an experiment wrote one; else empty."""
        path = self.folder / "result.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    @cached_property
    def parameters(self) -> dict[str, np.ndarray]:
        """The arrays of the best model's file, by name."""
        from safetensors.numpy import load_file

        return load_file(self.folder / "best.safetensors")

    def predict(self, t) -> np.ndarray:
        """The model's states at the times t, which increase: `[time, state variable]`, or `[sample, time, state variable]` where
        the run was trained on several samples."""
        t = np.ascontiguousarray(np.atleast_1d(t), dtype=np.float64)
        with tempfile.TemporaryDirectory() as folder:
            times, states = os.path.join(folder, "t.npz"), os.path.join(folder, "u.npz")
            # The times travel as the only state of a data set, so that no digit of them is lost.
            np.savez(times, t=np.arange(len(t), dtype=np.float64), u=t[:, None])
            evaluate(_PREDICT.format(run=_text(self.folder), times=_text(times), states=_text(states)))
            with np.load(states) as arrays:
                u = arrays["u"]
        return u

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"


class Discovery(Run):
    """What `discover` found: the run of the highest evidence, the report, the equations where there are any."""

    @cached_property
    def report(self) -> str:
        """The report: data, noise, how far to trust the model."""
        return (self.folder / "report.txt").read_text(encoding="utf-8").rstrip("\n")

    @cached_property
    def equations(self) -> str | None:
        """The equations as a script that defines the system; None where none were found."""
        path = self.folder / "equations.rhai"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    @cached_property
    def latex(self) -> str | None:
        """The equations in LaTeX; None where none were found."""
        path = self.folder / "equations.tex"
        return path.read_text(encoding="utf-8").rstrip("\n") if path.is_file() else None

    def _repr_html_(self) -> str:
        page = (self.folder / "index.html").read_text(encoding="utf-8")
        escaped = page.replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{escaped}" style="width: 100%; height: 40em; border: 0"></iframe>'

    def __repr__(self) -> str:
        return self.report


def load(folder) -> Run:
    """Reads a run's folder; that of `odesync discover` is a Discovery."""
    folder = Path(folder)
    return Discovery(folder) if (folder / "report.txt").is_file() else Run(folder)


def discover(file, *, time=None, state=(), input=(), sample=None, hidden=(), equations=True, out=None, overwrite=False, **options) -> Discovery:
    """Discovers a model of the data in a table, as `odesync discover FILE`, with no setting that is needed.

    file:      the table, with a row for each time
    time:      column of the time
    state:     columns of the state
    input:     columns of known inputs
    sample:    column that identifies the sample, where there are several
    hidden:    widths of the hidden layers to choose from
    equations: whether to look for equations too
    out:       folder of the results, by default runs/NAME after the file
    overwrite: whether to replace the run that the folder holds
    options:   further options of the command: dt, skip, delimiter, decimal, missing

    Raises OdesyncError with the program's message.
    """
    file = Path(file)
    if out is None:
        name = file.with_suffix("") if file.suffix == ".gz" else file
        out = Path("runs") / name.stem
    command = ["discover", os.fspath(file), "--out", os.fspath(out)]
    given = {"time": time, "state": state, "input": input, "sample": sample, "hidden": hidden, **options}
    for name, value in given.items():
        if value is None or isinstance(value, (list, tuple)) and not value:
            continue
        value = ",".join(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)
        command += ["--" + name.replace("_", "-"), value]
    if not equations:
        command.append("--no-equations")
    if overwrite:
        command.append("--overwrite")
    call(command)
    return Discovery(out)


_PREDICT = """
let t = read_npz({times}).u.col(0);
let u = load({run}).predict(t);
dataset(t, u).write_npz({states});
"""


def _text(path) -> str:
    """A path as a text of the script language."""
    return json.dumps(os.fspath(os.path.abspath(path)), ensure_ascii=False)


def _numbers(column) -> np.ndarray:
    """A column of the table of metrics; texts stay texts."""
    try:
        return np.array([float(cell) if cell else np.nan for cell in column])
    except ValueError:
        return np.array(column)
