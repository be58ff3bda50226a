//! Problems of public reports about other solvers: SciPy's answers at tight tolerances (`tests/golden/make_public_reports.py`), or an
//! error that says what is wrong; never a wrong answer without a word.

use odesync_testing::golden;

use crate::support::session;

#[test]
fn answers_are_those_of_scipy_or_an_error() {
    let problems = golden("public_reports");
    let problems = problems.as_array().unwrap();
    assert!(problems.len() > 20);
    for problem in problems {
        for solver in ["dopri5", "tsit5", "dopri8", "radau", "rodas5p", "bdf"] {
            let code = problem["code"].as_str().unwrap();
            let name = format!("{}, {solver}: {code}", problem["name"]);
            let given = format!("let o = #{{ solver: \"{solver}\" }}; {code}");
            let outcome = session().eval(&given, None);
            if let (Err(error), Some(expected)) = (&outcome, problem["error"].as_str()) {
                assert!(error.to_string().contains(expected), "{name}: {error}");
                continue;
            }
            let values = problem["value"].as_array().expect(&name);
            let tolerance = problem["tolerance"].as_f64().unwrap();
            let values: Vec<f64> = values.iter().map(|x| x.as_f64().unwrap()).collect();
            let size = values.iter().fold(0.0f64, |size, x| size.max(x.abs()));
            let bound = tolerance * if size > 0.0 { size } else { 1.0 };
            // As an array of the same shape, a single number too.
            let check = format!(
                "let x = {{ {given} }}; let y = {values:?}; let x = concat([[], if type_of(x) == \"f64\" {{ [x] }} else {{ x }}]); \
                 if x.shape != [y.len()] {{ throw `${{x}}`; }} if max(abs(x - y)) <= {bound:?} {{ \"equal\" }} else {{ `${{x}}` }}"
            );
            let outcome = session().eval(&check, None);
            let text = outcome.unwrap_or_else(|e| panic!("{name}: {e}")).text;
            assert_eq!(text, "equal", "{name}: not {values:?}");
        }
    }
}
