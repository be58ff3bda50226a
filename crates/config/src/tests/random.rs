//! Random overrides and files: each gives an error or a configuration, never a panic.

use proptest::prelude::*;

use super::*;

/// Returns the strategy for random texts of characters with a meaning in YAML, and of any characters.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+~=.,:a-c0-9\\[\\]{}()\"'\\\\$ \n\t#&*!|>%@`<?]{0,40}",
        "(a|training)=(choice|range|glob|sort|shuffle|tag|interval|int|float|str|bool)\\([-*a-c0-9.,=e\\[\\]() \"]{0,14}\\)?",
        "(\\+|\\+\\+|~)?(training|model|random_seed|suggested|a)(\\.(lr|width|0|b))?=.{0,12}",
    ]
}

/// Returns the strategy for random files: any bytes, texts of [`any_text`], and texts that are nearly YAML.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let line = "( |  )?(a|b|defaults|training|<<|\"q\"|- )(:|: )(1|x|[\\[{]|\\$\\{[ab](\\.b)?\\}|&a|\\*a|- a|!t|'|\\||>|_self_|lotka)?";
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        any_text().prop_map(String::into_bytes),
        prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n").into_bytes()),
    ]
}

proptest! {
    #[test]
    fn overrides_never_panic(text in any_text()) {
        if let Ok(change) = text.parse::<Override>() {
            let read_back: Override = change.to_string().parse().unwrap();
            prop_assert_eq!(read_back, change);
        }
    }

    #[test]
    fn compositions_never_panic(texts in prop::collection::vec(any_text(), 0..4), name in any_text()) {
        let fixture = fixture(&[]);
        let _ = Config::compose(&fixture.library, &name, &[]);
        let _ = sweep(&texts, &fixture.library);
        let _ = RandomSearch { n: 3, seed: 1 }.draw(&texts, &fixture.library);
        let _ = SearchSpace::read(&texts, &fixture.library);
        let overrides: Vec<Override> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        if let Ok(config) = Config::compose(&fixture.library, "lotka", &overrides) {
            let path = fixture.folder.path().join("config.yaml");
            std::fs::write(&path, config.to_yaml()).unwrap();
            let read_back = Config::from_file(&path, &fixture.library, &[]).unwrap();
            prop_assert_eq!(read_back.to_yaml(), config.to_yaml());
            let _ = config.section::<Vec<f64>>("training.schedule");
        }
    }

    #[test]
    fn files_never_panic(content in any_file(), overrides in prop::collection::vec(any_text(), 0..2)) {
        let fixture = fixture(&[]);
        let overrides: Vec<Override> = overrides.iter().filter_map(|text| text.parse().ok()).collect();
        for name in ["lotka.yaml", "training/homotopy.yaml"] {
            let path = fixture.path(name);
            let before = std::fs::read(&path).unwrap();
            std::fs::write(&path, &content).unwrap();
            if let Ok(config) = Config::compose(&fixture.library, "lotka", &overrides) {
                let saved = fixture.folder.path().join("config.yaml");
                std::fs::write(&saved, config.to_yaml()).unwrap();
                let read_back = Config::from_file(&saved, &fixture.library, &[]).unwrap();
                prop_assert_eq!(read_back.value(), config.value());
            }
            std::fs::write(&path, before).unwrap();
        }
    }
}
