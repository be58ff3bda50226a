use super::{DATA, Page};

#[test]
fn training() {
    let mut page = Page::new();
    page.fail(&[
        "homotopy(#{})",
        "homotopy(#{ coupling: 1, schedule: 3 })",
        "multiple_shooting(#{ segments: 0 })",
        "homotopy(#{ coupling: 1, loss: \"huber\" })",
        "weak_constraint(#{ loss: \"hubr\" })",
        "weak_constraint(#{ degrees_of_freedom: 3 })",
        "weak_constraint(#{ loss: \"huber\", huber_threshold: -1 })",
        "weak_constraint(#{ weights: [1, 0] })",
        "weak_constraint(#{ weights: 3 })",
        "power_law(0, 10, 0.6)",
        "power_law(3, 10, \"a\")",
        "stepwise(0, 10)",
        "cosine(-1, 10)",
        "schedule([])",
        "schedule([1, \"a\"])",
    ]);
    page.before(DATA);
    page.fail(&[
        "train(blackbox([3, 4, 3]), data, vanilla())",
        "train(lotka_volterra(), data, vanilla())",
        "train(model, data, homotopy(#{ coupling: [1, 2, 3] }))",
        "train(model, data, homotopy(#{ coupling: -6 }))",
        "train(model, data, homotopy(#{ coupling: 6, smoothing: -0.5 }))",
        "train(model, data, multiple_shooting(#{ segments: 100 }))",
        "train(lotka_volterra().trainable(#{ a: #{ min: 0 } }), data, vanilla())",
        "train(model, data, weak_constraint(#{ weights: [1, 2, 3] }))",
        "train(model, data, weak_constraint(#{ weights: #{ prey: 2 } }))",
        "train(model, data, vanilla(), #{ epochs: 1 }).profile(\"a\")",
        "train(model, data, vanilla(), #{ lr: -1 })",
        "train(model, data, vanilla(), #{ epochs: 1.5 })",
        "train(model, data, vanilla(), #{ method: \"rk4\" })",
        "train(model, data, vanilla(), #{ optimizer: \"adm\" })",
        "train(model, data, vanilla(), #{ optimizer: \"adam\", momentum: 0.9 })",
        "train(model, data, vanilla(), #{ optimizer: \"adam\", damping: 0.1 })",
        "train(model, data, vanilla(), #{ optimizer: \"lm\", lr: 0.02 })",
        "train(model, data, vanilla(), #{ optimizer: \"lm\", damping_decrease: 0.5 })",
        "train(model, data, homotopy(#{ coupling: 6 }), #{ optimizer: \"lm\" })",
        "train(model, data, weak_constraint(), #{ damping: 0.1 })",
        "train(model, data, vanilla(), #{ lr_schedule: \"cosin\" })",
        "train(model, data, vanilla(), #{ lr_schedule: #{ rate: -1 } })",
        "train(system(2, |t, u, p| [p.a * u[0] * u[0], u[1]], #{ a: 50 }).trainable([\"a\"]), data, vanilla())",
        "train(model, data, vanilla(), #{ epochs: 1 }).history(\"msee\")",
        "train(model, data, vanilla(), #{ epochs: 1 }).predict([1, 0])",
        // Data that are held out, and what the model is chosen by.
        "train(model, data, vanilla(), #{ holdout: 1.5 })",
        "train(model, data, vanilla(), #{ holdout: \"last\" })",
        "train(model, data, vanilla(), #{ holdout: #{ sample: 1 } })",
        "train(model, data, vanilla(), #{ holdout: #{ samples: 1 } })",
        "train(model, data, vanilla(), #{ holdout: 0.2, validate: data })",
        "train(model, data, vanilla(), #{ validate: 3 })",
        "train(model, data, vanilla(), #{ best_by: \"validation\" })",
        "train(model, data, vanilla(), #{ best_by: \"evidence\" })",
        "train(model, data, vanilla(), #{ best_by: \"mmse\" })",
        "train(model, data, vanilla(), #{ best_of: \"some\" })",
        "train(model, data, weak_constraint(), #{ patience: 3 })",
        "train(model, data, vanilla(), #{ epochs: 1 }).best_validation",
        "cross_validate(model, data, #{ holdout: 0.2 })",
        "cross_validate(model, data, #{ best_by: \"validation\" })",
        "cross_validate(model, data, #{ folds: 1 })",
        "cross_validate(model, data, #{ method: \"vanilla\" })",
        "train(model, data, vanilla(), #{ scale: \"full\" })",
        "train(model, data, vanilla(), #{ scale: #{} })",
        "train(model, data, vanilla(), #{ scale: #{ state: [1, 0] } })",
        "train(model, data, vanilla(), #{ scale: #{ state: [1] } })",
        "train(model, data, weak_constraint(), #{ scale: \"auto\" })",
        // Observed state variables and initial states.
        "train(model, data, vanilla(), #{ observe: [-1] })",
        "train(model, data, vanilla(), #{ observe: [0.5, 1] })",
        "train(model, data, vanilla(), #{ observe: 1 })",
        "train(model, data, vanilla(), #{ u0: [1.0, NAN] })",
        "let two = dataset([data, data]); train(model, two, vanilla(), #{ u0: [[1, 1], [NAN, 1]] })",
        "loss_and_gradient(lorenz().trainable([\"rho\"]), dataset([0.0, 1.0], [1, 2]), vanilla(), #{ observe: [-1] })",
        // Several runs at once.
        "train(|| blackbox([2, 4, 2]), data, vanilla(), #{ seeds: [1, -1] })",
        "train(|| blackbox([2, 4, 2]), data, vanilla(), #{ seeds: [1, 1] })",
        "train(|| blackbox([2, 4, 2]), data, vanilla(), #{ seeds: 3 })",
        "train(|| blackbox([2, 4, 2]), data, vanilla(), #{ variants: [3] })",
        "train(|| blackbox([2, 4, 2]), data, vanilla(), #{ variants: [#{ lrr: 3 }] })",
        "train(model, data, vanilla(), #{ seeds: [1] })",
        "train(|| 3, data, vanilla(), #{ seeds: [1] })",
        "train(|| blackbox([3, 4, 3]), data, vanilla(), #{ seeds: [1] })",
    ]);
    page.before(
        "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let f = blackbox([2, 4, 2]); \
         let m = homotopy(#{ coupling: 4.0, schedule: [1.0, 0.0] });",
    );
    page.fail(&[
        "loss_and_gradient(f, data, m, #{ adjoint: \"simplectic\" })",
        "loss_and_gradient(f, data, m, #{ adjoint: \"symplectic\", solver: \"radau\" })",
        "loss_and_gradient(f, data, m, #{ adjoint_rtol: 1e-4 })",
        "loss_and_gradient(f, data, vanilla(), #{ lambda: 0.5 })",
    ]);
    page.is_kept_as("training");
}
