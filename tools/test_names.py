#!/usr/bin/env python3
"""Tests of names.py, with small checkouts made here."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import names


def report(files):
    """What is said of a checkout with these files, by path."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        for path, text in {names.RETIRED: "# Gone.\nCourse  Integrator\nenum Stop  StopReason\n", **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return names.report(root)


class Types(unittest.TestCase):
    """One name, one type."""

    def test_a_name_that_two_files_see(self):
        lines = report({"src/a.rs": "pub struct Key;\n", "crates/ode/src/deep/b.rs": "\npub(super) enum Key {}\n"})
        self.assertEqual(lines, ["Key is more than one type: crates/ode/src/deep/b.rs:2, src/a.rs:1"])

    def test_what_is_private_to_a_file_or_to_a_block(self):
        text = "struct Key;\npub fn f() {\n    struct Key;\n}\npub trait T {\n    type Key;\n}\n"
        self.assertEqual(report({"src/a.rs": "pub type Key = u8;\n", "src/b.rs": text}), [])


class Retired(unittest.TestCase):
    """Names that are gone."""

    def test_in_code_comments_and_docs(self):
        lines = report({"src/a.rs": "struct Course; // a Course\n", "docs/src/x.md": "The `Course`.\n"})
        self.assertEqual([line.split(": ")[0] for line in lines], ["docs/src/x.md:1", "src/a.rs:1", "src/a.rs:1"])
        self.assertIn("it is Integrator now", lines[0])

    def test_whole_words_only_and_two_words_as_they_stand(self):
        self.assertEqual(report({"src/a.rs": "struct Courses; struct Stop; // enum StopReason\n"}), [])
        self.assertEqual(len(report({"src/a.rs": "enum Stop {}\n"})), 1)

    def test_the_changelog_may_name_them(self):
        self.assertEqual(report({"CHANGELOG.md": "Course is Integrator.\n"}), [])


if __name__ == "__main__":
    unittest.main()
