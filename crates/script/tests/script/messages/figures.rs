use super::{DATA, Page};

#[test]
fn figures() {
    let mut page = Page::new();
    page.fail(&[
        "figure(#{ size: 3 })",
        "figure(#{ log_x: 1 })",
        "figure(#{ x_range: [1, 1] })",
        "figure(#{ log_x: true, x_range: [-2, -1] }).line([1, 2], [1, 2]).text()",
        "figure().line([0, 1], [0, 1, 2])",
        "figure().line([0, 1], [0, 1], #{ color: \"blu\" })",
        "figure().line([0, 1], [0, 1], #{ dash: \"doted\" })",
        "figure().line([0, 1], [0, 1], #{ width: -1 })",
        "figure().vline(\"a\")",
        "figure().heatmap([0, 1], [0, 1], [[1, 2, 3, 4]]).text()",
        "figure().heatmap([0, 1], [0, 1], [1, 2])",
        "figure().heatmap([0, 1], [0, 1], [[1, 2], [3, 4]], #{ map: \"virids\" })",
        "figure().contour([0, 1], [0, 1], [[1, 2], [3, 4]], #{ levels: 0 })",
        "figure().line([0, 1], [0, 1]).surface([0, 1], [0, 1], [[1, 2], [3, 4]]).text()",
        "figure().line([0, 1], [0, 1]).text(0, 10)",
        "figure().text()",
        "grid(0, [figure()])",
        "grid(1, [3])",
        "grid(1, [])",
        "grid(1, [figure().line([0, 1], [0, 1])]).line([0, 1], [0, 1])",
        "figure().line([0, 1], [0, 1]).save(\"figure\")",
        "plot(3)",
        "plot([3])",
        "plot(figure(), 3)",
    ]);
    page.before("let f = lotka_volterra(); let sol = solve(f, [1, 1], [0, 1, 2]);");
    page.fail(&[
        "phase(f, 3)",
        "phase(lorenz(), sol)",
        "phase(f, sol, #{ components: [0, 2] })",
        "phase(f, sol, #{ field: \"arow\" })",
        "let g = system(1, |t, u| [-u[0]]); phase(g, solve(g, [1], [0, 1]))",
    ]);
    page.before(DATA);
    page.fail(&["plot(data, 3)", "plot(data, blackbox([3, 4, 3]))"]);
    page.is_kept_as("figures");
}
