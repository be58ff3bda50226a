"""A small system by diffsol, a Rust library, through pydiffsol: equations in its own language, compiled by LLVM beforehand."""

import case as peer
import numpy as np
import pydiffsol

case = peer.read()
EQUATIONS = {
    "lorenz": "u_i { x = 1.0, y = 1.0, z = 1.0 } F_i { 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z }",
    "van_der_pol": "u_i { x = 2.0, y = 0.0 } F_i { y, 1000.0 * (1.0 - x * x) * y - x }",
    "robertson": """
        u_i { x = 1.0, y = 0.0, z = 0.0 }
        F_i {
            -0.04 * x + 1e4 * y * z,
            0.04 * x - 1e4 * y * z - 3e7 * y * y,
            3e7 * y * y,
        }
    """,
}
ode = pydiffsol.Ode(EQUATIONS[case["system"]], matrix_type=pydiffsol.nalgebra_dense)
ode.ode_solver = {"tsit5": pydiffsol.tsit45, "bdf": pydiffsol.bdf}[case["method"]]
ode.rtol, ode.atol = case["rtol"], case["atol"]
nothing = np.array([])


def call():
    return ode.solve_dense(nothing, case["t"])


error = np.max(np.abs(call().ys.T - case["u"]), axis=0) / np.max(np.abs(case["u"]), axis=0)
peer.answer(call, error=error.max())
