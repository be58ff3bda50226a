//! C99 source, with no library but math.h.

use odesync_ode::field::{Binary, InputSignal, Signal, Unary, VectorField};

use crate::language::{Language, used_blocks, used_inputs, uses, uses_inputs, write_field};
use crate::text::{NonFinite, Statements, block_identifiers, block_remark, needed_texts, one_line};
use crate::{Error, ExportOptions, Result};

/// Most numbers of the variables of the function, which lie on the stack.
const MAX_STACK: usize = 100_000;

/// A value in the source.
#[derive(Debug, Clone)]
struct CValue {
    base: CBase,
    len: usize,
}

#[derive(Debug, Clone)]
enum CBase {
    /// An expression of one number.
    Number(String),
    /// The elements of an array from `offset` on.
    Elements { array: String, offset: usize },
}

impl CValue {
    fn number(text: impl Into<String>) -> Self {
        CValue {
            base: CBase::Number(text.into()),
            len: 1,
        }
    }

    fn array(name: impl Into<String>, len: usize) -> Self {
        CValue {
            base: CBase::Elements {
                array: name.into(),
                offset: 0,
            },
            len,
        }
    }

    /// Returns component `i` as an expression; `i` is a number or the name of a loop's variable. One component is that of every i.
    fn at(&self, i: &str) -> String {
        match &self.base {
            CBase::Number(text) => text.clone(),
            CBase::Elements { array, offset } if self.len == 1 => format!("{array}[{offset}]"),
            CBase::Elements { array, offset: 0 } => format!("{array}[{i}]"),
            CBase::Elements { array, offset } => match i.parse::<usize>() {
                Ok(i) => format!("{array}[{}]", offset + i),
                Err(_) => format!("{array}[{offset} + {i}]"),
            },
        }
    }
}

/// Numbers in C.
const NUMBERS: NonFinite = NonFinite {
    infinity: "INFINITY",
    nan: "NAN",
};

/// Writes the function `f` of a field.
struct CFunction<'a> {
    field: &'a VectorField,
    identifiers: Vec<String>,
    inputs: Vec<(&'a InputSignal, usize)>,
    body: Statements,
    /// Numbers on the stack.
    stack: usize,
}

/// Returns a field as C source.
///
/// # Errors
/// A synchronised field, inputs of several samples without a choice of one, or a field that needs too large a stack.
pub(crate) fn source(field: &VectorField, options: &ExportOptions) -> Result<String> {
    let mut function = CFunction {
        field,
        identifiers: block_identifiers(field),
        inputs: used_inputs(field, options)?,
        body: Statements::default(),
        stack: 0,
    };
    let output = write_field(field, &mut function)?;
    let dof = field.dof();
    let mut text = format!(
        "/* du/dt = f(t, u) of {}, written by odesync {}.\n *\n * C99; link with -lm. f reads the state u and writes its derivative to du, {dof} numbers each;\n \
         * both may be the same array. It keeps nothing between calls, so that threads may share it. */\n#include <math.h>\n",
        odesync_base::text::count_of(dof, "state variable"),
        env!("CARGO_PKG_VERSION"),
    );
    text.push_str(&function.tables());
    text.push_str(&helpers(field));
    text.push_str("\nvoid f(double t, const double *u, double *du);\n\nvoid f(double t, const double *u, double *du)\n{\n");
    text.push_str("    (void)t;\n    (void)u;\n");
    text.push_str(&function.body.text("    "));
    // What is read from u is complete before du, which may be the same array, is written.
    text.push_str(&format!(
        "    double out[{dof}];\n    for (int i = 0; i < {dof}; i++) out[i] = {};\n",
        output.at("i")
    ));
    text.push_str(&format!(
        "    for (int i = 0; i < {dof}; i++) du[i] = out[i];\n}}\n"
    ));
    Ok(text)
}

/// Returns the functions that the operations of a field use and math.h does not have.
fn helpers(field: &VectorField) -> String {
    let used = |wanted: &[Unary]| uses(field, wanted);
    let all = [
        (
            used(&[Unary::Sign]),
            "static double sign(double x) { return (x > 0.0) - (x < 0.0); }\n",
        ),
        (
            used(&[Unary::Gelu]),
            "static double gelu(double x) { return 0.5 * x * erfc(-0.70710678118654752440 * x); }\n",
        ),
        (
            used(&[Unary::Sigmoid, Unary::Silu]),
            "static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }\n",
        ),
        (
            used(&[Unary::Softplus]),
            "static double softplus(double x) { return fmax(x, 0.0) + log1p(exp(-fabs(x))); }\n",
        ),
        (uses_inputs(field), PIECEWISE_CUBIC),
    ];
    needed_texts(&all)
}

