#!/usr/bin/env python3
"""Hands trainings to the real clients of TensorBoard, wandb and MLflow, and reads every scalar back.

    tools/check_trackers.py [PROGRAM]      # PROGRAM: odesync, target/release/odesync where none is given

Makes a virtual environment of its own in target/trackers and installs the clients there (some 600 MB, once); nothing is sent anywhere:
wandb works offline, MLflow in a file of SQLite.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from environment import ROOT, enter

PACKAGES = ["tensorboard", "tbparse", "wandb", "mlflow"]


def columns(folder):
    with open(folder / "metrics.csv") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("epoch", "failed")]
    return {name: [float(row[name]) for row in rows] for name in names}


def single(x):
    """The nearest number of single precision, which TensorBoard keeps."""
    import numpy

    return float(numpy.float32(x))


def check_tensorboard(folder):
    from tbparse import SummaryReader
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    expected = columns(folder)
    for name, values in expected.items():
        read = [(scalar.step, scalar.value) for scalar in events.Scalars(name)]
        assert read == [(step, single(x)) for step, x in enumerate(values)], name
    for name in ("losses", "fit"):
        assert events.Images(name)[0].encoded_image_string.startswith(b"\x89PNG"), name
    reader = SummaryReader(str(folder))
    table = reader.scalars
    for name, values in expected.items():
        read = table[table.tag == name].value.tolist()
        assert read == [single(x) for x in values], name
    hparams = dict(zip(reader.hparams.tag, reader.hparams.value))
    assert hparams["training.lr"] == expected["lr"][0], hparams
    assert hparams["training.method"] == "vanilla", hparams
    print(f"tensorboard: {len(expected)} scalars of {len(values)} epochs, {len(hparams)} settings, two pictures")


def check_mlflow(folder, uri, experiment, runs):
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=uri)
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    assert len(found) == runs, found
    named = {run.data.tags["mlflow.runName"]: run for run in found}
    run = named[folder.name]
    assert run.info.status == "FINISHED"
    for name, values in columns(folder).items():
        history = sorted(client.get_metric_history(run.info.run_id, name), key=lambda m: m.step)
        assert [m.value for m in history] == values, name
    assert float(run.data.params["training.lr"]) == columns(folder)["lr"][0]
    assert sorted(file.path for file in client.list_artifacts(run.info.run_id)) == ["fit.png", "losses.png"]
    print(f"mlflow: every metric of {folder.name}, settings, two pictures")
    return named


def check_wandb(folder):
    files = list(folder.glob("wandb/offline-run-*/*.wandb"))
    assert len(files) == 1, files
    inspect = [Path(sys.executable).parent / "wandb", "leet", "inspect", "--json", files[0]]
    text = subprocess.run(inspect, capture_output=True, text=True, check=True).stdout
    records = [json.loads(line) for line in text.splitlines()]
    history = [r["history"]["item"] for r in records if r["type"] == "history"]
    config = next(r["run"]["config"]["update"] for r in records if r["type"] == "run")
    expected = columns(folder)
    for name, values in expected.items():
        read = [row[name] for row in history if name in row]
        assert read == values, (name, read, values)
    assert config["training.lr"] == expected["lr"][0], config
    for picture in ("losses", "fit"):
        assert any(picture in key for row in history for key in row), history[-1]
    print(f"wandb: {len(expected)} metrics of {len(values)} epochs, {len(config)} settings, two pictures")


def clients(training):
    """The processes of Python that a training has started; others, which only answer a question, are left out."""
    for children in Path(f"/proc/{training.pid}/task").glob("*/children"):
        # Threads and processes end while they are looked at.
        with suppress(OSError):
            for child in children.read_text().split():
                if b"python" in Path(f"/proc/{child}/cmdline").read_bytes():
                    yield int(child)


@contextmanager
def killed_client(program, work, variables, arguments):
    """Trains into the folder killed, and kills the process of the client when it has begun; gives what the training said."""
    command = [program, "run", *arguments, "--out", "killed"]
    training = subprocess.Popen(command, cwd=work, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    client = None
    while client is None and training.poll() is None:
        client = next(clients(training), None)
        time.sleep(0.01)
    assert client is not None, "the training had no client"
    os.kill(client, signal.SIGKILL)
    said = training.communicate(timeout=300)[0]
    assert training.returncode == 0, said
    yield said


@contextmanager
def full_disk(work):
    """Gives a folder on a file system without room; None, and a word, where none can be mounted."""
    place = work / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True)
    if mounted.returncode != 0:
        print("skipped: a full disk, which needs root")
        yield None
        return
    try:
        yield place
    finally:
        # A client's own service may still have a file there open: it goes when the service ends.
        subprocess.run(["umount", "--lazy", place], check=True)


def main():
    enter("trackers", PACKAGES)
    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "odesync").resolve()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        uri = f"sqlite:///{work}/mlflow.db"
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("WANDB_", "MLFLOW_"))}
        variables |= {"ODESYNC_PYTHON": sys.executable, "HOME": name}

        def odesync(*arguments):
            done = subprocess.run([program, *arguments], cwd=work, env=variables, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout + done.stderr

        script = str(ROOT / "scripts" / "train_lotka_volterra.rhai")
        short = ["training=vanilla", "training.epochs=30"]
        loggers = ["logger=[csv,tensorboard,wandb,mlflow]", f"logger.mlflow.tracking_uri={uri}"]
        said = odesync("run", script, *short, *loggers, "--out", "run")
        assert "the training goes on without" not in said, said
        check_tensorboard(work / "run")
        check_wandb(work / "run")
        check_mlflow(work / "run", uri, "odesync", 1)

        # Runs that are over, as a group.
        odesync("run", script, *short, "-m", "random_seed=1,2", "--out", "many")
        odesync("log", "push", "many", "--to", "tensorboard")
        odesync("log", "push", "many", "--to", "wandb", "--project", "later")
        odesync("log", "push", "many", "--to", "mlflow", "--project", "later", "--tracking-uri", uri)
        for folder in sorted(work.glob("many/*/")):
            check_tensorboard(folder)
            check_wandb(folder)
            named = check_mlflow(folder, uri, "later", 2)
            assert named[folder.name].data.tags["group"] == "many"
        # Without a network a training comes to its end.
        variables |= {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_MODE": "online"}
        variables |= {"WANDB_INIT_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        said = odesync(
            "run", script, *short, "logger=[csv,wandb,mlflow]", "logger.mlflow.tracking_uri=http://127.0.0.1:9", "--out", "alone"
        )
        for tracker in ("wandb", "mlflow"):
            assert f"logger {tracker}: " in said and f"odesync log push alone --to {tracker}" in said, said
        assert len(columns(work / "alone")["mse"]) == 30
        print("no network: a note for each tracker, and the run is complete")

        # Whatever happens to the clients, the training ends as without them, bit for bit.
        def best(folder):
            return (work / folder / "best.safetensors").read_bytes()

        variables = {k: v for k, v in variables.items() if not k.startswith(("WANDB_", "MLFLOW_"))}
        odesync("run", script, *short, "--out", "plain")
        with killed_client(program, work, variables, [script, *short, "logger=[csv,wandb]"]) as said:
            assert "odesync log push killed --to wandb" in said, said
        assert best("killed") == best("plain")
        print("a client that is killed: a note, and the model is that of a training without it")
        variables["ODESYNC_PYTHON"] = "/nowhere/python3"
        said = odesync("run", script, *short, "logger=[csv,wandb,mlflow]", "--out", "without")
        assert "does not start" in said and best("without") == best("plain"), said
        print("no Python: the same")
        variables["ODESYNC_PYTHON"] = sys.executable
        with full_disk(work) as disk:
            if disk is None:
                return
            said = odesync("run", script, *short, "logger=[csv,mlflow]", f"logger.mlflow.tracking_uri=sqlite:///{disk}/a.db", "--out", "full")
            assert "logger mlflow: " in said and "odesync log push full --to mlflow" in said, said
            assert best("full") == best("plain")
        print("a full disk: the same")


if __name__ == "__main__":
    main()
