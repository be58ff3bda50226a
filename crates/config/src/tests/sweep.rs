use super::*;

fn runs(arguments: &[&str]) -> Result<Vec<String>> {
    let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
    let join = |run: Vec<Override>| {
        let texts: Vec<String> = run.iter().map(Override::to_string).collect();
        texts.join(" ")
    };
    let fixture = fixture(&[]);
    Ok(sweep(&arguments, &fixture.library)?
        .into_iter()
        .map(join)
        .collect())
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
        ("a=range()", "a range is range(stop)"),
        ("a=range(1,x)", "not x"),
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

/// What hydra 1.3 makes of each of its forms (`override.sweep_string_iterator()`), but for `range(0,1,0.1)`, which there
/// has 0.7000000000000001.
#[test]
fn the_forms_of_hydra() {
    let cases: [(&str, &[&str]); 31] = [
        ("a=range(1,5)", &["1", "2", "3", "4"]),
        ("a=range(4)", &["0", "1", "2", "3"]),
        ("a=range(5,1,-2)", &["5", "3"]),
        ("a=range(start=1,stop=10,step=3)", &["1", "4", "7"]),
        ("a=range(0,1,0.25)", &["0.0", "0.25", "0.5", "0.75"]),
        ("a=range(0,1,0.3)", &["0.0", "0.3", "0.6", "0.9"]),
        ("a=range(1.5,4)", &["1.5", "2.5", "3.5"]),
        ("a=range(1,-1,-0.5)", &["1.0", "0.5", "0.0", "-0.5"]),
        ("a=range(-0.05,0.1,0.05)", &["-0.05", "0.0", "0.05"]),
        ("a=range(0,3e-3,1e-3)", &["0.0", "0.001", "0.002"]),
        ("a=choice(a,b)", &["a", "b"]),
        (
            "a=choice(1,2.5,true,null,[1,2],{b:1},\"x,y\")",
            &["1", "2.5", "true", "null", "[1, 2]", "{b: 1}", "\"x,y\""],
        ),
        ("training=glob(*)", &["homotopy", "none", "vanilla"]),
        ("training=glob([h*,v*])", &["homotopy", "vanilla"]),
        ("training=glob(*,exclude=n*)", &["homotopy", "vanilla"]),
        ("training=glob(*,exclude=[n*,h*])", &["vanilla"]),
        ("a=sort(3,2,1)", &["1", "2", "3"]),
        ("a=sort(10,9,8.5)", &["8.5", "9", "10"]),
        ("a=sort(c,a,b)", &["a", "b", "c"]),
        ("a=sort(choice(3,2,1),reverse=true)", &["3", "2", "1"]),
        ("a=sort(range(1,4),reverse=true)", &["3", "2", "1"]),
        ("a=sort([3,1,2])", &["[1, 2, 3]"]),
        ("a=tag(t1,choice(1,2))", &["1", "2"]),
        ("a=int(2.7,3)", &["2", "3"]),
        ("a=int(choice(2.7,3))", &["2", "3"]),
        ("a=float(range(1,3))", &["1.0", "2.0"]),
        ("a=bool(choice(0,1))", &["false", "true"]),
        ("a=str(1,true)", &["\"1\"", "\"true\""]),
        ("a=int(\"12\")", &["12"]),
        ("a=int(3.9)", &["3"]),
        ("a=fun(range(1,3))", &["\"fun(range(1,3))\""]),
    ];
    for (argument, expected) in cases {
        let key = argument.split('=').next().unwrap();
        let expected: Vec<String> = expected.iter().map(|v| format!("{key}={v}")).collect();
        assert_eq!(runs(&[argument]).unwrap(), expected, "{argument}");
    }
}

#[test]
fn a_shuffle_is_a_permutation_that_its_seed_repeats() {
    let shuffled = |argument: &str| runs(&[argument]).unwrap();
    let first = shuffled("a=shuffle(range(0,20))");
    assert_eq!(first, shuffled("a=shuffle(range(0,20))"));
    assert_ne!(first, shuffled("a=range(0,20)"));
    assert_ne!(first, shuffled("a=shuffle(range(0,20),seed=7)"));
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(first), sorted(shuffled("a=range(0,20)")));
}

#[test]
fn forms_that_are_wrong() {
    let cases = [
        ("a=interval(0,1)", "sweeper=random"),
        ("a=interval(1,0),2", "the first one less"),
        ("a=interval(0,1),2", "cannot stand in a list"),
        ("a=choice()", "no values"),
        ("a=range(1,5,stop=4)", "stop twice"),
        ("a=range(1,5,stpe=4)", "did you mean \"step\""),
        ("training=glob(x*)", "matches no option"),
        ("trainin=glob(*)", "did you mean \"training\""),
        ("a=sort(1,2,reverse=maybe)", "true or false"),
        ("a=int(x,1)", "int(x) is not possible"),
        ("a=int(interval(0.2,0.8))", "holds no whole number"),
        ("a=tag(log,interval(0,1))", "begins above 0"),
    ];
    for (argument, part) in cases {
        assert_holds(&runs(&[argument]).unwrap_err().to_string(), &[part]);
    }
    // A single run takes casts of one value, and none of the sweeps.
    let single = |text: &str| text.parse::<Override>();
    assert_eq!(single("a=str(10)").unwrap().to_string(), "a=\"10\"");
    assert_eq!(single("a=float(3)").unwrap().to_string(), "a=3.0");
    for swept in ["a=choice(1)", "a=int(range(2))", "a=glob(*)"] {
        assert_holds(&single(swept).unwrap_err().to_string(), &["a multirun"]);
    }
}

