//! The option `breakpoints`: times at which steps end exactly.

use odesync_base::options::{Flag, ListOf, Mismatch, Number, OptionKind, Value};

/// Which times steps end at exactly: those at which the field or a derivative of it jumps, none, or further ones.
///
/// ```
/// use odesync_ode::odesolve::{FnRhs, SolveOptions, solve_rhs};
/// // A force that is switched on at t = 5, which a closure does not tell.
/// let rhs = FnRhs::new(1, |t, u, du| du[0] = if t >= 5.0 { 1.0 } else { 0.0 } - u[0]);
/// let options = SolveOptions::default().breakpoints([5.0]);
/// let solution = solve_rhs(&rhs, &[0.0], &[0.0, 6.0], &options)?;
/// assert!((solution.u[[1, 0]] - (1.0 - (-1.0_f64).exp())).abs() < 1e-8);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Breakpoints {
    /// Those of the field.
    #[default]
    OfField,
    /// None: torchdiffeq's way.
    Off,
    /// Those of the field, and these times, at which the right-hand side may jump.
    Also(Vec<f64>),
}

impl From<bool> for Breakpoints {
    fn from(on: bool) -> Self {
        match on {
            true => Breakpoints::OfField,
            false => Breakpoints::Off,
        }
    }
}

impl From<Vec<f64>> for Breakpoints {
    fn from(times: Vec<f64>) -> Self {
        Breakpoints::Also(times)
    }
}

impl<const N: usize> From<[f64; N]> for Breakpoints {
    fn from(times: [f64; N]) -> Self {
        Breakpoints::Also(times.to_vec())
    }
}

impl Breakpoints {
    /// Returns whether steps end at the breakpoints of a field.
    pub fn of_field(&self) -> bool {
        *self != Breakpoints::Off
    }

    /// Returns the times given beside those of the field.
    pub fn given(&self) -> &[f64] {
        match self {
            Breakpoints::Also(times) => times,
            Breakpoints::OfField | Breakpoints::Off => &[],
        }
    }
}

/// True, false, or a list of times.
#[derive(Debug, Clone, Copy)]
pub struct FlagOrTimes;

impl OptionKind for FlagOrTimes {
    type Field = Breakpoints;
    const EXPECTED: &'static str = "true, false or a list of times";
    const LITERALS: &'static [&'static str] = Flag::LITERALS;

    fn read(value: &Value) -> std::result::Result<Breakpoints, Mismatch> {
        match value {
            Value::List(_) => ListOf::<Number>::read(value).map(Breakpoints::Also),
            value => Flag::read(value).map(Breakpoints::from),
        }
    }

    fn write(field: &Breakpoints) -> Value {
        match field {
            Breakpoints::Also(times) => ListOf::<Number>::write(times),
            of_field => Flag::write(&of_field.of_field()),
        }
    }

    fn is_in_range(field: &Breakpoints) -> bool {
        field.given().iter().all(|t| t.is_finite())
    }
}
