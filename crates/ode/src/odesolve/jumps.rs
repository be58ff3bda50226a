//! Jumps of the state, at the hits of an event or at given times.

use serde::{Deserialize, Deserializer, Serialize};

use crate::field::native::Evaluator;
use crate::field::{Expr, FieldBuilder, Parameters, VectorField};
use crate::{Error, Result};
use odesync_base::text::count_of;

/// A change of the state in a moment: u⁺ = J(t, u⁻).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Jump {
    /// The map J as a field.
    #[serde(with = "crate::field::json")]
    map: VectorField,
    /// Whether parameters that have the name of one of the field's are the field's.
    follows_field: bool,
}

impl Jump {
    /// Creates the jump from a closure (t, u, p) that returns u⁺, `[dof]`; it is called once, on symbols. `params` are constants of
    /// the closure.
    ///
    /// # Errors
    /// A shape or name error in the closure, or a number of components that is not `dof`.
    pub fn new(
        dof: usize,
        params: &[(&str, f64)],
        jump: impl FnOnce(Expr, Expr, Parameters) -> Vec<Expr>,
    ) -> Result<Self> {
        crate::field::system(dof, params, jump).map(Self::from_map)
    }

    /// Creates the jump from the expression of u⁺, `[dof]`, of a graph under construction.
    ///
    /// # Errors
    /// The errors of [`Jump::new`].
    pub fn build(b: &FieldBuilder, after: Expr) -> Result<Self> {
        b.finish(after.checked()?).map(Self::from_map)
    }

    fn from_map(map: VectorField) -> Self {
        Jump {
            map,
            follows_field: false,
        }
    }

    /// Makes parameters of the jump that have the name of one of the field's follow it: they take the field's value in every solve,
    /// and derivatives by the field's parameters take the jump into account.
    #[must_use]
    pub fn with_field_parameters(mut self) -> Self {
        self.follows_field = true;
        self
    }

    /// Returns the number of state variables.
    pub fn dof(&self) -> usize {
        self.map.dof()
    }

    pub(super) fn check_dof(&self, dof: usize, what: &str) -> Result<()> {
        match self.dof() == dof {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "{what} gives {}, and the state has {}",
                count_of(self.dof(), "number"),
                count_of(dof, "component")
            ))),
        }
    }

    /// Returns the jump with the parameters that follow the field's at their values.
    pub(super) fn bound_to(&self, field: &VectorField) -> Result<Self> {
        let mut bound = self.clone();
        if self.follows_field {
            bound.map = followed(&self.map, field)?;
        }
        Ok(bound)
    }

    /// Returns the state after the jump.
    pub(super) fn apply(&self, sample: usize, t: f64, u: &[f64]) -> Vec<f64> {
        let evaluator = Evaluator::new(&self.map);
        let (mut slot, mut after) = (vec![0.0; evaluator.slot_len()], vec![0.0; u.len()]);
        evaluator.eval(sample, t, u, &mut slot, &mut after);
        after
    }

    /// Computes (∂J/∂u)ᵀ λ, which it returns, and ⟨λ, ∂J/∂t⟩ at (t, u), and adds (∂J/∂θ)ᵀ λ of the field's parameters to `values`.
    pub(super) fn pull_back(
        &self,
        field: &VectorField,
        (sample, t, u): (usize, f64, &[f64]),
        lambda: &[f64],
        values: &mut [f64],
    ) -> (Vec<f64>, f64) {
        let by = Partials::of(&Evaluator::new(&self.map), (sample, t, u), lambda);
        if self.follows_field {
            add_followed(&self.map, &by.values, field, 1.0, values);
        }
        (by.u, by.t)
    }
}

