//! Julia source: a function `f!(du, u, p, t)` as OrdinaryDiffEq.jl wants it. A value of one component is a number there, any other a
//! vector.

use odesync_ode::field::{Binary, InputSignal, Signal, Unary, VectorField};

use crate::language::{Language, used_blocks, used_inputs, uses, uses_inputs, write_field};
use crate::text::{NonFinite, Statements, block_identifiers, block_remark, needed_texts, one_line};
use crate::{Error, ExportOptions, Result};

/// A value in the source: a number where its length is 1, else a vector.
#[derive(Debug, Clone)]
struct JuliaValue {
    text: String,
    len: usize,
}

impl JuliaValue {
    fn is_number(&self) -> bool {
        self.len == 1
    }
}

/// Numbers in Julia.
const NUMBERS: NonFinite = NonFinite {
    infinity: "Inf",
    nan: "NaN",
};

/// Writes the function `f!` of a field.
struct JuliaFunction<'a> {
    field: &'a VectorField,
    identifiers: Vec<String>,
    inputs: Vec<(&'a InputSignal, usize)>,
    body: Statements,
}

/// Returns a field as Julia source.
///
/// # Errors
/// A synchronised field, or inputs of several samples without a choice of one.
pub(crate) fn source(field: &VectorField, options: &ExportOptions) -> Result<String> {
    let mut function = JuliaFunction {
        field,
        identifiers: block_identifiers(field),
        inputs: used_inputs(field, options)?,
        body: Statements::default(),
    };
    let du = write_field(field, &mut function)?;
    let mut text = format!(
        "# du/dt = f(t, u) of {}, written by odesync {}.\n#\n#     using OrdinaryDiffEq\n#     problem = ODEProblem(f!, u0, (0.0, 1.0), parameters)\n\
         #     solve(problem, Tsit5(); reltol = 1e-7, abstol = 1e-9, tstops = breakpoints)\n#\n\
         # sqrt, log and ^ throw a DomainError where the result would not be a real number.\n",
        odesync_base::text::count_of(field.dof(), "state variable"),
        env!("CARGO_PKG_VERSION"),
    );
    text.push_str(&helpers(field));
    text.push_str(&function.tables());
    text.push_str("\nfunction f!(du, u, p, t)\n");
    text.push_str(&function.body.text("    "));
    text.push_str(&format!("    du .= {}\n    return nothing\nend\n", du.text));
    Ok(text)
}

/// Returns the functions that the operations of a field use and Julia does not have.
fn helpers(field: &VectorField) -> String {
    let used = |wanted: &[Unary]| uses(field, wanted);
    let all = [
        (
            used(&[Unary::Gelu, Unary::Erf]),
            "using SpecialFunctions: erf, erfc\n",
        ),
        (
            used(&[Unary::Gelu]),
            "gelu(x) = x * erfc(-x / sqrt(2)) / 2\n",
        ),
        (
            used(&[Unary::Sigmoid, Unary::Silu]),
            "sigmoid(x) = 1 / (1 + exp(-x))\n",
        ),
        (used(&[Unary::Silu]), "silu(x) = x * sigmoid(x)\n"),
        (
            used(&[Unary::Softplus]),
            "softplus(x) = max(x, 0) + log1p(exp(-abs(x)))\n",
        ),
        (uses_inputs(field), PIECEWISE_CUBIC),
    ];
    needed_texts(&all)
}

/// The function that evaluates an external input.
const PIECEWISE_CUBIC: &str = "
# Evaluates an input: column i of cubics[k] holds the coefficients of 1, s, s^2 and s^3 of component k from knots[i] on.
function piecewise_cubic(t, knots, cubics)
    i = max(searchsortedlast(knots, t), 1)
    s = max(t - knots[i], zero(t))
    return [evalpoly(s, (c[1, i], c[2, i], c[3, i], c[4, i])) for c in cubics]
end
";

