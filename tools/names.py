#!/usr/bin/env python3
"""One name, one type: fail when two types of the workspace that more than one file can see have the same name.

A type that is private to its file may be called as it likes. Associated types, and types in functions and in tests, don't count.

    python3 tools/type_names.py           # the names that are used twice, and where
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFINITION = re.compile(r"^(?P<seen>pub(?:\([^)]*\))?\s+)(?:unsafe\s+|auto\s+)*(?:struct|enum|union|trait|type)\s+(?P<name>[A-Z]\w*)")


def sources() -> list[Path]:
    """The Rust files of `src/` and of `crates/*/src`, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src/*.rs", "crates/*/src/*.rs"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def names(files: list[Path]) -> dict[str, list[str]]:
    """Where each type that another file can see is defined, by its name."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = DEFINITION.match(line)
            if match:
                found[match["name"]].append(f"{file.relative_to(ROOT)}:{number}")
    return found


def main() -> int:
    found = names(sources())
    if not found:
        print("type_names: error: no type found: is this the workspace?", file=sys.stderr)
        return 1
    twice = {name: places for name, places in sorted(found.items()) if len(places) > 1}
    for name, places in twice.items():
        print(f"{name}: {', '.join(places)}")
    if twice:
        print(f"type_names: error: {len(twice)} names stand for more than one type each", file=sys.stderr)
        return 1
    print(f"type_names: {len(found)} types that more than one file sees, no name twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
