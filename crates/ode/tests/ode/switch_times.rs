//! Switches in time of every form: narrow pulses of nonlinear conditions, square waves by their period, and random piecewise
//! equations against what is solved by hand on each piece.

use odesync_ode::field::{Expr, VectorField, system};
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions, solve};
use proptest::prelude::*;

fn number(like: &Expr, x: f64) -> Expr {
    like.builder().constant(&[x])
}

/// The integral over 100 of 100 where the condition in t holds.
fn height(condition: impl Fn(&Expr) -> Expr) -> f64 {
    let field = system(1, &[], |t, _, _| {
        vec![condition(&t).select(&number(&t, 100.0), &number(&t, 0.0))]
    })
    .unwrap();
    let got = solve(&field, &[0.0], &[0.0, 100.0], &SolveOptions::default()).unwrap();
    got.u[[1, 0]]
}

#[test]
fn narrow_pulses_of_conditions_that_are_not_linear() {
    let square = height(|t| (t - 37.3).square().lt(&number(t, 1e-4)));
    assert!((square - 2.0).abs() < 1e-9, "{square}");
    let sine = height(|t| t.sin().gt(&number(t, 0.99999)));
    let want = 16.0 * 2.0 * 0.99999_f64.acos() * 100.0;
    assert!((sine - want).abs() < 1e-6, "{sine} {want}");
    let bell = height(|t| (-((t - 37.3) / 0.01).square()).exp().gt(&number(t, 0.5)));
    let want = 2.0 * 0.01 * 2_f64.ln().sqrt() * 100.0;
    assert!((bell - want).abs() < 1e-9, "{bell} {want}");
}

/// The remainder as scripts write it, with the sign of x.
fn remainder(x: &Expr, y: &Expr) -> Expr {
    let quotient = x / y;
    x - quotient.sign() * quotient.abs().floor() * y
}

/// u' = [t mod T < T/2] cos(u) − 0.3 u t mod T.
fn square_wave(period: f64, with_floor: bool) -> VectorField {
    system(1, &[("T", period), ("k", 0.3)], |t, u, p| {
        let (t, period) = (&t, p.get("T"));
        let phase = match with_floor {
            true => t - (t / &period).floor() * &period,
            false => remainder(t, &period),
        };
        let on = phase.lt(&(&period * 0.5));
        let on = on.select(&number(t, 1.0), &number(t, 0.0));
        vec![on * u.at(0).cos() - p.get("k") * u.at(0) * phase]
    })
    .unwrap()
    .trainable(&["T", "k"])
    .unwrap()
}

#[test]
fn the_derivative_by_the_period_of_a_square_wave() {
    let t = [0.0, 2.0, 9.3];
    let bars = [0.0, 0.7, -1.3];
    for with_floor in [true, false] {
        for (name, bound) in [("dopri5", 1e-6), ("radau", 1e-6), ("rodas5p", 1e-6)] {
            let options = SolveOptions::default().solver(name).unwrap();
            let options = options.tolerances(1e-11, 1e-12);
            let loss = |period: f64| -> f64 {
                let got = solve(&square_wave(period, with_floor), &[0.4], &t, &options).unwrap();
                got.u.iter().zip(bars).map(|(u, bar)| u * bar).sum()
            };
            let (period, h) = (1.7, 1e-5);
            let want = (loss(period + h) - loss(period - h)) / (2.0 * h);
            let mut engine = NativeEngine::default();
            let problem = Problem {
                u0: &[0.4],
                t: &t,
                sample: 0,
            };
            let field = square_wave(period, with_floor);
            engine
                .forward(&field, &[problem], &options, None, true)
                .unwrap();
            let got = engine.backward(&[bars.to_vec()]).unwrap().values;
            let off = (got[0] - want).abs();
            assert!(off < bound, "{name}, floor {with_floor}: {} {want}", got[0]);
        }
    }
}

/// A piecewise linear function of t as an expression.
#[derive(Debug, Clone)]
enum Wave {
    Line(f64, f64),
    Where(f64, bool, Box<Wave>, Box<Wave>),
    Max(Box<Wave>, Box<Wave>),
    Min(Box<Wave>, Box<Wave>),
    Abs(Box<Wave>),
    Add(Box<Wave>, Box<Wave>),
    /// The first where (t − s)² < w², else the second.
    Within(f64, f64, Box<Wave>, Box<Wave>),
}

fn wave() -> impl Strategy<Value = Wave> {
    let time = || 0.1..9.9_f64;
    let leaf = (-2.0..2.0_f64, -1.0..1.0_f64, any::<bool>());
    let leaf = leaf.prop_map(|(a, b, flat)| Wave::Line(a, if flat { 0.0 } else { b }));
    leaf.prop_recursive(4, 24, 2, move |of| {
        let pair = (of.clone(), of.clone());
        let boxed = |(x, y): (Wave, Wave)| (Box::new(x), Box::new(y));
        prop_oneof![
            (time(), any::<bool>(), pair.clone()).prop_map(move |(s, above, xy)| {
                let (x, y) = boxed(xy);
                Wave::Where(s, above, x, y)
            }),
            (time(), 0.001..2.0_f64, pair.clone()).prop_map(move |(s, w, xy)| {
                let (x, y) = boxed(xy);
                Wave::Within(s, w, x, y)
            }),
            pair.clone().prop_map(move |xy| {
                let (x, y) = boxed(xy);
                Wave::Max(x, y)
            }),
            pair.clone().prop_map(move |xy| {
                let (x, y) = boxed(xy);
                Wave::Min(x, y)
            }),
            pair.prop_map(move |xy| {
                let (x, y) = boxed(xy);
                Wave::Add(x, y)
            }),
            of.prop_map(|x| Wave::Abs(Box::new(x))),
        ]
    })
}

