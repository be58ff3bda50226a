//! The script language: a script whose value is the field, with its parameters as numbers.

use odesync_ode::field::{Binary, InputSignal, Signal, Unary, VectorField};
use odesync_train::equations::{input_script, script_number};

use crate::language::{Language, used_blocks, used_inputs, write_field};
use crate::text::Statements;
use crate::{Error, ExportOptions, Result};

/// A value in the script.
#[derive(Debug, Clone)]
struct ScriptValue {
    text: String,
    len: usize,
    /// Its components, where it is a list, on which functions of symbols cannot be called.
    components: Option<Vec<String>>,
    /// The comparison that it is 1 or 0 by.
    condition: Option<String>,
}

impl ScriptValue {
    fn symbol(text: impl Into<String>, len: usize) -> Self {
        ScriptValue {
            text: text.into(),
            len,
            components: None,
            condition: None,
        }
    }

    fn list(components: Vec<String>) -> Self {
        ScriptValue {
            text: format!("[{}]", components.join(", ")),
            len: components.len(),
            components: Some(components),
            condition: None,
        }
    }

    /// Returns the components one by one.
    fn parts(&self) -> Vec<String> {
        match &self.components {
            Some(components) => components.clone(),
            None if self.len == 1 => vec![self.text.clone()],
            None => (0..self.len)
                .map(|i| format!("{}[{i}]", self.text))
                .collect(),
        }
    }

    /// Returns the value as something that functions of symbols take.
    fn operand(&self) -> String {
        match &self.components {
            // A list becomes a symbol where it is added to one.
            Some(_) => format!("(0.0 * t + {})", self.text),
            None => self.text.clone(),
        }
    }
}

/// Writes a field as a script.
struct ScriptWriter<'a> {
    field: &'a VectorField,
    body: Statements,
}

/// Returns a field as a script of odesync.
///
/// # Errors
/// A synchronised field, or inputs of several samples of which one was chosen that does not exist.
pub(crate) fn source(field: &VectorField, options: &ExportOptions) -> Result<String> {
    // The script language has inputs of several samples, so that one has to be chosen in no case.
    let inputs = used_inputs(
        field,
        &ExportOptions {
            sample: options.sample.or(Some(0)),
            ..options.clone()
        },
    )?;
    let mut writer = ScriptWriter {
        field,
        body: Statements::default(),
    };
    let du = write_field(field, &mut writer)?;
    let constants = used_blocks(field)
        .into_iter()
        .map(|i| &field.blocks()[i])
        .filter(|b| b.shape.is_empty());
    let constants = constants.map(|b| {
        format!(
            "{}: {}",
            key(&b.name),
            script_number(field.values()[b.offset])
        )
    });
    let mut named: Vec<String> = constants.collect();
    for (input, sample) in inputs {
        let chosen = match options.sample {
            Some(_) => input.select_samples(&[sample])?,
            None => input.clone(),
        };
        let entry = format!("{}: {}", key(input.name()), input_script(&chosen));
        if !named.contains(&entry) {
            named.push(entry);
        }
    }
    let dof = field.dof();
    let mut text = format!(
        "// du/dt of {}, written by odesync {}: the value of this script is the field.\nsystem({dof}, |t, u, p| {{\n",
        odesync_base::text::count_of(dof, "state variable"),
        env!("CARGO_PKG_VERSION"),
    );
    text.push_str(&writer.body.text("    "));
    text.push_str(&format!(
        "    [{}]\n}}, #{{ {} }})\n",
        du.parts().join(", "),
        named.join(", ")
    ));
    Ok(text)
}

/// Returns a name as the key of a map.
fn key(name: &str) -> String {
    odesync_base::options::Value::from(name).to_string()
}

/// Returns numbers as a list.
fn list(values: &[f64]) -> String {
    let numbers: Vec<String> = values.iter().map(|x| script_number(*x)).collect();
    format!("[{}]", numbers.join(", "))
}

/// Returns a number that may stand beside any operator.
fn operand(x: f64) -> String {
    match x.is_sign_negative() {
        true => format!("({})", script_number(x)),
        false => script_number(x),
    }
}

impl ScriptWriter<'_> {
    fn assign(&mut self, text: &str, len: usize) -> Result<ScriptValue> {
        let name = self.body.variable();
        self.body.lines.push(format!("let {name} = {text};"));
        Ok(ScriptValue::symbol(name, len))
    }
}

