#!/usr/bin/env python3
"""Tests of module_cycles.py, with small crates made here."""

import tempfile
import unittest
from pathlib import Path

import module_cycles


def cycles(**files):
    """What is reported of a crate with these files, `a__b` being `a/b.rs`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, f"{name.replace('__', '/')}.rs")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        lines = module_cycles.report([Path(folder) / "lib.rs"])
        return [line.replace(f"{folder}/", "").replace(folder, ".") for line in lines]


class ModuleCycles(unittest.TestCase):
    """What counts and what does not."""

    def test_two_folders(self):
        self.assertEqual(
            cycles(
                lib="mod a; mod b;",
                a__mod="mod one;",
                a__one="use crate::b::two::Two;",
                b__mod="pub mod two;\npub struct B;",
                b__two="pub struct Two(\n  super::super::a::One);",
            ),
            [
                ".: a/, b/ use each other:",
                "  a -> b  (a/one.rs:1: crate::b::two::Two)",
                "  b -> a  (b/two.rs:2: super::super::a::One)",
            ],
        )

    def test_a_folder_and_files_through_one_another(self):
        found = cycles(
            lib="mod a; mod b; mod c;",
            a="mod inner;",
            a__inner="fn f() { let b = crate::b::make::<u8>(); }",
            b="use super::{c::{self as see, C}, a as _};",
            c="use crate::a::*;",
        )
        self.assertEqual(found[0], ".: a/, b, c use each other:")

    def test_files_of_one_folder(self):
        self.assertEqual(cycles(lib="mod a; mod b;", a="use super::b::B;", b="use super::a::A;"), [])

    def test_parents_and_children(self):
        self.assertEqual(
            cycles(
                lib="mod a; pub use a::inner::Inner; pub struct Error;",
                a__mod="pub mod inner; use inner::Inner; pub struct Own;",
                a__inner="use super::Own; use crate::Error;",
            ),
            [],
        )

    def test_what_a_parent_hands_on_is_where_it_was_defined(self):
        found = cycles(
            lib="mod a; mod b; pub use b::B; use ndarray::Array;",
            a__mod="mod inner;",
            a__inner="use crate::{Array, B};",
            b="use crate::a::A;",
        )
        self.assertEqual(found[1:], ["  a -> b  (a/inner.rs:1: crate::B)", "  b -> a  (b.rs:1: crate::a::A)"])

    def test_a_macro_that_is_handed_on(self):
        found = cycles(
            lib="mod a; mod b;",
            a__mod="mod inner; use super::b::say;",
            a__inner="",
            b="macro_rules! say { () => { $crate::a::A } }\npub(crate) use say;",
        )
        self.assertEqual(found[0], ".: a/, b use each other:")

    def test_tests_comments_and_texts(self):
        self.assertEqual(
            cycles(
                lib="mod a; mod b;",
                a__mod="mod inner;",
                a__inner="use crate::b::B;",
                b="""
                //! [`crate::a::A`]
                const TEXT: &str = "crate::a::A"; const LETTER: char = '"'; const RAW: &str = r#"crate::a"::A"#;
                fn f<'a>(x: &'a str) {}
                #[cfg(test)]
                #[allow(unused)]
                mod tests { use crate::a::A; mod more { use super::super::super::a::A; } }
                #[cfg(test)]
                use crate::a::Other;
                """,
            ),
            [],
        )

    def test_a_module_within_a_file(self):
        found = cycles(
            lib="mod a; mod b;",
            a__mod="pub mod deep { pub mod deeper { use super::super::super::b::B; } }",
            b="use crate::a::deep::deeper;",
        )
        self.assertEqual(found[0], ".: a/, b use each other:")


if __name__ == "__main__":
    unittest.main()
