use super::Page;

#[test]
fn arrays() {
    let mut page = Page::new();
    page.fail(&[
        // An axis of length 0 does not make the others free.
        "zeros([0, 9223372036854775807, 3])",
        "zeros([100000000000000, 0])",
        "reshape(zeros(0), [4611686018427387904, 0])",
        "zeros([1000000, 1000000])",
        // No allocator counts memory here; with a counting allocator the message differs, see `tests/memory.rs`.
        "let x = [1.0]; loop { x.append(x); }",
        "array(3)",
        "array([[1, 2], [3]])",
        "array([1, [2]])",
        "array([[1], 2])",
        "array([[1, 2], [3, \"x\"]])",
        "array([true])",
        "zeros([2, -1])",
        "zeros([1.5])",
        "zeros([])",
        "arange(0, 1, 0)",
        "arange(0, 1.0/0.0, 1)",
        "linspace(0, 1, -2)",
        "array([[[[[[[[[1]]]]]]]]])",
        "array([[[zeros([1, 1, 1, 1, 1, 1])]]])",
        // Items and slices.
        "arange(3)[3]",
        "arange(3)[-4]",
        "arange(0)[0]",
        "zeros([2, 3])[2]",
        "let x = zeros([2, 3]); x[0] = [1, 2]",
        "let x = zeros(3); x[0] = [1]",
        "let x = zeros(3); x[0] = \"a\"",
        "zeros([2, 3]).slice(2, 0, 1)",
        "zeros(3).slice(0, 2, 1)",
        "zeros(3).slice(0, 0, 4)",
        "zeros(3)[9223372036854775807]",
        "zeros(3)[-9223372036854775808]",
        // Arithmetic.
        "zeros([2, 3]) + zeros([4])",
        "zeros([2, 3]) * zeros([3, 2])",
        "arange(3) * \"a\"",
        "arange(2) + [1, \"a\"]",
        // Elementary functions.
        "sqrt(\"a\")",
        "sqrt([1, \"a\"])",
        "abs(-9223372036854775807 - 1)",
        // Reductions.
        "mean([])",
        "max([])",
        "mean(zeros([0, 2]), 0)",
        "argmin([])",
        "sum(arange(3), 1)",
        "mse([1, 2], [1, 2, 3])",
        "mse([1], [NAN])",
        "dot([1, 2], [1, 2, 3])",
        "matmul([[1, 2]], [[1, 2]])",
        "outer([[1]], [1])",
        // Shapes.
        "reshape(arange(6), [4, 2])",
        "reshape(arange(6), [4, -1])",
        "reshape(arange(6), [-1, -1])",
        "concat([zeros([2, 3]), zeros([2, 2])])",
        "concat([])",
        "concat([1, 2])",
        "stack([arange(2), arange(3)])",
    ]);
    page.is_kept_as("arrays");
}
