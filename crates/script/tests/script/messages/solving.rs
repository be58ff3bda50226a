use super::Page;

#[test]
fn solving() {
    let mut page = Page::new();
    page.fail(&[
        // The field, the initial state and the times.
        "solve(lorenz(), [1, 1], [0, 1])",
        "solve(lotka_volterra(), [NAN, 1], [0, 1])",
        "solve(system(1, |t, u| [sqrt(u[0])]), [-1], [0, 1])",
        "solve(lorenz(), [1, 1, 1], [0, 2, 1])",
        "solve(lorenz(), [1, 1, 1], [])",
        "solve(lorenz(), [1, 1, 1], [0, NAN])",
        "solve(lotka_volterra(), [1, 1], linspace(0, 1, 50000000))",
        // A field that blows up.
        "solve(system(1, |t, u| [u[0] * u[0]]), [1], [0, 3])",
        "solve(system(1, |t, u| [u[0] * u[0]]), [1], [0, 3], #{ solver: \"rk4\", substeps: 50 })",
        "solve(van_der_pol(), [2, 0], [0, 100], #{ max_steps: 10 })",
    ]);
    page.before("let f = lotka_volterra();");
    page.fail(&[
        "solve(f, [1, 1], [0, 1], #{ solver: \"rk5\" })",
        "solve(f, [1, 1], [0, 1], #{ rtol: 0, atol: 0 })",
        "solve(f, [1, 1], [0, 1], #{ max_steps: 0 })",
        "solve(f, [1, 1], [0, 1], #{ step_size: -0.1 })",
        "solve(f, [1, 1], [0, 1], #{ step_size: 0.1, substeps: 2 })",
        "solve(f, [1, 1], [0, 1], #{ controller: \"pid\" })",
        "solve(f, [1, 1], [0, 1], #{ device: \"gpu\" })",
        "solve(f, [1, 1], [0, 1], #{ adjoint: \"symplectic\" })",
        // Options without effect.
        "solve(f, [1, 1], [0, 1], #{ solver: \"rk4\", controller: \"i\" })",
        "solve(f, [1, 1], [0, 1], #{ step_size: 0.1, first_step: 0.01 })",
        "solve(f, [1, 1], [0, 1], #{ substeps: 2, controller: \"pi\" })",
        // Tangents.
        "jvp(f, [1, 1], [0, 1], #{})",
        "jvp(f, [1, 1], [0, 1], #{ u0: [1] })",
        "jvp(f, [1, 1], [0, 1], #{ params: [1, 2] })",
    ]);
    page.before("let ball = system(2, |t, u, p| [u[1], -p.g], #{ g: 9.81 });");
    page.fail(&[
        "solve(ball, [0, 20], [0, 1], #{ event: |t, u, p| u })",
        "solve(ball, [0, 20], [0, 1], #{ event: |t, u, p| if u[0] > 0.0 { 1.0 } else { -1.0 } })",
        "solve(ball, [0, 20], [0, 1], #{ event: |t, u, p| p.gg })",
        "solve(ball, [0, 20], [0, 1], #{ event: |t, u, p| u[0], direction: \"upp\" })",
        "solve(ball, [0, 20], [0, 1], #{ event: |t, u, p| sqrt(-1.0 - u[0] ** 2) })",
        "solve(ball, [0, 20], [0, 1], #{ terminal: true })",
        "solve(ball, [0, 20], [0, 1], #{ events: [3] })",
        "solve(ball, [0, 20], [0, 1], #{ events: [#{ terminal: true }] })",
    ]);
    page.before("let f = system(1, |t, u, p| [p.w], #{ w: input([0.0, 2.0], [-1.0, 1.0]) });");
    page.fail(&["solve(f, [0.0], [0.0, 2.0], #{ event: |t, u, p| p.v })"]);
    page.is_kept_as("solving");
}