#[test]
fn random_search_draws_from_intervals_uniformly() {
    let fixture = fixture(&[]);
    let arguments = [
        "a=interval(-1,3)",
        "lr=tag(log,interval(1e-4,1e-2))",
        "n=int(interval(1,4))",
        "training=glob(*)",
        "k=range(0,10,5)",
        "seed=7",
    ]
    .map(String::from);
    let draw = |seed| {
        let search = RandomSearch { n: 2000, seed };
        search.draw(&arguments, &fixture.library).unwrap()
    };
    let all = draw(3);
    assert_eq!(all, draw(3));
    assert_ne!(all, draw(4));
    let column = |i: usize| -> Vec<f64> {
        let values = all.iter().map(|run| run[i].value());
        values.map(|v| v.unwrap().as_f64().unwrap()).collect()
    };
    let share = |of: &[f64], test: &dyn Fn(f64) -> bool| {
        of.iter().filter(|x| test(**x)).count() as f64 / of.len() as f64
    };
    // Four standard deviations of a share of a half are 0.045.
    let (a, lr, n) = (column(0), column(1), column(2));
    assert!(a.iter().all(|x| (-1.0..=3.0).contains(x)));
    assert!((share(&a, &|x| x < 1.0) - 0.5).abs() < 0.045);
    assert!(lr.iter().all(|x| (1e-4..=1e-2).contains(x)));
    assert!((share(&lr, &|x| x < 1e-3) - 0.5).abs() < 0.045);
    for whole in 1..=4 {
        let of = share(&n, &|x| x == f64::from(whole));
        assert!((of - 0.25).abs() < 0.04, "{whole}: {of}");
    }
    let texts: std::collections::BTreeSet<String> = all
        .iter()
        .map(|run| format!("{} {}", run[3], run[4]))
        .collect();
    assert_eq!(texts.len(), 6);
    assert!(all.iter().all(|run| run[5].to_string() == "seed=7"));
}

#[test]
fn a_search_space_keeps_the_order_of_numbers() {
    let fixture = fixture(&[]);
    let read = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
        SearchSpace::read(&arguments, &fixture.library)
    };
    let space = read(&[
        "+a=interval(-1,3)",
        "lr=tag(log,interval(1e-4,1e-2))",
        "n=int(interval(0.5,4.2))",
        "k=range(8,0,-3)",
        "x=range(0.1,0.5,0.1)",
        "training=glob(*)",
        "v=1,2,1",
        "list=[1, 2],[3]",
        "seed=7",
    ])
    .unwrap();
    let float = |low, high, log, step| SearchDomain::Float {
        low,
        high,
        log,
        step,
    };
    let int = |low, high, step| SearchDomain::Int {
        low,
        high,
        log: false,
        step,
    };
    let choice =
        |texts: &[&str]| SearchDomain::Choice(texts.iter().map(|t| t.to_string()).collect());
    let searched: Vec<(&str, SearchDomain)> =
        space.searched().map(|(k, d)| (k, d.clone())).collect();
    assert_eq!(
        searched,
        [
            ("a", float(-1.0, 3.0, false, None)),
            ("lr", float(1e-4, 1e-2, true, None)),
            ("n", int(1, 4, 1)),
            ("k", int(2, 8, 3)),
            ("x", float(0.1, 0.4, false, Some(0.1))),
            ("training", choice(&["homotopy", "none", "vanilla"])),
            ("v", choice(&["1", "2"])),
            ("list", choice(&["[1, 2]", "[3]"])),
        ]
    );
    let mut values: std::collections::BTreeMap<String, String> = [
        ("a", "0.5"),
        ("lr", "1e-3"),
        ("n", "2"),
        ("k", "5"),
        ("x", "0.30000000000000004"),
        ("training", "none"),
        ("v", "2"),
        ("list", "[3]"),
    ]
    .map(|(k, v)| (k.to_string(), v.to_string()))
    .into();
    let run = space.overrides(&values).unwrap();
    let run: Vec<String> = run.iter().map(ToString::to_string).collect();
    assert_eq!(
        run,
        [
            "+a=0.5",
            "lr=0.001",
            "n=2",
            "k=5",
            "x=0.3",
            "training=none",
            "v=2",
            "list=[3]",
            "seed=7"
        ]
    );
    values.remove("n");
    assert!(space.overrides(&values).is_err());
    for (arguments, part) in [
        (&["seed=7"][..], "more than one value"),
        (&["a=1,2", "+a=interval(0,1)"], "twice"),
        (&["a=range(4,0)"], "has no values"),
    ] {
        assert_holds(&read(arguments).unwrap_err().to_string(), &[part]);
    }
}
