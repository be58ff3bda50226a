"""The bridge from odesync to the Python packages wandb, MLflow and Optuna.

Lines of JSON come on the standard input, each with an operation "op" and the number "id" of a run; lines of JSON go back on the
standard output, each with an "event". Whatever fails here is a note there: a training goes on without its tracker.

    {"op": "start", "id": 0, "tracker": "wandb", "name": …, "group": …, "folder": …, "resume": false, "config": {…}, "settings": {…}}
    {"op": "log", "id": 0, "step": 3, "time": 1.5e9, "metrics": {"mse": 0.1}}
    {"op": "summary", "id": 0, "metrics": {"best_mse": 0.1}}
    {"op": "image", "id": 0, "name": "losses", "path": "losses.png"}
    {"op": "finish", "id": 0, "success": true}

A study of Optuna is asked for values and told results; each of these lines has one answer:

    {"op": "study", "id": 1, "storage": "sqlite:///…", "name": …, "direction": "minimize", "sampler": "tpe", "pruner": "median",
     "seed": 1, "space": {"training.lr": {"kind": "float", "low": 1e-4, "high": 0.1, "log": true, "step": null}}, "known": [0, 1]}
    {"op": "ask", "id": 1}                                          → {"event": "trial", "trial": 2, "values": {"training.lr": "0.01"}}
    {"op": "report", "id": 1, "trial": 2, "values": [[10, 0.3]]}    → {"event": "reported", "prune": false}
    {"op": "tell", "id": 1, "trial": 2, "state": "complete", "value": 0.1} → {"event": "told", "best": {"trial": 2, "value": 0.1}}
"""

import json
import os
import signal
import sys

# Ctrl-C is the training's to handle; it then ends the input.
signal.signal(signal.SIGINT, signal.SIG_IGN)

# What the clients print must not get between the answers.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def answer(**event):
    answers.write(json.dumps(event) + "\n")
    answers.flush()


def known_id(folder, tracker):
    """The tracker's id of the run that was begun in this folder before."""
    try:
        with open(os.path.join(folder, "tracking.json"), encoding="utf-8") as file:
            return json.load(file).get(tracker)
    except (OSError, ValueError):
        return None


def keep_id(folder, tracker, run_id):
    path = os.path.join(folder, "tracking.json")
    ids = {}
    try:
        with open(path, encoding="utf-8") as file:
            ids = json.load(file)
    except (OSError, ValueError):
        pass
    ids[tracker] = run_id
    with open(path, "w", encoding="utf-8") as file:
        json.dump(ids, file)
        file.write("\n")


def wandb_has_key():
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        import netrc

        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, ImportError, ValueError, SyntaxError):
        return False


class Wandb:
    def __init__(self, m):
        import wandb

        self.wandb = wandb
        settings = m["settings"]
        mode = os.environ.get("WANDB_MODE") or settings.get("mode")
        self.mode = mode or ("online" if wandb_has_key() else "offline")
        known = known_id(m["folder"], "wandb") if m.get("resume") else None
        self.run = wandb.init(
            project=settings.get("project"),
            entity=settings.get("entity"),
            name=m["name"],
            group=settings.get("group") or m.get("group") or None,
            job_type=settings.get("job_type"),
            tags=settings.get("tags") or None,
            dir=m["folder"],
            config=m["config"],
            mode=self.mode,
            id=known,
            resume="allow" if known and self.mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off"),
        )
        keep_id(m["folder"], "wandb", self.run.id)
        self.where = self.run.url if self.mode == "online" else self.run.dir

    def log(self, step, time, metrics):
        self.run.log(metrics, step=step)

    def summary(self, metrics):
        for name, value in metrics.items():
            self.run.summary[name] = value

    def image(self, name, path):
        self.run.log({name: self.wandb.Image(path)})

    def finish(self, success):
        self.run.finish(exit_code=0 if success else 1)


class Mlflow:
    def __init__(self, m):
        import mlflow
        from mlflow.entities import Metric, Param, RunTag

        self.Metric, self.waiting = Metric, []
        settings = m["settings"]
        uri = settings.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
        self.client = mlflow.MlflowClient(tracking_uri=uri)
        name = settings.get("experiment_name") or "odesync"
        experiment = self.client.get_experiment_by_name(name)
        experiment_id = experiment.experiment_id if experiment else self.client.create_experiment(name)
        self.id = known_id(m["folder"], "mlflow") if m.get("resume") else None
        if self.id is None:
            self.id = self.client.create_run(experiment_id, run_name=m["name"]).info.run_id
        else:
            self.client.set_terminated(self.id, "RUNNING")
        keep_id(m["folder"], "mlflow", self.id)
        tags = [RunTag(tag, "") for tag in settings.get("tags") or []]
        if m.get("group"):
            tags.append(RunTag("group", m["group"]))
        # A parameter has at most 6000 characters, and is never changed; a batch has at most 100.
        params = [Param(key, str(value)[:6000]) for key, value in m["config"].items()]
        for first in range(0, max(len(params), 1), 100):
            self.client.log_batch(self.id, params=params[first : first + 100], tags=tags if first == 0 else [])
        self.where = uri

    def log(self, step, time, metrics):
        stamp = int(time * 1000)
        self.waiting += [self.Metric(name, float(value), stamp, step) for name, value in metrics.items()]
        if len(self.waiting) >= 500:
            self.flush()

    def flush(self):
        waiting, self.waiting = self.waiting, []
        for first in range(0, len(waiting), 1000):
            self.client.log_batch(self.id, metrics=waiting[first : first + 1000])

    def summary(self, metrics):
        self.flush()
        for name, value in metrics.items():
            self.client.log_metric(self.id, name, float(value))

    def image(self, name, path):
        self.client.log_artifact(self.id, path)

    def finish(self, success):
        self.flush()
        self.client.set_terminated(self.id, "FINISHED" if success else "FAILED")


