//! Sets of options that a section holds.

use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, OptionSet, Positive};

use super::*;

option_set! {
    /// Options of a solve.
    #[derive(Debug, PartialEq)]
    struct Solve {
        /// Tolerance.
        rtol: f64 as Positive = 1e-7;
        /// Bound.
        max_step: Option<f64> as Maybe<Positive> = Some(1.0);
    }
}

option_set! {
    /// Options of a training.
    #[derive(Debug, PartialEq)]
    struct Train {
        /// Number of epochs.
        epochs: usize as Count = 10;
    }
}

fn read(overrides: &[&str]) -> (Result<Vec<&'static str>>, Solve, Train) {
    let content = "group: {rtol: 1.0e-3, max_step: null, epochs: 7, kind: a}\n";
    let fixture = fixture(&[("options.yaml", content)]);
    let overrides: Vec<Override> = overrides.iter().map(|o| o.parse().unwrap()).collect();
    let config = Config::compose(&fixture.library, "options", &overrides).unwrap();
    let (mut solve, mut train) = (Solve::default(), Train::default());
    let sets: &mut [&mut dyn OptionSet] = &mut [&mut solve, &mut train];
    let names = config.read_options("group", sets, &["kind"]);
    (names, solve, train)
}

#[test]
fn each_set_takes_its_options_and_null_is_absent() {
    let (names, solve, train) = read(&[]);
    assert_eq!(names.unwrap(), ["rtol", "epochs"]);
    assert_eq!(
        solve,
        Solve {
            rtol: 1e-3,
            max_step: Some(1.0)
        }
    );
    assert_eq!(train, Train { epochs: 7 });
}

#[test]
fn an_error_has_the_path_and_the_origin() {
    for (change, message) in [
        (
            "++group.rtol=fast",
            "group.rtol should be a number above 0, not \"fast\" (from the override `++group.rtol=fast`)",
        ),
        (
            "++group.rtol=-1",
            "group.rtol should be a number above 0, not -1 (from the override `++group.rtol=-1`)",
        ),
        (
            "+group.epohcs=3",
            "group.epohcs: unknown key (did you mean \"epochs\"?); known: kind, rtol, max_step, epochs (from the override `+group.epohcs=3`)",
        ),
        (
            "++group=3",
            "group should be a map, not 3 (from the override `++group=3`)",
        ),
        ("~group", "unknown key \"group\""),
    ] {
        let error = read(&[change]).0.unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
