//! The configurations that the program is built with.

use super::*;

#[test]
fn every_experiment_composes_with_every_option_and_reruns() {
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
    let library = ConfigSource::Folder(configs.into());
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("config.yaml");
    let experiments = library.experiments().unwrap();
    assert!(!experiments.is_empty());
    for experiment in &experiments {
        let mut choices = vec![None];
        for group in library.groups().unwrap() {
            for option in library.options(&group).unwrap() {
                // What starts and chooses the runs of a multirun is no part of an experiment.
                if ["launcher", "sweeper"].contains(&group.as_str()) {
                    let config = Config::compose_option(&library, &group, &option, &[]).unwrap();
                    assert!(config.get(&format!("{group}.kind")).is_some());
                    continue;
                }
                choices.push(Some(format!("{group}={option}").parse().unwrap()));
            }
        }
        for choice in choices {
            let config = Config::compose(&library, experiment, choice.as_slice())
                .unwrap_or_else(|e| panic!("{experiment} {choice:?}: {e}"));
            assert_eq!(config.name(), experiment);
            std::fs::write(&saved, config.to_yaml()).unwrap();
            let read_back = Config::from_file(&saved, &library, &[]).unwrap();
            assert_eq!(read_back.to_yaml(), config.to_yaml());
        }
    }
}
