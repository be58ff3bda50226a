//! Inverse, eigenvalues and least squares of matrices, by nalgebra.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayD, IxDyn};
use rhai::{Dynamic, Map};

use crate::{Error, Result};

use super::super::host::Host;
use super::super::registry::{Numbers, Registry};
use super::ScriptArray;

/// Largest number of rows and columns. A decomposition cannot be interrupted, and one of this size takes about a second.
const LARGEST: usize = 500;

/// Reads a matrix of finite numbers.
fn matrix(host: &Host, name: &str, x: &ArrayD<f64>) -> Result<DMatrix<f64>> {
    let &[rows, columns] = x.shape() else {
        return Err(Error::invalid(format!(
            "{name} takes a matrix, not an array of shape {:?}",
            x.shape()
        )));
    };
    if rows.min(columns) > LARGEST {
        return Err(Error::invalid(format!(
            "{name}: a matrix of shape {:?} is too large: rows or columns must be at most {LARGEST}",
            x.shape()
        )));
    }
    if !x.iter().all(|x| x.is_finite()) {
        return Err(Error::invalid(format!(
            "{name}: the matrix has elements that are not finite numbers"
        )));
    }
    host.check_memory(name, x.len().saturating_mul(4))?;
    Ok(DMatrix::from_row_iterator(rows, columns, x.iter().copied()))
}

fn square(host: &Host, name: &str, x: &Numbers) -> Result<DMatrix<f64>> {
    let x = x.array(name)?;
    let a = matrix(host, name, &x)?;
    match a.is_square() {
        true => Ok(a),
        false => Err(Error::invalid(format!(
            "{name} takes a square matrix, not one of shape {:?}",
            x.shape()
        ))),
    }
}

fn to_array(a: &DMatrix<f64>) -> ScriptArray {
    let array = Array2::from_shape_fn((a.nrows(), a.ncols()), |(i, j)| a[(i, j)]);
    ScriptArray::new(array.into_dyn())
}

fn vector(x: impl IntoIterator<Item = f64>) -> Dynamic {
    Dynamic::from(ScriptArray::from_vec(x.into_iter().collect()))
}

fn inverse(host: &Host, x: &Numbers) -> Result<ScriptArray> {
    // By elimination: the closed formulas of small matrices go through a determinant, which leaves the range of numbers early.
    let inverse = square(host, "inverse", x)?.lu().try_inverse();
    match inverse.filter(|a| a.iter().all(|x| x.is_finite())) {
        Some(inverse) => Ok(to_array(&inverse)),
        None => Err(Error::invalid(
            "inverse: the matrix is singular; least_squares(A, b) finds an x with the smallest |A x − b|",
        )),
    }
}

/// Returns the complex eigenvalues of a square matrix, by decreasing real part.
fn eigenvalues(host: &Host, x: &Numbers) -> Result<Map> {
    let a = square(host, "eigenvalues", x)?;
    let mut values: Vec<(f64, f64)> = match a.nrows() {
        0 => vec![],
        _ => a
            .complex_eigenvalues()
            .iter()
            .map(|z| (z.re, z.im))
            .collect(),
    };
    values.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    Ok(Map::from([
        ("real".into(), vector(values.iter().map(|z| z.0))),
        ("imag".into(), vector(values.iter().map(|z| z.1))),
    ]))
}

/// Returns the eigenvalues of a symmetric matrix in increasing order, and its eigenvectors as columns.
fn eigh(host: &Host, x: &Numbers) -> Result<Map> {
    let a = square(host, "eigh", x)?;
    let size = a.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    if (&a - a.transpose()).iter().any(|x| x.abs() > 1e-12 * size) {
        return Err(Error::invalid(
            "eigh takes a symmetric matrix; eigenvalues(A) takes any square one",
        ));
    }
    let decomposition = a.symmetric_eigen();
    let mut order: Vec<usize> = (0..decomposition.eigenvalues.len()).collect();
    order.sort_by(|&i, &j| decomposition.eigenvalues[i].total_cmp(&decomposition.eigenvalues[j]));
    let vectors = decomposition.eigenvectors.select_columns(&order);
    Ok(Map::from([
        (
            "values".into(),
            vector(order.iter().map(|&i| decomposition.eigenvalues[i])),
        ),
        ("vectors".into(), Dynamic::from(to_array(&vectors))),
    ]))
}

/// Returns the x of smallest length among those with the smallest |A x − b|, by the singular value decomposition; singular values below
/// max(m, n) ε of the largest count as 0, as in numpy.
fn least_squares(host: &Host, a: &Numbers, b: &Numbers) -> Result<Dynamic> {
    let (rows, b) = (
        a.array("least_squares: the matrix")?,
        b.array("least_squares: the right-hand side")?,
    );
    let a = matrix(host, "least_squares", &rows)?;
    if b.ndim() == 0 || b.ndim() > 2 || b.shape()[0] != a.nrows() {
        return Err(Error::invalid(format!(
            "least_squares: shapes {:?} and {:?} do not fit together: b has one row for each row of A",
            rows.shape(),
            b.shape()
        )));
    }
    let columns = b.shape().get(1).copied().unwrap_or(1);
    let right = DMatrix::from_row_iterator(a.nrows(), columns, b.iter().copied());
    let shape = [&[a.ncols()], &b.shape()[1..]].concat();
    if a.is_empty() {
        return Ok(ScriptArray::new(ArrayD::zeros(IxDyn(&shape))).into_dynamic());
    }
    let sizes = a.nrows().max(a.ncols()) as f64;
    let svd = a.svd(true, true);
    let smallest = svd.singular_values.max() * sizes * f64::EPSILON;
    let x = svd
        .solve(&right, smallest)
        .map_err(|e| Error::invalid(format!("least_squares: {e}")))?;
    let x = to_array(&x).into_data();
    Ok(x.into_shape_with_order(IxDyn(&shape))
        .map(|x| ScriptArray::new(x).into_dynamic())
        .unwrap_or_default())
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "inverse(A) -> Array",
        "The inverse of a square matrix.",
        "inverse([[2, 1], [1, 1]])",
    )
    .body(move |x: Numbers| inverse(&host, &x));
    let host = reg.host();
    reg.function(
        "eigenvalues(A) -> map",
        "The eigenvalues of a square matrix as #{ real, imag }, by decreasing real part: those of a Jacobian tell whether a steady state \
         is stable.",
        "eigenvalues([[0, 1], [-4, -0.2]])",
    )
    .body(move |x: Numbers| eigenvalues(&host, &x));
    let host = reg.host();
    reg.function(
        "eigh(A) -> map",
        "The eigenvalues of a symmetric matrix in increasing order and its eigenvectors, the columns of a matrix, as #{ values, vectors }.",
        "eigh([[2, 1], [1, 2]]).values",
    )
    .body(move |x: Numbers| eigh(&host, &x));
    let host = reg.host();
    reg.function(
        "least_squares(A, b)",
        "The x with the smallest |A x − b|, the shortest one where there are several; with a square matrix the solution of A x = b. A \
         matrix b has a column for each problem.",
        "let t = linspace(0.0, 1.0, 11); least_squares(transpose([ones(11), t]), 2 + 3 * t)",
    )
    .body(move |a: Numbers, b: Numbers| least_squares(&host, &a, &b));
}
