//! Tests of arrays in scripts, against values computed by hand or taken from numpy.

use super::support::check;

#[test]
fn creation() {
    check(&[
        ("arange(0.0, 1.0, 0.25)", "Array[4] [0, 0.25, 0.5, 0.75]"),
        // numpy: ceil((stop - start)/step) elements, so 0.1-steps to 6.1 make 61
        ("arange(0.0, 6.1, 0.1).len()", "61"),
        ("arange(5, 0, -2)", "Array[3] [5, 3, 1]"),
        ("arange(1, 0)", "Array[0] []"),
        ("linspace(0, 1, 5)", "Array[5] [0, 0.25, 0.5, 0.75, 1]"),
        ("linspace(2, 3, 1)", "Array[1] [2]"),
        ("linspace(0, 0.1, 7)[6] == 0.1", "true"),
        ("zeros([2, 3]).shape", "[2, 3]"),
        ("ones(2)", "Array[2] [1, 1]"),
        ("full([1, 2], 3)", "Array[1, 2] [[3, 3]]"),
        (
            "array([[1, 2], [3, 4.5]])",
            "Array[2, 2] [[1, 2], [3, 4.5]]",
        ),
        ("array([arange(2), [5, 6]]).shape", "[2, 2]"),
        ("array([[], []]).shape", "[2, 0]"),
        ("zeros([2, 3, 4])[1].shape", "[3, 4]"),
    ]);
}

#[test]
fn indexing() {
    check(&[
        (
            "let x = array([[1, 2], [3, 4], [5, 6]]); x[1]",
            "Array[2] [3, 4]",
        ),
        ("x[-1][0]", "5.0"),
        (
            "x[0][1] = 9; x[2] = [7, 8]; x[1] = 0; x",
            "Array[3, 2] [[1, 9], [0, 0], [7, 8]]",
        ),
        ("let y = x; y[0][0] = 100; x[0][0]", "1.0"),
        (
            "let v = arange(5); v[1] += 10; v",
            "Array[5] [0, 11, 2, 3, 4]",
        ),
        ("v[1..3]", "Array[2] [11, 2]"),
        ("v[1..=3]", "Array[3] [11, 2, 3]"),
        (
            "let w = v; w[1..3] = 7; w[3..] = [8, 9]; w",
            "Array[5] [0, 7, 7, 8, 9]",
        ),
        ("w[0..2][1] = 5; w", "Array[5] [0, 5, 7, 8, 9]"),
        ("v.slice(0, -2, 5)", "Array[2] [3, 4]"),
        ("x.slice(1, 1)", "Array[3, 1] [[9], [0], [8]]"),
        ("let s = 0; for e in v { s += e; } s", "20.0"),
        (
            "let s = []; for row in x { s.push(sum(row)); } s",
            "[10.0, 0.0, 15.0]",
        ),
        ("[3 in v, 3.0 in v, 12 in v]", "[true, true, false]"),
        ("x.to_list()", "[[1.0, 9.0], [0.0, 0.0], [7.0, 8.0]]"),
        ("zeros([2, 3]).len()", "2"),
        ("len(v)", "5"),
    ]);
}

