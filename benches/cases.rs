//! Cases of the benchmarks: those of the reference figures, and a wide network on Lorenz' data.

use ndarray::{Array1, Array2};
use odesync::datasets::Dataset;
use odesync::engines::engine;
use odesync::field::{Unary, VectorField};
use odesync::models::blackbox;
use odesync::odesolve::SolveOptions;
use odesync::random::Generator;
use odesync::schedules::Schedule;
use odesync::training::{Homotopy, Objective, TrainingMethod};
use serde_json::Value;

/// Error that ends a benchmark.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads a file of reference figures.
pub fn golden(name: &str) -> Result<Value, Failure> {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/tests/golden/{name}.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Returns the numbers of a list, or of nested lists one after the other.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().flat_map(numbers).collect(),
        None => value.as_f64().into_iter().collect(),
    }
}

/// Benchmark case: a black-box model coupled to data.
pub struct Case {
    pub system: String,
    pub nodes: Vec<usize>,
    pub model: VectorField,
    pub data: Dataset,
    pub coupling: f64,
}

impl Case {
    /// Reads a case of the reference figures, with other layer widths if `nodes` is given.
    pub fn reference(name: &str, nodes: Option<&[usize]>) -> Result<Self, Failure> {
        let all = golden("losses_and_gradients")?;
        let case = &all[name];
        let (t, u0, u) = (&case["t"], numbers(&case["u0"]), numbers(&case["u"]));
        let t = numbers(t);
        let u = Array2::from_shape_vec((t.len(), u0.len()), u)?;
        let case_nodes = numbers(&case["nodes"]).into_iter().map(|n| n as usize);
        let nodes = nodes.map_or_else(|| case_nodes.collect(), <[usize]>::to_vec);
        Ok(Self {
            system: name.replace("_blackbox", ""),
            model: blackbox(&nodes, Unary::Gelu, &mut Generator::manual_seed(10))?,
            nodes,
            data: Dataset::single(Array1::from(t), u, Some(Array1::from(u0)))?,
            coupling: case["coupling"].as_f64().ok_or("no coupling")?,
        })
    }

    /// Returns the names of the system and the widths of the network's layers.
    pub fn name(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(usize::to_string).collect();
        format!("{} {}", self.system, nodes.join("-"))
    }

    /// Returns the cases whose speed is reported: Lotka-Volterra and Lorenz black boxes of the paper's sizes, and hidden layers
    /// of 256.
    pub fn all() -> Result<[Self; 4], Failure> {
        Ok([
            Self::reference("lv_blackbox", None)?,
            Self::reference("lorenz_blackbox", None)?,
            Self::reference("lorenz_blackbox", Some(&[3, 256, 3]))?,
            Self::reference("lorenz_blackbox", Some(&[3, 256, 256, 3]))?,
        ])
    }

    /// Returns homotopy training with a constant λ = 1.
    pub fn method(&self) -> Result<TrainingMethod, Failure> {
        Ok(Homotopy::new(self.coupling, Schedule::list(vec![1.0])?).into())
    }

    /// Creates the loss of the model on `data` with an engine: dopri5, rtol 1e-7, atol 1e-9.
    pub fn objective(&self, name: &str, data: &Dataset) -> Result<Objective, Failure> {
        let solver = SolveOptions::default();
        let (method, engine) = (self.method()?, engine(name, "cpu")?);
        Ok(Objective::new(&self.model, data, &method, &solver, engine)?)
    }
}
