//! Tests of formulas.

use super::*;

fn runs(text: &str) -> Vec<TextRun> {
    layout(text).0
}

#[test]
fn text_without_a_formula_is_left_alone() {
    for text in ["u₁", "price in $", "5 \\alpha", ""] {
        assert!(!has_math(text), "{text}");
        assert_eq!(to_plain(text), text);
    }
    assert_eq!(to_plain("\\$5 to \\$10"), "$5 to $10");
    assert_eq!(to_plain("$x$ in $"), "x in $");
}

#[test]
fn scripts_are_smaller_and_over_each_other() {
    let runs = runs("$u_1^2$");
    let [u, below, above] = &runs[..] else {
        panic!("{runs:?}")
    };
    assert!(u.slanted && u.text == "u" && u.scale == 1.0 && u.rise == 0.0);
    assert!(!below.slanted && below.text == "1" && below.scale < 0.8 && below.rise < 0.0);
    assert!(above.text == "2" && above.rise > 0.2);
    // Both begin after the letter, the upper one a little later, since the letter leans.
    assert!(below.x > 0.5 && above.x >= below.x && above.x < below.x + 0.1);
    let (_, width) = layout("$u_1^2$");
    assert!((width - (above.x + above.scale * super::width("2"))).abs() < 1e-9);
}

#[test]
fn plain_characters_say_the_same() {
    for (formula, plain) in [
        (r"$u_1^2$", "u₁²"),
        (r"$\dot u$", "u\u{307}"),
        (r"$\alpha x_{max}$", "αxₘₐₓ"),
        (r"$e^{-\lambda t}$", "e^(−λt)"),
        (r"$x_{i+1}$", "xᵢ₊₁"),
        (r"$10^{-3}$", "10⁻³"),
        (r"$a+b=-c$", "a + b = −c"),
        (r"$\sin\omega t$", "sin ωt"),
        (r"$\log_{10}(x)$", "log₁₀(x)"),
        (r"$\frac{du}{dt}$", "du/dt"),
        (r"$\frac{a+b}{2cx}$", "(a + b)/(2cx)"),
        (r"$\sqrt{2}\,\mathrm{m\,s}^{-1}$", "√2 m s⁻¹"),
        (r"loss of $\hat{y}'$", "loss of y\u{302}^′"),
    ] {
        let found = to_plain(formula).replace("^′", "′");
        assert_eq!(found, plain.replace("^′", "′"), "{formula}");
    }
}

#[test]
fn variables_lean_and_names_stand() {
    let slanted: Vec<(String, bool)> = runs(r"$\alpha\Gamma x\mathrm{max}\exp 2$")
        .into_iter()
        .map(|run| (run.text, run.slanted))
        .collect();
    let expected = [
        ("α", true),
        ("Γ", false),
        ("x", true),
        ("maxexp", false),
        ("2", false),
    ];
    assert_eq!(slanted, expected.map(|(t, s)| (t.to_owned(), s)));
}

#[test]
fn mistakes_are_drawn_as_they_are_written() {
    assert_eq!(unknown_commands(r"$\alhpa_1$ of \beta"), [r"\alhpa"]);
    for broken in [
        "$x_$",
        "$^2$",
        "$}x{$",
        "$x_{a$",
        "$\\$",
        "$\\frac$",
        "$\\dot$",
        "$$",
        "$\\text{a$",
    ] {
        let (runs, width) = layout(broken);
        assert!(
            width.is_finite() && runs.iter().all(|r| r.x.is_finite()),
            "{broken}"
        );
        to_plain(broken);
    }
    // Deeper than any label.
    let deep = format!("${}x{}$", "_{".repeat(5000), "}".repeat(5000));
    assert!(layout(&deep).1.is_finite());
    let deep = format!("${}x$", "^".repeat(5000));
    assert!(layout(&deep).1.is_finite());
    let deep = format!("${}x$", "\\dot".repeat(5000));
    assert!(layout(&deep).1.is_finite());
}
