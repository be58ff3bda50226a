//! Elementary functions as operators of ONNX. Runtimes have few of them in float64 (onnxruntime 1.32 none of `Erf`, `Tan`, `Atan`,
//! `Sinh`, …), so that these are made of those that they have, to a few units in the last place.

use std::f64::consts::{FRAC_PI_2, LN_10, PI, SQRT_2};

use odesync_ode::field::{Binary, Unary, normal_tail};

use super::graph::OnnxGraph;

/// Adds an elementary function of each component.
pub(super) fn unary(g: &mut OnnxGraph, f: Unary, x: &str) -> String {
    match f {
        Unary::Neg => g.op("Neg", &[x]),
        Unary::Abs => g.op("Abs", &[x]),
        Unary::Sign => g.op("Sign", &[x]),
        Unary::Sqrt => g.op("Sqrt", &[x]),
        Unary::Square => g.op("Mul", &[x, x]),
        Unary::Exp => g.op("Exp", &[x]),
        Unary::Expm1 => expm1(g, x),
        Unary::Log => g.op("Log", &[x]),
        Unary::Log1p => log1p(g, x),
        Unary::Log10 => {
            let log = g.op("Log", &[x]);
            g.with_number("Div", &log, LN_10)
        }
        Unary::Sin => g.op("Sin", &[x]),
        Unary::Cos => g.op("Cos", &[x]),
        Unary::Tan => {
            let (sin, cos) = (g.op("Sin", &[x]), g.op("Cos", &[x]));
            g.op("Div", &[&sin, &cos])
        }
        Unary::Asin => asin(g, x),
        Unary::Acos => {
            let asin = asin(g, x);
            let quarter = g.number(FRAC_PI_2);
            g.op("Sub", &[&quarter, &asin])
        }
        Unary::Atan => atan(g, x),
        Unary::Sinh => sinh(g, x),
        Unary::Cosh => {
            let minus = g.op("Neg", &[x]);
            let (up, down) = (g.op("Exp", &[x]), g.op("Exp", &[&minus]));
            let sum = g.op("Add", &[&up, &down]);
            g.with_number("Mul", &sum, 0.5)
        }
        Unary::Tanh => g.op("Tanh", &[x]),
        Unary::Asinh => asinh(g, x),
        Unary::Acosh => {
            let (below, above) = (g.with_number("Sub", x, 1.0), g.with_number("Add", x, 1.0));
            let product = g.op("Mul", &[&below, &above]);
            let root = g.op("Sqrt", &[&product]);
            let sum = g.op("Add", &[&below, &root]);
            log1p(g, &sum)
        }
        Unary::Atanh => odd(g, x, |g, a| {
            let double = g.op("Add", &[a, a]);
            let one = g.number(1.0);
            let rest = g.op("Sub", &[&one, a]);
            let quotient = g.op("Div", &[&double, &rest]);
            let log = log1p(g, &quotient);
            g.with_number("Mul", &log, 0.5)
        }),
        Unary::Erf => odd(g, x, |g, a| {
            let scaled = g.with_number("Mul", a, SQRT_2);
            let tail = upper_tail(g, &scaled);
            let (one, both) = (g.number(1.0), g.op("Add", &[&tail, &tail]));
            g.op("Sub", &[&one, &both])
        }),
        Unary::Floor => g.op("Floor", &[x]),
        Unary::Ceil => g.op("Ceil", &[x]),
        Unary::Gelu => {
            let a = g.op("Abs", &[x]);
            let tail = upper_tail(g, &a);
            let one = g.number(1.0);
            let rest = g.op("Sub", &[&one, &tail]);
            let is_negative = g.with_number("Less", x, 0.0);
            let phi = g.op("Where", &[&is_negative, &tail, &rest]);
            g.op("Mul", &[x, &phi])
        }
        Unary::Relu => g.op("Relu", &[x]),
        Unary::Silu => {
            let sigmoid = g.op("Sigmoid", &[x]);
            g.op("Mul", &[x, &sigmoid])
        }
        Unary::Softplus => {
            let a = g.op("Abs", &[x]);
            let minus = g.op("Neg", &[&a]);
            let small = g.op("Exp", &[&minus]);
            let (rest, positive) = (log1p(g, &small), g.op("Relu", &[x]));
            g.op("Add", &[&positive, &rest])
        }
        Unary::Sigmoid => g.op("Sigmoid", &[x]),
    }
}

