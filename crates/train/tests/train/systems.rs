//! Systems with noisy data on which trainings are compared, and the limits of weak-constraint training on them.

use ndarray::{Array1, Array2, s};
use odesync_base::Result;
use odesync_base::random::Generator;
use odesync_ode::dynamics;
use odesync_ode::field::{Expr, Parameters, Unary, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::datasets::RelativeTo::{self, Mean, Nothing, Std};
use odesync_train::models::{blackbox, graybox, second_order};

/// A system, how it is measured, and the model that is trained on the data.
pub struct System {
    pub name: &'static str,
    pub truth: VectorField,
    pub u0: Vec<f64>,
    /// Time between two data, and their number.
    pub times: (f64, usize),
    pub noise: (f64, RelativeTo),
    /// Whether the initial state is known exactly; otherwise it is measured as the others are.
    pub known_u0: bool,
    /// Limits of the median mse on the data and of the median error against the truth there; the worst seed may have 1.5 times as
    /// much.
    pub limits: [f64; 2],
    /// Model with weights drawn from a seed.
    pub model: fn(u64) -> Result<VectorField>,
}

impl System {
    /// Returns the times of the data and as many after them.
    pub fn times(&self) -> Vec<f64> {
        let (dt, n) = self.times;
        (0..2 * n - 1).map(|i| i as f64 * dt).collect()
    }

    /// Returns the states without noise at [`Self::times`], `[time, dof]`.
    pub fn truth(&self) -> Array2<f64> {
        let tight = SolveOptions::default().solver("dopri8").unwrap();
        let tight = tight.tolerances(1e-12, 1e-12);
        solve(&self.truth, &self.u0, &self.times(), &tight)
            .unwrap()
            .u
    }

    /// Returns the data with noise of a seed.
    pub fn data(&self, truth: &Array2<f64>, noise_seed: u64) -> Dataset {
        let n = self.times.1;
        let t = Array1::from(self.times()[..n].to_vec());
        let clean = Dataset::single(t.clone(), truth.slice(s![..n, ..]).to_owned(), None).unwrap();
        let (level, relative_to) = self.noise;
        let noisy = clean
            .add_noise_seeded(level, relative_to, noise_seed)
            .unwrap();
        let y = noisy.sample(0).unwrap().to_owned();
        let u0 = self.known_u0.then(|| Array1::from(self.u0.clone()));
        Dataset::single(t, y, u0).unwrap()
    }
}

fn generator(seed: u64) -> Generator {
    Generator::manual_seed(seed)
}

fn lotka_volterra_model(seed: u64) -> Result<VectorField> {
    blackbox(&[2, 32, 2], Unary::Gelu, &mut generator(seed))
}

fn lotka_volterra_gray_box(seed: u64) -> Result<VectorField> {
    graybox(
        &[2, 20, 20, 2],
        Unary::Gelu,
        &[],
        &mut generator(seed),
        |_, u, nn, _| vec![1.3 * u.at(0) + nn.at(0), -1.8 * u.at(1) + nn.at(1)],
    )
}

fn lorenz_model(seed: u64) -> Result<VectorField> {
    blackbox(&[3, 50, 50, 3], Unary::Gelu, &mut generator(seed))
}

/// The model of the double pendulum, simulated or measured.
pub fn double_pendulum_model(seed: u64) -> Result<VectorField> {
    second_order(&[4, 50, 50, 2], Unary::Gelu, &mut generator(seed))
}

/// Returns all systems.
pub fn systems() -> Vec<System> {
    let fhn = system(2, &[], |_, u: Expr, _: Parameters| {
        let (v, w) = (u.at(0), u.at(1));
        vec![
            3.0 * (v.clone() - v.clone() * v.clone() * v.clone() / 3.0 + w.clone()),
            -(v - 0.2 + 0.2 * w) / 3.0,
        ]
    })
    .unwrap();
    let pendulum = system(2, &[], |_, u: Expr, _: Parameters| {
        vec![u.at(1), -0.25 * u.at(1) - 4.0 * u.at(0).unary(Unary::Sin)]
    })
    .unwrap();
    let goodwin = system(4, &[], |_, u: Expr, _: Parameters| {
        let w2 = u.at(3) * u.at(3);
        let w10 = w2.clone() * w2.clone() * w2.clone() * w2.clone() * w2;
        vec![
            3.0 / (1.0 + w10) - 0.5 * u.at(0),
            u.at(0) - 0.5 * u.at(1),
            0.5 * u.at(1) - 0.5 * u.at(2),
            0.5 * u.at(2) - 0.5 * u.at(3),
        ]
    })
    .unwrap();
    let lotka_volterra = |name, model| System {
        name,
        truth: dynamics::lotka_volterra().unwrap(),
        u0: vec![0.44249296, 4.6280594],
        times: (0.1, 61),
        noise: (0.05, Mean),
        known_u0: true,
        limits: [0.0065, 0.0026],
        model,
    };
    let lorenz = |name, n, limits| System {
        name,
        truth: dynamics::lorenz().unwrap(),
        u0: vec![1.2, 2.1, 1.7],
        times: (0.1, n),
        noise: (0.25, Nothing),
        known_u0: true,
        limits,
        model: lorenz_model,
    };
    vec![
        lotka_volterra("Lotka-Volterra, black box", lotka_volterra_model),
        lotka_volterra("Lotka-Volterra, gray box", lotka_volterra_gray_box),
        lorenz("Lorenz, t <= 3", 31, [0.045, 0.04]),
        lorenz("Lorenz, t <= 10", 101, [0.055, 0.015]),
        System {
            name: "FitzHugh-Nagumo",
            truth: fhn,
            u0: vec![-1.0, 1.0],
            times: (0.2, 101),
            noise: (0.05, Std),
            known_u0: false,
            limits: [f64::INFINITY, 8e-4],
            model: lotka_volterra_model,
        },
        System {
            name: "damped pendulum",
            truth: pendulum,
            u0: vec![2.5, 0.0],
            times: (0.1, 81),
            noise: (0.05, Std),
            known_u0: false,
            limits: [f64::INFINITY, 6e-4],
            model: |seed| second_order(&[2, 32, 1], Unary::Gelu, &mut generator(seed)),
        },
        System {
            name: "Goodwin, 4 states",
            truth: goodwin,
            u0: vec![0.1, 0.2, 1.2, 1.5],
            times: (0.5, 81),
            noise: (0.05, Std),
            known_u0: false,
            limits: [f64::INFINITY, 8e-4],
            model: |seed| blackbox(&[4, 50, 50, 4], Unary::Gelu, &mut generator(seed)),
        },
        System {
            name: "double pendulum, simulated",
            truth: dynamics::double_pendulum().unwrap(),
            u0: vec![0.9, 0.3, 0.5, 0.0],
            times: (0.02, 100),
            noise: (0.05, Std),
            known_u0: true,
            limits: [f64::INFINITY, 6e-4],
            model: double_pendulum_model,
        },
    ]
}

/// Returns the mean squared difference.
pub fn mean_square(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    (a - b).mapv(|x| x * x).mean().unwrap()
}
