"""Loss and gradient of a black box coupled to data, by diffrax."""

import case as peer
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
case = peer.read()
t, u0, u = (jnp.array(case[key]) for key in ("t", "u0", "u"))
coefficients, coupling = jnp.array(peer.spline(case)), case["coupling"]
network, params = peer.jax_network(case)


def data(s):
    i = jnp.clip(jnp.searchsorted(t, s, side="right") - 1, 0, len(t) - 2)
    x, (c3, c2, c1, c0) = s - t[i], coefficients[:, i]
    return c0 + x * (c1 + x * (c2 + x * c3))


def field(s, y, params):
    return network(y, params) + coupling * (data(s) - y)


def loss(params):
    return jnp.mean((peer.diffrax_solution(case, field, t, u0, params) - u) ** 2)


peer.answer_jax(loss, params)
