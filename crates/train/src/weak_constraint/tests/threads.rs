//! Results on several numbers of threads.

use ndarray::Array1;

use super::super::parameter_prior::RidgePrior;
use super::super::ridge::Ridge;
use super::super::{TrainingStart, WeakConstraint, WeakConstraintTraining};
use super::linear_problem::LinearProblem;
use crate::datasets::{Dataset, RelativeTo};
use crate::models::blackbox;
use crate::observation::Observation;
use odesync_base::random::Generator;
use odesync_ode::dynamics;
use odesync_ode::field::Unary;
use odesync_ode::odesolve::{SolveOptions, solve};

/// Runs a calculation with 1, 2 and 3 threads.
fn with_threads<T: Send>(run: impl Fn() -> T + Sync) -> [T; 3] {
    [1, 2, 3].map(|n| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        pool.install(&run)
    })
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// Trains a small network; returns the bits of the parameters, the states and the evidence.
fn train() -> Vec<u64> {
    let t: Vec<f64> = (0..25).map(|i| 0.2 * f64::from(i)).collect();
    let truth = dynamics::lotka_volterra().unwrap();
    let options = SolveOptions::default();
    let u = solve(&truth, &[1.0, 2.0], &t, &options).unwrap().u;
    let data = Dataset::single(Array1::from(t), u, None).unwrap();
    let data = data.add_noise_seeded(0.05, RelativeTo::Std, 1).unwrap();
    let model = blackbox(&[2, 8, 2], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap();
    let (settings, observation) = (WeakConstraint::default(), Observation::default());
    let mut training = WeakConstraintTraining::start(&TrainingStart {
        model: &model,
        data: &data,
        settings: &settings,
        is_homotopy: false,
        observation: &observation,
        options: &options,
    })
    .unwrap();
    while training.advance_and(|_| Ok(())).unwrap().is_some() {}
    training.assess_at(None).unwrap();
    let (estimate, assessment) = (&training.state.fit.estimate, training.state.assessment);
    let mut all = [&estimate.w[..], &estimate.s].concat();
    all.push(assessment.unwrap().log_evidence);
    bits(&all)
}

#[test]
fn a_training_has_the_same_bits() {
    let [one, two, three] = with_threads(train);
    assert_eq!(one, two);
    assert_eq!(one, three);
}

#[test]
fn a_ridge_problem_of_several_tiles_has_the_same_bits() {
    for (n, p) in [(700, 900), (900, 600)] {
        let solve = || {
            let mut generator = Generator::manual_seed(5);
            let x = generator.uniform_f64(-1.0, 1.0, n * p);
            let ridge = Ridge::new(x, generator.uniform_f64(-1.0, 1.0, n));
            let prior = RidgePrior::uniform(0.3);
            let mut all = ridge.step(&vec![0.5; p], prior, 0.1).unwrap();
            let terms = ridge.evidence_terms(prior).unwrap();
            all.extend([terms.gamma, terms.log_det]);
            all.extend(
                ridge
                    .variances(prior, &generator.uniform_f64(-1.0, 1.0, 4 * p))
                    .unwrap(),
            );
            bits(&all)
        };
        let [one, two, three] = with_threads(solve);
        assert_eq!(one, two);
        assert_eq!(one, three);
    }
}

#[test]
fn a_filter_of_several_panels_has_the_same_bits() {
    let problem = LinearProblem::new(2, 300, &[(20, false), (15, true)], 0.1);
    let run = || {
        let filtered = problem.filtered();
        let (nodes, a) = (&problem.nodes, &problem.linearization.a);
        let (mut all, covariance) = filtered.posterior(nodes, a);
        all.extend(covariance);
        all.extend(filtered.smooth(nodes, a, &problem.w));
        bits(&all)
    };
    let [one, two, three] = with_threads(run);
    assert_eq!(one, two);
    assert_eq!(one, three);
}
