//! The kernel of a square matrix.

/// Returns the orthogonal projector onto the kernel of a square matrix, `[dof, dof]`; empty where the matrix is regular. The kernel
/// comes from elimination with complete pivoting, so that it is exact where rows and columns are zero.
pub(super) fn kernel_projector(m: &[f64], dof: usize) -> Vec<f64> {
    let mut a = m.to_vec();
    let mut columns: Vec<usize> = (0..dof).collect();
    let largest = a.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let negligible = largest * dof as f64 * f64::EPSILON;
    let mut rank = 0;
    while rank < dof {
        let places = (rank..dof).flat_map(|r| (rank..dof).map(move |c| (r, c)));
        let size = |&(r, c): &(usize, usize)| a[r * dof + c].abs();
        let best = places.max_by(|x, y| size(x).total_cmp(&size(y)));
        let Some((r, c)) = best.filter(|best| size(best) > negligible) else {
            break;
        };
        for i in 0..dof {
            a.swap(rank * dof + i, r * dof + i);
        }
        for i in 0..dof {
            a.swap(i * dof + rank, i * dof + c);
        }
        columns.swap(rank, c);
        // Gauss-Jordan: the columns of the pivots become those of the identity.
        let pivot = a[rank * dof + rank];
        for i in 0..dof {
            a[rank * dof + i] /= pivot;
        }
        for r in (0..dof).filter(|r| *r != rank) {
            let factor = a[r * dof + rank];
            if factor != 0.0 {
                for i in 0..dof {
                    a[r * dof + i] -= factor * a[rank * dof + i];
                }
            }
        }
        rank += 1;
    }
    if rank == dof {
        return vec![];
    }
    let mut basis: Vec<Vec<f64>> = vec![];
    for free in rank..dof {
        let mut vector = vec![0.0; dof];
        vector[columns[free]] = 1.0;
        for (r, column) in columns.iter().enumerate().take(rank) {
            vector[*column] = -a[r * dof + free];
        }
        // Twice, because once is not enough where the vectors are nearly parallel.
        for _ in 0..2 {
            for other in &basis {
                let along: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                for (x, y) in vector.iter_mut().zip(other) {
                    *x -= along * y;
                }
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        basis.push(vector);
    }
    let entry = |i: usize| basis.iter().map(|v| v[i / dof] * v[i % dof]).sum();
    (0..dof * dof).map(entry).collect()
}
