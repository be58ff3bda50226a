#!/usr/bin/env python3
"""Every place of `unsafe` is a row of the table in CONTRIBUTING.md, with the test that covers it.

A row is `| file | function | number of its unsafe blocks, functions and implementations | test |`, where the test is its file and its name. It fails
where code and table differ, and where a test is not there.

    python3 tools/unsafe_table.py            compare
    python3 tools/unsafe_table.py --list     print the rows that the code has, without their tests
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "CONTRIBUTING.md"
UNSAFE = re.compile(r"\bunsafe\s*(?:\{|fn\b|impl\b|extern\b|trait\b)")
FUNCTION = re.compile(r"\bfn\s+(\$?\w+)|\bmacro_rules!\s+(\w+)|\bunsafe\s+impl\s+(\w+)")
ROW = re.compile(r"^\| `([^`]+\.rs)` \| `([^`]+)` \| (\d+) \| `([^`]+)`, `(\w+)` \|$")


def code(text: str) -> list[str]:
    """The lines without comments and texts."""
    plain = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    return [line.split("//", 1)[0] for line in plain.splitlines()]


def places(root: Path) -> Counter:
    """How often `unsafe` stands in each function of each file."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.rs"], cwd=root, check=True, capture_output=True, text=True)
    found = Counter()
    for name in sorted(set(listed.stdout.splitlines())):
        function = "-"
        file = root / name
        for line in code(file.read_text(encoding="utf-8")) if file.is_file() else []:
            if match := FUNCTION.search(line):
                function = match[1] or match[2] or match[3]
            if UNSAFE.search(line):
                found[name, function] += len(UNSAFE.findall(line))
    return found


def main() -> int:
    found = places(ROOT)
    if "--list" in sys.argv[1:]:
        for (file, function), number in sorted(found.items()):
            print(f"| `{file}` | `{function}` | {number} |")
        return 0
    faults, listed = [], Counter()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not (row := ROW.match(line)):
            continue
        file, function, number, test_file, test = row.groups()
        listed[file, function] = int(number)
        path = ROOT / test_file
        if not path.is_file() or not re.search(rf"#\[test\](?:\s*#\[[^\]]*\])*\s*fn {test}\(|^\s*fn {test}\(", path.read_text(encoding="utf-8"), re.M):
            faults.append(f"{test_file}::{test} is not there, the test of {function} in {file}")
    for place in sorted(found.keys() | listed.keys()):
        if found[place] != listed[place]:
            faults.append(f"{place[0]}, {place[1]}: {found[place]} times in the code, {listed[place]} in the table of {TABLE.name}")
    print("\n".join(faults) if faults else f"{sum(found.values())} places of unsafe, each with a test")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
