//! Products, norms and distances of arrays.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayD, Axis, Ix1, Ix2};
use rhai::Dynamic;

use crate::{Error, Result};

use super::super::dense::{elements, row_major};
use super::super::host::Host;
use super::super::registry::{Numbers, Operand, Registry};
use super::ScriptArray;

/// Multiplications of a product between two looks at the request to stop: some tenths of a second.
const BLOCK: usize = 1 << 28;

/// Returns the product of vectors and matrices: Σₖ aᵢₖ bₖⱼ.
fn dot(host: &Host, name: &str, a: &Numbers, b: &Numbers) -> Result<Dynamic> {
    let (a, b) = (a.array(name)?, b.array(name)?);
    let wrong = Error::invalid(format!(
        "{name}: shapes {:?} and {:?} do not fit together (vectors and matrices whose inner lengths agree)",
        a.shape(),
        b.shape()
    ));
    let (rank_a, rank_b) = (a.ndim(), b.ndim());
    // A vector is a row on the left and a column on the right.
    let a = if rank_a == 1 {
        a.insert_axis(Axis(0))
    } else {
        a
    };
    let b = if rank_b == 1 {
        b.insert_axis(Axis(1))
    } else {
        b
    };
    let (Ok(a), Ok(b)) = (
        a.into_dimensionality::<Ix2>(),
        b.into_dimensionality::<Ix2>(),
    ) else {
        return Err(wrong);
    };
    if a.ncols() != b.nrows() {
        return Err(wrong);
    }
    host.check_memory(name, a.nrows().saturating_mul(b.ncols()))?;
    let mut product = product(host, &a, &b)?.into_dyn();
    if rank_b == 1 {
        product = product.remove_axis(Axis(1));
    }
    if rank_a == 1 {
        product = product.remove_axis(Axis(0));
    }
    Ok(ScriptArray::new(product).into_dynamic())
}

/// Returns the product of two matrices. One that takes long is computed in blocks of rows, and looks between them whether it is to stop.
fn product(host: &Host, a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>> {
    let row = a.ncols().saturating_mul(b.ncols()).max(1);
    let rows = (BLOCK / row).max(8);
    if rows >= a.nrows() {
        return Ok(row_major(a.dot(b)));
    }
    let mut product = Array2::zeros((a.nrows(), b.ncols()));
    let blocks = a.axis_chunks_iter(Axis(0), rows);
    for (of_product, of_a) in product.axis_chunks_iter_mut(Axis(0), rows).zip(blocks) {
        host.check_interrupt()?;
        general_mat_mul(1.0, &of_a, b, 0.0, &mut { of_product });
    }
    Ok(product)
}

/// Checks that what is compared has one shape.
fn check_same_shape(name: &str, x: &ArrayD<f64>, y: &ArrayD<f64>) -> Result<()> {
    match x.shape() == y.shape() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{name}: shapes {:?} and {:?} differ",
            x.shape(),
            y.shape()
        ))),
    }
}

/// Returns the mean squared difference; elements whose `y` is NaN (missing data) are left out.
fn mse(x: &ArrayD<f64>, y: &ArrayD<f64>) -> Result<f64> {
    check_same_shape("mse", x, y)?;
    let (mut sum, mut count) = (0.0, 0usize);
    for (x, y) in x.iter().zip(y).filter(|(_, y)| !y.is_nan()) {
        sum += (x - y).powi(2);
        count += 1;
    }
    match count {
        0 => Err(Error::invalid(
            "mse: there is nothing to compare with: every value of the data is missing (NaN)",
        )),
        _ => Ok(sum / count as f64),
    }
}

/// Returns the normalised mean squared error; the components are along the last axis, those of a vector are one.
fn nmse(x: ArrayD<f64>, y: ArrayD<f64>) -> Result<f64> {
    check_same_shape("nmse", &x, &y)?;
    let components = match y.shape() {
        [.., components] if y.ndim() > 1 => *components,
        _ => 1,
    };
    let rows = |z: ArrayD<f64>| {
        let values = elements(z);
        let shape = (values.len() / components.max(1), components);
        Array2::from_shape_vec(shape, values).map_err(|e| Error::invalid(format!("nmse: {e}")))
    };
    odesync_train::training::nmse(rows(x)?.view(), rows(y)?.view())
}

fn norm(x: &ArrayD<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn outer(host: &Host, a: ArrayD<f64>, b: ArrayD<f64>) -> Result<ScriptArray> {
    let wrong = Error::invalid(format!(
        "outer takes two vectors, not arrays of shapes {:?} and {:?}",
        a.shape(),
        b.shape()
    ));
    let (Ok(a), Ok(b)) = (
        a.into_dimensionality::<Ix1>(),
        b.into_dimensionality::<Ix1>(),
    ) else {
        return Err(wrong);
    };
    let (column, row) = (
        a.insert_axis(Axis(1)).into_dyn(),
        b.insert_axis(Axis(0)).into_dyn(),
    );
    super::arithmetic::zip_broadcast(host, "outer", column, row, |x, y| x * y)
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "dot(x, y)",
        "The product of two vectors (a float), of a matrix and a vector, or of two matrices. matmul is the same.",
        "dot([[1, 2], [3, 4]], [1, 1])",
    )
    .body(move |x: Numbers, y: Numbers| dot(&host, "dot", &x, &y));
    let host = reg.host();
    reg.function(
        "matmul(x, y)",
        "The same as dot.",
        "matmul([[1, 2], [3, 4]], identity(2))",
    )
    .body(move |x: Numbers, y: Numbers| dot(&host, "matmul", &x, &y));
    let host = reg.host();
    reg.function(
        "outer(x, y) -> Array",
        "The matrix xᵢ yⱼ of two vectors.",
        "outer([1, 2], [3, 4])",
    )
    .body(move |x: Numbers, y: Numbers| -> Result<ScriptArray> {
        outer(&host, x.array("outer")?, y.array("outer")?)
    });
    reg.function(
        "mse(x, y) -> float",
        "The mean squared difference of two arrays of one shape. Where y, the data, is NaN (missing) the element is left out.",
        "mse([1, 2, 3], [1, 2, 5])",
    )
    .body(|x: Numbers, y: Numbers| -> Result<f64> { mse(&x.array("mse")?, &y.array("mse")?) });
    reg.function(
        "nmse(x, y) -> float",
        "The normalised mse of predictions and data of one shape, [.., time, dof]: the mse of each component over its variance, and the \
         mean of that over the components. 0 is perfect, 1 as good as the data's mean, in any units. Where y is NaN (missing) the \
         element is left out; so is a component that is constant. A vector is one component.",
        "nmse([1, 2, 3], [1, 2, 5])",
    )
    .body(|x: Numbers, y: Numbers| -> Result<f64> { nmse(x.array("nmse")?, y.array("nmse")?) });
    reg.function(
        "norm(x) -> float",
        "The root of the sum of the squares of all elements.",
        "norm([3, 4])",
    )
    .body(|x: Operand| -> Result<f64> { Ok(norm(&x.array("norm")?)) });
}
