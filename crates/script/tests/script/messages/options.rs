use super::Page;

#[test]
fn values_of_options() {
    let mut page = Page::new();
    page.before("let f = lotka_volterra(); let method = 1;");
    page.fail(&[
        // A mistake is reported at the location of the option.
        "solve(f, [1, 1], [0,\n 1], #{ rtol: 1e-3, metod: \"x\" })",
        "solve(f, [1, 1], [0, 1], #{ rtol : -1 })",
        "let o = #{ rtol: \"a\" }; solve(f, [1, 1], [0, 1], o)",
        "plot(solve(f, [1, 1], [0, 1]), #{ \n  titel: \"a\" })",
        // Types and ranges.
        "solve(f, [1, 1], [0, 1], #{ rtol: \"small\" })",
        "solve(f, [1, 1], [0, 1], #{ rtol: [1e-3] })",
        "solve(f, [1, 1], [0, 1], #{ max_steps: 1.5 })",
        "solve(f, [1, 1], [0, 1], #{ solver: 4 })",
        "solve(f, [1, 1], [0, 1], #{ method: \"rk4\" })",
        "dataset(f, [1, 1], [0, 1], #{ method: \"rk4\" })",
        "jvp(f, [1, 1], [0, 1], #{ u0: [1, 0], method: \"rk4\" })",
        "loss_and_gradient(f.trainable([\"a\"]), dataset(f, [1, 1], [0, 1]), vanilla(), #{ method: \"rk4\" })",
        "solve(f, [1, 1], [0, 1], #{ solver: \"dopri\" })",
        "solve(f, [1, 1], [0, 1], 3)",
        "phase(f, solve(f, [1, 1], [0, 1]), #{ names: [1, \"b\"] })",
        "phase(f, solve(f, [1, 1], [0, 1]), #{ t: \"x\" })",
        "figure(#{ legend: 1 })",
        "blackbox([2, 4, 2], \"gleu\")",
        "blackbox([2, 4, 2], #{ activation: 3 })",
        "random_directions(blackbox([2, 3, 2]), 1, #{ biases: 1 })",
        "random_directions(blackbox([2, 3, 2]), 1, #{ seed: -1 })",
    ]);
    page.is_kept_as("values_of_options");
}

/// Whether every function accepts the keys declared for it is tested in `crates/script/src/script/keys/tests.rs`.
#[test]
fn options_of_unknown_name() {
    let mut page = Page::new();
    page.fail(&[
        "homotopy(#{ coupling: 1, shedule: [1] })",
        "multiple_shooting(#{ segmets: 3 })",
        "figure(#{ titel: \"x\" })",
        "figure().line([0, 1], [0, 1], #{ colour: \"red\" })",
        "figure().heatmap([0, 1], [0, 1], [[1, 2], [3, 4]], #{ colors: \"magma\" })",
        "figure().vline(0, #{ lable: \"x\" })",
        "grid(1, [figure()], #{ sharex: true })",
        "read_csv(\"a.csv\", #{ delimeter: \";\" })",
        "read_schmidt_lipson(\"a.txt\", #{ trail: 1 })",
        "input([0, 1], [0, 1], #{ kinds: \"spline\" })",
        "blackbox([2, 4, 2], #{ activaton: \"tanh\" })",
        "lotka_volterra(#{ e: 1 })",
        "table([], #{ column: [\"a\"] })",
    ]);
    page.before(
        "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let m = blackbox([2, 3, 2]); let h = hessian(m, d);",
    );
    page.fail(&[
        "train(m, d, vanilla(), #{ epohcs: 3 })",
        "train(m, d, vanilla(), #{ lr_schedule: #{ rat: 0.9 } })",
        "loss_and_gradient(m, d, vanilla(), #{ lambd: 1 })",
        "solve(lorenz(), [1, 1, 1], [0, 1], #{ methd: \"rk4\" })",
        "solve(lorenz(), [1, 1, 1], [0, 1], #{ events: [#{ event: |t, u, p| u[0], terminl: true }] })",
        "jvp(lotka_volterra(), [1, 1], [0, 1], #{ param: [1] })",
        "dataset(lotka_volterra(), [1, 1], [0, 1], #{ rtl: 1e-3 })",
        "d.add_noise(0.1, #{ relative: \"mean\" })",
        "hessian(m, d, #{ rtoll: 1 })",
        "hessian(|p| p[0] ** 2, [1], #{ steps: 1e-3 })",
        "h.density(#{ sgma: 0.1 })",
        "h.density_estimate(#{ probe: 3 })",
        "h.trace_estimate(#{ zzz: 1 })",
        "landscape(m, d, random_directions(m, 1), [0], #{ lamda: 1 })",
        "random_directions(m, 1, #{ normalise: \"filter\" })",
        "pca(train(m, d, vanilla(), #{ epochs: 2, trajectory_every: 1 }), #{ component: 2 })",
        "plot(h.density(), #{ titel: \"x\" })",
        "plot(landscape(m, d, random_directions(m, 1), [0, 1]), #{ map: \"magma\" })",
        "phase(lotka_volterra(), solve(lotka_volterra(), [1, 1], [0, 1]), #{ componets: [0, 1] })",
    ]);
    page.is_kept_as("options_of_unknown_name");
}
