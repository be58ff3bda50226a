//! The equations of a checkpoint, as it stores them.

use odesync_ode::field::VectorField;

pub fn equations_file(bytes: &[u8]) {
    crate::limit_memory();
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(field) = VectorField::from_json(text) else {
        return;
    };
    let _ = field.show();
    let value = field.derivative(0.5, &vec![0.25; field.dof()]);
    let saved = field.to_json().expect("a field that was read can be saved");
    let again = VectorField::from_json(&saved).expect("a field that was saved");
    let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let (value, again) = (
        value.map(bits),
        again.derivative(0.5, &vec![0.25; field.dof()]).map(bits),
    );
    assert_eq!(value.ok(), again.ok());
}
