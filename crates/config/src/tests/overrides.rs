use super::*;
use crate::overrides::OverrideType;

#[test]
fn values_are_what_yaml_makes_of_them() {
    let cases = [
        ("1", "1"),
        ("-3", "-3"),
        ("+4", "4"),
        ("0x10", "16"),
        ("1.0", "1.0"),
        ("1e-7", "1.0e-7"),
        ("1E5", "100000.0"),
        ("-2.5e+3", "-2500.0"),
        (".5", "0.5"),
        ("5.", "5.0"),
        (".inf", ".inf"),
        ("inf", ".inf"),
        ("-inf", "-.inf"),
        ("NaN", ".nan"),
        ("true", "true"),
        ("False", "false"),
        ("null", "null"),
        ("~", "null"),
        ("", "\"\""),
        ("homotopy", "homotopy"),
        ("data/a-b.csv", "data/a-b.csv"),
        ("two words", "\"two words\""),
        (" padded ", "padded"),
        ("007", "\"007\""),
        ("1_000", "\"1_000\""),
        ("12:30", "\"12:30\""),
        ("C:\\data", "\"C:\\\\data\""),
        ("a: b", "\"a: b\""),
        ("#3", "\"#3\""),
        ("*x", "\"*x\""),
        ("&x", "\"&x\""),
        ("!x", "\"!x\""),
        ("@x", "\"@x\""),
        ("- x", "\"- x\""),
        ("don't", "\"don't\""),
        ("a=b", "\"a=b\""),
        ("infinity", "infinity"),
        ("λ", "λ"),
        ("${a.b}", "\"${a.b}\""),
        ("\"1\"", "\"1\""),
        ("'it''s'", "\"it's\""),
        ("\"a\\tb\\u00e9\"", "\"a\\tbé\""),
        ("\"null\"", "\"null\""),
        ("[]", "[]"),
        ("[1,2.0, x]", "[1, 2.0, x]"),
        ("[ 1 , ]", "[1]"),
        ("[[1,2],[3,4]]", "[[1, 2], [3, 4]]"),
        ("[\"a,b\", 'c]']", "[\"a,b\", \"c]\"]"),
        ("[${a.b}, 1]", "[\"${a.b}\", 1]"),
        ("[12:30]", "[\"12:30\"]"),
        ("{}", "{}"),
        ("{a: 1}", "{a: 1}"),
        ("{a:1,b:{c:[1e-3]}}", "{a: 1, b: {c: [0.001]}}"),
        ("{a: ${b}, \"c d\": x y}", "{a: \"${b}\", \"c d\": \"x y\"}"),
        ("{path: c:/x, }", "{path: \"c:/x\"}"),
        ("{1: a}", "{\"1\": a}"),
    ];
    for (text, expected) in cases {
        let change: Override = format!("a.b={text}").parse().unwrap();
        assert_eq!(change.to_string(), format!("a.b={expected}"), "{text}");
        let read_back: Override = change.to_string().parse().unwrap();
        assert_eq!(change, read_back, "{text}");
        // The YAML crate reads the written text back as the same value.
        assert_eq!(change.value(), Some(&value(expected)), "{text}");
    }
    let float: Override = "lr=1e-7".parse().unwrap();
    assert!(matches!(float.value(), Some(Value::Number(n)) if n.is_f64()));
}

#[test]
fn the_forms() {
    let cases = [
        (
            "training=homotopy",
            OverrideType::Set,
            "training",
            Some("homotopy"),
        ),
        ("training.lr=1", OverrideType::Set, "training.lr", Some("1")),
        (" a.b = 1 ", OverrideType::Set, "a.b", Some("1")),
        ("u0.1=2", OverrideType::Set, "u0.1", Some("2")),
        ("+a.b=1", OverrideType::Add, "a.b", Some("1")),
        ("++a.b=1", OverrideType::ForceAdd, "a.b", Some("1")),
        ("~a.b", OverrideType::Delete, "a.b", None),
        ("~a.b=1", OverrideType::Delete, "a.b", Some("1")),
        ("a-b_c=", OverrideType::Set, "a-b_c", Some("\"\"")),
    ];
    for (text, action, key, expected) in cases {
        let change: Override = text.parse().unwrap();
        assert_eq!((change.action, change.key()), (action, key), "{text}");
        assert_eq!(change.value().cloned(), expected.map(value), "{text}");
        let read_back: Override = change.to_string().parse().unwrap();
        assert_eq!(read_back, change);
    }
}

#[test]
fn what_is_no_override() {
    let cases = [
        ("", "override ``: \"\" is not a key"),
        ("=1", "\"\" is not a key"),
        (
            "training.lr",
            "has no value: write training.lr=VALUE, or ~training.lr to delete it",
        ),
        ("+a", "has no value: write +a=VALUE"),
        ("a..b=1", "\"a..b\" is not a key"),
        (".a=1", "is not a key"),
        ("a b=1", "is not a key"),
        ("--lr=1", "is not a key"),
        ("a/b=1", "is not a key"),
        ("a[0]=1", "is not a key"),
        ("+++a=1", "is not a key"),
        (
            "a=1,2",
            "several values: a multirun (-m) runs each of them; for a list write a=[…]",
        ),
        ("a=range(1,3)", "several values"),
        ("a=[1,2", "the value is a list without its closing `]`"),
        ("a=[1 2]]", "the value goes on with `]` after its end"),
        ("a=[1}", "has `}` within a text"),
        (
            "a=[\"x\" y]",
            "is a list that goes on with `y]` where `,` or `]` should be",
        ),
        ("a=[1,,2]", "has an empty place"),
        ("a=[", "ends too early"),
        ("a={", "ends too early"),
        ("a={b}", "has the key `b` without a value"),
        ("a={b:}", "has an empty place"),
        ("a={b: 1", "is a map without its closing `}`"),
        ("a={b: 1, b: 2}", "has the key `b` twice"),
        ("a={b: [}", "has `}` within a text"),
        ("a=\"x", "is a text without its closing \""),
        ("a='x", "is a text without its closing '"),
        ("a=\"x\" y", "goes on with `y` after its end"),
        ("a=\"\\q\"", "cannot be read"),
        ("a=1e999", "`1e999` is too large a number"),
        ("a=99999999999999999999999", "is too large a number"),
    ];
    for (text, part) in cases {
        let error = text.parse::<Override>().unwrap_err().to_string();
        assert_holds(&error, &[part, text]);
    }
    let deep = format!("a={}", "[".repeat(100_000));
    assert_holds(
        &deep.parse::<Override>().unwrap_err().to_string(),
        &["32 levels"],
    );
}