#[test]
fn arithmetic_and_broadcasting() {
    check(&[
        ("2 * arange(3) + 0.5", "Array[3] [0.5, 2.5, 4.5]"),
        ("1 / array([1, 2, 4])", "Array[3] [1, 0.5, 0.25]"),
        ("arange(3) - [1, 1, 1]", "Array[3] [-1, 0, 1]"),
        ("[1, 1, 1] - arange(3)", "Array[3] [1, 0, -1]"),
        ("2 * [1, 2]", "Array[2] [2, 4]"),
        ("[1, 2] / 4", "Array[2] [0.25, 0.5]"),
        ("let x = [1, 2]; x.append([3]); x", "[1, 2, 3]"),
        ("array([[1, 2], [3, 4]]).col(1)", "Array[2] [2, 4]"),
        ("array([[1, 2], [3, 4]]).col(-1)", "Array[2] [2, 4]"),
        ("array([[1, 2], [3, 4]]).row(1)", "Array[2] [3, 4]"),
        ("-arange(3)", "Array[3] [-0, -1, -2]"),
        ("-[1, 2]", "Array[2] [-1, -2]"),
        ("array([-2, 3]) ** 2", "Array[2] [4, 9]"),
        ("array([-2, 3]) ** 3", "Array[2] [-8, 27]"),
        ("2 ** arange(4)", "Array[4] [1, 2, 4, 8]"),
        ("array([5, -5]) % 3", "Array[2] [2, -2]"),
        (
            "array([[1], [2]]) * [10, 20, 30]",
            "Array[2, 3] [[10, 20, 30], [20, 40, 60]]",
        ),
        (
            "zeros([2, 1, 3]) + zeros([4, 1]) == zeros([2, 4, 3])",
            "true",
        ),
        (
            "let x = arange(3); x += 1; x *= 2; x -= [1, 1, 1]; x",
            "Array[3] [1, 3, 5]",
        ),
        ("let a = arange(2); let b = a; b += 1; a", "Array[2] [0, 1]"),
        ("\"x: \" + arange(2)", "x: Array[2] [0, 1]"),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        ("arange(3) == [0, 1, 2]", "true"),
        ("[0.0, 1, 2] == arange(3)", "true"),
        ("arange(3) == arange(4)", "false"),
        ("zeros([2, 2]) == zeros(4)", "false"),
        ("arange(3) != [0, 1, 3]", "true"),
        ("ones(3) == 1 && 1.0 == ones(3)", "true"),
        ("arange(3) > 1", "Array[3] [0, 0, 1]"),
        ("1 <= arange(3)", "Array[3] [0, 1, 1]"),
        ("any(arange(3) > 1) && !all(arange(3) > 1)", "true"),
        ("where(arange(3) > 0, [5, 6, 7], -1)", "Array[3] [-1, 6, 7]"),
        ("where(isnan([1.0, NAN]), 0, 1)", "Array[2] [1, 0]"),
        ("where([1.0, 2] > 1, INF, 3)", "Array[2] [3, inf]"),
        ("isnan([1.0, NAN])", "Array[2] [0, 1]"),
    ]);
}

#[test]
fn elementary_functions_take_ints_floats_lists_and_arrays() {
    check(&[
        ("sqrt(4)", "2.0"),
        ("sqrt(2.25)", "1.5"),
        ("sqrt([4, 9])", "Array[2] [2, 3]"),
        ("sqrt(array([[4, 9]]))", "Array[1, 2] [[2, 3]]"),
        ("abs(-3)", "3"),
        ("abs([-3, 2.5])", "Array[2] [3, 2.5]"),
        ("exp(0) + cos(0)", "2.0"),
        ("abs(log(exp(1.5)) - 1.5) < 1e-15", "true"),
        ("log10(1000)", "3.0"),
        ("abs(expm1(1e-12) / 1e-12 - 1) < 1e-11", "true"),
        ("abs(log1p(1e-12) / 1e-12 - 1) < 1e-11", "true"),
        ("abs(sin(PI / 6) - 0.5) < 1e-15", "true"),
        ("abs(4 * atan(1) - PI) < 1e-15", "true"),
        ("abs(tanh(atanh(0.25)) - 0.25) < 1e-15", "true"),
        ("abs(atan2(1, -1) - 3 * PI / 4) < 1e-15", "true"),
        (
            "[floor(-2.5), ceil(-2.5), round(2.5), floor(3)]",
            "[-3.0, -2.0, 3.0, 3]",
        ),
        ("sign([-2, 0, 3])", "Array[3] [-1, 0, 1]"),
        (
            "[sign(-5), sign(2.5), square(3), square(1.5)]",
            "[-1, 1.0, 9, 2.25]",
        ),
        ("[min(2, 3), max(2, 3.5), min(2.5, 1)]", "[2, 3.5, 1.0]"),
        ("max([1, 5], [3, 2])", "Array[2] [3, 5]"),
        ("min(arange(3), 1)", "Array[3] [0, 1, 1]"),
        ("hypot(3, 4)", "5.0"),
        ("pow([1, 2, 3], 2)", "Array[3] [1, 4, 9]"),
        ("arange(3).square()", "Array[3] [0, 1, 4]"),
    ]);
}

