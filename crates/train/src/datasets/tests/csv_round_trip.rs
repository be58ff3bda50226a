//! What `write_csv` writes, `read_csv` reads back without options.

use super::*;
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Names of components, among them those of other columns, and with what delimits, quotes and comments.
const NAMES: &[&str] = &[
    "x", "t", "time", "id", "sample", "variable", "value", "name", "date", "index", "x, m", "a;b",
    "q\"uote", "1", "2.5", "#n", "% c", "NA", "x [mm]", "Höhe", "u[1]", "",
];

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => proptest::num::f64::NORMAL,
        2 => (-1000..1000_i32).prop_map(f64::from),
        1 => proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        1 => Just(f64::NAN),
    ]
}

/// Times that increase, and the values of as many rows; the first row is complete.
fn sample(dof: usize) -> impl Strategy<Value = Dataset> {
    (2..9_usize).prop_flat_map(move |n| {
        let t = proptest::collection::vec(-1e6..1e6_f64, n);
        let u = proptest::collection::vec(number(), n * dof);
        (t, u).prop_filter_map("times that are equal", move |(mut t, mut u)| {
            t.sort_by(f64::total_cmp);
            t.dedup();
            u.truncate(t.len() * dof);
            u.iter_mut()
                .take(dof)
                .filter(|x| x.is_nan())
                .for_each(|x| *x = 0.5);
            let u = Array2::from_shape_vec((t.len(), dof), u).ok()?;
            Dataset::single(Array1::from(t), u, None).ok()
        })
    })
}

fn dataset() -> impl Strategy<Value = Dataset> {
    (1..4_usize, 1..4_usize).prop_flat_map(|(dof, samples)| {
        let names = proptest::sample::subsequence(NAMES, dof).prop_shuffle();
        let has_names = proptest::bool::weighted(0.7);
        let parts = proptest::collection::vec(sample(dof), samples);
        let units = proptest::option::weighted(0.3, Just(["mm", "", "kg m/s"]));
        (parts, names, has_names, units).prop_filter_map(
            "names",
            move |(parts, names, has_names, units)| {
                let mut data = Dataset::join(&parts).ok()?;
                if has_names {
                    data = data.with_names(names).ok()?;
                }
                if let Some(units) = units {
                    let state = units[..dof].iter().map(|unit| unit.to_string()).collect();
                    data = data
                        .with_units(DataUnits {
                            time: "s".into(),
                            state,
                        })
                        .ok()?;
                }
                Some(data)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read_without_options(data in dataset()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        write_csv(&path, &data).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let read = read_csv(&path, &CsvOptions::default()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let bits = |data: &Dataset| -> Vec<Vec<u64>> {
            let bits = |x: &f64| if x.is_nan() { 1 } else { x.to_bits() };
            (data.trajectories())
                .map(|(t, u)| t.iter().map(bits).chain(u.iter().map(bits)).collect())
                .collect()
        };
        assert_eq!(bits(&read), bits(&data), "{text}");
        assert_eq!(read.names(), data.names(), "{text}");
        assert_eq!(read.units(), data.units(), "{text}");
    }
}