fn expression(wave: &Wave, t: &Expr) -> Expr {
    let of = |x: &Wave| expression(x, t);
    match wave {
        Wave::Line(a, b) if *b == 0.0 => number(t, *a),
        Wave::Line(a, b) => t * *b + *a,
        Wave::Where(s, true, x, y) => t.gt(&number(t, *s)).select(&of(x), &of(y)),
        Wave::Where(s, false, x, y) => t.le(&number(t, *s)).select(&of(x), &of(y)),
        Wave::Within(s, w, x, y) => {
            let near = (t - *s).square().lt(&number(t, w * w));
            near.select(&of(x), &of(y))
        }
        Wave::Max(x, y) => of(x).max(&of(y)),
        Wave::Min(x, y) => of(x).min(&of(y)),
        Wave::Abs(x) => of(x).abs(),
        Wave::Add(x, y) => of(x) + of(y),
    }
}

/// A piece from a time on: a + b t.
type Line = (f64, f64, f64);

/// Chooses one of two lines a + b t, or makes one of both, at a time.
type Pick<'a> = dyn Fn(f64, (f64, f64), (f64, f64)) -> (f64, f64) + 'a;

/// The pieces of a wave over [0, 10].
fn pieces(wave: &Wave) -> Vec<Line> {
    let parted = |x: &Wave, y: &Wave, at: &[f64], pick: &Pick| {
        let (x, y) = (pieces(x), pieces(y));
        let mut times: Vec<f64> = x.iter().chain(&y).map(|p| p.0).collect();
        times.extend(at.iter().filter(|t| **t > 0.0 && **t < 10.0));
        times.sort_by(f64::total_cmp);
        times.dedup();
        let line = |of: &[Line], t: f64| {
            let piece = of.iter().rev().find(|p| p.0 <= t).unwrap();
            (piece.1, piece.2)
        };
        let mut out = vec![];
        for (i, from) in times.iter().enumerate() {
            let to = times.get(i + 1).copied().unwrap_or(10.0);
            let (p, q) = (line(&x, *from), line(&y, *from));
            let cross = (q.0 - p.0) / (p.1 - q.1);
            let mut cuts = vec![*from];
            if cross > *from && cross < to {
                cuts.push(cross);
            }
            for (j, cut) in cuts.iter().enumerate() {
                let end = cuts.get(j + 1).copied().unwrap_or(to);
                let (a, b) = pick(0.5 * (cut + end), p, q);
                out.push((*cut, a, b));
            }
        }
        out
    };
    let at = |t: f64, line: (f64, f64)| line.0 + line.1 * t;
    let larger = |sign: f64| {
        move |t: f64, p: (f64, f64), q: (f64, f64)| {
            if sign * at(t, p) >= sign * at(t, q) {
                p
            } else {
                q
            }
        }
    };
    match wave {
        Wave::Line(a, b) => vec![(0.0, *a, *b)],
        Wave::Where(s, above, x, y) => parted(x, y, &[*s], &|t, p, q| {
            if (t > *s) == *above { p } else { q }
        }),
        Wave::Within(s, w, x, y) => parted(x, y, &[s - w, s + w], &|t, p, q| {
            if (t - s).abs() < *w { p } else { q }
        }),
        Wave::Max(x, y) => parted(x, y, &[], &larger(1.0)),
        Wave::Min(x, y) => parted(x, y, &[], &larger(-1.0)),
        Wave::Abs(x) => parted(x, &Wave::Line(0.0, 0.0), &[], &|t, p, _| {
            if at(t, p) >= 0.0 { p } else { (-p.0, -p.1) }
        }),
        Wave::Add(x, y) => parted(x, y, &[], &|_, p, q| (p.0 + q.0, p.1 + q.1)),
    }
}

/// u(10) of u' = w(t) − u/2, u(0) = 1, by its solution on each piece: with w = a + b t it is α + β t + C e^(−t/2), β = 2 b,
/// α = 2 a − 4 b.
fn by_hand(pieces: &[Line]) -> f64 {
    let mut u = 1.0;
    for (i, (from, a, b)) in pieces.iter().enumerate() {
        let to = pieces.get(i + 1).map_or(10.0, |p| p.0);
        let line = |t: f64| 2.0 * a - 4.0 * b + 2.0 * b * t;
        u = line(to) + (u - line(*from)) * (-0.5 * (to - from)).exp();
    }
    u
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_switches_are_those_by_hand(wave in wave()) {
        let field = system(1, &[], |t, u, _| vec![expression(&wave, &t) - u.at(0) * 0.5]).unwrap();
        let want = by_hand(&pieces(&wave));
        for name in ["dopri5", "vern7", "radau", "rodas5p", "bdf", "rk4"] {
            let mut options = SolveOptions::default().solver(name).unwrap();
            options = options.tolerances(1e-9, 1e-11);
            if name == "rk4" {
                options = options.substeps(500);
            }
            let got = solve(&field, &[1.0], &[0.0, 10.0], &options).unwrap().u[[1, 0]];
            let bound = if name == "bdf" { 1e-5 } else { 1e-6 };
            prop_assert!((got - want).abs() < bound * (1.0 + want.abs()), "{name}: {got} {want} {}", field.show());
        }
    }
}
