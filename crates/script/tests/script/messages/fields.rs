use super::Page;

#[test]
fn fields_and_tracing() {
    let mut page = Page::new();
    page.fail(&[
        // Sizes and shapes.
        "blackbox([2, 4, 3])",
        "blackbox([2])",
        "blackbox([2, 0, 2])",
        "second_order([3, 4, 1])",
        "graybox([1, 4, 1], |t, u, nn| [nn[0], nn[0]])",
        "system(0, |t, u, p| [])",
        "system(2, |t, u, p| [u[0]])",
        "system(2, |t, u, p| [u[0], u + [1, 2, 3]])",
        "system(1, |t, u, p| [u[1]])",
        "system(1, |t, u, p| [u[-2]])",
        "system(1, |t, u, p| { let x = u[0]; })",
        "system(1, |t, u, p| \"x\")",
        "system(1, |t, u, p| [u[0], \"x\"])",
        "system(1, |t| [t])",
        "system(1, 3)",
        "lorenz().derivative(0, [1, 2])",
        // Parameters.
        "system(1, |t, u, p| [p.gravty * u[0]], #{ gravity: 9.81 })",
        "system(1, |t, u, p| [p.k], #{ k: \"a\" })",
        "graybox([1, 4, 1], |t, u, nn, p| [nn[0] * p.scal], #{ scale: 2 })",
        "lorenz(#{ sgma: 1 })",
        "lorenz().param(\"roh\")",
        "lorenz().with_param(\"rho\", [1, 2])",
        "lotka_volterra().trainable([\"e\"])",
        "lotka_volterra().trainable([1])",
        // What is known of constants.
        "lotka_volterra().trainable(#{ e: #{} })",
        "lotka_volterra().trainable(#{ a: 3 })",
        "lotka_volterra().trainable(#{ a: #{ mn: 0 } })",
        "lotka_volterra().trainable(#{ a: #{ min: \"x\" } })",
        "lotka_volterra().trainable(#{ a: #{ min: 3, max: 2 } })",
        "lotka_volterra().trainable(#{ a: #{ min: 3 } })",
        "lotka_volterra().trainable(#{ a: #{ prior: [1] } })",
        "lotka_volterra().trainable(#{ a: #{ prior: [1, -1] } })",
        "lotka_volterra().trainable(#{ a: #{ log: true, min: -1 } })",
        "blackbox([2, 4, 2]).trainable(#{ \"layer0.weight\": #{ min: -1 } })",
        "let f = lorenz().trainable([\"rho\"]); f.params = [1, 2];",
        // Whole numbers and powers within equations.
        "system(1, |t, u, p| [8/3 * u[0]])",
        "system(1, |t, u, p| [-u[0] ** 2])",
        // Branches on symbols.
        "system(1, |t, u, p| [if u[0] > 0.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| { let x = 0.0; while u[0] > x { x += 1.0; } [x] })",
        "system(1, |t, u, p| [if u[0] > 0.0 && u[0] < 1.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| [if u[0] == 0.0 { 1 } else { -1 }])",
        "system(1, |t, u, p| [if 0.0 != u[0] { 1 } else { -1 }])",
        "system(1, |t, u, p| [if !(u[0] > 0.0) { 1 } else { -1 }])",
        "system(1, |t, u, p| [switch u[0] { 1.0 => 5.0, _ => u[0] }])",
        "system(1, |t, u, p| [if 1.0 in [u[0], 2.0] { 5.0 } else { u[0] }])",
        "system(1, |t, u, p| [if [u[0], 2.0].contains(1.0) { 5.0 } else { u[0] }])",
        "system(2, |t, u, p| if [u[0], u[1]] == [1.0, 1.0] { [5.0, 5.0] } else { [u[0], u[1]] })",
        "graybox([1, 4, 1], |t, u, nn| [switch nn[0] { 0.3 => 5.0, _ => nn[0] }])",
        // The error is reported at the location of the closure.
        "let c = 1;\nlet f = system(1,\n  |t, u, p| [switch u[0] { 1.0 => 5.0, _ => u[0] }]);",
        // Expressions that grow without end.
        "system(1, |t, u, p| { let x = u[0]; loop { x = sin(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = ln(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = log2(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = sum(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = mean(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = norm(x); } [x] })",
        "system(1, |t, u, p| { let x = u[0]; loop { x = dot(x, x); } [x] })",
        // External inputs.
        "system(1, |t, u, p| [p.v], #{ w: input([0, 1], [0, 1]) })",
        "system(1, |t, u, p| [p.w[1]], #{ w: input([0, 1], [0, 1]) })",
        "system(1, |t, u, p| if p.w[0] > 0.5 { [1.0] } else { [0.0] }, #{ w: input([0, 1], [0, 1]) })",
        "input([0, 1], [1, 2, 3])",
        "input([0, 1], [1, 2], \"cubic\")",
        "input([0, 1], [1, 2], #{ smoothing: 0.1 })",
        "input([1, 0], [1, 2])",
        "input([1, 2])",
        "blackbox([2, 4, 2], #{ input: input([0, 1], [0, 1]) })",
        "lorenz(#{ rho: input([0, 1], [0, 1]) })",
        "lorenz().with_input(input([0, 1], [0, 1]))",
        // Splines and the coupling to them.
        "smoothing_spline([0, 1, 2], [1, 2, 3], -1)",
        "smoothing_spline([0, 2, 2], [1, 2, 3], 0)",
        "smoothing_spline([0, 1], [1, 2, 3], 0)",
    ]);
    page.before(
        "let spline = smoothing_spline([0, 1, 2], [[1, 1], [2, 1], [1, 2]], 0); \
         let field = synchronize(lotka_volterra(), spline, 6);",
    );
    page.fail(&[
        "field.trainable([\"sync.lambda\"])",
        "synchronize(field, spline, 6)",
        "synchronize(lorenz(), spline, 6)",
        "synchronize(lotka_volterra(), spline, [1, 2, 3])",
        "synchronize(lotka_volterra(), spline, -6)",
        "lotka_volterra().with_lambda(0.5)",
    ]);
    page.is_kept_as("fields_and_tracing");
}