/// Adds a function of two operands.
pub(super) fn binary(g: &mut OnnxGraph, f: Binary, x: &str, y: &str) -> String {
    let both = &[x, y];
    let condition = match f {
        Binary::Add => return g.op("Add", both),
        Binary::Sub => return g.op("Sub", both),
        Binary::Mul => return g.op("Mul", both),
        Binary::Div => return g.op("Div", both),
        Binary::Pow => return g.op("Pow", both),
        Binary::Min => return g.op("Min", both),
        Binary::Max => return g.op("Max", both),
        Binary::Atan2 => return atan2(g, x, y),
        Binary::Lt => g.op("Less", both),
        Binary::Le => g.op("LessOrEqual", both),
        Binary::Gt => g.op("Greater", both),
        Binary::Ge => g.op("GreaterOrEqual", both),
        Binary::Eq => g.op("Equal", both),
        Binary::Ne => {
            let equal = g.op("Equal", both);
            g.op("Not", &[&equal])
        }
    };
    g.number_of_condition(&condition)
}

/// Adds an odd function, given for x ≥ 0.
fn odd(g: &mut OnnxGraph, x: &str, f: impl FnOnce(&mut OnnxGraph, &str) -> String) -> String {
    let (a, sign) = (g.op("Abs", &[x]), g.op("Sign", &[x]));
    let value = f(g, &a);
    g.op("Mul", &[&sign, &value])
}

/// Adds a polynomial, lowest power first.
fn polynomial(g: &mut OnnxGraph, coefficients: &[f64], x: &str) -> String {
    let mut rest = coefficients.iter().rev();
    let mut value = g.number(rest.next().copied().unwrap_or(0.0));
    for c in rest {
        let product = g.op("Mul", &[&value, x]);
        value = g.with_number("Add", &product, *c);
    }
    value
}

/// Adds 1 − Φ(a) for a ≥ 0, Φ being the normal distribution function.
fn upper_tail(g: &mut OnnxGraph, a: &str) -> String {
    // Beyond 40 it is 0, and the polynomials stay finite.
    let a = g.with_number("Min", a, 40.0);
    let above = polynomial(g, &normal_tail::TAIL_NUMERATOR, &a);
    let below = polynomial(g, &normal_tail::TAIL_DENOMINATOR, &a);
    let square = g.op("Mul", &[&a, &a]);
    let exponent = g.with_number("Mul", &square, -0.5);
    let (density, quotient) = (g.op("Exp", &[&exponent]), g.op("Div", &[&above, &below]));
    g.op("Mul", &[&density, &quotient])
}

/// Adds eˣ − 1: 2 tanh(x/2) / (1 − tanh(x/2)) near 0.
fn expm1(g: &mut OnnxGraph, x: &str) -> String {
    let half = g.with_number("Mul", x, 0.5);
    let tanh = g.op("Tanh", &[&half]);
    let (double, one) = (g.op("Add", &[&tanh, &tanh]), g.number(1.0));
    let rest = g.op("Sub", &[&one, &tanh]);
    let near = g.op("Div", &[&double, &rest]);
    let exp = g.op("Exp", &[x]);
    let far = g.with_number("Sub", &exp, 1.0);
    let size = g.op("Abs", &[x]);
    let is_near = g.with_number("Less", &size, 1.0);
    g.op("Where", &[&is_near, &near, &far])
}

/// Adds log(1 + x) as log(w) x / (w − 1) with w = 1 + x rounded, in which the rounding of w cancels (Kahan).
fn log1p(g: &mut OnnxGraph, x: &str) -> String {
    let w = g.with_number("Add", x, 1.0);
    let (log, added) = (g.op("Log", &[&w]), g.with_number("Sub", &w, 1.0));
    let product = g.op("Mul", &[&log, x]);
    let corrected = g.op("Div", &[&product, &added]);
    let is_tiny = g.with_number("Equal", &w, 1.0);
    g.op("Where", &[&is_tiny, x, &corrected])
}