#[test]
fn reductions() {
    check(&[
        ("sum([[1, 2], [3, 4]])", "10.0"),
        ("sum([[1, 2], [3, 4]], 0)", "Array[2] [4, 6]"),
        ("mean([[1, 2], [3, 4]], -1)", "Array[2] [1.5, 3.5]"),
        ("sum([])", "0.0"),
        ("prod([2, 3, 4])", "24.0"),
        // numpy.std([1, 2, 3, 4]) = 1.118033988749895
        ("std([1, 2, 3, 4])", "1.118033988749895"),
        ("variance([1, 2, 3, 4])", "1.25"),
        (
            "[min([3, 1, 2]), max(array([[3, 1], [2, 9]]))]",
            "[1.0, 9.0]",
        ),
        ("[median([3, 1, 2]), median([4, 1, 2, 3])]", "[2.0, 2.5]"),
        ("[argmin([3, 1, 2, 1]), argmax([[3, 1], [2, 9]])]", "[1, 3]"),
        ("cumsum([1, 2, 3])", "Array[3] [1, 3, 6]"),
        ("max([1.0, NAN])", "NaN"),
        ("norm([3, 4])", "5.0"),
        ("norm([[1, 1], [1, 1]])", "2.0"),
        ("mse([1, 2, 3], [1, 2, 5]) * 3", "4.0"),
        ("mse([1, 2], [NAN, 4])", "4.0"),
        // The variances of the columns are 1 and 100, the squared errors 1 and 100.
        ("nmse([[2, 10], [4, 30]], [[1, 0], [3, 20]])", "1.0"),
        ("nmse([2, 2], [1, 3])", "1.0"),
        ("dot([1, 2], [3, 4])", "11.0"),
        ("dot([[1, 2], [3, 4]], [1, 1])", "Array[2] [3, 7]"),
        ("dot([1, 1], [[1, 2], [3, 4]])", "Array[2] [4, 6]"),
        (
            "matmul([[1, 2], [3, 4]], [[0, 1], [1, 0]])",
            "Array[2, 2] [[2, 1], [4, 3]]",
        ),
        ("outer([1, 2], [3, 4])", "Array[2, 2] [[3, 4], [6, 8]]"),
    ]);
}

#[test]
fn shapes() {
    check(&[
        (
            "transpose([[1, 2, 3], [4, 5, 6]])",
            "Array[3, 2] [[1, 4], [2, 5], [3, 6]]",
        ),
        ("transpose(zeros([2, 3, 4])).shape", "[4, 3, 2]"),
        ("transpose(arange(6).reshape([2, 3]))[1]", "Array[2] [1, 4]"),
        (
            "transpose(arange(4).reshape([2, 2])).flatten()",
            "Array[4] [0, 2, 1, 3]",
        ),
        (
            "reshape(arange(6), [2, -1])",
            "Array[2, 3] [[0, 1, 2], [3, 4, 5]]",
        ),
        ("reshape([[1, 2], [3, 4]], 4)", "Array[4] [1, 2, 3, 4]"),
        ("concat([arange(2), [5, 6]])", "Array[4] [0, 1, 5, 6]"),
        (
            "concat([[[1], [2]], [[3], [4]]], 1)",
            "Array[2, 2] [[1, 3], [2, 4]]",
        ),
        ("stack([arange(2), [5, 6]])", "Array[2, 2] [[0, 1], [5, 6]]"),
        (
            "stack([arange(2), [5, 6]], -1)",
            "Array[2, 2] [[0, 5], [1, 6]]",
        ),
        ("stack([1, 2, 3])", "Array[3] [1, 2, 3]"),
        ("[zeros([2, 3]).rank, zeros([2, 3]).size]", "[2, 6]"),
    ]);
}
