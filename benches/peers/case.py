"""Shared code of the peers: reads a case from a file, fits the spline of its data, times calls, and prints the result.

A peer is called as `PEER.py CASE.json` by `contender.rs` in this folder, on one processor. It prints one JSON object, its
result; then it answers each number of seconds on standard input by a time.
"""

import json
import math
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


def torch_network(case):
    """The network with the case's weights, as a module of PyTorch."""
    import torch

    modules = []
    for weight, bias in layers(case):
        linear = torch.nn.Linear(*reversed(weight.shape))
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
        modules += [linear, torch.nn.GELU()]
    return torch.nn.Sequential(*modules[:-1])


def torch_gradient(network):
    """Gradients of all weights and biases after `backward`, layer by layer."""
    return np.concatenate([p.grad.reshape(-1).numpy() for p in network.parameters()])


def answer(call, **values):
    """Prints the result; then, for each number of seconds that comes in, the least wall time of calls that take so long."""
    print(json.dumps({key: np.asarray(value).tolist() for key, value in values.items()}), flush=True)
    for seconds in sys.stdin:
        least, begin = math.inf, time.perf_counter()
        while time.perf_counter() - begin < float(seconds):
            start = time.perf_counter()
            call()
            least = min(least, time.perf_counter() - start)
        print(least, flush=True)
