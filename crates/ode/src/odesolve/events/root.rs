//! Root finding: the secant method from an approximate root, and the ITP method in a bracket.

/// Finds a root of `f` in [0, `limit`] by the secant method, from the approximate root `x` and the approximate slope of `f`
/// there. It ends where an increment no longer reduces |f|.
pub(super) fn secant(
    f: &mut impl FnMut(f64) -> f64,
    mut x: f64,
    mut slope: f64,
    limit: f64,
    resolution: f64,
) -> f64 {
    let mut value = f(x);
    for _ in 0..8 {
        let next = x - value / slope;
        if value == 0.0 || !(0.0..=limit).contains(&next) {
            break;
        }
        let ahead = f(next);
        if ahead.is_nan() || ahead.abs() >= value.abs() {
            break;
        }
        slope = (ahead - value) / (next - x);
        let done = (next - x).abs() <= resolution;
        (x, value) = (next, ahead);
        if done {
            break;
        }
    }
    x
}

/// Finds the root of `f` between two points at which it has opposite signs, to `resolution` or the spacing of floating-point
/// numbers there.
///
/// The ITP method: interpolate, truncate, project. As safe as bisection (at most one more evaluation), superlinear on smooth
/// functions. I. Oliveira, R. Takahashi, ACM Trans. Math. Softw. 47 (2020).
pub(super) fn itp(
    f: &mut impl FnMut(f64) -> f64,
    (mut a, mut fa): (f64, f64),
    (mut b, mut fb): (f64, f64),
    resolution: f64,
) -> f64 {
    let half = 0.5 * resolution.max(2.0 * f64::EPSILON * a.abs().max(b.abs()));
    let bisections = ((b - a) / (2.0 * half)).log2().ceil().max(0.0);
    let k = 0.2 / (b - a);
    let mut radius = half * 2.0_f64.powf(bisections + 1.0);
    while b - a > 2.0 * half {
        let middle = 0.5 * (a + b);
        let project = (radius - 0.5 * (b - a)).max(0.0);
        radius *= 0.5;
        // Regula falsi, then truncated (moved towards the middle by at most the distance), then projected onto the interval
        // that bisection allows.
        let falsi = (b * fa - a * fb) / (fa - fb);
        let side = (middle - falsi).signum();
        let move_by = (k * (b - a) * (b - a)).max(half);
        let truncated = if move_by <= (middle - falsi).abs() {
            falsi + side * move_by
        } else {
            middle
        };
        let x = if (truncated - middle).abs() <= project {
            truncated
        } else {
            middle - side * project
        };
        // Rounding may put x outside the bracket when its ends are close.
        let x = if x > a && x < b { x } else { middle };
        if x <= a || x >= b {
            break;
        }
        let fx = f(x);
        if fx == 0.0 {
            return x;
        }
        if (fx > 0.0) == (fa > 0.0) {
            (a, fa) = (x, fx);
        } else {
            (b, fb) = (x, fx);
        }
    }
    0.5 * (a + b)
}
