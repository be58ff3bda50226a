//! What one declaration registers.

use rhai::{Dynamic, Map, NativeCallContext};

use super::{Number, Numbers, Registry, name_of};
use crate::script::host::Host;
use crate::script::interaction::Interactions;
use crate::script::{Key, Keys, Options, RhaiResult, SessionOptions};

const KEYS: Keys = &[&[Key::new("t")]];

fn registry() -> Registry {
    Registry::new(
        rhai::Engine::new(),
        Host::new(SessionOptions::default()),
        Interactions::default(),
    )
}

#[test]
fn a_name_stands_before_the_arguments_and_after_the_dot() {
    assert_eq!(name_of("solve(field, u0, t) -> Solution"), "solve");
    assert_eq!(name_of("run.history(\"mse\") -> Array"), "history");
    assert_eq!(name_of("run.best_mse -> float"), "best_mse");
    assert_eq!(name_of("min(x, y) or min(x)"), "min");
    assert_eq!(name_of("PI -> float"), "PI");
}

#[test]
fn a_number_is_an_int_or_a_float_and_options_may_be_left_out() {
    let mut reg = registry();
    reg.function(
        "decay(rate, x, #{ t: 1 }) -> float",
        "Decay.",
        "decay(1, 2)",
    )
    .options(KEYS)
    .body(
        |rate: Number, x: Number, mut options: Options| -> RhaiResult<f64> {
            let t = options.f64("t", 1.0)?;
            options.finish()?;
            Ok(x.0 - rate.0 * t)
        },
    );
    let (engine, _, catalogue) = reg.finish();
    for (code, expected) in [
        ("decay(1, 2)", 1.0),
        ("decay(1.0, 2)", 1.0),
        ("decay(1, 2.0)", 1.0),
        ("decay(1.0, 2.0)", 1.0),
        ("decay(1, 2, #{ t: 3 })", -1.0),
        ("decay(0.5, 2.0, #{ t: 3 })", 0.5),
        ("let r = 1; let x = 2; r.decay(x) + r", 2.0),
    ] {
        assert_eq!(engine.eval::<f64>(code).unwrap(), expected, "{code}");
    }
    for wrong in [
        "decay(true, 2)",
        "decay(1)",
        "decay(1, 2, 3)",
        "decay(1, 2, #{ s: 3 })",
    ] {
        assert!(engine.eval::<f64>(wrong).is_err(), "{wrong}");
    }
    let doc = catalogue.docs[0];
    assert_eq!(
        (doc.name, doc.text, doc.example),
        ("decay", "Decay.", "decay(1, 2)")
    );
    let names = |keys: Keys| {
        keys.iter()
            .flat_map(|k| k.iter())
            .map(|k| k.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(doc.options), names(KEYS));
    assert_eq!(catalogue.functions, ["decay"]);
}

#[test]
fn a_method_changes_its_value_and_a_last_argument_may_be_left_out() {
    let mut reg = registry();
    reg.function("n.grow(by)", "Adds.", "let n = 1; n.grow(2)")
        .body(|n: &mut i64, by: Option<i64>| *n += by.unwrap_or(1));
    let (engine, _, catalogue) = reg.finish();
    assert_eq!(
        engine
            .eval::<i64>("let n = 1; n.grow(); n.grow(5); n")
            .unwrap(),
        7
    );
    assert_eq!(
        catalogue.methods,
        [("i64".to_string(), "grow"), ("i64".to_string(), "grow")]
    );
}

#[test]
fn a_declaration_has_bodies_for_several_types() {
    let mut reg = registry();
    reg.function("kind(x)", "Says what x is.", "kind(1)")
        .body(|_: Number| "number".to_string())
        .body(|_: Numbers| "list".to_string())
        .body(|_: Dynamic| "something else".to_string());
    let (engine, ..) = reg.finish();
    for (code, kind) in [
        ("kind(1)", "number"),
        ("kind(1.0)", "number"),
        ("kind([1])", "list"),
        ("kind(true)", "something else"),
    ] {
        assert_eq!(engine.eval::<String>(code).unwrap(), kind, "{code}");
    }
}

#[test]
#[should_panic(expected = "f has two bodies for")]
fn two_bodies_do_not_take_the_same_types() {
    registry()
        .function("f(x)", "Text.", "f(1)")
        .body(|x: Number| x.0)
        .body(|x: i64| x);
}

#[test]
fn a_body_with_the_context_calls_closures() {
    let mut reg = registry();
    reg.function("twice(f, #{}) -> int", "Twice.", "twice(|x| x)")
        .body(
            |context: NativeCallContext, f: rhai::FnPtr, map: Option<Map>| -> RhaiResult<i64> {
                let n: i64 = f.call_within_context(&context, (2_i64,))?;
                Ok(2 * n + map.map_or(0, |map| map.len() as i64))
            },
        );
    let (engine, ..) = reg.finish();
    assert_eq!(engine.eval::<i64>("twice(|x| x + 1)").unwrap(), 6);
    assert_eq!(
        engine.eval::<i64>("twice(|x| x + 1, #{ a: 1 })").unwrap(),
        7
    );
}

#[test]
#[should_panic(expected = "missing has bodies and no declaration")]
fn an_overload_belongs_to_a_declared_function() {
    let mut reg = registry();
    reg.overload("missing").body(|x: i64| x);
    reg.finish();
}

#[test]
#[should_panic(expected = "f has no example")]
fn a_declaration_without_an_example_fails() {
    registry().function("f(x)", "Text.", "").body(|x: i64| x);
}
