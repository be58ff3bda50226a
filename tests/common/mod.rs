//! What several tests share: reference figures (float64, computed independently with PyTorch, torchdiffeq and SciPy), and
//! scripts that fail.
#![allow(dead_code)]

use odesync::field::{VectorField, system};
use odesync::odesolve::StepPlan;
use odesync::script::{ScriptError, Session};
use odesync::training::{Loss, Objective};
use serde_json::Value;

/// Reads the reference figures NAME.json: from `../shared/golden` where that is, else the copy in `tests/golden`.
pub fn golden(name: &str) -> Value {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut path = format!("{root}/../shared/golden/{name}.json");
    if !std::path::Path::new(&path).exists() {
        path = format!("{root}/tests/golden/{name}.json");
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("the reference figures {path}: {e}"));
    serde_json::from_str(&text).unwrap()
}

/// The folder of measured data; none where it is missing, which is a failure in continuous integration.
pub fn shared_data() -> Option<std::path::PathBuf> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "the measured data are missing: {}",
        path.display()
    );
    println!("skipped: no {}", path.display());
    None
}

/// The engines of this build.
pub fn engines() -> Vec<&'static str> {
    if cfg!(feature = "torch") {
        vec!["native", "torch"]
    } else {
        vec!["native"]
    }
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

/// A list of lists of numbers, one after the other.
pub fn flat(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

/// Euclidean norm of the difference over the norm of `want`.
pub fn relative(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(want).map(|(a, b)| a - b)) / norm(&mut want.iter().copied())
}

/// The error that a code ends with; the session must go on after it.
pub fn fails(mut session: Session, code: &str) -> ScriptError {
    let error = session.eval(code, None).expect_err(code);
    assert_eq!(
        session.eval("1 + 1", None).unwrap().text,
        "2",
        "the session goes on after {code}"
    );
    error
}

/// Van der Pol's oscillator with a forcing, mildly stiff.
pub fn oscillator() -> VectorField {
    system(2, &[("mu", 8.0), ("a", 0.4)], |t, u, p| {
        let (x, v) = (u.at(0), u.at(1));
        let drive = p.get("a") * t.sin();
        vec![
            v.clone(),
            p.get("mu") * (1.0 - x.square()) * &v - &x + drive,
        ]
    })
    .unwrap()
    .trainable(&["mu", "a"])
    .unwrap()
}

/// The loss and its gradient on a step plan of its own. The components `which` of the gradient are held to central differences
/// of fourth order, within `tolerance` of 1 and their own size.
pub fn held_to_differences(
    objective: &mut Objective,
    (params, lambda): (&[f64], f64),
    which: impl Iterator<Item = usize>,
    tolerance: f64,
) -> (Loss, Vec<StepPlan>) {
    let plans = objective.evaluate(params, lambda, false, None);
    let plans = plans.unwrap().plans;
    let at = objective.evaluate(params, lambda, true, Some(&plans));
    let at = at.unwrap();
    for i in which {
        let mut value = |e: f64| {
            let mut p = params.to_vec();
            p[i] += e;
            let loss = objective.evaluate(&p, lambda, false, Some(&plans));
            loss.unwrap().loss
        };
        let h = 1e-4;
        let fd = (8.0 * (value(h) - value(-h)) - (value(2.0 * h) - value(-2.0 * h))) / (12.0 * h);
        assert!(
            (fd - at.gradient[i]).abs() < tolerance * (1.0 + fd.abs()),
            "{i} at lambda {lambda}: {fd} {}",
            at.gradient[i]
        );
    }
    (at, plans)
}
