//! What differs between NumPy, PyTorch and JAX.

use odesync_ode::field::{Binary, Unary};

use crate::PythonLibrary::{self, Jax, Numpy, Torch};

impl PythonLibrary {
    /// Returns the name that the library is imported under.
    pub(super) fn module(self) -> &'static str {
        match self {
            Numpy => "np",
            Torch => "torch",
            Jax => "jnp",
        }
    }

    /// Returns the import statements.
    pub(super) fn imports(self) -> &'static str {
        match self {
            Numpy => "import numpy as np\nfrom scipy.integrate import solve_ivp\n",
            Torch => "import torch\n",
            Jax => {
                "import jax\n\njax.config.update(\"jax_enable_x64\", True)\n\nimport jax.numpy as jnp\n"
            }
        }
    }

    /// Returns the module of the error function and its relatives.
    pub(super) fn special_functions(self) -> &'static str {
        match self {
            Numpy => "scipy.special",
            Torch => "torch.special",
            Jax => "jax.scipy.special",
        }
    }

    /// Returns the array of a list of numbers.
    pub(super) fn array(self, list: &str) -> String {
        match self {
            Torch => format!("torch.tensor({list}, dtype=torch.float64)"),
            _ => format!("{}.array({list})", self.module()),
        }
    }

    /// Returns the numbers of all the arrays, increasing.
    pub(super) fn union(self, arrays: &str) -> String {
        match self {
            Torch => format!("torch.unique(torch.cat([{arrays}]))"),
            _ => format!(
                "{xp}.unique({xp}.concatenate([{arrays}]))",
                xp = self.module()
            ),
        }
    }

    /// Returns the array of a list of numbers within `f`, where the state is.
    pub(super) fn array_like_state(self, list: &str) -> String {
        match self {
            Torch => format!("torch.tensor({list}, dtype=u.dtype, device=u.device)"),
            _ => self.array(list),
        }
    }

    /// Returns the statement that makes an argument an array of states.
    pub(super) fn as_state(self, name: &str) -> String {
        match self {
            Torch => format!("{name} = torch.as_tensor({name}, dtype=torch.float64)"),
            _ => format!("{name} = {}.asarray({name}, dtype=float)", self.module()),
        }
    }

    /// Returns the statement that makes an argument an array of times.
    pub(super) fn as_time(self, name: &str) -> String {
        match self {
            Torch => {
                format!("{name} = torch.as_tensor({name}, dtype=torch.float64, device=u.device)")
            }
            _ => self.as_state(name),
        }
    }

    /// Returns the sum of the components.
    pub(super) fn sum(self, x: &str) -> String {
        match self {
            Torch => format!("torch.sum({x}, -1, keepdim=True)"),
            _ => format!("{}.sum({x}, -1, keepdims=True)", self.module()),
        }
    }

    /// Returns an elementary function of an array.
    pub(super) fn unary(self, f: Unary, x: &str) -> String {
        let xp = self.module();
        match f {
            Unary::Neg => format!("-{x}"),
            Unary::Asin => format!("{xp}.arcsin({x})"),
            Unary::Acos => format!("{xp}.arccos({x})"),
            Unary::Atan => format!("{xp}.arctan({x})"),
            Unary::Asinh => format!("{xp}.arcsinh({x})"),
            Unary::Acosh => format!("{xp}.arccosh({x})"),
            Unary::Atanh => format!("{xp}.arctanh({x})"),
            Unary::Erf => format!("erf({x})"),
            Unary::Gelu => format!("{x} * ndtr({x})"),
            Unary::Relu => format!("{xp}.maximum({x}, {xp}.zeros_like({x}))"),
            Unary::Silu => format!("{x} * expit({x})"),
            Unary::Softplus => format!("{xp}.logaddexp({x}, {xp}.zeros_like({x}))"),
            Unary::Sigmoid => format!("expit({x})"),
            // The names that all have.
            Unary::Abs
            | Unary::Sign
            | Unary::Sqrt
            | Unary::Square
            | Unary::Exp
            | Unary::Expm1
            | Unary::Log
            | Unary::Log1p
            | Unary::Log10
            | Unary::Sin
            | Unary::Cos
            | Unary::Tan
            | Unary::Sinh
            | Unary::Cosh
            | Unary::Tanh
            | Unary::Floor
            | Unary::Ceil => format!("{xp}.{}({x})", f.name()),
        }
    }

    /// Returns a function of two arrays.
    pub(super) fn binary(self, f: Binary, x: &str, y: &str) -> String {
        let xp = self.module();
        match f {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => {
                format!("{x} {} {y}", f.name())
            }
            Binary::Min => format!("{xp}.minimum({x}, {y})"),
            Binary::Max => format!("{xp}.maximum({x}, {y})"),
            Binary::Atan2 => format!("{xp}.arctan2({x}, {y})"),
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {
                let number = if self == Torch {
                    "to(u.dtype)"
                } else {
                    "astype(float)"
                };
                format!("({x} {} {y}).{number}", f.name())
            }
        }
    }

    /// Returns the function that joins arrays along the last axis.
    pub(super) fn concatenate(self) -> &'static str {
        match self {
            Numpy => {
                "\n\ndef _concatenate(*parts):\n    shape = np.broadcast_shapes(*(x.shape[:-1] for x in parts))\n    \
                 return np.concatenate([np.broadcast_to(x, shape + x.shape[-1:]) for x in parts], axis=-1)\n"
            }
            Torch => {
                "\n\ndef _concatenate(*parts):\n    shape = torch.broadcast_shapes(*(x.shape[:-1] for x in parts))\n    \
                 return torch.cat([x.expand(shape + x.shape[-1:]) for x in parts], dim=-1)\n"
            }
            Jax => {
                "\n\ndef _concatenate(*parts):\n    shape = jnp.broadcast_shapes(*(x.shape[:-1] for x in parts))\n    \
                 return jnp.concatenate([jnp.broadcast_to(x, shape + x.shape[-1:]) for x in parts], axis=-1)\n"
            }
        }
    }

    /// Returns the function that evaluates an external input.
    pub(super) fn piecewise_cubic(self) -> String {
        let (find, nearest, since) = match self {
            Torch => (
                "torch.searchsorted(knots, t.contiguous(), right=True)",
                "torch.clamp(after - 1, 0, len(knots) - 1)",
                "torch.clamp(t - knots[i], min=0.0)",
            ),
            Numpy => (
                "np.searchsorted(knots, t, side=\"right\")",
                "np.clip(after - 1, 0, len(knots) - 1)",
                "np.maximum(t - knots[i], 0.0)",
            ),
            Jax => (
                "jnp.searchsorted(knots, t, side=\"right\")",
                "jnp.clip(after - 1, 0, len(knots) - 1)",
                "jnp.maximum(t - knots[i], 0.0)",
            ),
        };
        let to_device = match self {
            Torch => "    knots, cubics = knots.to(t.device), cubics.to(t.device)\n",
            _ => "",
        };
        format!(
            "\n\ndef _piecewise_cubic(t, knots, cubics):\n{to_device}    after = {find}\n    i = {nearest}\n    s = {since}[..., None]\n    \
             a, b, c, d = {}.moveaxis(cubics[i], -1, 0)\n    return a + s * (b + s * (c + s * d))\n",
            self.module()
        )
    }
}
