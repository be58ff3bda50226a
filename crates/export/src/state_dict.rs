//! The weights of a network as PyTorch has them: a `state_dict` in a safetensors file, written and read.

use std::collections::HashMap;
use std::path::Path;

use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2};
use odesync_base::text::count_of;
use odesync_ode::field::{InputSignal, Op, Signal, Unary, VectorField};
use odesync_train::datasets::{read_tensors, tensor_bytes};
use odesync_train::models::{
    Mlp, blackbox_of, driven_blackbox_of, driven_second_order_of, second_order_of,
};

use crate::language::reachable;
use crate::{Error, ExportOptions, LayerNames, Result};

/// Metadata key of the activation.
const ACTIVATION: &str = "activation";

/// Returns the weights of a field's network as a safetensors file, with the activation in the metadata. What else the field has, known terms of a gray box
/// for example, is not in the file.
///
/// # Errors
/// A field without a network or with several.
pub(crate) fn bytes(field: &VectorField, options: &ExportOptions) -> Result<Vec<u8>> {
    let (layers, activation) = network(field)?;
    let mut tensors = vec![];
    for (i, (weight, bias)) in layers.iter().enumerate() {
        let layer = layer_name(options.names, i, layers.len());
        for (kind, block) in [("weight", Some(*weight)), ("bias", *bias)] {
            let Some(block) = block.map(|block| &field.blocks()[block]) else {
                continue;
            };
            let values = &field.values()[block.range()];
            tensors.push((format!("{layer}.{kind}"), block.shape.clone(), values));
        }
    }
    // One entry, because the order of several would not be the same in every file.
    let metadata = activation.map(|f| (ACTIVATION.to_string(), f.name().to_string()));
    let metadata = HashMap::from_iter(metadata);
    tensor_bytes(&tensors, metadata)
}

/// Returns the name of a layer.
fn layer_name(names: LayerNames, i: usize, layers: usize) -> String {
    match names {
        LayerNames::Layers => format!("layers.{i}"),
        LayerNames::Sequential => format!("{}", 2 * i),
        LayerNames::Paper if i + 1 == layers => "output_layer".into(),
        LayerNames::Paper => format!("hidden_layers.{i}"),
    }
}

/// The blocks of a layer's weight and bias.
type LayerBlocks = (usize, Option<usize>);

/// Returns the layers of a field's network, input first, and its activation.
///
/// # Errors
/// A field without a network, with several, or with one that is more than layers and one activation.
fn network(field: &VectorField) -> Result<(Vec<LayerBlocks>, Option<Unary>)> {
    let other = |what: &str| {
        Error::invalid(format!(
            "a file of PyTorch weights holds one multilayer perceptron, and this field {what}: export it as .py with \
             #{{ target: \"torch\" }}, which holds all of it"
        ))
    };
    let mut layers: Vec<LayerBlocks> = vec![];
    let mut activation = None;
    let mut last = None;
    for id in reachable(field) {
        let Op::Affine { weight, bias, x } = &field.nodes()[id.index()] else {
            continue;
        };
        if let Some(last) = last {
            let Op::Unary(f, inner) = &field.nodes()[x.index()] else {
                return Err(other("has layers without an activation between"));
            };
            if *inner != last {
                return Err(other("has several networks"));
            }
            if activation.is_some_and(|before| before != *f) {
                return Err(other("has different activations"));
            }
            activation = Some(*f);
        }
        layers.push((*weight, *bias));
        last = Some(id);
    }
    let mut weights: Vec<usize> = layers.iter().map(|(weight, _)| *weight).collect();
    weights.sort_unstable();
    weights.dedup();
    match layers.len() {
        0 => Err(other("has none")),
        n if n != weights.len() => Err(other("has a network that is evaluated several times")),
        _ => Ok((layers, activation)),
    }
}