/// The state jumps at given times: `u⁺ = J(t, u⁻)` at each of them, a dose in pharmacology.
///
/// The integration ends a step at each time and begins anew after the jump. An output at exactly such a time is the state after
/// it, also at the initial time; times outside of the solve do nothing.
///
/// ```
/// use odesync_ode::odesolve::{Dose, Jump, SolveOptions, solve};
/// // A drug that decays at a rate of 1, one unit at t = 0 and one at t = 1.
/// let drug = odesync_ode::field::system(1, &[], |_, u, _| vec![-u.at(0)])?;
/// let unit = Jump::new(1, &[], |_, u, _| vec![u.at(0) + 1.0])?;
/// let options = SolveOptions::default().dose(Dose::new(&[0.0, 1.0], unit)?);
/// let solution = solve(&drug, &[0.0], &[0.0, 1.0, 2.0], &options)?;
/// let half = (-1.0_f64).exp();
/// assert_eq!(solution.u[[0, 0]], 1.0);
/// assert!((solution.u[[1, 0]] - (1.0 + half)).abs() < 1e-7);
/// assert!((solution.u[[2, 0]] - (1.0 + half) * half).abs() < 1e-7);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dose {
    #[serde(deserialize_with = "finite_times")]
    times: Vec<f64>,
    jump: Jump,
}

impl Dose {
    /// Creates the jump at these times, in any order.
    ///
    /// # Errors
    /// No times, or one that is not finite.
    pub fn new(times: &[f64], jump: Jump) -> Result<Self> {
        check_times(times)?;
        Ok(Dose {
            times: times.to_vec(),
            jump,
        })
    }

    /// Returns the times.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Returns the jump.
    pub fn state_jump(&self) -> &Jump {
        &self.jump
    }

    /// Returns the dose with the parameters that follow the field's at their values.
    pub(super) fn bound_to(&self, field: &VectorField) -> Result<Self> {
        Ok(Dose {
            times: self.times.clone(),
            jump: self.jump.bound_to(field)?,
        })
    }
}

fn check_times(times: &[f64]) -> Result<()> {
    if times.is_empty() {
        return Err(Error::invalid(
            "a dose needs at least one time, and the list of times is empty",
        ));
    }
    match times.iter().position(|t| !t.is_finite()) {
        Some(i) => Err(Error::invalid(format!(
            "time {i} of a dose is {}; times must be finite",
            times[i]
        ))),
        None => Ok(()),
    }
}

/// Reads the times of a saved dose.
fn finite_times<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<f64>, D::Error> {
    let times = Vec::deserialize(deserializer)?;
    check_times(&times).map_err(serde::de::Error::custom)?;
    Ok(times)
}

/// Derivatives of ⟨bar, y(t, u; θ)⟩ of the output y of an evaluator.
pub(super) struct Partials {
    pub u: Vec<f64>,
    pub t: f64,
    /// By the values of all parameter blocks.
    pub values: Vec<f64>,
}

impl Partials {
    pub fn of(
        evaluator: &Evaluator,
        (sample, t, u): (usize, f64, &[f64]),
        bar: &[f64],
    ) -> Partials {
        let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; bar.len()]);
        evaluator.eval_taped(sample, t, u, &mut slot, &mut out);
        let (mut u_bar, mut t_bar) = (vec![0.0; u.len()], 0.0);
        let mut gradient = evaluator.zero_gradient();
        evaluator.vjp(
            (sample, t),
            &slot,
            bar,
            &mut u_bar,
            Some(&mut t_bar),
            &mut gradient,
        );
        Partials {
            u: u_bar,
            t: t_bar,
            values: evaluator.parameter_gradient(gradient),
        }
    }
}

/// Returns a function of the state with the values of the field's parameters that have the names of its own.
pub(super) fn followed(function: &VectorField, field: &VectorField) -> Result<VectorField> {
    let mut bound = function.clone();
    for block in function.blocks() {
        if let Some(of_field) = of_same_name(block, field) {
            bound = bound.with_param(&block.name, &field.values()[of_field.range()])?;
        }
    }
    Ok(bound)
}

/// Adds `factor` times the derivatives `by` the parameters of a function that follow the field's to `values`, over the field's.
pub(super) fn add_followed(
    function: &VectorField,
    by: &[f64],
    field: &VectorField,
    factor: f64,
    values: &mut [f64],
) {
    for block in function.blocks() {
        if let Some(of_field) = of_same_name(block, field) {
            let to = values[of_field.range()].iter_mut();
            to.zip(&by[block.range()])
                .for_each(|(to, by)| *to += factor * by);
        }
    }
}

fn of_same_name<'a>(
    block: &crate::field::ParamBlock,
    field: &'a VectorField,
) -> Option<&'a crate::field::ParamBlock> {
    let same = |other: &&crate::field::ParamBlock| other.name == block.name;
    let found = field.blocks().iter().find(same);
    found.filter(|other| other.len() == block.len())
}
