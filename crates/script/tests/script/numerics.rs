//! Tests of random numbers, masks, quantiles, interpolation, integrals and linear algebra in scripts, against numpy, PyTorch and
//! formulas.

use super::support::{check, check_errors};

#[test]
fn random_numbers_are_those_of_pytorch() {
    check(&[
        // torch.manual_seed(10); torch.rand(2)
        ("seed(10); rand(2)", "Array[2] [0.458085, 0.482857]"),
        (
            "seed(10); let a = randn([3, 2]); seed(10); all(a - randn([3, 2]) == 0)",
            "true",
        ),
        (
            "seed(1); let x = randn(20000); abs(mean(x)) < 0.03 && abs(std(x) - 1) < 0.03",
            "true",
        ),
        (
            "let x = randint(-2, 3, 5000); min(x) == -2 && max(x) == 2 && all(round(x) - x == 0)",
            "true",
        ),
        (
            "seed(10); let f = blackbox([2, 3, 2]); seed(10); rand(1); blackbox([2, 3, 2]).params == f.params",
            "false",
        ),
    ]);
    check_errors(&[
        ("randint(3, 3, 2)", "must be above the first"),
        ("rand(-1)", "shape"),
    ]);
}

#[test]
fn masks_select_and_assign() {
    check(&[
        ("let x = arange(6); x[x > 3]", "Array[2] [4, 5]"),
        ("x[(x > 1) & !(x > 3)]", "Array[2] [2, 3]"),
        ("x[(x < 1) | (x > 4)]", "Array[2] [0, 5]"),
        ("x.filter(x >= 4)", "Array[2] [4, 5]"),
        ("x[x > 3] = 0; x", "Array[6] [0, 1, 2, 3, 0, 0]"),
        ("x[x > 1] = [7, 8]; x", "Array[6] [0, 1, 7, 8, 0, 0]"),
        (
            "let m = array([[1, 2], [3, 4], [5, 6]]); m[m.col(0) > 2]",
            "Array[2, 2] [[3, 4], [5, 6]]",
        ),
        (
            "m[m.col(0) > 2] = 0; m",
            "Array[3, 2] [[1, 2], [0, 0], [0, 0]]",
        ),
        (
            "m[m.col(0) > 0] = [[8, 9]]; m",
            "Array[3, 2] [[8, 9], [0, 0], [0, 0]]",
        ),
        ("arange(3)[arange(3) > 9].len()", "0"),
        ("any((arange(3) > 1) & true)", "true"),
    ]);
    check_errors(&[
        ("arange(4)[arange(3) > 1]", "one element for each item"),
        ("arange(3)[arange(3)]", "a mask holds 1 and 0"),
        ("let x = arange(4); x[x > 1] = [1, 2, 3]", "shape [2]"),
        ("let y = zeros([3, 2]); y[ones(3)] = zeros([3, 3])", "shape"),
    ]);
}

#[test]
fn quantiles_are_those_of_numpy() {
    check(&[
        // numpy.quantile([1, 2, 4, 8], 0.25) = 1.75
        ("quantile([8, 1, 4, 2], 0.25)", "1.75"),
        (
            "quantile(arange(101), [0.05, 0.5, 0.95])",
            "Array[3] [5, 50, 95]",
        ),
        ("quantile([[1, 2], [3, 6]], 0.5, 0)", "Array[2] [2, 4]"),
        (
            "quantile([[1, 2], [3, 6]], [0, 1], 1)",
            "Array[2, 2] [[1, 3], [2, 6]]",
        ),
        ("isnan(quantile([1.0, NAN], 0.5))", "1.0"),
        ("quantile([3], 1)", "3.0"),
    ]);
    check_errors(&[
        ("quantile([1, 2], 1.5)", "fraction from 0 to 1"),
        ("quantile([], 0.5)", "empty"),
    ]);
}

