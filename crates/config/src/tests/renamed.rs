use super::*;

inventory::submit! {
    RenamedKey { old: "model.units", new: "model.width" }
}

fn width(config: &Config) -> i64 {
    config.get("model.width").and_then(Value::as_i64).unwrap()
}

#[test]
fn a_group_and_an_experiment_may_use_the_former_name() {
    let group = ("model/blackbox.yaml", "kind: blackbox\nunits: 8\n");
    let own = (
        "own.yaml",
        "defaults:\n  - model: blackbox\nmodel:\n  units: 4\n",
    );
    let f = fixture(&[group, own]);

    let config = Config::compose(&f.library, "lotka", &[]).unwrap();
    assert_eq!(width(&config), 8);
    assert_eq!(config.get("model.units"), None);
    let [note] = config.notes() else {
        panic!("{:?}", config.notes());
    };
    assert!(
        note.contains("model/blackbox.yaml: model.units is now called model.width"),
        "{note}"
    );

    // The experiment's own key goes over the group's, though each file uses the former name.
    let config = Config::compose(&f.library, "own", &[]).unwrap();
    assert_eq!((width(&config), config.notes().len()), (4, 2));
    // The key keeps its place, and what is saved has the new name only.
    assert!(
        config.to_yaml().contains("kind: blackbox\n  width: 4"),
        "{}",
        config.to_yaml()
    );
}

#[test]
fn a_reference_to_the_former_name_is_followed() {
    let own = (
        "own.yaml",
        "defaults:\n  - model: blackbox\ntwice: ${model.units}\n",
    );
    let config = Config::compose(&fixture(&[own]).library, "own", &[]).unwrap();
    assert_eq!(config.get("twice").and_then(Value::as_i64), Some(32));
}

#[test]
fn both_names_in_one_file_are_an_error() {
    let own = ("own.yaml", "model:\n  units: 4\n  width: 5\n");
    let error = Config::compose(&fixture(&[own]).library, "own", &[]).unwrap_err();
    assert!(error.to_string().contains("the file has both"), "{error}");
}

#[test]
fn an_override_with_the_former_name_is_told_the_new_one() {
    let f = fixture(&[]);
    for (given, advice) in [
        ("model.units=8", "write model.width=8"),
        ("+model.units=8", "write +model.width=8"),
        ("++model.units=8", "write ++model.width=8"),
        ("~model.units", "write ~model.width"),
        (
            "++model={kind: blackbox, units: 8}",
            "write ++model={kind: blackbox, width: 8}",
        ),
    ] {
        let change = given.parse().unwrap();
        let error = Config::compose(&f.library, "lotka", &[change])
            .unwrap_err()
            .to_string();
        let expected =
            format!("override `{given}`: model.units is now called model.width: {advice}");
        assert_eq!(error, expected);
    }
    let mut config = Config::compose(&f.library, "lotka", &[]).unwrap();
    let error = config.set("model.units", 8.into()).unwrap_err();
    assert!(error.to_string().contains("model.width"), "{error}");
}
