#!/usr/bin/env python3
"""Runs the paper's experiments with every method from three seeds, and writes their tables into docs/src/results.md.

    tools/results.py PROGRAM [SECTION ...]

PROGRAM is odesync; SECTION is a word of the headings of the tables that are to be made, by default all. Runs go to a temporary folder. The
measured double pendulum is left as it is where its file (ODESYNC_MEASURED or real_double_pend_h_1.txt) is missing.
"""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/src/results.md"
METHODS = "vanilla,multishoot,homotopy,adaptive_homotopy,weak_constraint"
NAMES = {
    "multishoot": "multiple shooting",
    "adaptive_homotopy": "homotopy()",
    "weak_constraint": "weak constraint",
    "lotka_blackbox": "black box",
    "blackbox": "black box",
    "lotka_graybox": "gray box",
    "second_order": "second order",
}
MEASURED = os.environ.get("ODESYNC_MEASURED", "real_double_pend_h_1.txt")
# Heading, script, the models, and further arguments.
SECTIONS = [
    ("Lotka-Volterra", "train_lotka_volterra", "lotka_blackbox,lotka_graybox", []),
    ("Double pendulum, simulated", "train_double_pendulum", "second_order,blackbox", []),
    (
        "Double pendulum, measured",
        "train_double_pendulum",
        "second_order",
        ["dataset=double_pendulum_real", f"dataset.path={MEASURED}"],
    ),
    ("Lorenz", "train_lorenz3d", "blackbox", []),
]


def number(text):
    """Three digits, or a dash."""
    if not text:
        return "–"
    x = float(text)
    if x != 0 and (abs(x) < 1e-3 or abs(x) >= 1e3):
        mantissa, exponent = f"{x:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{x:.3g}"


def run(program, script, models, arguments):
    """Runs a multirun and returns the rows of its summary."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", f"scripts/{script}.rhai", "-m", *arguments, f"model={models}", f"training={METHODS}"]
        command += ["random_seed=10,20,30", "--out", folder]
        print("+", " ".join(command), file=sys.stderr, flush=True)
        # A member that fails is a row of the table; the exit status says so, and the summary holds the rest.
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        summaries = list(pathlib.Path(folder).rglob("summary.csv"))
        if len(summaries) != 1:
            sys.exit(f"results: no summary of {script}")
        with open(summaries[0], newline="") as file:
            return list(csv.DictReader(file))


def table(rows, models):
    head = ["model", "method", "seed", "best mse", "at λ = 0", "interpolation", "extrapolation", "epochs or steps", "evaluations"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [
            NAMES[row.get("model") or models],
            NAMES.get(row["training"], row["training"]),
            row["random_seed"],
            number(row["best_mse"]),
            number(row["best_mse_at_zero"]),
            number(row["interpolation_mse"]),
            number(row["extrapolation_mse"]),
            row["epochs"],
            f"{float(row['evaluations'] or 0) / 1e6:.1f} M",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    for heading, script, models, arguments in SECTIONS:
        if words and not any(word.lower() in heading.lower() for word in words):
            continue
        if "measured" in heading and not (ROOT / MEASURED).is_file():
            print(f"results: {MEASURED} is not there; its table stays as it is", file=sys.stderr)
            continue
        new = table(run(program, script, models, arguments), models)
        page = PAGE.read_text()
        # The table is what stands between two comments after its heading.
        begin, end = f"<!-- begin {heading} -->", f"<!-- end {heading} -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        PAGE.write_text(f"{before}{begin}\n{new}\n{end}{after}")


if __name__ == "__main__":
    main()
