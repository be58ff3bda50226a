use super::*;

/// Returns the value of `a` in a file of these lines.
fn a(lines: &str) -> Result<Value> {
    let fixture = fixture(&[("lotka.yaml", lines)]);
    let config = fixture.compose(&[])?;
    Ok(config.get("a").unwrap().clone())
}

#[test]
fn a_whole_value_keeps_its_type() {
    let cases = [
        ("a: ${b}\nb: 1.0\n", "1.0"),
        ("a: ${ b.c }\nb: {c: null}\n", "null"),
        ("a: ${b}\nb: {x: [1, true]}\n", "{x: [1, true]}"),
        ("a: ${b.1}\nb: [1, 2]\n", "2"),
        ("a: ${b}\nb: ${c}\nc: ${d.e}\nd: {e: 1e-9}\n", "1.0e-9"),
        ("a: [\"${b}\", {c: \"${b}\"}]\nb: 2\n", "[2, {c: 2}]"),
        // Through a reference to a map, and to a map that contains references.
        ("a: ${b.x}\nb: ${c}\nc: {x: 3, y: 4}\n", "3"),
        (
            "a: ${b.x.y}\nb: {x: \"${c}\"}\nc: {y: \"${d}\"}\nd: 5\n",
            "5",
        ),
        (
            "a: ${b}\nb: {x: \"${c}\", y: 1}\nc: ${b.y}\n",
            "{x: 1, y: 1}",
        ),
        ("a: ${experiment}\n", "lotka"),
    ];
    for (lines, expected) in cases {
        assert_eq!(a(lines).unwrap(), value(expected), "{lines}");
    }
}

#[test]
fn within_a_text_the_value_is_written_out() {
    let cases = [
        ("a: run_${b}_${c}\nb: 1.0\nc: x\n", "run_1.0_x"),
        ("a: \"${b}${b}\"\nb: null\n", "nullnull"),
        ("a: \"${b} \"\nb: 1e-9\n", "1.0e-9 "),
        (
            "a: \"${b}!\"\nb: \"${c}\"\nc: \"two words\"\n",
            "two words!",
        ),
        (r"a: \${b}", "${b}"),
        (
            r"a: '\\${b}'
b: 1
",
            r"\1",
        ),
        (r"a: '\\\${b}'", r"\${b}"),
        (r"a: 'C:\dir $5 {x} \$'", r"C:\dir $5 {x} \$"),
    ];
    for (lines, expected) in cases {
        assert_eq!(a(lines).unwrap(), Value::from(expected), "{lines}");
    }
}

#[test]
fn references_see_the_overrides() {
    let fixture = fixture(&[]);
    let config = fixture
        .compose(&["suggested.lr=0.5", "training.coupling=${suggested.steps}"])
        .unwrap();
    assert_eq!(get(&config, "training.lr"), "0.5");
    assert_eq!(get(&config, "training.coupling"), "6");
    // A value that is no longer referred to need not resolve.
    let config = fixture
        .compose(&["~suggested", "training.lr=1", "training.schedule.n_steps=2"])
        .unwrap();
    assert_eq!(get(&config, "training.schedule.n_steps"), "2");
}

#[test]
fn references_that_lead_nowhere() {
    let cases = [
        ("a: ${b}\n", "a: ${b} leads nowhere: unknown key \"b\""),
        (
            "a: {x: \"${b.lrr}\"}\nb: {lr: 1}\n",
            "a.x: ${b.lrr} leads nowhere: unknown key \"lrr\" (did you mean \"lr\"?)",
        ),
        ("a: ${b.c}\nb: 1\n", "${b.c} leads nowhere"),
        ("a: ${b.c}\nb: text\n", "${b.c} leads nowhere"),
        (
            "a: ${b.c}\nb: ${d}\nd: {e: 1}\n",
            "unknown key \"c\"; known: e",
        ),
        ("a: ${a}\n", "go in a circle: a → a"),
        ("a: ${b}\nb: x${a}\n", "go in a circle: b → a → b"),
        ("a: {b: \"${a}\"}\n", "go in a circle: a → a"),
        ("a: ${b.x}\nb: ${b.x}\n", "go in a circle"),
        (
            "a: ${b.x}\nb: {x: \"${a}\"}\n",
            "go in a circle: b.x → a → b.x",
        ),
        (
            "a: x${b}\nb: [1]\n",
            "${b} is a list, which cannot stand within a text",
        ),
        ("a: ${b\n", "`${b` has no closing brace"),
        ("a: ${}\n", "`${}` is not a reference"),
        ("a: ${.b}\n", "is not a reference"),
        ("a: ${b..c}\n", "is not a reference"),
        ("a: ${oc.env:HOME}\n", "is not a reference"),
        ("a: ${b.${c}}\nc: d\n", "is not a reference"),
    ];
    for (lines, part) in cases {
        let error = a(lines).unwrap_err().to_string();
        assert_holds(&error, &[part, "configs/lotka.yaml"]);
    }
}

#[test]
fn references_have_an_end() {
    // Each level doubles the one below, in text, in lists, and in texts that are empty.
    let levels = |line: fn(usize) -> String, last: &str| -> String {
        let lines: String = (0..60).map(line).collect();
        format!("a: ${{k0}}\n{lines}k60: {last}\n")
    };
    let text = levels(|i| format!("k{i}: \"${{k{0}}}${{k{0}}}\"\n", i + 1), "x");
    let empty = levels(|i| format!("k{i}: \"${{k{0}}}${{k{0}}}\"\n", i + 1), "\"\"");
    let lists = levels(
        |i| format!("k{i}: [\"${{k{0}}}\", \"${{k{0}}}\"]\n", i + 1),
        "[]",
    );
    for lines in [text, empty, lists] {
        let error = a(&lines).unwrap_err().to_string();
        assert!(
            error.contains("without bounds") || error.contains("too deeply"),
            "{error}"
        );
    }
    let chain: String = (0..5000)
        .map(|i| format!("k{i}: ${{k{}}}\n", i + 1))
        .collect();
    let error = a(&format!("a: ${{k0}}\n{chain}k5000: 1\n")).unwrap_err();
    assert_holds(&error.to_string(), &["nested too deeply"]);
}