impl JuliaFunction<'_> {
    /// Returns the parameters, and the tables of the inputs.
    fn tables(&self) -> String {
        let mut text = String::from("\nparameters = (;\n");
        for i in used_blocks(self.field) {
            let (block, name) = (&self.field.blocks()[i], &self.identifiers[i]);
            let values = &self.field.values()[block.range()];
            let remark = block_remark(block, name);
            if !remark.is_empty() {
                text.push_str(&format!("    # {remark}\n"));
            }
            let numbers = NUMBERS.list(values, "        ");
            text.push_str(&match block.shape.as_slice() {
                [] => format!("    {name} = {numbers},\n"),
                [out, inputs] => {
                    format!("    {name} = permutedims(reshape([{numbers}], {inputs}, {out})),\n")
                }
                _ => format!("    {name} = [{numbers}],\n"),
            });
        }
        text.push_str(")\n");
        let mut knots = vec![];
        for (i, (input, sample)) in self.inputs.iter().enumerate() {
            let cubics = input.cubics(*sample);
            let times = NUMBERS.list(input.times(*sample), "    ");
            text.push_str(&format!(
                "\n# Input \"{}\".\nconst knots_{i} = [{times}]\nconst cubics_{i} = [\n",
                one_line(input.name())
            ));
            for component in 0..cubics.first().map_or(0, Vec::len) {
                let numbers: Vec<f64> = cubics.iter().flat_map(|row| row[component]).collect();
                text.push_str(&format!(
                    "    reshape([{}], 4, :),\n",
                    NUMBERS.list(&numbers, "        ")
                ));
            }
            text.push_str("]\n");
            knots.push(format!("knots_{i}"));
        }
        text.push_str(&match knots.is_empty() {
            true => "const breakpoints = Float64[]\n".to_string(),
            false => format!("const breakpoints = sort(unique([{}]))\n", knots.join("; ")),
        });
        text
    }

    fn assign(&mut self, text: &str, len: usize) -> Result<JuliaValue> {
        let name = self.body.variable();
        self.body.lines.push(format!("{name} = {text}"));
        Ok(JuliaValue { text: name, len })
    }
}

/// Returns a call of a function, for each component where there are several.
fn call(name: &str, values: &[&JuliaValue]) -> String {
    let dot = if values.iter().all(|x| x.is_number()) {
        ""
    } else {
        "."
    };
    let arguments: Vec<&str> = values.iter().map(|x| x.text.as_str()).collect();
    format!("{name}{dot}({})", arguments.join(", "))
}

/// Returns an operator between two values, for each component where there are several.
fn operator(name: &str, x: &JuliaValue, y: &JuliaValue) -> String {
    let dot = if x.is_number() && y.is_number() {
        ""
    } else {
        "."
    };
    format!("{} {dot}{name} {}", x.text, y.text)
}

