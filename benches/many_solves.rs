//! Inputs of a benchmark: many solves of Lorenz' system to t = 5 by `tsit5` at rtol and atol 1e-6.

use ndarray::Array2;
use odesync::odesolve::SolveOptions;
use odesync::random::Generator;

use crate::cases::Failure;

/// Initial states, `[solve, dof]`, and values of ρ, `[solve]`.
pub struct ManySolves {
    pub u0: Array2<f64>,
    pub rho: Vec<f64>,
}

impl ManySolves {
    /// First and last time.
    pub const TIMES: [f64; 2] = [0.0, 5.0];

    /// Draws the inputs of so many solves: initial states around (1, 1, 20), and ρ from 20 to 35.
    pub fn new(solves: usize) -> Self {
        let mut generator = Generator::manual_seed(10);
        let mut u0 =
            Array2::from_shape_vec((solves, 3), generator.uniform_f64(-9.0, 9.0, 3 * solves))
                .unwrap_or_else(|_| Array2::zeros((solves, 3)));
        u0.outer_iter_mut()
            .for_each(|mut u0| u0 += &ndarray::array![1.0, 1.0, 20.0]);
        ManySolves {
            u0,
            rho: generator.uniform_f64(20.0, 35.0, solves),
        }
    }

    /// Returns the options of the solves.
    pub fn options() -> Result<SolveOptions, Failure> {
        Ok(SolveOptions::default()
            .solver("tsit5")?
            .tolerances(1e-6, 1e-6))
    }
}
