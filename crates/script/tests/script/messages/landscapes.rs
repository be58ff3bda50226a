use super::Page;

#[test]
fn landscapes() {
    let mut page = Page::new();
    page.fail(&[
        "hessian(|p| if p[0] > 0.0 { 1.0 } else { 0.0 }, [1], #{ derivatives: \"exact\" })",
        "hessian(|p| \"x\", [1])",
        "hessian(|p| { let x = p[0]; }, [1])",
        "hessian(|p| p[3], [1])",
        "landscape(|p| p[0], [1], [[1, 2]], [0])",
    ]);
    page.before(
        "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let m = blackbox([2, 3, 2]); let h = hessian(m, d);",
    );
    page.fail(&[
        "hessian(m, d, #{ method: \"dopri5\" })",
        "hessian(m, d, #{ lambda: 0.5 })",
        "hessian(m, d, #{ engine: \"torch\" })",
        "hessian(lotka_volterra(), d)",
        "h.apply([1, 2])",
        "h.apply(zeros([0, h.n]))",
        "h.gauss_newton(zeros([1, 1, h.n]))",
        "h.eigenpairs(-1)",
        "h.density(#{ sigma: -1 })",
        "h.density().on([0, 1], \"a\")",
        "h.density().moment(-1)",
        // Directions and their coefficients.
        "landscape(m, d, [1, 2], [0])",
        "landscape(m, d, random_directions(m, 2), [[0]])",
        "landscape(m, d, random_directions(m, 3), [0])",
        "landscape(m, d, random_directions(m, 1), [[[0]]])",
        "landscape(lotka_volterra(), d, \"e\", [1])",
        "landscape(lotka_volterra(), d, [\"a\", \"b\"], [[1]])",
        "landscape(m, d, \"layer0.bias\", [1])",
        "random_directions(m, 1, #{ normalize: \"filters\" })",
        "pca(train(m, d, vanilla(), #{ epochs: 2 }))",
        "train(m, d, vanilla(), #{ epochs: 2 }).model_at(-1)",
        "train(m, d, vanilla(), #{ epochs: 2 }).model_at(1)",
        // Figures of them.
        "plot([h.density(), h.density()], #{ values: [1] })",
    ]);
    page.is_kept_as("landscapes");
}
