#!/usr/bin/env python3
"""Write the TextMate grammar of the script language with odesync's words, editors/vscode/syntaxes/odesync.tmLanguage.json.

The words are the functions and members of docs/src/functions.md, which the program writes. VS Code, JupyterLab's file viewer by way of an
extension, Sublime Text, GitHub's linguist and Quarto read such a grammar.

    python3 tools/grammar.py [--check]
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "docs" / "src" / "functions.md"
GRAMMAR = ROOT / "editors" / "vscode" / "syntaxes" / "odesync.tmLanguage.json"

HEADING = re.compile(r"^### `(.*)`$", re.MULTILINE)
CONTROL = "if else switch while loop for in do until break continue return throw try catch import export as".split()
DECLARATION = "let const fn private".split()


def words(text):
    """Functions, members and constants of the headings: `solve(f, u0, t) -> Solution`, `run.best_mse -> float`, `PI -> float`."""
    functions, members, constants = set(), set(), set()
    for heading in HEADING.findall(text):
        name = re.match(r"([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\s*(\(?)", heading)
        if name is None:
            continue
        first, member, call = name.groups()
        if member:
            members.add(member)
        elif call:
            functions.add(first)
        elif first.isupper():
            constants.add(first)
    return sorted(functions), sorted(members), sorted(constants)


def any_of(names):
    return "|".join(names)


def grammar(text):
    functions, members, constants = words(text)
    string = {"name": "constant.character.escape.rhai", "match": r"\\(?:[\\\"'tnr0]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"}
    return {
        "name": "odesync (rhai)",
        "scopeName": "source.rhai",
        "fileTypes": ["rhai"],
        "firstLineMatch": r"^#!.*\bodesync\b",
        "patterns": [{"include": "#code"}],
        "repository": {
            "code": {
                "patterns": [
                    {"name": "comment.line.shebang.rhai", "match": r"\A#!.*$"},
                    {"include": "#comment"},
                    {"name": "comment.line.double-slash.rhai", "match": r"//.*$"},
                    {"name": "string.quoted.double.rhai", "begin": '"', "end": '"', "patterns": [string]},
                    {"name": "string.quoted.single.rhai", "match": r"'(?:[^'\\]|\\.)'"},
                    {
                        "name": "string.interpolated.rhai",
                        "begin": "`",
                        "end": "`",
                        "patterns": [
                            {"name": "meta.embedded.rhai", "begin": r"\$\{", "end": r"\}", "patterns": [{"include": "#code"}]}
                        ],
                    },
                    {"name": "constant.numeric.rhai", "match": r"\b(?:0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?)\b"},
                    {"name": "constant.language.rhai", "match": r"\b(?:true|false|this|" + any_of(constants) + r")\b"},
                    {"name": "storage.type.rhai", "match": r"\b(?:" + any_of(DECLARATION) + r")\b"},
                    {"name": "keyword.control.rhai", "match": r"\b(?:" + any_of(CONTROL) + r")\b"},
                    {"name": "variable.other.member.rhai", "match": r"(?<=\.)(?:" + any_of(members) + r")\b"},
                    {"name": "support.function.odesync.rhai", "match": r"(?<!\.)\b(?:" + any_of(functions) + r")(?=\s*\()"},
                    {"name": "entity.name.function.rhai", "match": r"\b[A-Za-z_]\w*(?=\s*\()"},
                    {"name": "entity.other.attribute-name.rhai", "match": r"\b[A-Za-z_]\w*(?=\s*:(?!:))"},
                    {"name": "keyword.operator.rhai", "match": r"\*\*=?|[-+*/%]=?|==|!=|<=|>=|&&|\|\||=>|\.\.=?|[<>!=|&]"},
                ]
            },
            "comment": {"name": "comment.block.rhai", "begin": r"/\*", "end": r"\*/", "patterns": [{"include": "#comment"}]},
        },
    }


def main():
    text = json.dumps(grammar(FUNCTIONS.read_text(encoding="utf-8")), indent=2, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        if not GRAMMAR.exists() or GRAMMAR.read_text(encoding="utf-8") != text:
            sys.exit(f"{GRAMMAR.relative_to(ROOT)} is not that of docs/src/functions.md: run tools/grammar.py")
        return
    GRAMMAR.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
