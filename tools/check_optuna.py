#!/usr/bin/env python3
"""Has Optuna itself look for the coupling of the Lotka-Volterra experiment, and looks whether what it finds is good.

    tools/check_optuna.py [PROGRAM]        # PROGRAM: odesync, target/release/odesync where none is given

Makes a virtual environment of its own in target/optuna (some 100 MB, once). Forty runs of homotopy training, two at a time, each with the
coupling that Optuna chooses; nine couplings that are spread evenly over the logarithm are what it is compared with.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import ROOT, enter

LOW, HIGH = 0.01, 100.0
GRID = 9


def summary(folder):
    with open(folder / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main():
    enter("optuna", ["optuna"])
    import optuna

    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "odesync").resolve()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)

        def odesync(*arguments):
            command = [program, "--quiet", "--threads", "2", "run", *arguments]
            variables = os.environ | {"ODESYNC_PYTHON": sys.executable}
            done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        script = str(ROOT / "scripts" / "train_lotka_volterra.rhai")
        short = ["training.schedule.epochs_per_step=30"]
        couplings = [LOW * (HIGH / LOW) ** (i / (GRID - 1)) for i in range(GRID)]
        odesync(script, "-m", *short, "training.coupling=" + ",".join(f"{x:.4g}" for x in couplings), "--out", "grid")
        grid = {float(row["training.coupling"]): float(row["best_mse"] or "inf") for row in summary(work / "grid")}

        said = odesync(script, "-m", "sweeper=optuna", "n=40", *short, f"training.coupling=tag(log,interval({LOW},{HIGH}))", "--out", "study")
        rows = summary(work / "study")
        assert len(rows) == 40, said
        study = optuna.load_study(study_name="study", storage=f"sqlite:///{work}/study/optuna.db")
        states = [trial.state.name for trial in study.trials]
        assert len(states) == 40 and set(states) <= {"COMPLETE", "PRUNED"}, states
        for trial, row in zip(study.trials, rows):
            number = int(row["run"].split("_")[0])
            assert number == trial.number and float(row["training.coupling"]) == trial.params["training.coupling"]
            if trial.state.name == "COMPLETE":
                assert trial.value == float(row["best_mse"])
            else:
                assert row["status"] == "pruned"
        best = study.best_trial
        for coupling, mse in sorted(grid.items()):
            print(f"grid:   coupling {coupling:8.3g}: best mse {mse:.3e}")
        print(f"optuna: coupling {best.params['training.coupling']:8.3g}: best mse {best.value:.3e}, {states.count('PRUNED')} pruned")
        assert best.value <= min(grid.values()), "Optuna is worse than the grid"
        # It goes on with more trials.
        odesync(script, "--resume", "study", "sweeper.n_trials=42")
        assert len(summary(work / "study")) == 42
        print("optuna: 42 trials after going on")


if __name__ == "__main__":
    main()
