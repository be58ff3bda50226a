#!/usr/bin/env python3
"""Names that the code keeps to: each stands for one thing, and those that were retired don't come back.

1. Types: fails when two types of the workspace that more than one file can see have the same name. A type that is private to its
   file may be called as it likes. Associated types, and types in functions and in tests, don't count.
2. Retired names: fails where a name of `tools/retired_names.txt` stands in code, comments or docs. The changelog may name them.

    python3 tools/names.py [CHECKOUT]
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

DEFINITION = re.compile(r"^\s*pub(?:\([^)]*\))?\s+(?:unsafe\s+|auto\s+)*(?:struct|enum|union|trait|type)\s+([A-Z]\w*)")
RETIRED = "tools/retired_names.txt"
SEARCHED = ("*.rs", "*.md", "*.toml", "*.rhai", "*.yaml", "*.ipynb", "*.py", "Makefile")
EXEMPT = ("CHANGELOG.md", "tools/test_names.py")


def listed(root: Path, *patterns: str) -> list[Path]:
    """The files of the checkout that git knows or would add."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return [root / name for name in sorted(set(found.stdout.splitlines())) if (root / name).is_file()]


def types(root: Path) -> dict[str, list[str]]:
    """Where each type that another file can see is defined, by its name."""
    found = defaultdict(list)
    for file in listed(root, "src/*.rs", "crates/*/src/*.rs"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if match := DEFINITION.match(line):
                found[match[1]].append(f"{file.relative_to(root)}:{number}")
    return found


def retired(root: Path) -> dict[str, str]:
    """What took the place of each retired name."""
    lines = (root / RETIRED).read_text(encoding="utf-8").splitlines()
    pairs = (re.split(r"\s{2,}", line, maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {old: new for old, new in pairs}


def returned(root: Path) -> list[str]:
    """The places where a retired name stands."""
    names = retired(root)
    pattern = re.compile(r"\b(" + "|".join(re.escape(name) for name in names) + r")\b")
    places = []
    for file in listed(root, *SEARCHED):
        path = str(file.relative_to(root))
        if path in EXEMPT:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for match in pattern.finditer(line):
                places.append(f"{path}:{number}: {match[1]} is retired, it is {names[match[1]]} now")
    return places


def report(root: Path) -> list[str]:
    """What is wrong, a line each."""
    twice = {name: places for name, places in sorted(types(root).items()) if len(places) > 1}
    return [f"{name} is more than one type: {', '.join(places)}" for name, places in twice.items()] + returned(root)


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    lines = report(root)
    print("\n".join(lines) or f"no type name stands twice, none of {len(retired(root))} retired names stands anywhere")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
