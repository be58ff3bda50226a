"""Loss and gradient of a black box coupled to data, by diffrax: `jit` of `value_and_grad`, compiled before it is timed."""

import case as peer
import diffrax
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
case = peer.read()
t, u0, u = (jnp.array(case[key]) for key in ("t", "u0", "u"))
coefficients, coupling = jnp.array(peer.spline(case)), case["coupling"]
params = [(jnp.array(weight), jnp.array(bias)) for weight, bias in peer.layers(case)]


def data(s):
    i = jnp.clip(jnp.searchsorted(t, s, side="right") - 1, 0, len(t) - 2)
    x, (c3, c2, c1, c0) = s - t[i], coefficients[:, i]
    return c0 + x * (c1 + x * (c2 + x * c3))


def field(s, y, params):
    z = y
    for weight, bias in params[:-1]:
        z = jax.nn.gelu(weight @ z + bias, approximate=False)
    weight, bias = params[-1]
    return weight @ z + bias + coupling * (data(s) - y)


def loss(params):
    solution = diffrax.diffeqsolve(
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
    )
    return jnp.mean((solution.ys - u) ** 2)


call = jax.jit(jax.value_and_grad(loss))
value, gradient = call(params)
flat = jnp.concatenate([x.reshape(-1) for x in jax.tree.leaves(gradient)])
peer.answer(lambda: jax.block_until_ready(call(params)), loss=value, gradient=flat)
