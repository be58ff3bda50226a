"""A stiff system by SciPy's Radau, with the exact Jacobian."""

import case as peer
import numpy as np
from scipy.integrate import solve_ivp

case = peer.read()


def van_der_pol(t, u, mu=1000.0):
    return [u[1], mu * (1 - u[0] ** 2) * u[1] - u[0]]


def van_der_pol_jacobian(t, u, mu=1000.0):
    return [[0, 1], [-2 * mu * u[0] * u[1] - 1, mu * (1 - u[0] ** 2)]]


def robertson(t, u):
    a, b, c = 0.04 * u[0], 1e4 * u[1] * u[2], 3e7 * u[1] ** 2
    return [-a + b, a - b - c, c]


def robertson_jacobian(t, u):
    b2, b3, c2 = 1e4 * u[1], 1e4 * u[2], 6e7 * u[1]
    return [[-0.04, b3, b2], [0.04, -b3 - c2, -b2], [0, c2, 0]]


field, jacobian = {
    "van_der_pol": (van_der_pol, van_der_pol_jacobian),
    "robertson": (robertson, robertson_jacobian),
}[case["system"]]
t = case["t"]


def call():
    options = {"rtol": case["rtol"], "atol": case["atol"], "jac": jacobian, "t_eval": t}
    return solve_ivp(field, (t[0], t[-1]), case["u0"], method="Radau", **options)


error = np.max(np.abs(call().y.T - case["u"]), axis=0) / np.max(np.abs(case["u"]), axis=0)
peer.answer(call, error=error.max())
