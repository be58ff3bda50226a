#!/usr/bin/env python3
"""Runs a sweep by a real Slurm on this machine, and compares its summary with that of the same sweep without Slurm.

    tools/check_slurm.py [PROGRAM]         # PROGRAM: odesync, target/release/odesync where none is given

Twelve runs, of which one fails; one task is killed with everything in it and queued again. Starts munged, slurmctld and slurmd in a folder
of its own, and ends them; nothing of a Slurm that is already here is touched. Where they are missing or do not start it is skipped, and
said so; with CI=true that is a failure. On Debian: apt-get install --no-install-recommends slurm-wlm munge; it needs root.
"""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=60 State=UP
"""
RATES = [0.002 * i for i in range(1, 12)] + [-1.0]
SHORT = ["training=vanilla", "training.epochs=400", "trainer.checkpoint_every=5"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(1 if os.environ.get("CI") == "true" else 0)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Slurm:
    """A cluster of one machine in a folder."""

    def __init__(self, folder):
        self.folder, self.daemons = folder, []

    def begin(self):
        folder = self.folder
        folder.chmod(0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        settings = folder / "slurm.conf"
        host = socket.gethostname().split(".")[0]
        settings.write_text(SETTINGS.format(host=host, folder=folder, controller=free_port(), node=free_port()))
        self.variables = os.environ | {"SLURM_CONF": str(settings)}
        files = [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "log", "seed")]
        self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.sock", *files)
        self.wait_for(lambda: (folder / "munge.sock").exists(), "munged does not start")
        self.start("slurmctld", "-D", "-f", settings)
        self.wait_for(lambda: "UP" in self.said("scontrol", "ping"), "slurmctld does not start")
        self.start("slurmd", "-D", "-f", settings)
        self.wait_for(lambda: self.said("sinfo", "--noheader", "--format=%T").strip() == "idle", "slurmd does not start")

    def start(self, *command):
        with open(self.folder / f"{command[0]}.out", "wb") as out:
            daemon = subprocess.Popen(command, env=self.variables, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.daemons.append((command[0], daemon))

    def wait_for(self, is_so, otherwise, seconds=30):
        for _ in range(seconds * 5):
            if is_so():
                return
            time.sleep(0.2)
        logs = [path.read_text(errors="replace").strip().splitlines()[-3:] for path in self.folder.glob("*.log")]
        raise RuntimeError(f"{otherwise}: {logs}")

    def said(self, *command):
        return subprocess.run(command, env=self.variables, capture_output=True, text=True).stdout

    def end(self):
        for _, daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def processes_of(slurm, task):
    """Returns the ids of the processes of a task of this Slurm, by their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            variables = (path / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"SLURM_ARRAY_TASK_ID={task}".encode() in variables and f"SLURM_CONF={slurm.folder}/slurm.conf".encode() in variables:
            found.append(int(path.name))
    return found


def rows(folder):
    """The rows of a summary without what no two runs share."""
    with open(folder / "summary.csv", encoding="utf-8") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def check(slurm, program, work):
    def odesync(*arguments, code=0):
        done = subprocess.run([program, "--quiet", *arguments], cwd=work, env=slurm.variables, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    script = str(ROOT / "scripts" / "train_lotka_volterra.rhai")
    sweep = ["run", script, "-m", *SHORT, "training.lr=" + ",".join(f"{rate:g}" for rate in RATES)]
    odesync(*sweep, "--out", "here", code=1)
    here = rows(work / "here")
    assert [row["status"] for row in here] == ["done"] * 11 + ["failed"], here

    said = odesync(*sweep, "--launcher", "slurm", "launcher.partition=debug", "launcher.time=30", "--out", "queue")
    job = next(word for line in said.splitlines() if "scancel" in line for word in line.split()[-1:])
    print(said.splitlines()[0])
    # The task of the run 1 is killed in the middle, with everything in it.
    checkpoint = work / "queue" / "1_training.lr=0.004" / "last.safetensors"
    slurm.wait_for(checkpoint.exists, "the run 1 has no checkpoint", 120)
    victims = processes_of(slurm, 1)
    assert victims, "the task of the run 1 has no processes"
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    print(f"killed the {len(victims)} processes of the task 1")
    slurm.wait_for(lambda: not processes_of(slurm, 1), "the task 1 does not end")
    slurm.wait_for(lambda: state(slurm, f"{job}_1") not in ("RUNNING", "COMPLETING"), "Slurm does not notice")
    left = (work / "queue" / "1_training.lr=0.004" / "status.json").read_text()
    assert "running" in left, left
    subprocess.run(["scontrol", "requeue", f"{job}_1"], env=slurm.variables, check=True)
    # Slurm lets a task that was queued again wait for two minutes.
    subprocess.run(["scontrol", "update", f"JobId={job}_1", "StartTime=now"], env=slurm.variables, check=False)
    slurm.wait_for(lambda: not slurm.said("squeue", "--noheader", "--job", job).strip(), "the job does not end", 600)
    said = odesync("multirun", "collect", "queue")
    assert "11 of 12 runs done, 1 failed" in said, said
    assert rows(work / "queue") == here, "the summaries differ"
    for member in sorted(path.name for path in (work / "here").iterdir() if (path / "best.safetensors").exists()):
        bits = [(work / of / member / "best.safetensors").read_bytes() for of in ("here", "queue")]
        assert bits[0] == bits[1], f"{member}: the models differ"
    print("12 runs by Slurm, one killed and queued again, one failed: the summary and the models of this machine, bit for bit")


def state(slurm, task):
    text = slurm.said("scontrol", "show", "job", task)
    return next((word.split("=")[1] for word in text.split() if word.startswith("JobState=")), "")


def main():
    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "odesync").resolve()
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue") if shutil.which(name) is None]
    if missing:
        skip(f"{', '.join(missing)} missing")
    if os.geteuid() != 0:
        skip("Slurm's daemons need root")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "slurm"
        folder.parent.chmod(0o755)
        folder.mkdir()
        slurm = Slurm(folder)
        try:
            try:
                slurm.begin()
            except (RuntimeError, OSError) as error:
                skip(f"Slurm does not run here: {error}")
            work = Path(name) / "work"
            work.mkdir()
            check(slurm, program, work)
        finally:
            slurm.end()


if __name__ == "__main__":
    main()
