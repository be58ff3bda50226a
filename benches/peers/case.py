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


def jax_network(case):
    """The network as a function of its input and the parameters, and the parameters, pairs of weight and bias."""
    import jax
    import jax.numpy as jnp

    def network(z, params):
        for weight, bias in params[:-1]:
            z = jax.nn.gelu(weight @ z + bias, approximate=False)
        weight, bias = params[-1]
        return weight @ z + bias

    return network, [(jnp.array(weight), jnp.array(bias)) for weight, bias in layers(case)]


def diffrax_solution(case, field, t, u0, params):
    """States at the times `t`, `[time, dof]`, by diffrax' Dopri5 at the case's tolerances."""
    import diffrax

    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Dopri5(),
        t[0],
        t[-1],
        None,
        u0,
        params,
        saveat=diffrax.SaveAt(ts=t),
        stepsize_controller=diffrax.PIDController(rtol=case["rtol"], atol=case["atol"]),
        max_steps=4096,
    ).ys


def answer_jax(loss, params):
    """`answer` for `jit` of `value_and_grad` of a loss, compiled before it is timed."""
    import jax
    import jax.numpy as jnp

    call = jax.jit(jax.value_and_grad(loss))
    value, gradient = call(params)
    flat = jnp.concatenate([x.reshape(-1) for x in jax.tree.leaves(gradient)])
    answer(lambda: jax.block_until_ready(call(params)), loss=value, gradient=flat)


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
