#!/usr/bin/env python3
"""Execute notebooks, each in a fresh kernel, two at a time, and fail on the first error of each.

  run_notebooks.py [--short] [--save] [--jobs N] [NOTEBOOK …]

Without names those of notebooks/. The files stay as they are unless --save is given: then they are saved with their outputs.
--short takes the short form of a cell that has one (in its metadata, as `short`), for a check that all works. An error is also
what a cell writes to standard error: a panic, or the error that `?` met, which the kernel doesn't count as one.

It runs in the environment that setup_notebook.py makes.
"""

import argparse
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
# Of a cell. Longer than any run in them on a slow machine.
TIMEOUT = 900
# Of a kernel, on a machine that is busy.
STARTUP = 300
# Saved with its outputs a notebook should stay readable on the web.
LARGEST = 1_500_000
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Failed(Exception):
    """A notebook did not run; the message says where and why."""


def errors(cell):
    """What the compiler or the kernel says; the kernel's reply, which nbclient goes by, leaves it out."""
    return "\n".join("\n".join(output["traceback"] or [output["evalue"]]) for output in cell.get("outputs", []) if output.output_type == "error")


def unshown(cell):
    """Whether a figure or the like came out as the text that is for programmers."""
    results = [output["data"] for output in cell.get("outputs", []) if output.output_type == "execute_result"]
    return any(set(data) == {"text/plain"} and len(data["text/plain"]) > 2000 for data in results)


def complaint(cell):
    """What a cell wrote to standard error."""
    texts = [output["text"] for output in cell.get("outputs", []) if output.get("name") == "stderr"]
    return ESCAPES.sub("", "".join(texts)).strip()


def run(path, short, save):
    """The notebook with its outputs, and the seconds of its first and its slowest later cell."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        if short and "short" in cell.metadata:
            cell.source = cell.metadata["short"]
    client = NotebookClient(notebook, timeout=TIMEOUT, startup_timeout=STARTUP, kernel_name="odesync", resources={"metadata": {"path": str(path.parent)}})
    seconds = []
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            begin = time.monotonic()
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise Failed(f"{path.name}: cell {index} failed:\n{cell.source}\n\n{ESCAPES.sub('', errors(cell) or str(error))}") from error
            seconds.append(time.monotonic() - begin)
            if text := complaint(cell):
                raise Failed(f"{path.name}: cell {index} wrote to standard error:\n{cell.source}\n\n{text}")
            if unshown(cell):
                raise Failed(f"{path.name}: cell {index} shows a long text; a variable that its last line uses up, for one, keeps a figure from being shown:\n{cell.source}")
    if save:
        for cell in cells:
            # Times of day would make every run a change.
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)
        if (size := path.stat().st_size) > LARGEST:
            raise Failed(f"{path.name} has {size / 1e6:.1f} MB; simplify its figures")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the short form of cells that have one")
    parser.add_argument("--save", action="store_true", help="save the notebooks with their outputs")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
    parser.add_argument("notebooks", nargs="*", type=Path)
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.notebooks] or sorted(FOLDER.glob("*.ipynb"))
    if not paths:
        sys.exit(f"there are no notebooks in {FOLDER}")

    def work(path):
        begin = time.monotonic()
        try:
            seconds = run(path, arguments.short, arguments.save)
        except Failed as failure:
            return str(failure)
        first, later = seconds[0], max(seconds[1:], default=0.0)
        print(
            f"{path.name}: {len(seconds)} cells in {time.monotonic() - begin:.0f} s (the first {first:.1f} s, the slowest later {later:.1f} s)",
            flush=True,
        )
        return None

    with ThreadPoolExecutor(arguments.jobs) as pool:
        failures = [failure for failure in pool.map(work, paths) if failure]
    if failures:
        sys.exit("\n\n".join(failures))


if __name__ == "__main__":
    main()
