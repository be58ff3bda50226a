"""What the peers share: a case read from a file, the spline of its data, times, and the answer on standard output.

A peer is called as `PEER.py CASE.json` by `main.rs` in this folder, on one processor. It prints one JSON object.
"""

import json
import os
import sys
import time

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from scipy.interpolate import CubicSpline


def read():
    """The case; its lists of numbers are arrays, and `u` is `[time, dof]`."""
    with open(sys.argv[1]) as file:
        case = json.load(file)
    case["t"], case["u0"] = np.array(case["t"]), np.array(case["u0"])
    case["u"] = np.array(case["u"]).reshape(len(case["t"]), len(case["u0"]))
    return case


def spline(case):
    """Power coefficients `[4, interval, dof]`, the highest first, of the natural cubic spline through the data."""
    return CubicSpline(case["t"], case["u"], bc_type="natural").c


def layers(case):
    """Weight `[out, in]` and bias of every layer."""
    params, at = np.array(case["params"]), 0
    for n_in, n_out in zip(case["nodes"], case["nodes"][1:]):
        weight = params[at : at + n_in * n_out].reshape(n_out, n_in)
        at += n_in * n_out
        yield weight, params[at : at + n_out]
        at += n_out


def least_seconds(call):
    """Least wall time of at least 5 calls and 2 seconds."""
    times, begin = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begin < 2:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def answer(**values):
    """Prints the result."""
    print(json.dumps({key: np.asarray(value).tolist() for key, value in values.items()}))