/// Makes a model of the weights of a PyTorch network in a safetensors file: layers `x ↦ W x + b` with an activation between, none
/// after the last.
///
/// Layers are read in the order of the numbers in their names (`layers.0.weight`, or `0.weight`, `2.weight` of a `Sequential`); one
/// whose name has no number, such as `output_layer`, comes last. Where the first width is that of the last, and of the input if there
/// is one, the model is a black box; where it is twice the last, a second-order model. Without `activation` it is the one that the
/// file's metadata name.
///
/// # Errors
/// A file that cannot be read, tensors that are not those of a multilayer perceptron, an activation that neither the call nor the
/// file names.
pub fn from_torch(
    path: impl AsRef<Path>,
    activation: Option<Unary>,
    input: Option<InputSignal>,
) -> Result<VectorField> {
    let path = path.as_ref();
    let file = read_tensors(path)?;
    let refuse = |message: String| Error::Data {
        file: path.into(),
        line: None,
        column: None,
        message,
    };
    let layers = layers(&file.tensors).map_err(refuse)?;
    let activation = match (activation, file.metadata.get(ACTIVATION)) {
        (Some(activation), _) => activation,
        (None, Some(name)) => Unary::activation(name)?,
        // Without hidden layers there is nothing to activate.
        (None, None) if layers.len() == 1 => Unary::Gelu,
        (None, None) => {
            return Err(refuse(format!(
                "the file does not say which activation stands between the layers: give it, #{{ activation: \"gelu\" }}; known: {}",
                Unary::ACTIVATIONS.join(", ")
            )));
        }
    };
    let network = Mlp::of_layers(&layers, activation).map_err(|e| refuse(e.to_string()))?;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let driven = input.as_ref().map_or(0, Signal::dof);
    let is_second_order = inputs == 2 * outputs + driven;
    if !is_second_order && inputs != outputs + driven {
        let with_input = match driven {
            0 => String::new(),
            n => format!(" and {} of the input", count_of(n, "component")),
        };
        return Err(refuse(format!(
            "the network takes {inputs} numbers and gives {outputs}: a black box takes as many as it gives{with_input}, a second-order \
             model twice as many; known terms and inputs are not in a file of weights"
        )));
    }
    match (input, is_second_order) {
        (None, false) => blackbox_of(&network),
        (None, true) => second_order_of(&network),
        (Some(input), false) => driven_blackbox_of(&network, input),
        (Some(input), true) => driven_second_order_of(&network, input),
    }
}

/// The place of a layer by its name, see [`order`].
type StemOrder = Vec<(bool, u64)>;
/// A layer's weight and bias.
type Layer = (Array2<f64>, Array1<f64>);

/// Returns the layers of a network, input first.
fn layers(tensors: &[(String, ArrayD<f64>)]) -> std::result::Result<Vec<Layer>, String> {
    let find = |name: &str| {
        tensors
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, tensor)| tensor)
    };
    let mut found: Vec<(StemOrder, &str, Layer)> = vec![];
    for (name, tensor) in tensors {
        let expected = "expected are the layers of a multilayer perceptron, such as layers.0.weight [32, 2] and layers.0.bias [32]";
        let bare = |kind: &str| {
            name.strip_suffix(kind)
                .filter(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let (Some(stem), None) = (bare("weight"), bare("bias")) else {
            let of_layer =
                bare("bias").is_some_and(|stem| find(&format!("{stem}weight")).is_some());
            if of_layer {
                continue;
            }
            return Err(format!(
                "tensor \"{name}\" is no weight or bias of a layer: {expected}"
            ));
        };
        let weight = tensor.clone().into_dimensionality::<Ix2>().map_err(|_| {
            format!(
                "tensor \"{name}\" has shape {:?}, and the weight of a layer [out, in]: {expected}",
                tensor.shape()
            )
        })?;
        let bias = find(&format!("{stem}bias")).ok_or_else(|| {
            format!("layer \"{name}\" has no \"{stem}bias\": odesync's layers have one; a bias of zeros does the same")
        })?;
        let bias = bias.clone().into_dimensionality::<Ix1>().map_err(|_| {
            format!(
                "tensor \"{stem}bias\" has shape {:?}, and a bias [{}]",
                bias.shape(),
                weight.nrows()
            )
        })?;
        found.push((order(stem), stem, (weight, bias)));
    }
    if found.is_empty() {
        return Err("the file has no tensors".into());
    }
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for (i, pair) in found.windows(2).enumerate() {
        let [(_, before, (first, _)), (_, after, (second, _))] = pair else {
            continue;
        };
        if first.nrows() != second.ncols() {
            return Err(format!(
                "layer {i}, \"{before}weight\", gives {} numbers, and the next one, \"{after}weight\" of shape [{}, {}], takes {}: expected \
                 is [n, {}]. Layers follow each other by the numbers in their names",
                first.nrows(),
                second.nrows(),
                second.ncols(),
                second.ncols(),
                first.nrows()
            ));
        }
    }
    Ok(found.into_iter().map(|(_, _, layer)| layer).collect())
}

/// Returns what layers are ordered by: the numbers in the name, those without one last.
fn order(stem: &str) -> StemOrder {
    let numbers: Vec<(bool, u64)> = stem
        .split('.')
        .filter_map(|part| part.parse().ok())
        .map(|n| (false, n))
        .collect();
    match numbers.is_empty() {
        true => vec![(true, 0)],
        false => numbers,
    }
}
