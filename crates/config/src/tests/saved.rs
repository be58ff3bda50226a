use proptest::prelude::*;
use serde_yaml::Mapping;

use super::*;

/// Returns whether two trees are the same to the bit, including the sign of zero and the order of keys.
fn assert_same(a: &Value, b: &Value) {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            assert_eq!(
                (a.is_f64(), a.as_u64(), a.as_i64()),
                (b.is_f64(), b.as_u64(), b.as_i64())
            );
            assert_eq!(
                a.as_f64().map(f64::to_bits),
                b.as_f64().map(f64::to_bits),
                "{a} {b}"
            );
        }
        (Value::Sequence(a), Value::Sequence(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| assert_same(a, b));
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            assert!(a.keys().eq(b.keys()), "{a:?} {b:?}");
            a.values()
                .zip(b.values())
                .for_each(|(a, b)| assert_same(a, b));
        }
        (a, b) => assert_eq!(a, b),
    }
}

/// Saves a configuration, reads it back and checks that nothing has changed.
fn reread(fixture: &Fixture, config: &Config) -> Config {
    let path = fixture.folder.path().join("config.yaml");
    std::fs::write(&path, config.to_yaml()).unwrap();
    let read_back = Config::from_file(&path, &fixture.library, &[])
        .unwrap_or_else(|e| panic!("{e}\n{}", config.to_yaml()));
    assert_same(config.value(), read_back.value());
    assert_eq!(read_back.to_yaml(), config.to_yaml());
    read_back
}

#[test]
fn a_saved_configuration_is_the_same() {
    let fixture = fixture(&[]);
    let config = fixture
        .compose(&["training.lr=1e-9", "+x={a: 1.0, b: [1e300, -0.0]}"])
        .unwrap();
    let read_back = reread(&fixture, &config);
    assert_eq!(read_back.name(), "lotka");
    assert_holds(
        &config.to_yaml(),
        &["  lr: 1.0e-9\n", "  a: 1.0\n", "  b: [1.0e+300, -0.0]\n"],
    );
}

#[test]
fn overrides_apply_to_a_saved_configuration() {
    let fixture = fixture(&[]);
    let path = fixture.folder.path().join("config.yaml");
    std::fs::write(&path, fixture.yaml(&["suggested.lr=0.25"])).unwrap();
    let read =
        |overrides: &[&str]| Config::from_file(&path, &fixture.library, &parse(overrides).unwrap());

    let config = read(&["training.coupling=7", "~training.clip", "+extra=1"]).unwrap();
    assert_eq!(
        get(&config, "training"),
        "{method: homotopy, lr: 0.25, coupling: 7.0, schedule: {n_steps: 6, rate: 0.6}}"
    );
    // An option can be chosen too, as the library is given; its references refer to the saved values.
    let config = read(&["training=vanilla", "training.epochs=5"]).unwrap();
    assert_eq!(
        get(&config, "training"),
        "{method: vanilla, lr: 0.02, epochs: 5, verbose: false}"
    );
    let config = read(&["training=homotopy"]).unwrap();
    assert_eq!(get(&config, "training.lr"), "0.25");
    assert!(read(&["~training"]).unwrap().get("training").is_none());

    let error = read(&["training.lrr=1"]).unwrap_err().to_string();
    assert_holds(
        &error,
        &[
            "did you mean \"training.lr\"?",
            "it would stand in",
            "config.yaml",
        ],
    );
    let error = read(&["+training=vanilla"]).unwrap_err().to_string();
    assert_holds(&error, &["has its training already"]);
}

#[test]
fn a_file_elsewhere_can_use_the_library() {
    let fixture = fixture(&[]);
    let path = fixture.folder.path().join("mine.yaml");
    std::fs::write(
        &path,
        "defaults:\n  - lotka\n  - training: vanilla\nrandom_seed: 4\n",
    )
    .unwrap();
    let config =
        Config::from_file(&path, &fixture.library, &parse(&["model=graybox"]).unwrap()).unwrap();
    assert_eq!(config.name(), "mine");
    assert_eq!(get(&config, "training.method"), "vanilla");
    assert_eq!(get(&config, "model.kind"), "graybox");
    assert_eq!(get(&config, "random_seed"), "4");
}

#[test]
fn texts_that_look_like_something_else() {
    let fixture = fixture(&[]);
    let mut config = fixture.compose(&[]).unwrap();
    let texts = [
        "",
        " ",
        "null",
        "~",
        "true",
        "No",
        "y",
        "1",
        "1.0",
        "1e-9",
        "0x1",
        ".inf",
        "inf",
        "nan",
        "- a",
        "a: b",
        "a #b",
        "#",
        "---",
        "...",
        "a\nb",
        "\n",
        "a\n",
        "  a\n b",
        "\t",
        "\r\n",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{fffe}",
        "😀",
        "é",
        "'",
        "\"",
        "\\",
        "a\\",
        "${x}",
        "\\${x}",
        "\\\\${x}",
        "$${x}",
        "${",
        "\\",
        "$",
        "{",
        "[a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%",
        "@",
        "`",
        "=",
        "<<",
        "?",
        ":",
        ",",
        "2020-01-01",
        "12:30",
        "_self_",
        "defaults",
        "\0",
        "\u{1}",
        "1_000",
    ];
    for text in texts {
        config.set("training.method", Value::from(text)).unwrap();
        reread(&fixture, &config);
        let map = Mapping::from_iter([("k".into(), Value::Sequence(vec![text.into()]))]);
        config.set("training.clip", Value::Mapping(map)).unwrap();
        reread(&fixture, &config);
        if text != "<<" {
            let map = Mapping::from_iter([(text.into(), Value::Null)]);
            config.set("training.clip", Value::Mapping(map)).unwrap();
            reread(&fixture, &config);
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<u64>().prop_map(|bits| Value::from(f64::from_bits(bits))),
        (-1e3..1e3f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[-+.0-9eE_xob:infaINFA]{1,6}".prop_map(Value::from),
        "[$\\\\{}a. ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof!["[a-z_]{1,6}", "\\PC{0,10}", ".{0,10}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Sequence),
            prop::collection::vec((key, inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter().filter(|(key, _)| key != "<<");
                Value::Mapping(
                    entries
                        .map(|(key, value)| (Value::String(key), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_comes_back_to_the_bit(value in any_value()) {
        let fixture = fixture(&[("lotka.yaml", "x: null\n")]);
        let mut config = fixture.compose(&[]).unwrap();
        config.set("x", value).unwrap();
        reread(&fixture, &config);
    }

    #[test]
    fn any_value_comes_back_from_an_override(value in any_value()) {
        let text = format!("a.b={}", write::to_flow(&value));
        let change: Override = text.parse().unwrap();
        assert_same(change.value().unwrap(), &value);
        prop_assert_eq!(change.to_string(), text);
    }
}
