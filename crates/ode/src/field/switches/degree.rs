//! Degrees of functions of t as polynomials, between two switches of their operands, where signals are cubic.

use super::super::op::{Binary, NodeId, Op, Unary};

/// Degree that stands for a function that is no polynomial, or one of a high degree.
const NO_POLYNOMIAL: u32 = 1000;

/// Returns the degree of a node in t, given those of the nodes before it; `constant` are the numbers of a node that is a constant.
pub(super) fn degree<'a>(op: &Op, degrees: &[u32], constant: impl Fn(&NodeId) -> &'a [f64]) -> u32 {
    let of = |x: &NodeId| degrees[x.index()];
    let most = op.operands().iter().map(of).max().unwrap_or(0);
    let degree = match op {
        Op::Time => 1,
        Op::Signal(_) => 3,
        Op::State => NO_POLYNOMIAL,
        Op::Unary(f, x) => {
            use Unary::{Abs, Ceil, Floor, Neg, Relu, Sign, Square};
            match f {
                Sign | Floor | Ceil => 0,
                Neg | Abs | Relu => of(x),
                Square => 2 * of(x),
                _ if of(x) == 0 => 0,
                _ => NO_POLYNOMIAL,
            }
        }
        Op::Binary(f, x, y) => match f {
            f if f.is_comparison() => 0,
            Binary::Mul => of(x) + of(y),
            Binary::Div if of(y) == 0 => of(x),
            _ if most == 0 => 0,
            Binary::Pow => match constant(y) {
                n if !n.is_empty() && n.iter().all(|n| [0.0, 1.0, 2.0, 3.0].contains(n)) => {
                    n.iter().fold(0, |most, n| most.max(*n as u32)) * of(x)
                }
                _ => NO_POLYNOMIAL,
            },
            Binary::Div | Binary::Atan2 => NO_POLYNOMIAL,
            _ => most,
        },
        Op::Select { cond, a, b } if of(cond) == 0 => of(a).max(of(b)),
        Op::Select { .. } => NO_POLYNOMIAL,
        _ => most,
    };
    degree.min(NO_POLYNOMIAL)
}