TRACKERS = {"wandb": Wandb, "mlflow": Mlflow}


class Study:
    """A study of Optuna; each method returns the fields of its answer."""

    def __init__(self, m):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.trials = optuna, {}
        samplers, pruners = optuna.samplers, optuna.pruners
        # A study that goes on draws other numbers than at its beginning.
        self.study = optuna.create_study(
            storage=m["storage"], study_name=m["name"], direction=m["direction"], load_if_exists=True
        )
        known = self.study.get_trials(deepcopy=False)
        seed = m["seed"] + len(known)
        self.study.sampler = {
            "tpe": lambda: samplers.TPESampler(seed=seed, constant_liar=True),
            "random": lambda: samplers.RandomSampler(seed=seed),
            "qmc": lambda: samplers.QMCSampler(seed=m["seed"]),
            "gp": lambda: samplers.GPSampler(seed=seed),
            "cmaes": lambda: samplers.CmaEsSampler(seed=seed),
        }[m["sampler"]]()
        self.study.pruner = {
            "none": pruners.NopPruner,
            "median": pruners.MedianPruner,
            "successive_halving": pruners.SuccessiveHalvingPruner,
            "hyperband": pruners.HyperbandPruner,
        }[m["pruner"]]()
        self.space = {name: self.distribution(domain) for name, domain in m["space"].items()}
        running = [t for t in known if t.state == optuna.trial.TrialState.RUNNING]
        for frozen in running:
            if frozen.number in m["known"]:
                self.trials[frozen.number] = optuna.trial.Trial(self.study, frozen._trial_id)
            elif m["own"]:
                # Asked for by a program that ended before it began the run.
                self.study.tell(frozen.number, state=optuna.trial.TrialState.FAIL)

    def distribution(self, domain):
        distributions = self.optuna.distributions
        if domain["kind"] == "choice":
            return distributions.CategoricalDistribution(domain["choices"])
        if domain["kind"] == "int":
            return distributions.IntDistribution(domain["low"], domain["high"], log=domain["log"], step=domain["step"])
        return distributions.FloatDistribution(domain["low"], domain["high"], log=domain["log"], step=domain["step"])

    def ask(self, m):
        trial = self.study.ask(self.space)
        self.trials[trial.number] = trial
        values = {name: x if isinstance(x, str) else repr(x) for name, x in trial.params.items()}
        return {"event": "trial", "trial": trial.number, "values": values}

    def report(self, m):
        trial = self.trials.get(m["trial"])
        if trial is None:
            return {"event": "reported", "prune": False}
        known = self.study._storage.get_trial(trial._trial_id).intermediate_values
        prune = False
        for step, value in m["values"]:
            if step not in known:
                trial.report(value, step)
                prune = prune or bool(trial.should_prune())
        return {"event": "reported", "prune": prune}

    def tell(self, m):
        states = self.optuna.trial.TrialState
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED, "fail": states.FAIL}[m["state"]]
        value = m["value"] if state == states.COMPLETE else None
        self.study.tell(m["trial"], value, state, skip_if_finished=True)
        self.trials.pop(m["trial"], None)
        try:
            best = {"trial": self.study.best_trial.number, "value": float(self.study.best_value)}
        except ValueError:
            best = None  # None is complete yet.
        return {"event": "told", "best": best}


def act(runs, m):
    op = m["op"]
    if op == "study":
        runs[m["id"]] = Study(m)
        answer(event="study", id=m["id"])
        return
    if op in ("ask", "report", "tell"):
        answer(id=m["id"], **getattr(runs[m["id"]], op)(m))
        return
    if op == "start":
        runs[m["id"]] = run = TRACKERS[m["tracker"]](m)
        answer(event="started", id=m["id"], where=str(run.where))
        return
    run = runs.get(m["id"])
    if run is None:
        return
    if op == "log":
        run.log(m["step"], m["time"], m["metrics"])
    elif op == "summary":
        run.summary(m["metrics"])
    elif op == "image":
        run.image(m["name"], m["path"])
    elif op == "finish":
        del runs[m["id"]]
        run.finish(m["success"])


def main():
    runs, failed = {}, set()
    for line in sys.stdin:
        if not line.strip():
            continue
        m = json.loads(line)
        try:
            if m["id"] not in failed:
                act(runs, m)
        except BaseException as error:
            text = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            answer(event="failed", id=m["id"], text=text)
            failed.add(m["id"])
            runs.pop(m["id"], None)
        if m["op"] == "finish":
            answer(event="finished", id=m["id"])
    # The input ends with the program: runs that it did not finish were stopped.
    for run in runs.values():
        try:
            if not isinstance(run, Study):
                run.finish(False)
        except BaseException:
            pass


main()
