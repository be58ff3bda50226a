//! ONNX: the field as a graph of float64 tensors, with the inputs t `[batch]` and u `[batch, dof]` and the output du `[batch, dof]`.

mod functions;
mod graph;
mod protobuf;

use odesync_ode::field::{Binary, InputSignal, Signal, Unary, VectorField};

use crate::language::{Language, used_inputs, write_field};
use crate::{Error, ExportOptions, Result};
use graph::OnnxGraph;
use protobuf::{Attribute, DOUBLE, Dimension, INT64, float_bytes, tensor, value_info};

/// Most bytes of a model: those of a message of protocol buffers.
const MAX_BYTES: usize = i32::MAX as usize;

/// A value in the graph, `[batch, len]`.
#[derive(Debug, Clone)]
struct OnnxValue {
    name: String,
    len: usize,
    /// Whether there is one row for each state; else there is one row for all.
    is_batched: bool,
}

/// Writes a field as a graph.
struct OnnxWriter<'a> {
    field: &'a VectorField,
    inputs: Vec<(&'a InputSignal, usize)>,
    graph: OnnxGraph,
    /// Names of values that are made once, by what they are.
    made: Vec<(String, String)>,
}

/// Returns a field as an ONNX model.
///
/// # Errors
/// A synchronised field, inputs of several samples without a choice of one, or a field with too many parameters.
pub(crate) fn model(field: &VectorField, options: &ExportOptions) -> Result<Vec<u8>> {
    if field.values().len() > MAX_BYTES / 16 {
        return Err(Error::invalid(format!(
            "an ONNX file holds at most 2 GiB, and the model has {} parameters: export it as .safetensors",
            field.values().len()
        )));
    }
    let mut writer = OnnxWriter {
        field,
        inputs: used_inputs(field, options)?,
        graph: OnnxGraph::default(),
        made: vec![],
    };
    let output = write_field(field, &mut writer)?;
    let output = writer.batched(&output);
    writer.graph.output(&output, "du");
    let dof = field.dof();
    let inputs = [
        value_info("t", &[Dimension::Batch]),
        value_info("u", &[Dimension::Batch, Dimension::Fixed(dof)]),
    ];
    let outputs = [value_info("du", &[Dimension::Batch, Dimension::Fixed(dof)])];
    let about = format!(
        "du/dt = f(t, u) of {}",
        odesync_base::text::count_of(dof, "state variable")
    );
    Ok(writer.graph.into_model(&inputs, &outputs, &about))
}

impl OnnxWriter<'_> {
    /// Returns the name of what was made under this key before, or makes it.
    fn once(&mut self, key: &str, make: impl FnOnce(&mut Self) -> String) -> String {
        if let Some((_, name)) = self.made.iter().find(|(made, _)| made == key) {
            return name.clone();
        }
        let name = make(self);
        self.made.push((key.to_string(), name.clone()));
        name
    }

    /// Returns a parameter block as a tensor of this shape: a row, or a weight as it is.
    fn block(&mut self, block: usize, dims: &[usize], kind: &str) -> String {
        let field = self.field;
        let block = &field.blocks()[block];
        // The kind keeps it apart from the names of nodes, and a weight from its numbers in a row.
        let name = format!("{kind}.{}", block.name);
        self.once(&name, |writer| {
            writer
                .graph
                .named_tensor(&name, dims, &field.values()[block.range()]);
            name.clone()
        })
    }

    /// Returns zeros, `[batch, 1]`.
    fn zeros(&mut self) -> String {
        self.once("zeros", |writer| {
            let g = &mut writer.graph;
            let shape = g.op("Shape", &["u"]);
            let first = g.ints(&[0]);
            let batch = g.op("Gather", &[&shape, &first]);
            let one = g.ints(&[1]);
            let dims = g.op_with("Concat", &[&batch, &one], &[Attribute::Int("axis", 0)]);
            let zero = tensor("", &[1], DOUBLE, &float_bytes(&[0.0]));
            g.op_with(
                "ConstantOfShape",
                &[&dims],
                &[Attribute::Tensor("value", zero)],
            )
        })
    }

    /// Returns the name of a value with one row for each state.
    fn batched(&mut self, x: &OnnxValue) -> String {
        if x.is_batched {
            return x.name.clone();
        }
        let zeros = self.zeros();
        self.graph.op("Add", &[&x.name, &zeros])
    }

    fn value(&self, name: String, len: usize, of: &[&OnnxValue]) -> OnnxValue {
        let is_batched = of.iter().any(|x| x.is_batched);
        OnnxValue {
            name,
            len,
            is_batched,
        }
    }

    /// Returns the time as a column, `[batch, 1]`.
    fn time_column(&mut self) -> String {
        self.once("time", |writer| {
            let axis = writer.graph.ints(&[1]);
            writer.graph.op("Unsqueeze", &["t", &axis])
        })
    }
}