/// Adds sinh x = (e + e / (e + 1)) / 2 with e = e^|x| − 1.
fn sinh(g: &mut OnnxGraph, x: &str) -> String {
    odd(g, x, |g, a| {
        let e = expm1(g, a);
        let next = g.with_number("Add", &e, 1.0);
        let quotient = g.op("Div", &[&e, &next]);
        let sum = g.op("Add", &[&e, &quotient]);
        g.with_number("Mul", &sum, 0.5)
    })
}

/// Adds asinh x = log(1 + a + a² / (1 + √(a² + 1))) with a = |x|.
fn asinh(g: &mut OnnxGraph, x: &str) -> String {
    odd(g, x, |g, a| {
        let square = g.op("Mul", &[a, a]);
        let next = g.with_number("Add", &square, 1.0);
        let root = g.op("Sqrt", &[&next]);
        let below = g.with_number("Add", &root, 1.0);
        let quotient = g.op("Div", &[&square, &below]);
        let sum = g.op("Add", &[a, &quotient]);
        log1p(g, &sum)
    })
}

/// Adds asin x = 2 atan(x / (1 + √(1 − x²))).
fn asin(g: &mut OnnxGraph, x: &str) -> String {
    let one = g.number(1.0);
    let (below, above) = (g.op("Sub", &[&one, x]), g.op("Add", &[&one, x]));
    let product = g.op("Mul", &[&below, &above]);
    let root = g.op("Sqrt", &[&product]);
    let denominator = g.with_number("Add", &root, 1.0);
    let quotient = g.op("Div", &[x, &denominator]);
    let half = atan(g, &quotient);
    g.op("Add", &[&half, &half])
}

/// Adds atan x: the argument is at most 1 after 1/x for large ones, at most tan(π/16) after two halvings of the angle, and there
/// the Taylor series has 12 terms.
fn atan(g: &mut OnnxGraph, x: &str) -> String {
    const HALVINGS: usize = 2;
    odd(g, x, |g, a| {
        let one = g.number(1.0);
        let (is_large, inverse) = (g.op("Greater", &[a, &one]), g.op("Div", &[&one, a]));
        let mut z = g.op("Where", &[&is_large, &inverse, a]);
        for _ in 0..HALVINGS {
            let square = g.op("Mul", &[&z, &z]);
            let next = g.op("Add", &[&one, &square]);
            let root = g.op("Sqrt", &[&next]);
            let below = g.op("Add", &[&one, &root]);
            z = g.op("Div", &[&z, &below]);
        }
        let terms: Vec<f64> = (0..12)
            .map(|k: i32| (-1f64).powi(k) / f64::from(2 * k + 1))
            .collect();
        let square = g.op("Mul", &[&z, &z]);
        let series = polynomial(g, &terms, &square);
        let angle = g.op("Mul", &[&z, &series]);
        let angle = g.with_number("Mul", &angle, f64::from(1 << HALVINGS));
        let quarter = g.number(FRAC_PI_2);
        let rest = g.op("Sub", &[&quarter, &angle]);
        g.op("Where", &[&is_large, &rest, &angle])
    })
}

/// Adds the angle of the point (x, y): 2 atan(y / (r + x)) on the right, 2 atan((r − x) / y) on the left, r being its distance from 0.
fn atan2(g: &mut OnnxGraph, y: &str, x: &str) -> String {
    let (y2, x2) = (g.op("Mul", &[y, y]), g.op("Mul", &[x, x]));
    let sum = g.op("Add", &[&y2, &x2]);
    let r = g.op("Sqrt", &[&sum]);
    let (with_x, without_x) = (g.op("Add", &[&r, x]), g.op("Sub", &[&r, x]));
    let (right, left) = (g.op("Div", &[y, &with_x]), g.op("Div", &[&without_x, y]));
    let is_right = g.with_number("Greater", x, 0.0);
    let tangent = g.op("Where", &[&is_right, &right, &left]);
    let half = atan(g, &tangent);
    let angle = g.op("Add", &[&half, &half]);
    // On the axis of x: π on the left, 0 at the origin.
    let is_left = g.with_number("Less", x, 0.0);
    let is_left = g.number_of_condition(&is_left);
    let on_axis = g.with_number("Mul", &is_left, PI);
    let not_right = g.op("Not", &[&is_right]);
    let is_on_axis = g.with_number("Equal", y, 0.0);
    let is_on_axis = g.op("And", &[&is_on_axis, &not_right]);
    g.op("Where", &[&is_on_axis, &on_axis, &angle])
}
