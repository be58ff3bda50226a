//! Random fields: their values against an interpreter that shares nothing with the engine, their adjoints against their tangents.
//!
//! The interpreter keeps beside each number how far it may be off (what its operands are off, as the function carries it on, and the
//! rounding of the function itself), and for each variable the sum over all paths of the absolute derivatives, to which the rounding of a
//! tangent and of an adjoint is relative. So no tolerance has to be guessed for a graph.

use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{Binary, Expr, FieldBuilder, Isa, Unary, VectorField};

/// Rounding of an elementary function, relative.
const ROUNDING: f64 = 1e-12;

/// Most operations of a field.
const MAX_OPERATIONS: usize = 40;

/// The input as choices.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    fn number(&mut self) -> f64 {
        const SPECIAL: [f64; 12] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            2.0,
            1e-3,
            1e3,
            1e-300,
            1e300,
            f64::INFINITY,
            f64::NAN,
        ];
        match self.byte() {
            special @ 0..24 => SPECIAL[usize::from(special) / 2],
            other => f64::from(other) / 60.0 - 2.0 + f64::from(self.byte()) / 16384.0,
        }
    }

    /// Returns a weight of a layer, neither zero nor infinite: products of matrices make a NaN of zero times infinity, where single
    /// operations make zero.
    fn weight(&mut self) -> f64 {
        let x = self.number();
        if x.is_normal() { x } else { 1.0 }
    }
}

/// A number of the interpreter.
#[derive(Debug, Clone)]
struct Number {
    x: f64,
    /// How far the engine's may be from it.
    error: f64,
    /// For each variable, the sum over all paths of the absolute derivatives.
    paths: Vec<f64>,
}

/// A part of the field: the expression, and its value by the interpreter.
#[derive(Clone)]
struct GraphPart {
    expression: Expr,
    value: Vec<Number>,
}