impl Language for OnnxWriter<'_> {
    type Value = OnnxValue;

    fn time(&mut self) -> Result<OnnxValue> {
        let name = self.time_column();
        Ok(OnnxValue {
            name,
            len: 1,
            is_batched: true,
        })
    }

    fn state(&mut self) -> Result<OnnxValue> {
        Ok(OnnxValue {
            name: "u".into(),
            len: self.field.dof(),
            is_batched: true,
        })
    }

    fn parameter(&mut self, block: usize) -> Result<OnnxValue> {
        let len = self.field.blocks()[block].len();
        let name = self.block(block, &[1, len], "row");
        Ok(OnnxValue {
            name,
            len,
            is_batched: false,
        })
    }

    fn constant(&mut self, values: &[f64]) -> Result<OnnxValue> {
        let name = self.graph.tensor(&[1, values.len()], values);
        Ok(OnnxValue {
            name,
            len: values.len(),
            is_batched: false,
        })
    }

    fn input(&mut self, input: &InputSignal) -> Result<OnnxValue> {
        let chosen = self
            .inputs
            .iter()
            .find(|(other, _)| other.name() == input.name());
        let sample = chosen.map_or(0, |(_, sample)| *sample);
        let (knots, cubics, len) = (input.times(sample), input.cubics(sample), input.dof());
        let t = self.time_column();
        let g = &mut self.graph;
        let row = g.tensor(&[1, knots.len()], knots);
        let reached = g.op("GreaterOrEqual", &[&t, &row]);
        let reached = g.number_of_condition(&reached);
        let axis = g.ints(&[1]);
        let count = g.op_with(
            "ReduceSum",
            &[&reached, &axis],
            &[Attribute::Int("keepdims", 0)],
        );
        let place = g.with_number("Sub", &count, 1.0);
        let place = g.op("Relu", &[&place]);
        let place = g.op_with("Cast", &[&place], &[Attribute::Int("to", INT64)]);
        let column = g.tensor(&[knots.len(), 1], knots);
        let knot = g.op("Gather", &[&column, &place]);
        let since = g.op("Sub", &[&t, &knot]);
        let s = g.op("Relu", &[&since]);
        let mut value: Option<String> = None;
        for power in (0..4).rev() {
            let table: Vec<f64> = cubics.iter().flatten().map(|c| c[power]).collect();
            let table = g.tensor(&[knots.len(), len], &table);
            let coefficient = g.op("Gather", &[&table, &place]);
            value = Some(match value {
                None => coefficient,
                Some(value) => {
                    let product = g.op("Mul", &[&s, &value]);
                    g.op("Add", &[&coefficient, &product])
                }
            });
        }
        Ok(OnnxValue {
            name: value.unwrap_or_default(),
            len,
            is_batched: true,
        })
    }

    fn slice(&mut self, x: &OnnxValue, start: usize, len: usize) -> Result<OnnxValue> {
        let g = &mut self.graph;
        let (from, to, axis) = (
            g.ints(&[start as i64]),
            g.ints(&[(start + len) as i64]),
            g.ints(&[1]),
        );
        let name = g.op("Slice", &[&x.name, &from, &to, &axis]);
        Ok(self.value(name, len, &[x]))
    }

    fn concat(&mut self, parts: &[OnnxValue]) -> Result<OnnxValue> {
        let names: Vec<String> = parts.iter().map(|x| self.batched(x)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let name = self
            .graph
            .op_with("Concat", &names, &[Attribute::Int("axis", 1)]);
        Ok(OnnxValue {
            name,
            len: parts.iter().map(|x| x.len).sum(),
            is_batched: true,
        })
    }

    fn sum(&mut self, x: &OnnxValue) -> Result<OnnxValue> {
        let axis = self.graph.ints(&[1]);
        let name = self.graph.op_with(
            "ReduceSum",
            &[&x.name, &axis],
            &[Attribute::Int("keepdims", 1)],
        );
        Ok(self.value(name, 1, &[x]))
    }

    fn unary(&mut self, f: Unary, x: &OnnxValue) -> Result<OnnxValue> {
        let name = functions::unary(&mut self.graph, f, &x.name);
        Ok(self.value(name, x.len, &[x]))
    }

    fn binary(&mut self, f: Binary, x: &OnnxValue, y: &OnnxValue) -> Result<OnnxValue> {
        let name = functions::binary(&mut self.graph, f, &x.name, &y.name);
        Ok(self.value(name, x.len.max(y.len), &[x, y]))
    }

    fn select(&mut self, cond: &OnnxValue, a: &OnnxValue, b: &OnnxValue) -> Result<OnnxValue> {
        let g = &mut self.graph;
        let is_zero = g.with_number("Equal", &cond.name, 0.0);
        let name = g.op("Where", &[&is_zero, &b.name, &a.name]);
        Ok(self.value(name, cond.len.max(a.len).max(b.len), &[cond, a, b]))
    }

    fn affine(&mut self, weight: usize, bias: Option<usize>, x: &OnnxValue) -> Result<OnnxValue> {
        let shape = self.field.blocks()[weight].shape.clone();
        let [out, _] = shape[..] else {
            return Err(Error::invalid("a weight must have shape [out, in]"));
        };
        let weight = self.block(weight, &shape, "weight");
        let bias = bias.map(|bias| self.block(bias, &[1, out], "row"));
        let mut operands = vec![x.name.as_str(), weight.as_str()];
        operands.extend(bias.as_deref());
        let transposed = [Attribute::Int("transB", 1)];
        let name = self.graph.op_with("Gemm", &operands, &transposed);
        Ok(self.value(name, out, &[x]))
    }
}