#[test]
fn interpolation_differences_and_integrals() {
    check(&[
        (
            "interp([-1, 0.5, 1, 1.25, 9], [0, 1, 2], [0, 10, 40])",
            "Array[5] [0, 5, 10, 17.5, 40]",
        ),
        (
            "interp(0.5, [0, 1], [[0, 10], [2, 20]])",
            "Array[2] [1, 15]",
        ),
        ("diff([1, 4, 9])", "Array[2] [3, 5]"),
        ("diff([[1, 2], [3, 6]])", "Array[1, 2] [[2, 4]]"),
        (
            "cumulative_trapezoid([1, 1, 3], [0, 1, 2])",
            "Array[3] [0, 1, 3]",
        ),
        (
            "let t = linspace(0.0, PI, 1001); abs(trapezoid(sin(t), t) - 2) < 2e-6",
            "true",
        ),
        ("trapezoid([[1, 2], [1, 4]], [0, 2])", "Array[2] [2, 6]"),
    ]);
    check_errors(&[
        ("interp(0.5, [0, 0, 1], [1, 2, 3])", "must increase"),
        ("interp(0.5, [0, 1], [1, 2, 3])", "do not fit"),
        ("trapezoid([1, 2, 3], [0, 1])", "do not fit"),
        ("diff([])", "empty"),
    ]);
}

#[test]
fn linear_algebra() {
    check(&[
        (
            "inverse([[2, 1], [1, 1]])",
            "Array[2, 2] [[1, -1], [-1, 2]]",
        ),
        // The determinants are beyond the range of numbers.
        ("(inverse([[1e200, 0], [0, 1e200]]) * 1e200)[1][1]", "1.0"),
        (
            "abs((inverse([[1e-161, 0], [0, 2e-161]]) * 2e-161)[0][0] - 2.0) < 1e-14",
            "true",
        ),
        // λ² + 0.2 λ + 4 = 0
        (
            "let e = eigenvalues([[0, 1], [-4, -0.2]]); norm(e.real + 0.1) < 1e-14 && norm(e.imag - sqrt(3.99) * [1, -1]) < 1e-14",
            "true",
        ),
        (
            "let a = array([[2, 1], [1, 2]]); let e = eigh(a); norm(e.values - [1, 3]) < 1e-14 \
             && norm(dot(a, e.vectors) - dot(e.vectors, [[1, 0], [0, 3]])) < 1e-14",
            "true",
        ),
        (
            "let t = linspace(0.0, 1.0, 11); let c = least_squares(transpose([ones(11), t]), 2 + 3 * t); norm(c - [2, 3]) < 1e-13",
            "true",
        ),
        // The shortest of the solutions of x + y = 2.
        (
            "norm(least_squares([[1, 1]], [2]) - [1, 1]) < 1e-14",
            "true",
        ),
        (
            "least_squares([[2, 0], [0, 4]], [[2, 4], [4, 8]])",
            "Array[2, 2] [[1, 2], [1, 2]]",
        ),
    ]);
    check_errors(&[
        ("inverse([[1, 2], [2, 4]])", "singular"),
        ("inverse([[1, 2]])", "square"),
        ("eigenvalues([[1.0, INF], [0, 1]])", "finite"),
        ("eigh([[1, 2], [3, 4]])", "symmetric"),
        ("least_squares([[1, 2]], [1, 2])", "do not fit"),
        ("inverse(zeros([600, 600]))", "too large"),
    ]);
}