fn unary(f: Unary, x: f64) -> f64 {
    use Unary::*;
    match f {
        Neg => -x,
        Abs => x.abs(),
        Sign => match x {
            x if x.is_nan() => x,
            x if x > 0.0 => 1.0,
            x if x < 0.0 => -1.0,
            _ => 0.0,
        },
        Sqrt => x.sqrt(),
        Square => x * x,
        Exp => x.exp(),
        Expm1 => x.exp_m1(),
        Log => x.ln(),
        Log1p => x.ln_1p(),
        Log10 => x.log10(),
        Sin => x.sin(),
        Cos => x.cos(),
        Tan => x.tan(),
        Asin => x.asin(),
        Acos => x.acos(),
        Atan => x.atan(),
        Sinh => x.sinh(),
        Cosh => x.cosh(),
        Tanh => x.tanh(),
        Asinh => x.asinh(),
        Acosh => x.acosh(),
        Atanh => x.atanh(),
        Erf => libm::erf(x),
        Floor => x.floor(),
        Ceil => x.ceil(),
        Gelu => x * 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2),
        Relu => match x {
            x if x > 0.0 || x.is_nan() => x,
            _ => 0.0,
        },
        Silu => x / (1.0 + (-x).exp()),
        Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

/// Returns a bound of the absolute derivative.
fn slope(f: Unary, x: f64) -> f64 {
    use Unary::*;
    match f {
        Neg | Abs | Relu | Sin | Cos | Atan | Tanh | Asinh | Sigmoid | Softplus => 1.0,
        Erf | Gelu | Silu => 2.0,
        Sign | Floor | Ceil => 0.0,
        Sqrt => 0.5 / x.sqrt(),
        Square => 2.0 * x.abs(),
        Exp | Expm1 => x.exp(),
        Log => 1.0 / x.abs(),
        Log10 => 0.5 / x.abs(),
        Log1p => 1.0 / (1.0 + x).abs(),
        Tan => 1.0 + x.tan().powi(2),
        Asin | Acos => 1.0 / (1.0 - x * x).sqrt(),
        Sinh | Cosh => x.cosh(),
        Acosh => 1.0 / ((x - 1.0).sqrt() * (x + 1.0).sqrt()),
        Atanh => 1.0 / (1.0 - x * x).abs(),
    }
}

fn binary(f: Binary, x: f64, y: f64) -> f64 {
    use Binary::*;
    let flag = f64::from;
    match f {
        Add => x + y,
        Sub => x - y,
        Mul => x * y,
        Div => x / y,
        Pow => x.powf(y),
        // What the engine makes of a NaN here is left open by the caller.
        Min => x.min(y),
        Max => x.max(y),
        Atan2 => x.atan2(y),
        Lt => flag(u8::from(x < y)),
        Le => flag(u8::from(x <= y)),
        Gt => flag(u8::from(x > y)),
        Ge => flag(u8::from(x >= y)),
        Eq => flag(u8::from(x == y)),
        Ne => flag(u8::from(x != y)),
    }
}

/// Returns bounds of the absolute derivatives by x and by y.
fn slopes(f: Binary, x: f64, y: f64) -> (f64, f64) {
    use Binary::*;
    match f {
        Add | Sub | Min | Max => (1.0, 1.0),
        Mul => (y.abs(), x.abs()),
        Div => (1.0 / y.abs(), (x / y / y).abs()),
        Pow => (
            (y * x.powf(y - 1.0)).abs(),
            (x.powf(y) * x.abs().ln()).abs(),
        ),
        Atan2 => {
            let square = x * x + y * y;
            (y.abs() / square, x.abs() / square)
        }
        Lt | Le | Gt | Ge | Eq | Ne => (0.0, 0.0),
    }
}

/// Returns how far a function's value may be off, from its values where its operands are off.
fn off(value: f64, around: impl IntoIterator<Item = f64>) -> f64 {
    let mut error = ROUNDING * value.abs() + 1e-290;
    for other in around {
        let difference = (other - value).abs();
        error += match (other.is_nan(), value.is_nan()) {
            (true, true) => 0.0,
            (false, false) if other == value => 0.0,
            (false, false) if difference.is_finite() => 2.0 * difference,
            _ => f64::INFINITY,
        };
    }
    // Between its ends so wide an interval may hold anything, such as what is not a number.
    match error <= 1e-6 * (1.0 + value.abs()) {
        true => error,
        false => f64::INFINITY,
    }
}

fn zip_paths(x: &Number, y: &Number, (by_x, by_y): (f64, f64)) -> Vec<f64> {
    let term = |slope: f64, path: &f64| if *path == 0.0 { 0.0 } else { slope * path };
    let pairs = x.paths.iter().zip(&y.paths);
    pairs.map(|(x, y)| term(by_x, x) + term(by_y, y)).collect()
}

fn of_two(f: Binary, x: &Number, y: &Number) -> Number {
    let value = binary(f, x.x, y.x);
    let (dx, dy) = (x.error, y.error);
    let corners = [(dx, dy), (dx, -dy), (-dx, dy), (-dx, -dy)];
    let mut error = off(value, corners.map(|(dx, dy)| binary(f, x.x + dx, y.x + dy)));
    if matches!(f, Binary::Min | Binary::Max) && (x.x.is_nan() || y.x.is_nan()) {
        error = f64::INFINITY;
    }
    Number {
        x: value,
        error,
        paths: zip_paths(x, y, slopes(f, x.x, y.x)),
    }
}

fn of_one(f: Unary, x: &Number) -> Number {
    let value = unary(f, x.x);
    let slope = slope(f, x.x);
    let path = |path: &f64| if *path == 0.0 { 0.0 } else { slope * path };
    let mut error = off(value, [unary(f, x.x - x.error), unary(f, x.x + x.error)]);
    // The last digits of a large angle.
    if matches!(f, Unary::Sin | Unary::Cos | Unary::Tan) {
        error += slope * x.x.abs() * ROUNDING;
    }
    Number {
        x: value,
        error,
        paths: x.paths.iter().map(path).collect(),
    }
}

fn select(cond: &Number, a: &Number, b: &Number) -> Number {
    let holds = cond.x != 0.0;
    let is_open = cond.error > 1e-280 && (cond.x - cond.error..=cond.x + cond.error).contains(&0.0);
    let one = if holds { a } else { b };
    Number {
        error: match is_open || cond.error.is_infinite() {
            true => f64::INFINITY,
            false => one.error,
        },
        ..one.clone()
    }
}

/// Returns element `i` of a value, of which one of length 1 is broadcast.
fn item(value: &[Number], i: usize) -> &Number {
    if value.len() == 1 {
        &value[0]
    } else {
        &value[i]
    }
}

struct Graph {
    builder: FieldBuilder,
    parts: Vec<GraphPart>,
    n_variables: usize,
}

impl Graph {
    fn number(&self, x: f64, variable: Option<usize>) -> Number {
        let mut paths = vec![0.0; self.n_variables];
        if let Some(path) = variable.and_then(|variable| paths.get_mut(variable)) {
            *path = 1.0;
        }
        Number {
            x,
            error: 0.0,
            paths,
        }
    }

    fn pick(&self, choices: &mut Choices) -> GraphPart {
        // The later ones more often, so that graphs become deep.
        let n = self.parts.len();
        let back = choices.below(n).min(choices.below(n));
        self.parts[n - 1 - back].clone()
    }

    fn add(&mut self, choices: &mut Choices) {
        let x = self.pick(choices);
        let made: Option<GraphPart> = match choices.below(8) {
            0 | 1 => {
                let f = Unary::ALL[choices.below(Unary::ALL.len())];
                Some(GraphPart {
                    expression: x.expression.unary(f),
                    value: x.value.iter().map(|x| of_one(f, x)).collect(),
                })
            }
            2..5 => {
                let y = self.pick(choices);
                let f = Binary::ALL[choices.below(Binary::ALL.len())];
                let len = x.value.len().max(y.value.len());
                x.expression
                    .try_binary(f, &y.expression)
                    .ok()
                    .map(|expression| GraphPart {
                        expression,
                        value: (0..len)
                            .map(|i| of_two(f, item(&x.value, i), item(&y.value, i)))
                            .collect(),
                    })
            }
            5 => {
                let (a, b) = (self.pick(choices), self.pick(choices));
                let len = x.value.len().max(a.value.len()).max(b.value.len());
                x.expression
                    .try_select(&a.expression, &b.expression)
                    .ok()
                    .map(|expression| GraphPart {
                        expression,
                        value: (0..len)
                            .map(|i| {
                                select(item(&x.value, i), item(&a.value, i), item(&b.value, i))
                            })
                            .collect(),
                    })
            }
            6 => {
                let from = choices.below(4);
                let to = from + 1 + choices.below(3);
                x.expression
                    .try_slice(from, to)
                    .ok()
                    .map(|expression| GraphPart {
                        expression,
                        value: x.value[from..to].to_vec(),
                    })
            }
            _ => {
                let y = self.pick(choices);
                match choices.below(2) {
                    0 => {
                        let mut sum = self.number(0.0, None);
                        for x in &x.value {
                            // The order of the sum is the engine's own.
                            let size = x.x.abs() + sum.x.abs();
                            sum = of_two(Binary::Add, &sum, x);
                            sum.error += ROUNDING * size;
                        }
                        Some(GraphPart {
                            expression: x.expression.sum(),
                            value: sum_of(sum),
                        })
                    }
                    _ if x.value.len() + y.value.len() <= 8 => {
                        let parts = [x.expression.clone(), y.expression.clone()];
                        Some(GraphPart {
                            expression: self.builder.concat(&parts),
                            value: [x.value, y.value].concat(),
                        })
                    }
                    _ => None,
                }
            }
        };
        self.parts.extend(made);
    }
}

fn sum_of(sum: Number) -> Vec<Number> {
    vec![sum]
}

pub fn equations(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let dof = 1 + choices.below(4);
    let n_free = choices.below(3);
    let (rows, columns) = (1 + choices.below(4), dof);
    let has_layer = choices.below(2) == 1;
    let n_weights = if has_layer { rows * columns + rows } else { 0 };
    let n_values = n_free + n_weights;
    let t = choices.number();
    let u: Vec<f64> = (0..dof).map(|_| choices.number()).collect();
    let builder = FieldBuilder::new(dof);
    let mut graph = Graph {
        parts: vec![],
        n_variables: dof + 1 + n_values,
        builder: builder.clone(),
    };
    let state: Vec<Number> = (0..dof).map(|i| graph.number(u[i], Some(i))).collect();
    graph.parts.push(GraphPart {
        expression: builder.state(),
        value: state.clone(),
    });
    graph.parts.push(GraphPart {
        expression: builder.time(),
        value: vec![graph.number(t, Some(dof))],
    });
    for i in 0..n_free {
        let x = choices.number();
        let block = builder
            .block(&format!("p{i}"), &[], &[x], true)
            .expect("a name of its own");
        let value = vec![graph.number(x, Some(dof + 1 + i))];
        graph.parts.push(GraphPart {
            expression: builder.parameter(block),
            value,
        });
    }
    if has_layer {
        let mut values = |n: usize| (0..n).map(|_| choices.weight()).collect::<Vec<f64>>();
        let (weights, biases) = (values(rows * columns), values(rows));
        let weight = builder
            .block("w", &[rows, columns], &weights, true)
            .expect("a name of its own");
        let bias = builder
            .block("b", &[rows], &biases, true)
            .expect("a name of its own");
        let first = dof + 1 + n_free;
        let out = (0..rows).map(|o| {
            let mut sum = graph.number(biases[o], Some(first + rows * columns + o));
            for j in 0..columns {
                let at = o * columns + j;
                let w = graph.number(weights[at], Some(first + at));
                let term = of_two(Binary::Mul, &w, &state[j]);
                let size = sum.x.abs() + term.x.abs();
                sum = of_two(Binary::Add, &sum, &term);
                sum.error += ROUNDING * size;
            }
            sum
        });
        let value = out.collect();
        let expression = builder.affine(weight, Some(bias), &builder.state());
        graph.parts.push(GraphPart { expression, value });
    }
    for _ in 0..2 {
        let x = choices.number();
        graph.parts.push(GraphPart {
            expression: builder.constant(&[x]),
            value: vec![graph.number(x, None)],
        });
    }
    for _ in 0..choices.below(MAX_OPERATIONS) {
        graph.add(&mut choices);
    }
    let outputs: Vec<GraphPart> = (0..dof).map(|_| graph.pick(&mut choices)).collect();
    let first: Vec<Expr> = outputs.iter().map(|part| part.expression.at(0)).collect();
    let want: Vec<Number> = outputs.iter().map(|part| part.value[0].clone()).collect();
    let field = builder
        .finish(builder.concat(&first))
        .expect("a field without a mistake");
    let bar: Vec<f64> = (0..dof).map(|i| 0.7 - 0.9 * i as f64).collect();
    for isa in [Isa::Portable, Isa::Avx2] {
        check(&field, isa, (t, &u), &want, &bar);
    }
    let saved = field
        .to_json()
        .and_then(|text| VectorField::from_json(&text))
        .expect("a field that is saved");
    let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let of = |field: &VectorField| field.derivative(t, &u).map(bits).ok();
    assert_eq!(of(&saved), of(&field), "{}", field.show());
}

fn check(field: &VectorField, isa: Isa, (t, u): (f64, &[f64]), want: &[Number], bar: &[f64]) {
    let evaluator = Evaluator::new(field).with_isa(isa);
    let (dof, n) = (field.dof(), field.values().len());
    let slot = || vec![0.0; evaluator.slot_len()];
    let (mut taped, mut plain, mut kept) = (vec![0.0; dof], vec![0.0; dof], slot());
    evaluator.eval_taped(0, t, u, &mut kept, &mut taped);
    evaluator.eval(0, t, u, &mut slot(), &mut plain);
    for (i, want) in want.iter().enumerate() {
        let (got, taped) = (plain[i], taped[i]);
        assert!(
            got.to_bits() == taped.to_bits() || got.is_nan() && taped.is_nan(),
            "{got} {taped} {}",
            field.show()
        );
        let is_same = got == want.x || got.is_nan() && want.x.is_nan();
        assert!(
            is_same || !want.error.is_finite() || (got - want.x).abs() <= want.error,
            "{isa:?} value {i}: {got}, not {want:?} of {} at {t} {u:?}",
            field.show()
        );
    }
    let directions = dof + 1 + n;
    let mut u_dot = vec![0.0; directions * dof];
    let mut t_dot = vec![0.0; directions];
    let mut values_dot = vec![0.0; directions * n];
    for p in 0..directions {
        match p {
            p if p < dof => u_dot[p * dof + p] = 1.0,
            p if p == dof => t_dot[p] = 1.0,
            p => values_dot[p * n + p - dof - 1] = 1.0,
        }
    }
    let jvp = evaluator.jvp((0, t), &kept, &u_dot, &t_dot, &values_dot);
    let (mut u_bar, mut t_bar, mut sums) = (vec![0.0; dof], 0.0, evaluator.zero_gradient());
    evaluator.vjp((0, t), &kept, bar, &mut u_bar, Some(&mut t_bar), &mut sums);
    let parameters = evaluator.parameter_gradient(sums);
    let vjp: Vec<f64> = u_bar.into_iter().chain([t_bar]).chain(parameters).collect();
    for p in 0..directions {
        let from_jvp: f64 = (0..dof).map(|i| bar[i] * jvp[p * dof + i]).sum();
        let size: f64 = (0..dof).map(|i| bar[i].abs() * want[i].paths[p]).sum();
        // Where paths overflow, or the operands are far off, nothing is promised.
        if !size.is_finite() || size > 1e280 || want.iter().any(|x| !x.x.is_finite()) {
            continue;
        }
        assert!(
            (vjp[p] - from_jvp).abs() <= 1e-9 * size + 1e-280,
            "{isa:?} VJP {p}: {} {from_jvp} of {} at {t} {u:?}",
            vjp[p],
            field.show()
        );
    }
}
