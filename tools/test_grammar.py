"""The grammar of editors is that of the functions there are, and tells apart what stands in a script."""

import json
import re
import unittest
from pathlib import Path

import grammar

ROOT = Path(__file__).resolve().parent.parent


class Grammar(unittest.TestCase):
    def setUp(self):
        self.made = grammar.grammar(grammar.FUNCTIONS.read_text(encoding="utf-8"))

    def test_is_up_to_date(self):
        self.assertEqual(json.loads(grammar.GRAMMAR.read_text(encoding="utf-8")), self.made, "run tools/grammar.py")

    def test_tells_words_apart(self):
        rules = self.made["repository"]["code"]["patterns"]

        def scope(line, word):
            """The scope of the first rule that matches at the word, as an editor chooses it."""
            at = line.index(word)
            for rule in rules:
                for match in re.finditer(rule.get("match", "(?!)"), line):
                    if match.start() == at:
                        return rule["name"].split(".rhai")[0]
            return None

        line = "let run = train(blackbox([2, 1.5e-3]), data, own(1)); if run.best_mse < INF { plot(run) } // end"
        expected = {
            "let": "storage.type", "train": "support.function.odesync", "blackbox": "support.function.odesync", "1.5e-3": "constant.numeric",
            "own": "entity.name.function", "if": "keyword.control", "best_mse": "variable.other.member", "INF": "constant.language",
            "plot": "support.function.odesync", "// end": "comment.line.double-slash", "data": None,
        }
        self.assertEqual({word: scope(line, word) for word in expected}, expected)
        self.assertEqual(scope("#{ epochs: 3 }", "epochs"), "entity.other.attribute-name")

    def test_the_extension_names_files_that_exist(self):
        folder = ROOT / "editors" / "vscode"
        package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        language, declared = package["contributes"]["languages"][0], package["contributes"]["grammars"][0]
        self.assertEqual(declared["scopeName"], self.made["scopeName"])
        for path in (language["configuration"], declared["path"]):
            self.assertTrue((folder / path).is_file(), path)


if __name__ == "__main__":
    unittest.main()
