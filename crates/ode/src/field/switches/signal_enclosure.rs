//! Enclosures of signals, which are cubics between their knots or near to one on a short piece.

use super::super::signal::Signal;
use super::interval::{Enclosure, UNKNOWN, ValueAndSlope};

/// Encloses the components of a signal between two times by those of the cubic with its values and slopes at both, where it is that
/// cubic in between.
pub(super) fn enclose_signal(
    signal: &dyn Signal,
    sample: usize,
    (from, to): (f64, f64),
    out: &mut [ValueAndSlope],
) {
    let (n, h) = (signal.dof(), to - from);
    let at = |t: f64| {
        let (mut value, mut slope) = (vec![0.0; n], vec![0.0; n]);
        signal.value(sample, t, &mut value);
        signal.derivative(sample, t, &mut slope);
        (value, slope)
    };
    let ((left, d_left), (right, d_right)) = (at(from), at(to));
    let places = [0.237, 0.5, 0.794].map(|s| (s, at(from + s * h)));
    for (i, out) in out.iter_mut().enumerate().take(n) {
        let b = [
            left[i],
            left[i] + h / 3.0 * d_left[i],
            right[i] - h / 3.0 * d_right[i],
            right[i],
        ];
        let hull = |b: &[f64]| {
            let of = |x: Enclosure, b: &f64| x.hull(Enclosure::of(*b));
            b.iter().fold(Enclosure::of(b[0]), of)
        };
        let size = b.iter().fold(0.0, |size: f64, b| size.max(b.abs()));
        let is_cubic = places.iter().all(|(s, (value, _))| {
            let r = 1.0 - s;
            let cubic = b[0] * r * r * r + 3.0 * s * r * (b[1] * r + b[2] * s) + b[3] * s * s * s;
            (value[i] - cubic).abs() <= 1e-9 * size
        });
        let slopes = [d_left[i], 3.0 * (b[2] - b[1]) / h, d_right[i]];
        *out = match is_cubic {
            true => (hull(&b), hull(&slopes)),
            false => UNKNOWN,
        };
    }
}
