//! The C of every field, compiled and run, against the field.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use odesync_export::{ExportOptions, export_field};

use crate::fields::{all, states};

/// Whether there is a C compiler. Without one the test is skipped, except in continuous integration (`CI=true`), where that is a
/// failure.
fn has_compiler() -> bool {
    if Command::new("cc")
        .arg("--version")
        .output()
        .is_ok_and(|out| out.status.success())
    {
        return true;
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "there is no C compiler `cc`"
    );
    println!("skipped: there is no C compiler `cc`");
    false
}

/// Returns a program that prints the derivatives at these states, one line each.
fn program(dof: usize, states: &[(f64, Vec<f64>)]) -> String {
    let mut rows = String::new();
    for (t, u) in states {
        let numbers = std::iter::once(t).chain(u).map(|x| format!("{x:?}"));
        let _ = writeln!(rows, "{{ {} }},", numbers.collect::<Vec<_>>().join(", "));
    }
    format!(
        "#include <stdio.h>\n#include \"field.c\"\nstatic double rows[][{0} + 1] = {{ {rows} }};\nint main(void)\n{{\n\
         for (unsigned i = 0; i < {1}; i++) {{\nf(rows[i][0], rows[i] + 1, rows[i] + 1);\n\
         for (int k = 1; k <= {0}; k++) printf(\"%.17g \", rows[i][k]);\nprintf(\"\\n\");\n}}\nreturn 0;\n}}\n",
        dof,
        states.len()
    )
}

/// Compiles and runs a field's program in a folder, and returns what it prints.
fn run(folder: &Path, name: &str) -> Vec<Vec<f64>> {
    let mut compiler = Command::new("cc");
    compiler.args([
        "-std=c99",
        "-pedantic",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O1",
        "-o",
        "program",
        "program.c",
        "-lm",
    ]);
    let out = compiler.current_dir(folder).output().unwrap();
    assert!(
        out.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let out = Command::new(folder.join("program")).output().unwrap();
    let numbers = |line: &str| {
        line.split_whitespace()
            .map(|x| x.parse().unwrap())
            .collect()
    };
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .map(numbers)
        .collect()
}

#[test]
fn computes_what_the_field_computes() {
    if !has_compiler() {
        return;
    }
    for (name, field) in all() {
        let folder = tempfile::tempdir().unwrap();
        export_field(
            &field,
            folder.path().join("field.c"),
            &ExportOptions::default(),
        )
        .unwrap();
        let states = states(field.dof());
        std::fs::write(
            folder.path().join("program.c"),
            program(field.dof(), &states),
        )
        .unwrap();
        let computed = run(folder.path(), name);
        assert_eq!(computed.len(), states.len(), "{name}");
        for ((t, u), computed) in states.iter().zip(&computed) {
            let expected = field.derivative(*t, u).unwrap();
            for (i, (x, y)) in computed.iter().zip(&expected).enumerate() {
                assert!(
                    (x - y).abs() <= 1e-12 * y.abs().max(1.0),
                    "{name}, component {i} at t = {t}, u = {u:?}: {x} instead of {y}"
                );
            }
        }
    }
}
