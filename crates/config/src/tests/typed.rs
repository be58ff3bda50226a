use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Homotopy {
    method: Method,
    lr: f64,
    coupling: Coupling,
    schedule: Schedule,
    clip: Option<f64>,
    #[serde(default)]
    epochs: usize,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Vanilla,
    Homotopy,
    Power { rate: f64 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged, expecting = "should be a number or a list of numbers")]
enum Coupling {
    One(f64),
    Each(Vec<f64>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    n_steps: u32,
    rate: f64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Model {
    Blackbox { width: usize },
    Graybox { width: usize, linear: [f64; 2] },
}

#[test]
fn sections_are_read() {
    let fixture = fixture(&[]);
    let config = fixture.compose(&["training.clip=2"]).unwrap();
    let training: Homotopy = config.section("training").unwrap();
    assert_eq!(
        training,
        Homotopy {
            method: Method::Homotopy,
            lr: 0.05,
            coupling: Coupling::One(6.0),
            schedule: Schedule {
                n_steps: 6,
                rate: 0.6
            },
            clip: Some(2.0),
            epochs: 0,
        }
    );
    assert_eq!(
        config.section::<Model>("model").unwrap(),
        Model::Blackbox { width: 32 }
    );
    let config = fixture
        .compose(&["model=graybox", "++training.method={power: {rate: 2}}"])
        .unwrap();
    assert_eq!(
        config.section::<Model>("model").unwrap(),
        Model::Graybox {
            width: 20,
            linear: [1.3, -1.8]
        }
    );
    assert_eq!(
        config.section::<Method>("training.method").unwrap(),
        Method::Power { rate: 2.0 }
    );
    assert_eq!(config.section::<f64>("model.linear.1").unwrap(), -1.8);
    assert_eq!(
        config.section::<Option<String>>("training.clip").unwrap(),
        None
    );
    assert_eq!(config.section::<String>("experiment").unwrap(), "lotka");
    assert_eq!(
        config.section::<(f64, f64)>("model.linear").unwrap(),
        (1.3, -1.8)
    );
    let all: BTreeMap<String, Value> = config.section("").unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(
        config.section::<Value>("model").unwrap(),
        *config.get("model").unwrap()
    );
}

#[test]
fn what_does_not_fit_is_named_with_its_path_and_origin() {
    let fixture = fixture(&[]);
    let cases = [
        (
            "++training.lr=fast",
            "training.lr should be a number, not \"fast\" (from the override `++training.lr=fast`)",
        ),
        (
            "++training.lr=[1]",
            "training.lr should be a number, not a list",
        ),
        (
            "training.lr=null",
            "training.lr should be a number, not null",
        ),
        (
            "training.schedule.n_steps=2.5",
            "training.schedule.n_steps should be a whole number that is 0 or above, not 2.5",
        ),
        (
            "training.schedule.n_steps=-1",
            "training.schedule.n_steps should be a whole number that is 0 or above, not -1",
        ),
        ("training.schedule.n_steps=5000000000", "not 5000000000"),
        (
            "++training.schedule=6",
            "training.schedule should be a map, not 6",
        ),
        (
            "++training.clip=x",
            "training.clip should be a number, not \"x\"",
        ),
        (
            "++training.coupling=strong",
            "training.coupling should be a number or a list of numbers",
        ),
        (
            "training.method=homotpy",
            "training.method: cannot be \"homotpy\" (did you mean \"homotopy\"?); known: vanilla, homotopy, power",
        ),
        (
            "++training.method=7",
            "training.method should be one of vanilla, homotopy, power, not 7",
        ),
        (
            "++training.method={power: {rate: x}}",
            "training.method.power.rate should be a number, not \"x\"",
        ),
        (
            "++training.method={power: {}}",
            "training.method.power.rate is missing",
        ),
        (
            "training.method=power",
            "training.method should be a map {power: …}, not \"power\"",
        ),
        (
            "++training.method={homotopy: 1}",
            "training.method should be the name homotopy alone, not a map",
        ),
        (
            "+training.epohcs=3",
            "training.epohcs: unknown key (did you mean \"epochs\"?); known: method, lr, coupling, schedule, clip, epochs (from the \
             override `+training.epohcs=3`)",
        ),
        (
            "~training.schedule.rate",
            "training.schedule.rate is missing (from configs/training/homotopy.yaml)",
        ),
    ];
    for (change, expected) in cases {
        let config = fixture.compose(&[change]).unwrap();
        let error = config
            .section::<Homotopy>("training")
            .unwrap_err()
            .to_string();
        assert_holds(&fixture.shorten(&error), &[expected]);
    }
    let config = fixture.compose(&[]).unwrap();
    let error = config
        .section::<String>("random_seed")
        .unwrap_err()
        .to_string();
    assert_holds(
        &error,
        &["random_seed should be a text (a number as text in quotes), not 10"],
    );
    let error = config
        .section::<[f64; 3]>("random_seed")
        .unwrap_err()
        .to_string();
    assert_holds(&error, &["random_seed should be a list of 3, not 10"]);
    let error = config
        .section::<Homotopy>("trainig")
        .unwrap_err()
        .to_string();
    assert_holds(
        &error,
        &["unknown key \"trainig\" (did you mean \"training\"?)"],
    );
}

#[test]
fn a_wrong_value_in_a_file_names_the_file() {
    let fixture = fixture(&[(
        "training/homotopy.yaml",
        "method: homotopy\nlr: 1e999\ncoupling: 1\nschedul: {}\n",
    )]);
    let config = fixture.compose(&[]).unwrap();
    let error = fixture.shorten(
        &config
            .section::<Homotopy>("training")
            .unwrap_err()
            .to_string(),
    );
    assert_eq!(
        error,
        "training.lr should be a number, not \"1e999\" (from configs/training/homotopy.yaml)"
    );
}

#[test]
fn enums_told_apart_by_a_key() {
    let fixture = fixture(&[]);
    let cases = [
        (
            "++model.width=wide",
            "model.width should be a whole number that is 0 or above, not \"wide\"",
        ),
        ("model.kind=whitebox", "model.kind: cannot be \"whitebox\""),
        ("+model.deep=1", "model.deep: unknown key; known: width"),
        ("~model.width", "model.width is missing"),
        ("~model.kind", "model.kind is missing"),
    ];
    for (change, expected) in cases {
        let config = fixture.compose(&[change]).unwrap();
        let error = config.section::<Model>("model").unwrap_err().to_string();
        assert_holds(&error, &[expected]);
    }
}

#[test]
fn lists_must_have_their_length() {
    let fixture = fixture(&[]);
    for (list, expected) in [
        ("[1]", "model.linear should be a list of 2, not of length 1"),
        (
            "[1, 2, 3]",
            "model.linear should be a list of 2, not of length 3",
        ),
        ("[1, x]", "model.linear.1 should be a number, not \"x\""),
    ] {
        let config = fixture
            .compose(&["model=graybox", &format!("model.linear={list}")])
            .unwrap();
        let error = config
            .section::<Pair>("model.linear")
            .unwrap_err()
            .to_string();
        assert_holds(&error, &[expected]);
    }
}

#[derive(Debug, Deserialize)]
struct Pair(#[allow(dead_code)] f64, #[allow(dead_code)] f64);