/// Functions of symbols agree with those of numbers, and conditions are joined as in scripts.
#[test]
fn equations_have_products_remainders_and_joined_conditions() {
    let at =
        |equations: &str, u: &str| format!("system(2, |t, u, p| {equations}).derivative(0.3, {u})");
    let cases = [
        (
            "dot([[1, 2], [3, 4]], u)",
            "[1.0, 10.0]",
            "Array[2] [21, 43]",
        ),
        (
            "dot(u, [[1, 2], [3, 4]])",
            "[1.0, 10.0]",
            "Array[2] [31, 42]",
        ),
        (
            "[dot([1, 2], u), dot(u, u)]",
            "[1.0, 10.0]",
            "Array[2] [21, 101]",
        ),
        (
            "[u[0] % 3, u[1] % 3.0]",
            "[7.5, -7.5]",
            "Array[2] [1.5, -1.5]",
        ),
        (
            "[round(u[0]), round(u[1])]",
            "[2.5, -2.5]",
            "Array[2] [3, -3]",
        ),
        (
            "[cbrt(u[0]), hypot(u[0], u[1])]",
            "[8.0, 6.0]",
            "Array[2] [2, 10]",
        ),
        // The last numbers below a half, and what a square does not hold.
        (
            "[round(u[0]), round(u[1]) + 2.0]",
            "[0.49999999999999994, -0.49999999999999994]",
            "Array[2] [0, 2]",
        ),
        (
            "[round(hypot(u[0], 0.0) * 1e203), round(hypot(u[1], u[1]) / 1e197)]",
            "[1e-200, 1e200]",
            "Array[2] [1000, 1414]",
        ),
        ("[hypot(u[0], u[1]), 1.0]", "[0.0, 0.0]", "Array[2] [0, 1]"),
        ("2 * u.slice(0, 0, 2)", "[1.0, 10.0]", "Array[2] [2, 20]"),
        (
            "[where(u[0] > 0 && u[1] > 0, 1.0, 2.0), where(u[0] > 0 || u[1] > 0, 1.0, 2.0)]",
            "[1.0, -1.0]",
            "Array[2] [2, 1]",
        ),
        (
            "[where(!(u[0] > 0), 1.0, 2.0), where(u[0] > 0 & t < 0.2, 1.0, 2.0)]",
            "[1.0, -1.0]",
            "Array[2] [2, 2]",
        ),
    ];
    for (equations, u, value) in cases {
        check(&[(&at(equations, u), value)]);
    }
    // Outside equations && stops at the first false.
    check(&[(
        "let n = 0; let f = || { n += 1; true }; false && f.call(); n",
        "0",
    )]);
    check_errors(&[("system(2, |t, u, p| dot([[1, 2, 3]], u))", "do not fit")]);
}

#[test]
fn conditions_are_joined_in_equations_wherever_these_are_written() {
    let within = "[where(t > 0.75 && t < 1.75, 2.0, 0.0)]";
    for declaration in [
        format!("let f = |t, u| {within};"),
        "let f = |t, u, p| { let c = t > 0.75 && t < 1.75; [where(c, 2.0, 0.0)] };".into(),
        format!(
            "let f = |t, x| if true {{ {within} }} else {{ [where(t > 1.0 && t < 0.5, 1.0, 0.0)] }};"
        ),
        format!("fn rhs(t, u, p) {{ let none = #{{}}; {within} }} let f = Fn(\"rhs\");"),
        "let f = |t, u| [where(!(t <= 0.75 || t >= 1.75), 2.0, 0.0)];".into(),
    ] {
        let code = format!(
            "{declaration} let g = system(1, f); array([0.0, 1.0, 2.0].map(|now| g.derivative(now, [0.0])[0]))"
        );
        check(&[(&code, "Array[3] [0, 2, 0]")]);
    }
    check(&[
        // Outside of equations the right side is left out where the left one decides.
        ("let x = [1.0]; x.len() > 1 && x[1] > 0.0", "false"),
        (
            "let f = |t, u| [where(t > 1.0 && u[0] > 0.0, 1.0, 0.0)]; x.len() > 1 && x[1] > 0.0",
            "false",
        ),
        (
            "fn late(t, u) { where(t > 1.0 && u[0] > 0.0, 1.0, 0.0) } x.len() == 1 || x[1] > 0.0",
            "true",
        ),
        ("[|t, u| t && u, x.len() > 1 && x[1] > 0.0][1]", "false"),
        (
            "let g = |t, u| { t && u }; x.len() > 1 && x[1] > 0.0",
            "false",
        ),
        ("let none = || 3; none.call()", "3"),
    ]);
    check_errors(&[(
        "let f = |now, u| [where(now > 1.0 && now < 2.0, 1.0, 0.0)]; system(1, f)",
        "conditions are joined by & and |",
    )]);
}
