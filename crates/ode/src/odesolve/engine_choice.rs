//! Where the torch engine is faster than the native one.

use crate::field::{Op, VectorField};

/// Width of layers and number of problems at a time from which the torch engine on the CPU takes less time for loss and gradient than
/// the native engine: 0.66 to 0.82 of it. At width 512 both take the same, below the native engine is faster. Measured with one
/// thread each on AVX-512; the book's page on speed has the table.
const WIDTH: usize = 768;
const PROBLEMS: usize = 8;

/// Returns whether the torch engine on the CPU is likely to take less time for this many problems at a time, by a table of
/// measurements. The width is that of the largest affine layer as if it were square, `√(in·out)`.
pub fn torch_is_faster(field: &VectorField, problems: usize) -> bool {
    let weights = field.nodes().iter().filter_map(|op| match op {
        Op::Affine { weight, .. } => field.blocks().get(*weight),
        _ => None,
    });
    let largest = weights.map(|block| block.shape.iter().product::<usize>());
    let width = largest.max().unwrap_or(0).isqrt();
    width >= WIDTH && problems >= PROBLEMS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldBuilder;

    #[test]
    fn wide_layers_and_many_problems_are_for_torch() {
        let of_width = |width: usize| {
            let b = FieldBuilder::new(2);
            let mut x = b.state();
            for (name, shape) in [
                ("in", [width, 2]),
                ("mid", [width, width]),
                ("out", [2, width]),
            ] {
                let values = vec![0.1; shape[0] * shape[1]];
                let weight = b.block(name, &shape, &values, true).unwrap();
                x = b.affine(weight, None, &x);
            }
            b.finish(x).unwrap()
        };
        let (narrow, wide) = (of_width(512), of_width(1024));
        assert!(torch_is_faster(&wide, 64) && !torch_is_faster(&wide, 1));
        assert!(!torch_is_faster(&narrow, 512));
        // Equations have no layers.
        let decay = crate::field::system(1, &[], |_, u, _| vec![-u.at(0)]).unwrap();
        assert!(!torch_is_faster(&decay, 10_000));
    }
}
