//! The function `solve` of a Python file.

use crate::PythonLibrary;

/// Returns the function that solves, with its own blank lines before it; with `inputs` it steps onto their times.
pub(super) fn function(library: PythonLibrary, inputs: bool) -> String {
    let text = match (library, inputs) {
        (PythonLibrary::Numpy, false) => NUMPY,
        (PythonLibrary::Numpy, true) => NUMPY_WITH_INPUTS,
        (PythonLibrary::Torch, _) => TORCH,
        (PythonLibrary::Jax, _) => JAX,
    };
    let jumps = match inputs {
        true => ", options={\"jump_t\": KNOTS}",
        false => "",
    };
    text.replace("JUMPS", jumps)
}

const NUMPY: &str = r#"

def solve(u0, t, rtol=1e-7, atol=1e-9, method="LSODA"):
    """Returns the states at the times t, [time, dof], from the state u0 at t[0]."""
    solution = solve_ivp(f, (t[0], t[-1]), u0, method=method, t_eval=t, rtol=rtol, atol=atol)
    if not solution.success:
        raise RuntimeError(solution.message)
    return solution.y.T
"#;

const NUMPY_WITH_INPUTS: &str = r#"

def solve(u0, t, rtol=1e-7, atol=1e-9, method="LSODA"):
    """Returns the states at the times t, [time, dof], from the state u0 at t[0]. The solver begins anew at the inputs' times."""
    t = np.asarray(t, dtype=float)
    low, high = min(t[0], t[-1]), max(t[0], t[-1])
    inside = KNOTS[(KNOTS > low) & (KNOTS < high)]
    ends = [t[0], *(inside if t[-1] >= t[0] else inside[::-1]), t[-1]]
    u = np.asarray(u0, dtype=float)
    states = np.empty((len(t), len(u)))
    for begin, end in zip(ends[:-1], ends[1:]):
        # Where an input jumps, the value before the jump holds up to the end.
        last = np.nextafter(max(begin, end), min(begin, end))
        solution = solve_ivp(
            lambda s, u: f(min(s, last), u), (begin, end), u, method=method, dense_output=True, rtol=rtol, atol=atol
        )
        if not solution.success:
            raise RuntimeError(solution.message)
        here = (t >= min(begin, end)) & (t <= max(begin, end))
        states[here] = solution.sol(t[here]).T
        u = solution.y[:, -1]
    return states
"#;

const TORCH: &str = r#"

class Field(torch.nn.Module):
    """The field as a module: what was trained are its parameters, the other constants its buffers."""

    def __init__(self):
        super().__init__()
        for name, value in PARAMETERS.items():
            if name in TRAINED:
                self.register_parameter("p_" + name, torch.nn.Parameter(value.clone()))
            else:
                self.register_buffer("p_" + name, value.clone())

    def forward(self, t, u):
        return f(t, u, {name: getattr(self, "p_" + name) for name in PARAMETERS})


def solve(u0, t, rtol=1e-7, atol=1e-9, method="dopri5", field=f):
    """Returns the states at the times t, [time, ..., dof], from the state u0 at t[0]; needs torchdiffeq."""
    from torchdiffeq import odeint

    u0, t = (torch.as_tensor(x, dtype=torch.float64) for x in (u0, t))
    return odeint(field, u0, t, rtol=rtol, atol=atol, method=methodJUMPS)
"#;

const JAX: &str = r#"

def solve(u0, t, rtol=1e-7, atol=1e-9, p=PARAMETERS):
    """Returns the states at the times t, [time, ..., dof], from the state u0 at t[0]."""
    from jax.experimental.ode import odeint

    u0, t = (jnp.asarray(x, dtype=float) for x in (u0, t))
    return odeint(lambda u, t, p: f(t, u, p), u0, t, p, rtol=rtol, atol=atol)
"#;
