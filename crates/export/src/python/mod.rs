//! Python source: NumPy, PyTorch or JAX. Every value is an array whose last axis holds the components, so that one function takes
//! one state and batches of states.

mod library;
mod solve;

use odesync_ode::field::{Binary, InputSignal, Op, Signal, Unary, VectorField};

use crate::language::{Language, operations, used_blocks, used_inputs, uses, write_field};
use crate::text::{NonFinite, Statements, block_identifiers, block_remark, one_line};
use crate::{ExportOptions, PythonLibrary, Result};

/// An array in the source, with the length of its last axis.
#[derive(Debug, Clone)]
struct Array {
    text: String,
    len: usize,
    /// Whether the text is a number, which stands beside an array as it is.
    is_number: bool,
}

/// Writes the function `f` of a field.
struct PythonFunction<'a> {
    field: &'a VectorField,
    library: PythonLibrary,
    identifiers: Vec<String>,
    /// Positions of the inputs in the lists of the file, by name.
    inputs: Vec<String>,
    body: Statements,
}

/// Returns a field as Python source.
///
/// # Errors
/// A synchronised field, or inputs of several samples without a choice of one.
pub(crate) fn source(field: &VectorField, options: &ExportOptions) -> Result<String> {
    let library = options.target;
    let inputs = used_inputs(field, options)?;
    let mut function = PythonFunction {
        field,
        library,
        identifiers: block_identifiers(field),
        inputs: inputs
            .iter()
            .map(|(input, _)| input.name().to_string())
            .collect(),
        body: Statements::default(),
    };
    let output = write_field(field, &mut function)?;
    let du = function.array(&output);
    let (xp, dof) = (library.module(), field.dof());
    let mut text = format!(
        "\"\"\"du/dt = f(t, u) of {}, written by odesync {}.\n\n\
         f takes one state, [{dof}], or a batch of them, [..., {dof}]; solve(u0, t) returns the states at the times t.\n\"\"\"\n\n{}",
        odesync_base::text::count_of(dof, "state variable"),
        env!("CARGO_PKG_VERSION"),
        library.imports(),
    );
    let special = special_functions(field);
    if !special.is_empty() {
        text.push_str(&format!(
            "from {} import {}\n",
            library.special_functions(),
            special.join(", ")
        ));
    }
    text.push_str(&function.parameters());
    for (i, (input, sample)) in inputs.iter().enumerate() {
        text.push_str(&input_tables(library, i, input, *sample));
    }
    if !inputs.is_empty() {
        let knots: Vec<String> = (0..inputs.len()).map(|i| format!("KNOTS_{i}")).collect();
        text.push_str(&format!("KNOTS = {}\n", library.union(&knots.join(", "))));
    }
    if operations(field).any(|op| matches!(op, Op::Concat(_))) {
        text.push_str(library.concatenate());
    }
    if !inputs.is_empty() {
        text.push_str(&library.piecewise_cubic());
    }
    text.push_str(&format!(
        "\n\ndef f(t, u, p=PARAMETERS):\n    \"\"\"Returns du/dt at the time t and the state u.\"\"\"\n    {}\n",
        library.as_state("u")
    ));
    if !inputs.is_empty() || operations(field).any(|op| matches!(op, Op::Time)) {
        text.push_str(&format!("    {}\n", library.as_time("t")));
    }
    text.push_str(&function.body.text("    "));
    // The sum has the shape of the state where du/dt does not depend on it.
    text.push_str(&format!("    return {du} + {xp}.zeros_like(u)\n"));
    text.push_str(&solve::function(library, !inputs.is_empty()));
    Ok(text)
}

/// Returns the functions of the module `special` that the operations of a field use.
fn special_functions(field: &VectorField) -> Vec<&'static str> {
    let all: [(&str, &[Unary]); 3] = [
        ("erf", &[Unary::Erf]),
        ("expit", &[Unary::Sigmoid, Unary::Silu]),
        ("ndtr", &[Unary::Gelu]),
    ];
    all.into_iter()
        .filter(|(_, of)| uses(field, of))
        .map(|(name, _)| name)
        .collect()
}

/// Returns the tables of an external input: times, and cubics from each time to the next.
fn input_tables(library: PythonLibrary, i: usize, input: &InputSignal, sample: usize) -> String {
    let rows = input.cubics(sample).into_iter().map(|row| {
        let cubics: Vec<String> = row
            .iter()
            .map(|c| format!("[{}]", NUMBERS.list(c, "")))
            .collect();
        format!("[{}]", cubics.join(", "))
    });
    format!(
        "\n# Input \"{}\": its times, and from each to the next the coefficients of 1, s, s**2 and s**3, s being the time since.\n\
         KNOTS_{i} = {}\nCUBICS_{i} = {}\n",
        one_line(input.name()),
        library.array(&format!("[{}]", NUMBERS.list(input.times(sample), "    "))),
        library.array(&format!(
            "[\n    {},\n]",
            rows.collect::<Vec<_>>().join(",\n    ")
        )),
    )
}

/// Numbers in Python.
const NUMBERS: NonFinite = NonFinite {
    infinity: "float(\"inf\")",
    nan: "float(\"nan\")",
};

