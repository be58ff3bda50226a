use ndarray::array;

use super::*;

fn data() -> Dataset {
    let u = array![[30.0, 4.0], [f64::NAN, 6.0], [60.0, 8.0]];
    let data = Dataset::single(array![1900.0, 1901.0, 1903.0], u, Some(array![27.0, 2.0])).unwrap();
    let units = DataUnits {
        time: "a".into(),
        state: vec!["k".into(), "k".into()],
    };
    data.with_names(["hare", "lynx"])
        .unwrap()
        .with_units(units)
        .unwrap()
}

#[test]
fn names_stay_and_initial_states_follow() {
    let d = data();
    let scaled = d.scaled(&[3.0]).unwrap();
    assert_eq!(scaled.names(), d.names());
    assert_eq!(scaled.u0(), array![[9.0, 2.0 / 3.0]]);
    assert_eq!(scaled.sample(0).unwrap().row(2), array![20.0, 8.0 / 3.0]);
    assert!(scaled.sample(0).unwrap()[[1, 0]].is_nan());
    assert_eq!(
        (&*scaled.units().time, scaled.units().of_component(0)),
        ("a", "")
    );
    let shifted = d.shifted(&[1.0, -2.0]).unwrap();
    assert_eq!(shifted.u0(), array![[28.0, 0.0]]);
    assert_eq!(shifted.units(), d.units());
    assert_eq!(d.multiplied(&[2.0, 1.0]).unwrap().u0(), array![[54.0, 2.0]]);
    let later = d.with_time_scale(1900.0, 0.5).unwrap();
    assert_eq!(
        (later.t().to_vec(), later.names()),
        (vec![0.0, 2.0, 6.0], d.names())
    );
    assert_eq!(
        (&*later.units().time, later.units().of_component(1)),
        ("", "k")
    );
}

#[test]
fn names_and_units_stay_with_parts() {
    let d = data();
    for part in [
        d.head(2).unwrap(),
        d.up_to(1901.0).unwrap(),
        d.single_sample(0).unwrap(),
        Dataset::join(&[d.clone(), d.clone()]).unwrap(),
    ] {
        assert_eq!((part.names(), part.units()), (d.names(), d.units()));
    }
    let (state, _) = d.split_inputs(&["lynx"]).unwrap();
    assert_eq!(
        (state.names(), state.units().of_component(0)),
        (&["hare".to_string()][..], "k")
    );
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let d = data();
    for (result, part) in [
        (d.scaled(&[0.0]), "0 is no scale of data"),
        (d.scaled(&[1.0, 2.0, 3.0]), "3 scales for 2 components"),
        (d.multiplied(&[f64::NAN]), "NaN is no factor"),
        (d.multiplied(&[1e308]), "no longer finite"),
        (d.shifted(&[f64::INFINITY]), "inf is no summand"),
        (d.with_time_scale(0.0, 0.0), "a unit above 0"),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}
