"""A stand-in for the package optuna: it chooses values by the number of the trial, keeps the study in a file and every call in another."""

import json
import os
from types import SimpleNamespace

STUDY, CALLS = "study.json", "calls.json"


def keep(*call):
    with open(CALLS, "a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")


class TrialState:
    RUNNING, COMPLETE, PRUNED, FAIL = "running", "complete", "pruned", "fail"


def distribution(kind):
    return lambda *values, **options: SimpleNamespace(kind=kind, values=values, options=options)


class Truth:
    """A truth that is no bool, such as those of NumPy, which Optuna's pruners return."""

    def __init__(self, is_so):
        self.is_so = is_so

    def __bool__(self):
        return self.is_so


class Trial:
    def __init__(self, study, number):
        self.study, self.number, self._trial_id = study, number, number

    @property
    def record(self):
        return self.study.trials[self.number]

    @property
    def params(self):
        return self.record["params"]

    def report(self, value, step):
        keep("report", self.number, step, value)
        self.record["reported"][str(step)] = value
        self.study.save()

    def should_prune(self):
        return Truth(self.number in json.loads(os.environ.get("PRUNE", "[]")))


class Study:
    def __init__(self):
        self.trials, self._storage = [], self
        if os.path.exists(STUDY):
            with open(STUDY, encoding="utf-8") as file:
                self.trials = json.load(file)

    def save(self):
        with open(STUDY, "w", encoding="utf-8") as file:
            json.dump(self.trials, file)

    def get_trials(self, deepcopy):
        return [SimpleNamespace(number=n, state=t["state"], _trial_id=n) for n, t in enumerate(self.trials)]

    def get_trial(self, number):
        reported = self.trials[number]["reported"].items()
        return SimpleNamespace(intermediate_values={int(step): value for step, value in reported})

    def ask(self, space):
        number = len(self.trials)
        if number == int(os.environ.get("BREAKS_AT", -1)):
            raise RuntimeError("the storage is gone")
        params = {}
        for name, one in space.items():
            keep("space", name, one.kind, one.values, one.options)
            if one.kind == "choice":
                params[name] = one.values[0][number % len(one.values[0])]
            elif one.kind == "int":
                params[name] = one.values[0] + number % (one.values[1] - one.values[0] + 1)
            else:
                params[name] = one.values[0] * (one.values[1] / one.values[0]) ** ((number + 1) / 16)
        self.trials.append({"state": TrialState.RUNNING, "params": params, "reported": {}, "value": None})
        self.save()
        return Trial(self, number)

    def tell(self, number, value=None, state=None, skip_if_finished=False):
        trial = self.trials[number]
        if trial["state"] != TrialState.RUNNING:
            assert skip_if_finished
            return
        keep("tell", number, state, value)
        trial["state"], trial["value"] = state, value
        self.save()

    @property
    def best_trial(self):
        complete = [n for n, t in enumerate(self.trials) if t["state"] == TrialState.COMPLETE]
        if not complete:
            raise ValueError("no trial is complete yet")
        return Trial(self, min(complete, key=lambda n: self.trials[n]["value"]))

    @property
    def best_value(self):
        return self.best_trial.record["value"]


def create_study(**options):
    keep("study", options)
    return Study()


def named(kind):
    return lambda **options: keep(kind, options)


logging = SimpleNamespace(ERROR=40, set_verbosity=lambda level: None)
trial = SimpleNamespace(TrialState=TrialState, Trial=Trial)
distributions = SimpleNamespace(
    CategoricalDistribution=distribution("choice"),
    IntDistribution=distribution("int"),
    FloatDistribution=distribution("float"),
)
samplers = SimpleNamespace(TPESampler=named("tpe"), RandomSampler=named("random"))
pruners = SimpleNamespace(
    NopPruner=named("none"),
    MedianPruner=named("median"),
    SuccessiveHalvingPruner=named("successive_halving"),
    HyperbandPruner=named("hyperband"),
)
