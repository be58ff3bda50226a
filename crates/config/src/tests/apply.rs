use super::*;

#[test]
fn values_are_replaced_added_and_deleted() {
    let fixture = fixture(&[]);
    let config = fixture
        .compose(&[
            "model=graybox",
            "training.lr=1e-7",
            "training.clip=2",
            "training.coupling=7",
            "model.linear.1=-2",
            "training.schedule={rate:0.7}",
            "+training.schedule.n_steps=3",
            "+a.b.c=1",
            "+training.clipping.x=[1, 2]",
            "++random_seed=text",
            "++new.key=true",
            "~suggested.steps",
            "~model.width=20",
        ])
        .unwrap();
    assert_eq!(
        get(&config, "model"),
        "{kind: graybox, linear: [1.3, -2.0]}"
    );
    assert_eq!(
        get(&config, "training"),
        "{method: homotopy, lr: 1.0e-7, coupling: 7.0, schedule: {rate: 0.7, n_steps: 3}, clip: 2, clipping: {x: [1, 2]}}"
    );
    assert_eq!(get(&config, "random_seed"), "text");
    assert_eq!(get(&config, "a"), "{b: {c: 1}}");
    assert_eq!(get(&config, "new"), "{key: true}");
    assert_eq!(get(&config, "suggested"), "{lr: 0.05}");
}

#[test]
fn keys_below_null_are_added_with_a_plus() {
    let fixture = fixture(&[]);
    let config = fixture.compose(&["+training.clip.norm=1.0"]).unwrap();
    assert_eq!(get(&config, "training.clip"), "{norm: 1.0}");
    assert_holds(
        &fixture.error(&["training.clip.norm=1"]),
        &[
            "training.clip is null, which has no keys",
            "+training.clip.norm=1",
        ],
    );
}

#[test]
fn kinds_must_agree() {
    let fixture = fixture(&[]);
    let vanilla_and_graybox = ["training=vanilla", "model=graybox"];
    let fine = [
        "training.lr=3",
        "training.epochs=1.5",
        "training.verbose=true",
        "training.method=5",
        "training.lr=null",
        "training.lr=${suggested.lr}",
        "model.linear=[]",
    ];
    for change in fine {
        let all = [&vanilla_and_graybox[..], &[change]].concat();
        assert!(fixture.compose(&all).is_ok(), "{change}");
    }
    let wrong = [
        (
            "training.lr=fast",
            "training.lr is 0.02, it should become a number again, not fast",
        ),
        ("training.lr=[1]", "should become a number again, not [1]"),
        ("training.lr=", "should become a number again, not \"\""),
        (
            "training.verbose=1",
            "training.verbose is false, it should become true or false again, not 1",
        ),
        (
            "model.linear=1",
            "model.linear is [1.3, -1.8], it should become a list again, not 1",
        ),
        (
            "model.linear.0=x",
            "model.linear.0 is 1.3, it should become a number again",
        ),
        ("suggested=1", "should become a map again, not 1"),
    ];
    for (change, part) in wrong {
        let all = [&vanilla_and_graybox[..], &[change]].concat();
        assert_holds(&fixture.error(&all), &[part, &format!("++{change}")]);
        let forced = format!("++{change}");
        assert!(
            fixture
                .compose(&[&vanilla_and_graybox[..], &[&forced]].concat())
                .is_ok(),
            "{forced}"
        );
    }
    // A whole number that replaces a float becomes a float, unless it would lose digits.
    let config = fixture
        .compose(&["suggested.lr=1", "training.coupling=9007199254740993"])
        .unwrap();
    assert_eq!(get(&config, "training.lr"), "1.0");
    assert_eq!(get(&config, "training.coupling"), "9007199254740993");
}

#[test]
fn unknown_keys() {
    let fixture = fixture(&[]);
    assert_eq!(
        fixture.error(&["training.lrr=1"]),
        "unknown key \"training.lrr\" (did you mean \"training.lr\"?): it would stand in configs/training/homotopy.yaml; known: \
         training.method, training.lr, training.coupling, training.schedule, training.clip; to add it write +training.lrr=1"
    );
    let cases = [
        (
            "lr=1",
            "(did you mean \"training.lr\"?): it would stand in configs/lotka.yaml",
        ),
        ("n_steps=1", "did you mean \"training.schedule.n_steps\"?"),
        ("trainig=vanilla", "did you mean \"training\"?"),
        (
            "training.schedule.nsteps=1",
            "did you mean \"training.schedule.n_steps\"?",
        ),
        (
            "training.lr.x=1",
            "training.lr is \"${suggested.lr}\", which has no keys (from configs/training/homotopy.yaml)",
        ),
        (
            "~zzz",
            "unknown key \"zzz\": it would stand in configs/lotka.yaml; known: experiment, model",
        ),
    ];
    for (change, part) in cases {
        assert_holds(&fixture.error(&[change]), &[part]);
    }
    assert_holds(
        &fixture.error(&["model=graybox", "model.linear.2=1"]),
        &["model.linear is a list of 2, whose elements are model.linear.0"],
    );
    // The origin of a key that an override added is the override.
    assert_holds(
        &fixture.error(&["+a={b: 1}", "a.c=1"]),
        &["it would stand in the override `+a={b: 1}`; known: a.b"],
    );
}

