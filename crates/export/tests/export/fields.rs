//! Fields that every language is tried on.

use ndarray::array;
use odesync_base::random::Generator;
use odesync_ode::dynamics;
use odesync_ode::field::{Binary, Expr, FieldBuilder, InputSignal, Unary, VectorField};
use odesync_train::models::{blackbox, driven_blackbox, graybox, second_order};
use odesync_train::smoothing::spline_input;

/// Returns the fields, each with its name.
pub fn all() -> Vec<(&'static str, VectorField)> {
    let mut generator = Generator::manual_seed(10);
    let mut fields = vec![
        ("lotka_volterra", dynamics::lotka_volterra().unwrap()),
        ("double_pendulum", dynamics::double_pendulum().unwrap()),
        ("robertson", dynamics::robertson().unwrap()),
        ("functions", functions()),
        ("operators", operators()),
        ("choices", choices()),
        ("driven", driven()),
        ("constant", constant()),
        ("odd_names", odd_names()),
    ];
    for name in Unary::ACTIVATIONS {
        let activation = Unary::activation(name).unwrap();
        fields.push((
            name,
            blackbox(&[2, 8, 8, 2], activation, &mut generator).unwrap(),
        ));
    }
    let narrow = blackbox(&[1, 1, 1], Unary::Gelu, &mut generator).unwrap();
    fields.push(("narrow", narrow));
    let second = second_order(&[4, 6, 2], Unary::Gelu, &mut generator).unwrap();
    fields.push(("second_order", second));
    let gray = graybox(
        &[2, 5, 2],
        Unary::Tanh,
        &[("a", 1.3)],
        &mut generator,
        |_, u, nn, p| vec![p.get("a") * u.at(0) + nn.at(0), -1.8 * u.at(1) + nn.at(1)],
    );
    fields.push(("graybox", gray.unwrap()));
    let input = InputSignal::linear(&[0.0, 0.4, 1.5], array![[0.0], [2.0], [-1.0]].view()).unwrap();
    let driven = driven_blackbox(&[3, 6, 2], Unary::Gelu, input, &mut generator).unwrap();
    fields.push(("driven_blackbox", driven.clone()));
    let mut member = || blackbox(&[2, 4, 2], Unary::Tanh, &mut generator).unwrap();
    let (first, second) = (member(), member());
    let members = [("seed_1", &first), ("seed_2", &second), ("3", &driven)];
    let ensemble = VectorField::side_by_side(&members).unwrap();
    fields.push(("ensemble", ensemble));
    fields
}

/// Returns the states that the languages are tried at: pairs of a time and a state, the same in every run.
pub fn states(dof: usize) -> Vec<(f64, Vec<f64>)> {
    let mut generator = Generator::manual_seed(1);
    let mut draw = |n| {
        generator
            .uniform(-2.0, 2.0, n)
            .into_iter()
            .map(f64::from)
            .collect::<Vec<f64>>()
    };
    (0..40)
        .map(|i| (draw(1)[0] + if i % 2 == 0 { 0.0 } else { 0.7 }, draw(dof)))
        .collect()
}

/// Every elementary function, of arguments that it is defined for.
fn functions() -> VectorField {
    let b = FieldBuilder::new(Unary::ALL.len());
    let u = b.state();
    let unit = |x: Expr| 0.9 * x.sin();
    let terms: Vec<Expr> = Unary::ALL
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let x = u.at(i);
            let x = match f {
                Unary::Asin | Unary::Acos | Unary::Atanh => unit(x),
                Unary::Sqrt | Unary::Log | Unary::Log10 => x.square() + 0.1,
                Unary::Log1p => x.square() - 0.5,
                Unary::Acosh => x.square() + 1.0,
                _ => x,
            };
            x.unary(*f)
        })
        .collect();
    // Of vectors as well, and of small and large numbers.
    let vector = (u.clone() * 1e-3).unary(Unary::Gelu) + (u * 10.0).unary(Unary::Erf);
    b.finish(b.concat(&terms) + vector).unwrap()
}

/// Every function of two operands, with operands of the same and of different lengths.
fn operators() -> VectorField {
    let n = Binary::ALL.len();
    let b = FieldBuilder::new(n);
    let u = b.state();
    let c = b.constant(&(0..n).map(|i| i as f64 - 3.0).collect::<Vec<f64>>());
    let terms: Vec<Expr> = Binary::ALL
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let (x, y) = (u.at(i), u.at((i + 1) % n));
            let x = if *f == Binary::Pow {
                x.square() + 0.2
            } else {
                x
            };
            let with_number = x.try_binary(*f, &b.constant(&[1.5])).unwrap();
            x.try_binary(*f, &y).unwrap() + with_number
        })
        .collect();
    let broadcast = (c * u.at(0) - u.sum()) / (2.0 + u.at(1).square());
    b.finish(b.concat(&terms) + broadcast).unwrap()
}

/// Choices, comparisons as numbers, slices of slices, time.
fn choices() -> VectorField {
    let b = FieldBuilder::new(4);
    let (t, u) = (b.time(), b.state());
    let part = u.slice(1, 4);
    let swapped = b.concat(&[part.slice(1, 3), u.at(0)]);
    let above = part.try_binary(Binary::Gt, &swapped).unwrap();
    let chosen = above.try_select(&part, &(2.0 * swapped.clone())).unwrap();
    let late = t.try_binary(Binary::Ge, &b.constant(&[0.5])).unwrap();
    let either = late
        .try_select(&b.constant(&[1.0, -2.0, 3.0]), &swapped)
        .unwrap();
    let first = above.sum() * t.clone() + late;
    b.finish(b.concat(&[first, chosen * either + t.cos()]))
        .unwrap()
}

/// External inputs of every kind.
fn driven() -> VectorField {
    let b = FieldBuilder::new(2);
    let t = [-1.0, 0.0, 0.5, 1.2];
    let two = array![[0.5, 1.0], [1.0, -1.0], [-2.0, 0.0], [3.0, 0.25]];
    let linear = b.input("push", InputSignal::linear(&t, two.view()).unwrap());
    let held = b.input(
        "command",
        InputSignal::hold(&t, array![[1.0], [4.0], [-2.0], [0.0]].view()).unwrap(),
    );
    let smooth = b.input("spline", spline_input(&t, two.view(), 0.0).unwrap());
    b.finish(linear * held.sin() + smooth - b.state()).unwrap()
}

/// A derivative that depends on nothing.
fn constant() -> VectorField {
    let b = FieldBuilder::new(2);
    let k = b.constant_parameter("k", 0.1);
    b.finish(b.concat(&[k.clone(), -k])).unwrap()
}

/// Names that are words of the languages, or no names in them.
fn odd_names() -> VectorField {
    let b = FieldBuilder::new(1);
    let names = [
        "lambda",
        "end",
        "t",
        "u",
        "du",
        "β",
        "a b",
        "a_b",
        "x1",
        "exp",
        "*/\n#\"\"\"'\\${}",
        "double",
    ];
    let terms: Vec<Expr> = (names.iter().enumerate())
        .map(|(i, name)| b.constant_parameter(name, 0.5 + i as f64) * b.state().sin())
        .collect();
    let sum = b.concat(&terms).sum();
    b.finish(sum).unwrap()
}
