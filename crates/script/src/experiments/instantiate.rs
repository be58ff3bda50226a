//! The model that a configuration describes.

use super::settings::{ModelSettings, required};
use crate::{Error, Result};
use odesync_base::error;
use odesync_base::random::Generator;
use odesync_base::text::count_of;
use odesync_ode::field::{Unary, VectorField};
use odesync_train::models;

/// Makes the untrained model for `dof` state variables; its weights are drawn as after `torch.manual_seed(seed)`.
pub(super) fn model(settings: &ModelSettings, dof: usize, seed: u64) -> Result<VectorField> {
    const KINDS: [&str; 3] = ["blackbox", "second_order", "graybox"];
    let activation = Unary::activation(&settings.activation)?;
    let mut generator = Generator::manual_seed(seed);
    let outputs = match settings.kind.as_str() {
        "second_order" => dof / 2,
        _ => dof,
    };
    let mut nodes = vec![dof];
    nodes.extend(vec![
        settings.nodes_per_layer;
        settings.hidden_layers.min(1000)
    ]);
    nodes.push(outputs);
    match settings.kind.as_str() {
        "blackbox" => models::blackbox(&nodes, activation, &mut generator),
        "second_order" => models::second_order(&nodes, activation, &mut generator),
        "graybox" => {
            let linear = required(
                settings.linear.clone(),
                "model.linear",
                "a gray box needs the known factor of each state variable, for example [1.3, -1.8]",
            )?;
            if linear.len() != dof {
                return Err(Error::invalid(format!(
                    "model.linear needs {}, one for each state variable, and has {}",
                    count_of(dof, "number"),
                    linear.len()
                )));
            }
            models::graybox(&nodes, activation, &[], &mut generator, |_, u, nn, _| {
                linear
                    .iter()
                    .enumerate()
                    .map(|(i, a)| *a * u.at(i) + nn.at(i))
                    .collect()
            })
        }
        other => Err(error::unknown("model.kind", other, KINDS)),
    }
}
