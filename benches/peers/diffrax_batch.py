"""Loss and gradient of a black box on many samples, by `vmap` of diffrax."""

import case as peer
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
case = peer.read()
dof = case["nodes"][0]
t, u0 = jnp.array(case["t"]), jnp.array(case["u0"]).reshape(-1, dof)
u = jnp.array(case["u"]).reshape(len(t), -1, dof).transpose(1, 0, 2)
network, params = peer.jax_network(case)


def solve(u0, params):
    return peer.diffrax_solution(case, lambda s, y, params: network(y, params), t, u0, params)


def loss(params):
    return jnp.mean((jax.vmap(solve, (0, None))(u0, params) - u) ** 2)


peer.answer_jax(loss, params)