/// The function that evaluates an external input.
const PIECEWISE_CUBIC: &str = "\
/* Evaluates an input of n times: cubics[i] holds, for each component, the coefficients of 1, s, s^2 and s^3 from knots[i] on. */
static void piecewise_cubic(double t, int n, int components, const double *knots, const double *cubics, double *out)
{
    int low = 0, high = n;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (knots[middle] <= t) low = middle + 1; else high = middle;
    }
    const int i = low > 0 ? low - 1 : 0;
    const double s = fmax(t - knots[i], 0.0);
    for (int k = 0; k < components; k++) {
        const double *c = cubics + 4 * (components * i + k);
        out[k] = c[0] + s * (c[1] + s * (c[2] + s * c[3]));
    }
}
";

impl CFunction<'_> {
    /// Returns the tables of the parameters and inputs.
    fn tables(&self) -> String {
        let mut text = String::new();
        let mut table = |name: &str, values: &[f64], remark: String| {
            if !remark.is_empty() {
                text.push_str(&format!("\n/* {remark} */"));
            }
            text.push_str(&format!(
                "\nstatic const double {name}[{}] = {{\n    {},\n}};\n",
                values.len(),
                NUMBERS.list(values, "    ")
            ));
        };
        for i in used_blocks(self.field) {
            let block = &self.field.blocks()[i];
            let mut remark = block_remark(block, &self.identifiers[i]);
            if block.shape.len() > 1 {
                remark.push_str(&format!(
                    "{}{:?}, row by row",
                    if remark.is_empty() { "" } else { ", " },
                    block.shape
                ));
            }
            table(
                &format!("p_{}", self.identifiers[i]),
                &self.field.values()[block.range()],
                remark,
            );
        }
        for (i, (input, sample)) in self.inputs.iter().enumerate() {
            let cubics: Vec<f64> = input
                .cubics(*sample)
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            table(
                &format!("knots_{i}"),
                input.times(*sample),
                format!("times of the input \"{}\"", one_line(input.name())),
            );
            table(&format!("cubics_{i}"), &cubics, String::new());
        }
        text
    }

    /// Declares an array.
    fn declare(&mut self, len: usize) -> Result<String> {
        self.stack += len;
        if self.stack > MAX_STACK {
            return Err(Error::invalid(format!(
                "the field needs more than {MAX_STACK} numbers at a time, too many for the stack of a C function: export it as .py or \
                 .onnx"
            )));
        }
        let name = self.body.variable();
        self.body.lines.push(format!("double {name}[{len}];"));
        Ok(name)
    }

    /// Assigns an expression of component `i` to each of `len` components of a new variable.
    fn assign(&mut self, len: usize, component: impl Fn(&str) -> String) -> Result<CValue> {
        if len == 1 {
            let name = self.body.variable();
            self.body
                .lines
                .push(format!("const double {name} = {};", component("0")));
            return Ok(CValue::number(name));
        }
        let name = self.declare(len)?;
        self.body.lines.push(format!(
            "for (int i = 0; i < {len}; i++) {name}[i] = {};",
            component("i")
        ));
        Ok(CValue::array(name, len))
    }
}

/// Returns an elementary function of a number.
fn unary(f: Unary, x: &str) -> String {
    match f {
        Unary::Neg => format!("-{x}"),
        Unary::Abs => format!("fabs({x})"),
        Unary::Square => format!("{x} * {x}"),
        Unary::Relu => format!("fmax({x}, 0.0)"),
        Unary::Silu => format!("{x} * sigmoid({x})"),
        // Those of math.h, and those of `helpers`.
        f => format!("{}({x})", f.name()),
    }
}

fn binary(f: Binary, x: &str, y: &str) -> String {
    match f {
        Binary::Pow => format!("pow({x}, {y})"),
        Binary::Min => format!("fmin({x}, {y})"),
        Binary::Max => format!("fmax({x}, {y})"),
        Binary::Atan2 => format!("atan2({x}, {y})"),
        f if f.is_comparison() => format!("{x} {} {y} ? 1.0 : 0.0", f.name()),
        f => format!("{x} {} {y}", f.name()),
    }
}

