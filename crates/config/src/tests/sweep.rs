use super::*;

fn runs(arguments: &[&str]) -> Result<Vec<String>> {
    let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
    let join = |run: Vec<Override>| {
        let texts: Vec<String> = run.iter().map(Override::to_string).collect();
        texts.join(" ")
    };
    Ok(sweep(&arguments)?.into_iter().map(join).collect())
}

#[test]
fn the_product_in_order() {
    let all = runs(&[
        "training=vanilla,homotopy",
        "model.width=8",
        "random_seed=10,20,30",
    ])
    .unwrap();
    let expected: Vec<String> = ["vanilla", "homotopy"]
        .iter()
        .flat_map(|t| [10, 20, 30].map(|s| format!("training={t} model.width=8 random_seed={s}")))
        .collect();
    assert_eq!(all, expected);
    assert_eq!(runs(&[]).unwrap(), [""]);
    assert_eq!(
        runs(&["~clip", "+a=1, 2"]).unwrap(),
        ["~clip +a=1", "~clip +a=2"]
    );
}

#[test]
fn only_commas_outside_split() {
    let cases: [(&str, &[&str]); 11] = [
        ("a=[1,2],[3]", &["a=[1, 2]", "a=[3]"]),
        ("a={b:1,c:2},null", &["a={b: 1, c: 2}", "a=null"]),
        ("a=\"x,y\",'z,w'", &["a=\"x,y\"", "a=\"z,w\""]),
        ("a=\"x\\\",y\",z", &["a=\"x\\\",y\"", "a=z"]),
        ("a=['p,q',r]", &["a=[\"p,q\", r]"]),
        ("a=don't,do", &["a=\"don't\"", "a=do"]),
        ("a=f(1,2),g", &["a=\"f(1,2)\"", "a=g"]),
        ("a=", &["a=\"\""]),
        ("a=1e-3,1", &["a=0.001", "a=1"]),
        ("a=range(10,31,10)", &["a=10", "a=20", "a=30"]),
        (
            "a=range(2,0,-1),7,range(0, 2)",
            &["a=2", "a=1", "a=7", "a=0", "a=1"],
        ),
    ];
    for (argument, expected) in cases {
        assert_eq!(runs(&[argument]).unwrap(), expected, "{argument}");
    }
}

#[test]
fn what_cannot_be_run() {
    let cases = [
        ("a=1,,2", "an empty place between its commas"),
        ("a=1,", "an empty place"),
        ("a", "has no value"),
        ("a=[1,2", "a list without its closing"),
        ("a=range(1)", "a range is range(start, stop)"),
        ("a=range(1,x)", "a range is range(start, stop)"),
        ("a=range(1,5,0)", "cannot be 0"),
        ("a=range(5,1)", "range(5,1) has no values"),
        ("a=range(0,100000000000)", "more than 10000 runs"),
        (
            "a=range(-9223372036854775808,9223372036854775807,1)",
            "more than 10000 runs",
        ),
    ];
    for (argument, part) in cases {
        assert_holds(&runs(&[argument]).unwrap_err().to_string(), &[part]);
    }
    let wide = ["a=range(0,1000)"; 7];
    assert_holds(
        &runs(&wide).unwrap_err().to_string(),
        &["more than 10000 runs"],
    );
    // The step must not make the last value wrap around.
    assert_eq!(
        runs(&["a=range(9223372036854775806,9223372036854775807,5)"]).unwrap(),
        ["a=9223372036854775806"]
    );
}