impl PythonFunction<'_> {
    /// Returns the table of the parameters.
    fn parameters(&self) -> String {
        let used = used_blocks(self.field);
        let mut text = String::from("\nPARAMETERS = {\n");
        for i in &used {
            let (block, name) = (&self.field.blocks()[*i], &self.identifiers[*i]);
            let values = &self.field.values()[block.range()];
            let numbers = match block.shape.as_slice() {
                [_, columns] => {
                    let rows = values.chunks(*columns);
                    let rows: Vec<String> = rows
                        .map(|row| format!("        [{}]", NUMBERS.list(row, "         ")))
                        .collect();
                    format!("[\n{},\n    ]", rows.join(",\n"))
                }
                _ => format!("[{}]", NUMBERS.list(values, "        ")),
            };
            let (remark, array) = (block_remark(block, name), self.library.array(&numbers));
            text.push_str(&match (remark.is_empty(), array.contains('\n')) {
                (true, _) => format!("    \"{name}\": {array},\n"),
                (false, false) => format!("    \"{name}\": {array},  # {remark}\n"),
                (false, true) => format!("    # {remark}\n    \"{name}\": {array},\n"),
            });
        }
        text.push_str("}\n");
        let trained = used.iter().filter(|i| self.field.blocks()[**i].trainable);
        let trained: Vec<String> = trained
            .map(|i| format!("\"{}\"", self.identifiers[*i]))
            .collect();
        if self.library == PythonLibrary::Torch {
            text.push_str(&format!("TRAINED = [{}]\n", trained.join(", ")));
        }
        text
    }

    /// Returns the text of a value as an array.
    fn array(&self, x: &Array) -> String {
        match x.is_number {
            true => self.library.array_like_state(&format!("[{}]", x.text)),
            false => x.text.clone(),
        }
    }

    fn assign(&mut self, text: String, len: usize) -> Result<Array> {
        let name = self.body.variable();
        self.body.lines.push(format!("{name} = {text}"));
        Ok(Array {
            text: name,
            len,
            is_number: false,
        })
    }
}

impl Language for PythonFunction<'_> {
    type Value = Array;

    fn time(&mut self) -> Result<Array> {
        Ok(Array {
            text: "t[..., None]".into(),
            len: 1,
            is_number: false,
        })
    }

    fn state(&mut self) -> Result<Array> {
        Ok(Array {
            text: "u".into(),
            len: self.field.dof(),
            is_number: false,
        })
    }

    fn parameter(&mut self, block: usize) -> Result<Array> {
        let (shape, len) = (
            &self.field.blocks()[block].shape,
            self.field.blocks()[block].len(),
        );
        let name = format!("p[\"{}\"]", self.identifiers[block]);
        let text = match shape.len() {
            2 => format!("{name}.reshape(-1)"),
            _ => name,
        };
        Ok(Array {
            text,
            len,
            is_number: false,
        })
    }

    fn constant(&mut self, values: &[f64]) -> Result<Array> {
        if let [x] = values {
            return Ok(Array {
                text: NUMBERS.operand(*x),
                len: 1,
                is_number: true,
            });
        }
        let text = self
            .library
            .array_like_state(&format!("[{}]", NUMBERS.list(values, "        ")));
        self.assign(text, values.len())
    }

    fn input(&mut self, input: &InputSignal) -> Result<Array> {
        let i = self
            .inputs
            .iter()
            .position(|name| name == input.name())
            .unwrap_or(0);
        self.assign(
            format!("_piecewise_cubic(t, KNOTS_{i}, CUBICS_{i})"),
            input.dof(),
        )
    }

    fn slice(&mut self, x: &Array, start: usize, len: usize) -> Result<Array> {
        let text = format!("{}[..., {start}:{}]", self.array(x), start + len);
        Ok(Array {
            text,
            len,
            is_number: false,
        })
    }

    fn concat(&mut self, parts: &[Array]) -> Result<Array> {
        let texts: Vec<String> = parts.iter().map(|x| self.array(x)).collect();
        let len = parts.iter().map(|x| x.len).sum();
        self.assign(format!("_concatenate({})", texts.join(", ")), len)
    }

    fn sum(&mut self, x: &Array) -> Result<Array> {
        let text = self.library.sum(&self.array(x));
        self.assign(text, 1)
    }

    fn unary(&mut self, f: Unary, x: &Array) -> Result<Array> {
        let text = self.library.unary(f, &self.array(x));
        self.assign(text, x.len)
    }

    fn binary(&mut self, f: Binary, x: &Array, y: &Array) -> Result<Array> {
        let is_arithmetic = matches!(f, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div);
        let (a, b) = match is_arithmetic && x.is_number != y.is_number {
            true => (x.text.clone(), y.text.clone()),
            false => (self.array(x), self.array(y)),
        };
        self.assign(self.library.binary(f, &a, &b), x.len.max(y.len))
    }

    fn select(&mut self, cond: &Array, a: &Array, b: &Array) -> Result<Array> {
        let len = cond.len.max(a.len).max(b.len);
        let [cond, a, b] = [cond, a, b].map(|x| self.array(x));
        self.assign(
            format!("{}.where({cond} != 0.0, {a}, {b})", self.library.module()),
            len,
        )
    }

    fn affine(&mut self, weight: usize, bias: Option<usize>, x: &Array) -> Result<Array> {
        let len = self.field.blocks()[weight]
            .shape
            .first()
            .copied()
            .unwrap_or(0);
        let mut text = format!("{} @ p[\"{}\"].T", self.array(x), self.identifiers[weight]);
        if let Some(bias) = bias {
            let bias = self.parameter(bias)?;
            text.push_str(&format!(" + {}", bias.text));
        }
        self.assign(text, len)
    }
}
