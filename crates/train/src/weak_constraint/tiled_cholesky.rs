//! Cholesky factorisation in tiles of a fixed size, in parallel: the bits do not depend on the number of threads.
//!
//! Left-looking: column k of tiles is updated with those before it, A_ik ← A_ik − Σ_j L_ij L_kjᵀ, then L_kk L_kkᵀ = A_kk and
//! L_ik = A_ik L_kk⁻ᵀ. Each tile is the work of one thread, which adds in the order of j.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

/// Rows and columns of a tile; the last ones are smaller.
const TILE: usize = 256;

/// The lower triangle of a symmetric matrix in tiles.
#[derive(Debug, Clone)]
pub(super) struct TiledSymmetric {
    size: usize,
    /// Tile (i, j) is `columns[j][i - j]`; of tile (j, j) the lower triangle is stored.
    columns: Vec<Vec<Mat<f64>>>,
}

/// The Cholesky factor L of a symmetric positive definite matrix, in the tiles of [`TiledSymmetric`].
#[derive(Debug)]
pub(super) struct TiledCholesky {
    size: usize,
    columns: Vec<Vec<Mat<f64>>>,
}

/// Returns the number of tiles in a column of a matrix.
fn n_tiles(size: usize) -> usize {
    size.div_ceil(TILE)
}

/// Returns where tile i begins, and its number of rows.
fn tile_rows(i: usize, size: usize) -> (usize, usize) {
    (i * TILE, TILE.min(size - i * TILE))
}

impl TiledSymmetric {
    /// Computes R Rᵀ.
    pub fn product(rows: MatRef<'_, f64>) -> Self {
        let size = rows.nrows();
        let n = n_tiles(size);
        let part = |i: usize| {
            let (start, len) = tile_rows(i, size);
            rows.subrows(start, len)
        };
        let places: Vec<(usize, usize)> =
            (0..n).flat_map(|j| (j..n).map(move |i| (i, j))).collect();
        let tiles: Vec<Mat<f64>> = places
            .into_par_iter()
            .map(|(i, j)| {
                let (left, right) = (part(i), part(j).transpose());
                let mut tile = Mat::zeros(left.nrows(), right.ncols());
                let shape = if i == j {
                    BlockStructure::TriangularLower
                } else {
                    BlockStructure::Rectangular
                };
                add_product(
                    tile.as_mut(),
                    shape,
                    1.0,
                    (left, BlockStructure::Rectangular),
                    (right, BlockStructure::Rectangular),
                );
                tile
            })
            .collect();
        let mut tiles = tiles.into_iter();
        let columns = (0..n)
            .map(|j| tiles.by_ref().take(n - j).collect())
            .collect();
        TiledSymmetric { size, columns }
    }

    /// Returns the number of rows.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Factorises the matrix plus `shift` times the identity; `None` where it is not positive definite in float64.
    pub fn factorize(&self, shift: f64) -> Option<TiledCholesky> {
        let mut columns = self.columns.clone();
        for k in 0..columns.len() {
            let (done, rest) = columns.split_at_mut(k);
            let (diagonal, below) = rest.first_mut()?.split_first_mut()?;
            for i in 0..diagonal.nrows() {
                diagonal[(i, i)] += shift;
            }
            for (j, column) in done.iter().enumerate() {
                let row = column[k - j].as_ref();
                let rectangular = BlockStructure::Rectangular;
                add_product(
                    diagonal.as_mut(),
                    BlockStructure::TriangularLower,
                    -1.0,
                    (row, rectangular),
                    (row.transpose(), rectangular),
                );
            }
            *diagonal = diagonal.llt(Side::Lower).ok()?.L().to_owned();
            let diagonal = &*diagonal;
            below.par_iter_mut().enumerate().for_each(|(i, tile)| {
                for (j, column) in done.iter().enumerate() {
                    let (left, right) = (&column[k + 1 + i - j], &column[k - j]);
                    matmul(
                        tile.as_mut(),
                        Accum::Add,
                        left,
                        right.transpose(),
                        -1.0,
                        Par::Seq,
                    );
                }
                solve_lower_triangular_in_place(
                    diagonal.as_ref(),
                    tile.as_mut().transpose_mut(),
                    Par::Seq,
                );
            });
        }
        Some(TiledCholesky {
            size: self.size,
            columns,
        })
    }
}