impl Language for JuliaFunction<'_> {
    type Value = JuliaValue;

    fn time(&mut self) -> Result<JuliaValue> {
        Ok(JuliaValue {
            text: "t".into(),
            len: 1,
        })
    }

    fn state(&mut self) -> Result<JuliaValue> {
        let len = self.field.dof();
        let text = if len == 1 { "u[1]" } else { "u" };
        Ok(JuliaValue {
            text: text.into(),
            len,
        })
    }

    fn parameter(&mut self, block: usize) -> Result<JuliaValue> {
        let (len, rank) = (
            self.field.blocks()[block].len(),
            self.field.blocks()[block].shape.len(),
        );
        let name = format!("p.{}", self.identifiers[block]);
        let text = match (len, rank) {
            (_, 0) => name,
            (1, _) => format!("{name}[1]"),
            (_, 1) => name,
            // Row by row.
            _ => format!("vec(permutedims({name}))"),
        };
        Ok(JuliaValue { text, len })
    }

    fn constant(&mut self, values: &[f64]) -> Result<JuliaValue> {
        match values {
            [x] => Ok(JuliaValue {
                text: NUMBERS.operand(*x),
                len: 1,
            }),
            _ => self.assign(
                &format!("[{}]", NUMBERS.list(values, "        ")),
                values.len(),
            ),
        }
    }

    fn input(&mut self, input: &InputSignal) -> Result<JuliaValue> {
        let i = self
            .inputs
            .iter()
            .position(|(other, _)| other.name() == input.name())
            .unwrap_or(0);
        let values = format!("piecewise_cubic(t, knots_{i}, cubics_{i})");
        let text = if input.dof() == 1 {
            format!("only({values})")
        } else {
            values
        };
        self.assign(&text, input.dof())
    }

    fn slice(&mut self, x: &JuliaValue, start: usize, len: usize) -> Result<JuliaValue> {
        let text = match len {
            _ if x.is_number() => x.text.clone(),
            1 => format!("{}[{}]", x.text, start + 1),
            _ => format!("{}[{}:{}]", x.text, start + 1, start + len),
        };
        Ok(JuliaValue { text, len })
    }

    fn concat(&mut self, parts: &[JuliaValue]) -> Result<JuliaValue> {
        if let [x] = parts {
            return Ok(x.clone());
        }
        let texts: Vec<&str> = parts.iter().map(|x| x.text.as_str()).collect();
        let len = parts.iter().map(|x| x.len).sum();
        self.assign(&format!("[{}]", texts.join("; ")), len)
    }

    fn sum(&mut self, x: &JuliaValue) -> Result<JuliaValue> {
        self.assign(&format!("sum({})", x.text), 1)
    }

    fn unary(&mut self, f: Unary, x: &JuliaValue) -> Result<JuliaValue> {
        let text = match f {
            Unary::Neg => format!("-{}", x.text),
            Unary::Square => call("abs2", &[x]),
            Unary::Relu => call(
                "max",
                &[
                    x,
                    &JuliaValue {
                        text: "0".into(),
                        len: 1,
                    },
                ],
            ),
            // The names that Julia has, and those of `helpers`.
            f => call(f.name(), &[x]),
        };
        self.assign(&text, x.len)
    }

    fn binary(&mut self, f: Binary, x: &JuliaValue, y: &JuliaValue) -> Result<JuliaValue> {
        let text = match f {
            Binary::Pow => operator("^", x, y),
            Binary::Min | Binary::Max => call(f.name(), &[x, y]),
            Binary::Atan2 => call("atan", &[x, y]),
            f if f.is_comparison() => {
                let dot = if x.is_number() && y.is_number() {
                    ""
                } else {
                    "."
                };
                format!("Float64{dot}({})", operator(f.name(), x, y))
            }
            f => operator(f.name(), x, y),
        };
        self.assign(&text, x.len.max(y.len))
    }

    fn select(&mut self, cond: &JuliaValue, a: &JuliaValue, b: &JuliaValue) -> Result<JuliaValue> {
        let zero = JuliaValue {
            text: "0".into(),
            len: 1,
        };
        let len = cond.len.max(a.len).max(b.len);
        let dot = if len == 1 { "" } else { "." };
        let text = format!(
            "ifelse{dot}({}, {}, {})",
            operator("!=", cond, &zero),
            a.text,
            b.text
        );
        self.assign(&text, len)
    }

    fn affine(&mut self, weight: usize, bias: Option<usize>, x: &JuliaValue) -> Result<JuliaValue> {
        let [out, _] = self.field.blocks()[weight].shape[..] else {
            return Err(Error::invalid("a weight must have shape [out, in]"));
        };
        let operand = if x.is_number() {
            format!("[{}]", x.text)
        } else {
            x.text.clone()
        };
        let mut text = format!("p.{} * {operand}", self.identifiers[weight]);
        if let Some(bias) = bias {
            text.push_str(&format!(" .+ p.{}", self.identifiers[bias]));
        }
        let text = if out == 1 {
            format!("only({text})")
        } else {
            text
        };
        self.assign(&text, out)
    }
}