impl Language for CFunction<'_> {
    type Value = CValue;

    fn time(&mut self) -> Result<CValue> {
        Ok(CValue::number("t"))
    }

    fn state(&mut self) -> Result<CValue> {
        Ok(CValue::array("u", self.field.dof()))
    }

    fn parameter(&mut self, block: usize) -> Result<CValue> {
        Ok(CValue::array(
            format!("p_{}", self.identifiers[block]),
            self.field.blocks()[block].len(),
        ))
    }

    fn constant(&mut self, values: &[f64]) -> Result<CValue> {
        if let [x] = values {
            return Ok(CValue::number(NUMBERS.operand(*x)));
        }
        let name = self.body.variable();
        let numbers = NUMBERS.list(values, "        ");
        self.body.lines.push(format!(
            "static const double {name}[{}] = {{ {numbers} }};",
            values.len()
        ));
        Ok(CValue::array(name, values.len()))
    }

    fn input(&mut self, input: &InputSignal) -> Result<CValue> {
        let i = self
            .inputs
            .iter()
            .position(|(other, _)| other.name() == input.name())
            .unwrap_or(0);
        let n = self
            .inputs
            .get(i)
            .map_or(0, |(input, sample)| input.times(*sample).len());
        let name = self.declare(input.dof())?;
        let call = format!(
            "piecewise_cubic(t, {n}, {}, knots_{i}, cubics_{i}, {name});",
            input.dof()
        );
        self.body.lines.push(call);
        Ok(CValue::array(name, input.dof()))
    }

    fn slice(&mut self, x: &CValue, start: usize, len: usize) -> Result<CValue> {
        let base = match &x.base {
            CBase::Number(text) => CBase::Number(text.clone()),
            CBase::Elements { array, offset } => CBase::Elements {
                array: array.clone(),
                offset: offset + start,
            },
        };
        Ok(CValue { base, len })
    }

    fn concat(&mut self, parts: &[CValue]) -> Result<CValue> {
        let len = parts.iter().map(|x| x.len).sum();
        if let [x] = parts {
            return Ok(x.clone());
        }
        let name = self.declare(len)?;
        let mut at = 0;
        for x in parts {
            self.body.lines.push(match x.len {
                1 => format!("{name}[{at}] = {};", x.at("0")),
                n => format!(
                    "for (int i = 0; i < {n}; i++) {name}[{at} + i] = {};",
                    x.at("i")
                ),
            });
            at += x.len;
        }
        Ok(CValue::array(name, len))
    }

    fn sum(&mut self, x: &CValue) -> Result<CValue> {
        let name = self.body.variable();
        self.body.lines.push(format!("double {name} = 0.0;"));
        self.body.lines.push(format!(
            "for (int i = 0; i < {}; i++) {name} += {};",
            x.len,
            x.at("i")
        ));
        Ok(CValue::number(name))
    }

    fn unary(&mut self, f: Unary, x: &CValue) -> Result<CValue> {
        self.assign(x.len, |i| unary(f, &x.at(i)))
    }

    fn binary(&mut self, f: Binary, x: &CValue, y: &CValue) -> Result<CValue> {
        self.assign(x.len.max(y.len), |i| binary(f, &x.at(i), &y.at(i)))
    }

    fn select(&mut self, cond: &CValue, a: &CValue, b: &CValue) -> Result<CValue> {
        let len = cond.len.max(a.len).max(b.len);
        self.assign(len, |i| {
            format!("{} != 0.0 ? {} : {}", cond.at(i), a.at(i), b.at(i))
        })
    }

    fn affine(&mut self, weight: usize, bias: Option<usize>, x: &CValue) -> Result<CValue> {
        let [out, inputs] = self.field.blocks()[weight].shape[..] else {
            return Err(Error::invalid("a weight must have shape [out, in]"));
        };
        let name = self.declare(out)?;
        let begin = match bias {
            Some(bias) => format!("p_{}[i]", self.identifiers[bias]),
            None => "0.0".into(),
        };
        let weight = format!("p_{}", self.identifiers[weight]);
        self.body.lines.extend([
            format!("for (int i = 0; i < {out}; i++) {{"),
            format!("    double sum = {begin};"),
            format!(
                "    for (int k = 0; k < {inputs}; k++) sum += {weight}[{inputs} * i + k] * {};",
                x.at("k")
            ),
            format!("    {name}[i] = sum;"),
            "}".into(),
        ]);
        Ok(CValue::array(name, out))
    }
}