impl TiledCholesky {
    /// Replaces R by L⁻¹ R.
    pub fn solve_lower(&self, mut right: MatMut<'_, f64>) {
        for (j, column) in self.columns.iter().enumerate() {
            let (_, rest) = right.as_mut().split_at_row_mut(tile_rows(j, self.size).0);
            let (mut here, mut below) = rest.split_at_row_mut(column[0].nrows());
            solve_lower_triangular_in_place(column[0].as_ref(), here.as_mut(), Par::Seq);
            for (i, tile) in column.iter().enumerate().skip(1) {
                let to = below.as_mut().subrows_mut((i - 1) * TILE, tile.nrows());
                matmul(to, Accum::Add, tile, here.as_ref(), -1.0, Par::Seq);
            }
        }
    }

    /// Replaces R by (L Lᵀ)⁻¹ R.
    pub fn solve(&self, mut right: MatMut<'_, f64>) {
        self.solve_lower(right.as_mut());
        for (j, column) in self.columns.iter().enumerate().rev() {
            let (_, rest) = right.as_mut().split_at_row_mut(tile_rows(j, self.size).0);
            let (mut here, below) = rest.split_at_row_mut(column[0].nrows());
            for (i, tile) in column.iter().enumerate().skip(1) {
                let from = below.as_ref().subrows((i - 1) * TILE, tile.nrows());
                matmul(
                    here.as_mut(),
                    Accum::Add,
                    tile.transpose(),
                    from,
                    -1.0,
                    Par::Seq,
                );
            }
            solve_upper_triangular_in_place(column[0].transpose(), here, Par::Seq);
        }
    }

    /// Returns log det (L Lᵀ).
    pub fn log_det(&self) -> f64 {
        let diagonals = self.columns.iter().map(|column| &column[0]);
        let logs = diagonals.flat_map(|tile| (0..tile.nrows()).map(|i| tile[(i, i)].ln()));
        2.0 * logs.sum::<f64>()
    }

    /// Returns tr (L Lᵀ)⁻¹ = Σ (L⁻¹)_ij².
    pub fn trace_of_inverse(&self) -> f64 {
        let columns: Vec<f64> = (0..self.columns.len())
            .into_par_iter()
            .map(|j| self.squares_of_inverse(j))
            .collect();
        columns.iter().sum()
    }

    /// Returns the sum of the squares in column j of tiles of L⁻¹ = X: X_jj = L_jj⁻¹ and X_ij = −L_ii⁻¹ Σ_k L_ik X_kj.
    fn squares_of_inverse(&self, j: usize) -> f64 {
        let n = self.columns.len();
        let diagonal = &self.columns[j][0];
        let width = diagonal.nrows();
        let mut first = Mat::zeros(width, width);
        invert_lower_triangular(first.as_mut(), diagonal.as_ref(), Par::Seq);
        let mut sum = first.squared_norm_l2();
        let mut inverse = vec![first];
        for i in j + 1..n {
            let mut tile = Mat::zeros(tile_rows(i, self.size).1, width);
            for (k, x) in (j..i).zip(&inverse) {
                let left = self.columns[k][i - k].as_ref();
                let shape = if k == j {
                    BlockStructure::TriangularLower
                } else {
                    BlockStructure::Rectangular
                };
                add_product(
                    tile.as_mut(),
                    BlockStructure::Rectangular,
                    -1.0,
                    (left, BlockStructure::Rectangular),
                    (x.as_ref(), shape),
                );
            }
            solve_lower_triangular_in_place(self.columns[i][0].as_ref(), tile.as_mut(), Par::Seq);
            sum += tile.squared_norm_l2();
            inverse.push(tile);
        }
        sum
    }
}

/// Adds `scale` L R to a matrix, on one thread; only the triangle of a structure is read and written.
fn add_product(
    to: MatMut<'_, f64>,
    to_structure: BlockStructure,
    scale: f64,
    (left, left_structure): (MatRef<'_, f64>, BlockStructure),
    (right, right_structure): (MatRef<'_, f64>, BlockStructure),
) {
    triangular_matmul(
        to,
        to_structure,
        Accum::Add,
        left,
        left_structure,
        right,
        right_structure,
        scale,
        Par::Seq,
    );
}