#[test]
fn what_cannot_be_added_or_deleted() {
    let fixture = fixture(&[]);
    let graybox = "model=graybox";
    let cases = [
        (
            "+random_seed=1",
            "random_seed is there already, it is 10 (from configs/lotka.yaml); to change it drop the +",
        ),
        (
            "+random_seed.a=1",
            "random_seed is 10 (from configs/lotka.yaml), which has no keys",
        ),
        (
            "+model.linear.2=1",
            "model.linear is a list of 2, to which no 2 can be added: give the whole list, model.linear=[…]",
        ),
        ("++model.linear.x=1", "to which no x can be added"),
        (
            "~model.linear.0",
            "model.linear is a list: give the whole list, model.linear=[…]",
        ),
        (
            "~random_seed=11",
            "random_seed is 10 (from configs/lotka.yaml)",
        ),
        ("~experiment", "experiment should be a name"),
        ("experiment=a/b", "experiment should be a name"),
        ("+a={<<: 1}", "merge keys"),
    ];
    for (change, part) in cases {
        assert_holds(&fixture.error(&[graybox, change]), &[part]);
    }
    assert_eq!(
        fixture.compose(&["experiment=mine"]).unwrap().name(),
        "mine"
    );
    assert!(
        fixture
            .compose(&["~random_seed=10.0"])
            .unwrap()
            .get("random_seed")
            .is_none()
    );
}

#[test]
fn set_is_an_override() {
    let fixture = fixture(&[]);
    let mut config = fixture.compose(&[]).unwrap();
    config.set("training.schedule.rate", 1.into()).unwrap();
    assert_eq!(get(&config, "training.schedule.rate"), "1.0");
    let before = config.to_yaml();
    let tagged = Value::Tagged(Box::new(serde_yaml::value::TaggedValue {
        tag: serde_yaml::value::Tag::new("x"),
        value: Value::Null,
    }));
    let deep = (0..40).fold(Value::Null, |value, _| Value::Sequence(vec![value]));
    let refused = [
        (
            "training.lrr",
            Value::from(1),
            "did you mean \"training.lr\"?",
        ),
        (
            "training.lr",
            Value::from("x"),
            "should become a number again",
        ),
        ("", Value::from(1), "is not a key"),
        (
            "experiment",
            Value::from("a/b"),
            "experiment should be a name",
        ),
        ("training.clip", tagged, "tags are not known"),
        ("training.clip", deep, "more than 32 levels"),
        ("training.clip", value("{1: 2}"), "a key is not text"),
        (
            "training.clip",
            Value::from("x".repeat(1 << 17)),
            "longer than 65536 bytes",
        ),
    ];
    for (path, value, part) in refused {
        assert_holds(&config.set(path, value).unwrap_err().to_string(), &[part]);
        assert_eq!(config.to_yaml(), before);
    }
    // The paths and bounds of a tree are checked for the result of many changes.
    for _ in 0..2 {
        config
            .set("training.clip", value("{a: {b: null}}"))
            .unwrap();
    }
    let deep = (0..31).fold(Value::Null, |value, _| Value::Sequence(vec![value]));
    let error = config.set("training.clip.a.b", deep).unwrap_err();
    assert_holds(&error.to_string(), &["more than 32 levels"]);
}

#[test]
fn many_overrides_stay_within_bounds() {
    let fixture = fixture(&[]);
    let path = format!("+{}=1", vec!["a"; 1000].join("."));
    assert_holds(&fixture.error(&[&path]), &["more than 32 levels"]);
    let long = format!("+{}=1", "a".repeat(101));
    assert_holds(&fixture.error(&[&long]), &["longer than 100 characters"]);
    let wide = format!("+a=[{}]", "1,".repeat(30_000));
    assert_holds(&fixture.error(&[&wide]), &["more than 20000 values"]);
}
