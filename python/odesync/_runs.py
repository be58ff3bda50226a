"""What runs leave on disk, as NumPy arrays."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from ._program import call


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
        # A data set, as which times and states travel, has two times at least.
        sent = np.append(t, t + 1e-6 * np.maximum(1.0, np.abs(t))) if len(t) == 1 else t
        with tempfile.TemporaryDirectory() as folder:
            times, states = os.path.join(folder, "t.npz"), os.path.join(folder, "u.npz")
            # The times travel as the only state of a data set, so that no digit of them is lost.
            np.savez(times, t=np.arange(len(sent), dtype=np.float64), u=sent[:, None])
            call(["--quiet", "eval", _PREDICT.format(run=_text(self.folder), times=_text(times), states=_text(states))])
            with np.load(states) as arrays:
                u = arrays["u"]
        return u[..., : len(t), :]

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

    file:      the table, with a row for each time: a path, a DataFrame (pandas, polars) or a dict of columns
    time:      column of the time
    state:     columns of the state
    input:     columns of known inputs
    sample:    column that identifies the sample, where there are several
    hidden:    widths of the hidden layers to choose from
    equations: whether to look for equations too
    out:       folder of the results, by default runs/NAME after the file, and runs/table for a table without one
    overwrite: whether to replace the run that the folder holds
    options:   further options of the command: dt, skip, delimiter, decimal, missing

    Raises OdesyncError with the program's message.
    """
    if hasattr(file, "keys") or hasattr(file, "columns"):
        out = Path(out or "runs/table")
        # Beside the results, whose script reads it.
        file = _write_table(file, out.with_name(out.name + "_data.csv"))
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


def _write_table(table, path) -> Path:
    """Writes the columns of a DataFrame or a dict as a table of text; an index of pandas that has a name or is of times is a column."""
    index = getattr(table, "index", None)
    if getattr(index, "name", None) is not None or type(index).__name__ in ("DatetimeIndex", "TimedeltaIndex"):
        table = table.reset_index()
    names = list(table.columns if hasattr(table, "columns") else table)
    columns = [_cells(table[name]) for name in names]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("the columns of a table have one length: " + ", ".join(f"{name} has {len(column)}" for name, column in zip(names, columns)))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *zip(*columns)])
    return path


def _cells(column) -> list:
    """The cells of a column as text; missing values are empty."""
    values = np.asarray(column)
    if values.dtype.kind == "M":
        return ["" if np.isnat(value) else str(value) for value in values]
    # What is missing is not equal to itself; None and the NA of pandas say so in their own ways.
    return ["" if value is None or str(value) in ("nan", "NaT", "<NA>") else value for value in values.tolist()]


def _text(path) -> str:
    """A path as a text of the script language."""
    return json.dumps(os.fspath(os.path.abspath(path)), ensure_ascii=False)


def _numbers(column) -> np.ndarray:
    """A column of the table of metrics; texts stay texts."""
    try:
        return np.array([float(cell) if cell else np.nan for cell in column])
    except ValueError:
        return np.array(column)
