#!/usr/bin/env python3
"""What each crate adds to the program: the sizes of its functions and constants in MB, largest first.

    python3 tools/size_by_crate.py [PROGRAM]

PROGRAM is a release build that has its symbols (target/release/odesync). Generic code counts for the crate that defines it, so that core and
alloc stand for much that other crates ask for. What has no name, as tables for unwinding and texts, is in no line.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The first name of a path, behind what a type may begin with: `<&mut rhai::Engine as core::fmt::Debug>::fmt` counts for rhai.
CRATE = re.compile(r"[<&\[(]*(?:mut |dyn |\*const |\*mut |[<&\[(])*([A-Za-z_]\w*)(?:\[[0-9a-f]+\])?::")
# Address, size, kind, name; what is not defined in the program has no address, and marks no size.
SYMBOL = re.compile(r"[0-9a-f]+ ([0-9a-f]+) (\w) (.*)")
LEAST_MB = 0.1


def sizes(listing):
    """The bytes of each crate in what `nm -S -C` says; symbols without a crate count for an empty name."""
    found = Counter()
    for line in listing.splitlines():
        symbol = SYMBOL.match(line)
        # Memory that is empty at the start (b) is not in the file.
        if symbol and symbol[2] not in "bB":
            crate = CRATE.match(symbol[3])
            found[crate[1] if crate else ""] += int(symbol[1], 16)
    return found


def main():
    program = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "target" / "release" / "odesync"
    listing = subprocess.run(["nm", "-S", "-C", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = sizes(listing)
    if not found:
        raise SystemExit(f"size_by_crate: {program} has no symbols; `cargo build --release` keeps them")
    for crate, size in found.most_common():
        if size >= LEAST_MB * 1e6:
            print(f"{size / 1e6:6.2f}  {crate or '(no crate)'}")
    print(f"{sum(found.values()) / 1e6:6.2f}  all with a name; the file has {program.stat().st_size / 1e6:.1f} MB, its symbols included")


if __name__ == "__main__":
    main()
