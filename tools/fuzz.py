#!/usr/bin/env python3
"""Runs every fuzz test of fuzz/, each for the same time, and lists how many inputs each tried.

    tools/fuzz.py --time 60              every target for a minute
    tools/fuzz.py --time 60 csv yaml     these only
    tools/fuzz.py --build                build them and stop

It needs the nightly compiler and cargo-fuzz (`make fuzz` brings that). What a target fails at lies in fuzz/artifacts/TARGET.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = sorted(path.stem for path in (ROOT / "fuzz" / "fuzz_targets").glob("*.rs"))
# An input that takes longer than this is a hang, one that takes more memory than this a failure; both as libFuzzer has them.
SECONDS, MEGABYTES = 10, 2048


def cargo_fuzz(program: Path, *arguments: str) -> list[str]:
    # Without a sanitizer: `unsafe` stands in the native engine alone, which `make sanitize` looks after; so many more inputs are tried.
    # In several units and without code that nothing calls: the build takes a fraction of the time, the targets a little more.
    build = ["--sanitizer", "none", "--debug-assertions", "--codegen-units", "16", "--strip-dead-code"]
    return ["nice", "-n", "15", str(program), "fuzz", *arguments, *build, "--fuzz-dir", "fuzz"]


def environment() -> dict[str, str]:
    return os.environ | {"RUSTUP_TOOLCHAIN": "nightly", "CARGO_INCREMENTAL": "0"}


def run(program: Path, target: str, seconds: int) -> tuple[str, int, bool]:
    """Returns the target, the number of inputs that it tried, and whether nothing was found."""
    (ROOT / "fuzz" / "corpus" / target).mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", "-verbosity=1"]
    command = cargo_fuzz(program, "run") + [target, "--", *options]
    ended = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, errors="replace", check=False)
    counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", ended.stderr)
    tried = int(counted[1]) if counted else 0
    if ended.returncode != 0:
        sys.stderr.write(f"== {target}\n" + "\n".join(ended.stderr.splitlines()[-60:]) + "\n")
    return target, tried, ended.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], help="targets; all where none is named")
    parser.add_argument("--time", type=int, default=60, help="seconds for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--cargo-fuzz", type=Path, default=Path(shutil.which("cargo-fuzz") or "cargo-fuzz"))
    parser.add_argument("--build", action="store_true", help="build the targets and stop")
    given = parser.parse_args()
    subprocess.run(cargo_fuzz(given.cargo_fuzz, "build"), cwd=ROOT, env=environment(), check=True)
    if given.build:
        return 0
    targets = given.targets or TARGETS
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda target: run(given.cargo_fuzz, target, given.time), targets))
    for target, tried, is_good in results:
        print(f"{target:16} {tried:12,} inputs{'' if is_good else '   FAILED: fuzz/artifacts/' + target}")
    print(f"{'together':16} {sum(tried for _, tried, _ in results):12,} inputs")
    return int(not all(is_good for *_, is_good in results))


if __name__ == "__main__":
    sys.exit(main())