impl Language for ScriptWriter<'_> {
    type Value = ScriptValue;

    fn time(&mut self) -> Result<ScriptValue> {
        Ok(ScriptValue::symbol("t", 1))
    }

    fn state(&mut self) -> Result<ScriptValue> {
        let len = self.field.dof();
        Ok(ScriptValue::symbol(
            if len == 1 { "u[0]" } else { "u" },
            len,
        ))
    }

    fn parameter(&mut self, block: usize) -> Result<ScriptValue> {
        let block = &self.field.blocks()[block];
        let values = &self.field.values()[block.range()];
        if block.shape.is_empty() {
            return Ok(ScriptValue::symbol(format!("p[{}]", key(&block.name)), 1));
        }
        Ok(ScriptValue::list(
            values.iter().map(|x| operand(*x)).collect(),
        ))
    }

    fn constant(&mut self, values: &[f64]) -> Result<ScriptValue> {
        if let Some(x) = values.iter().find(|x| !x.is_finite()) {
            return Err(Error::invalid(format!(
                "the script language has no word for the constant {x}: export as .py"
            )));
        }
        match values {
            [x] => Ok(ScriptValue::symbol(operand(*x), 1)),
            _ => Ok(ScriptValue::list(
                values.iter().map(|x| operand(*x)).collect(),
            )),
        }
    }

    fn input(&mut self, input: &InputSignal) -> Result<ScriptValue> {
        let name = format!("p[{}]", key(input.name()));
        // While the closure is checked on numbers, an input is an array also where it has one component.
        let text = if input.dof() == 1 {
            format!("{name}[0]")
        } else {
            name
        };
        Ok(ScriptValue::symbol(text, input.dof()))
    }

    fn slice(&mut self, x: &ScriptValue, start: usize, len: usize) -> Result<ScriptValue> {
        if x.len == 1 {
            return Ok(x.clone());
        }
        match (&x.components, len) {
            (Some(components), 1) => Ok(ScriptValue::symbol(components[start].clone(), 1)),
            (Some(components), _) => Ok(ScriptValue::list(components[start..start + len].to_vec())),
            (None, 1) => Ok(ScriptValue::symbol(format!("{}[{start}]", x.text), 1)),
            (None, _) => self.assign(
                &format!("{}.slice(0, {start}, {})", x.text, start + len),
                len,
            ),
        }
    }

    fn concat(&mut self, parts: &[ScriptValue]) -> Result<ScriptValue> {
        match parts {
            [x] => Ok(x.clone()),
            _ => Ok(ScriptValue::list(
                parts.iter().flat_map(ScriptValue::parts).collect(),
            )),
        }
    }

    fn sum(&mut self, x: &ScriptValue) -> Result<ScriptValue> {
        match x.len {
            1 => Ok(x.clone()),
            _ => self.assign(&format!("sum({})", x.operand()), 1),
        }
    }

    fn unary(&mut self, f: Unary, x: &ScriptValue) -> Result<ScriptValue> {
        let text = match f {
            Unary::Neg => format!("-{}", x.operand()),
            f => format!("{}({})", f.name(), x.operand()),
        };
        self.assign(&text, x.len)
    }

    fn binary(&mut self, f: Binary, x: &ScriptValue, y: &ScriptValue) -> Result<ScriptValue> {
        let len = x.len.max(y.len);
        // One of two lists has to be a symbol.
        let left = if y.components.is_some() {
            x.operand()
        } else {
            x.text.clone()
        };
        let right = y.text.clone();
        let infix = format!("{left} {} {right}", f.name());
        if f.is_comparison() {
            let text = format!("where({infix}, 1.0, 0.0)");
            return Ok(ScriptValue {
                condition: Some(infix),
                ..ScriptValue::symbol(text, len)
            });
        }
        let text = match f {
            Binary::Min | Binary::Max | Binary::Atan2 => format!("{}({left}, {right})", f.name()),
            _ => infix,
        };
        self.assign(&text, len)
    }

    fn select(
        &mut self,
        cond: &ScriptValue,
        a: &ScriptValue,
        b: &ScriptValue,
    ) -> Result<ScriptValue> {
        let condition = match &cond.condition {
            Some(condition) => condition.clone(),
            None => format!("{} != 0.0", cond.operand()),
        };
        let len = cond.len.max(a.len).max(b.len);
        self.assign(&format!("where({condition}, {}, {})", a.text, b.text), len)
    }

    fn affine(
        &mut self,
        weight: usize,
        bias: Option<usize>,
        x: &ScriptValue,
    ) -> Result<ScriptValue> {
        let field = self.field;
        let block = &field.blocks()[weight];
        let [out, inputs] = block.shape[..] else {
            return Err(Error::invalid("a weight must have shape [out, in]"));
        };
        let rows = field.values()[block.range()].chunks(inputs);
        let rows: Vec<String> = rows.map(list).collect();
        let operand = x.operand();
        let mut text = match (inputs, out) {
            (1, 1) => format!("{} * {operand}", rows.join("").trim_matches(['[', ']'])),
            (1, _) => {
                let column: Vec<f64> = field.values()[block.range()].to_vec();
                format!("{} * {operand}", list(&column))
            }
            (_, 1) => format!("dot({}, {operand})", rows.join("")),
            _ => format!(
                "dot([\n        {}\n    ], {operand})",
                rows.join(",\n        ")
            ),
        };
        if let Some(bias) = bias {
            let bias = &field.values()[field.blocks()[bias].range()];
            match bias {
                [b] => text.push_str(&format!(" + {}", self::operand(*b))),
                _ => text.push_str(&format!(" + {}", list(bias))),
            }
        }
        self.assign(&text, out)
    }
}
