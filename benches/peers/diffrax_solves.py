"""Many solves of Lorenz' system, each with its own initial state and rho, by diffrax: `jit` of `vmap`, compiled before it is timed."""

import json
import sys

import case as peer
import diffrax
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
with open(sys.argv[1]) as file:
    case = json.load(file)
u0, rho = jnp.array(np.array(case["u0"]).reshape(-1, 3)), jnp.array(case["rho"])


def field(t, u, rho):
    x, y, z = u
    return jnp.stack([10.0 * (y - x), x * (rho - z) - y, x * y - 8.0 / 3.0 * z])


def end(u0, rho):
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Tsit5(),
        0.0,
        case["t_end"],
        None,
        u0,
        rho,
        stepsize_controller=diffrax.PIDController(rtol=case["rtol"], atol=case["atol"]),
        adjoint=diffrax.ForwardMode(),
        max_steps=4096,
    )
    return solution.ys[-1]


call = jax.jit(jax.vmap(end))
peer.answer(lambda: jax.block_until_ready(call(u0, rho)), ends=call(u0, rho).reshape(-1))
