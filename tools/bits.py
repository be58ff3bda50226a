#!/usr/bin/env python3
"""The record of bits: every output of the scripts of tests/bits is what tests/bits/hashes.txt says, to the bit.

    tools/bits.py                       all scripts, each with the instructions of AVX2 and without them
    tools/bits.py solve_stiff pca       these scripts only
    tools/bits.py --renew               write the list instead
    tools/bits.py --program PATH        another program than target/release/odesync

A script runs in an empty folder of its own, so that whatever it writes is known and no path of this machine gets into a file;
the files of tests/bits/data lie there in the folder data.
A line `// run: ARGUMENTS` at its head is a run with these arguments; several of them are runs one after the other in the same
folder; without one there is one run without arguments. What the runs print and every file that they leave are hashed.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "bits"
DATA = CASES / "data"
LIST = CASES / "hashes.txt"
KEPT = ROOT / "target" / "bits"
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "odesync"
SETS = ("avx2", "portable")
LIMIT = 120  # seconds for a run, which takes below two


def has_avx2():
    """Whether the program's AVX2 code, which takes FMA as well, runs on this machine."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        words = pathlib.Path("/proc/cpuinfo").read_text().split()
    except OSError:  # not Linux: macOS says it in another way
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu"], capture_output=True, text=True, check=False)
        words = asked.stdout.lower().split()
    return "avx2" in words and "fma" in words


def host():
    """What a value may depend on besides the program: sin, exp and so on of scripts are those of the C library."""
    return " ".join([platform.system(), *platform.libc_ver()]).strip()


# What differs between two runs of the same program is put to a fixed value, and nothing else is.


def plain_metrics(data):
    """metrics.csv: the column of seconds becomes 0."""
    lines = data.decode().split("\n")
    place = lines[0].split(",").index("seconds")
    for i, line in enumerate(lines[1:], 1):
        if line:
            cells = line.split(",")
            cells[place] = "0"
            lines[i] = ",".join(cells)
    return "\n".join(lines).encode()


def plain_result(data):
    """result.json: its seconds become 0."""
    return re.sub(rb'("seconds": )[0-9.eE+-]+', rb"\g<1>0", data)


def plain_checkpoint(data):
    """A checkpoint with a history: its column of seconds, the eighth, becomes 0, and the checksum, which covers it, as well."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    history = header.get("run.history")
    if history is None:
        return data
    rows, columns = history["shape"]
    values = bytearray(data)
    for row in range(rows):
        at = 8 + size + history["data_offsets"][0] + 8 * (row * columns + 7)
        values[at : at + 8] = bytes(8)
    checksum = json.loads(header["__metadata__"]["odesync"])["checksum"].encode()
    return bytes(values).replace(checksum, b"0" * len(checksum), 1)


def plain_printed(data, folder):
    """What is printed: seconds of runs become 0, and the folder, should a script name it, FOLDER."""
    data = data.replace(str(folder).encode(), b"FOLDER")
    return re.sub(rb'(\n  seconds +|"seconds": )[0-9.eE+-]+', rb"\g<1>0", data)


def plain(path, data):
    """The content of a file that is hashed; None for one that is left out."""
    if path.name == "environment.json":  # the time, versions, commit, processor, command: what this record must not depend on
        return None
    if path.name == ".lock":  # empty, and there while the program runs
        return None
    if path.name == "metrics.csv":
        return plain_metrics(data)
    if path.name == "result.json":
        return plain_result(data)
    if path.name == "last.safetensors":
        return plain_checkpoint(data)
    return data


def arguments(script):
    """The arguments of each run of a script."""
    lines = script.read_text().splitlines()
    return [line.removeprefix("// run:").split() for line in lines if line.startswith("// run:")] or [[]]


def run(program, name, isa, threads):
    """Runs one script; gives its hash, the outputs as they are hashed, by name, and what went wrong, if something did."""
    script = CASES / (name + ".rhai")
    # Settings of whoever calls this have no say.
    env = {k: v for k, v in os.environ.items() if not k.startswith("ODESYNC_") and k not in ("COLUMNS", "LINES")}
    env["ODESYNC_ISA"] = isa
    outputs, wrong = {}, None
    with tempfile.TemporaryDirectory(prefix="odesync-bits-") as folder:
        folder = pathlib.Path(folder).resolve()
        shutil.copytree(DATA, folder / "data")
        for i, args in enumerate(arguments(script), 1):
            command = [program, "--quiet", "--threads", str(threads), "run", script, *args]
            how = {"cwd": folder, "env": env, "stdin": subprocess.DEVNULL, "timeout": LIMIT}
            try:
                done = subprocess.run(command, capture_output=True, check=False, **how)
            except subprocess.TimeoutExpired:
                wrong = f"run {i} took longer than {LIMIT} s"
                break
            outputs[f"printed-{i}"] = plain_printed(done.stdout, folder)
            if done.returncode != 0:
                wrong = f"run {i} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
                break
        shutil.rmtree(folder / "data")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                content = plain(path, path.read_bytes())
                if content is not None:
                    outputs["files/" + path.relative_to(folder).as_posix()] = content
    whole = hashlib.sha256()
    for key in sorted(outputs):
        whole.update(f"{key}\n{len(outputs[key])}\n".encode() + outputs[key])
    return whole.hexdigest()[:32], outputs, wrong


def keep(root, name, isa, outputs):
    """Writes the outputs as they were hashed into a folder, to be looked at."""
    place = root / isa / name
    shutil.rmtree(place, ignore_errors=True)
    for key, content in outputs.items():
        (place / key).parent.mkdir(parents=True, exist_ok=True)
        (place / key).write_bytes(content)
    return place


def read_list():
    """The recorded hashes, by name and instruction set, and the machine they were recorded on."""
    recorded, where = {}, None
    if LIST.exists():
        for line in LIST.read_text().splitlines():
            if line.startswith("# Recorded on "):
                where = line.removeprefix("# Recorded on ")
            elif line and not line.startswith("#"):
                name, *hashes = line.split()
                if len(hashes) != len(SETS) or name in recorded:
                    sys.exit(f"bits: error: {LIST}: a line is a name and two hashes, once for each name: {line}")
                recorded[name] = dict(zip(SETS, hashes))
    return recorded, where


def write_list(recorded):
    """Writes the list."""
    lines = [
        "# The record of bits: a script of this folder, then what its outputs hash to with AVX2 and with portable instructions.",
        "# Checked by `make bits`, written by `tools/bits.py --renew`. A line changes only with the reason in the commit message.",
        f"# Recorded on {host()}",
    ]
    width = max(map(len, recorded))
    lines += [f"{name:<{width}} {hashes['avx2']} {hashes['portable']}" for name, hashes in sorted(recorded.items())]
    LIST.write_text("\n".join(lines) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("names", nargs="*", metavar="NAME", help="scripts of tests/bits, without .rhai; all unless given")
    options.add_argument("--program", default=BUILT, help="the program to run (target/release/odesync)")
    options.add_argument("--threads", type=int, default=2, help="threads of the program; no output depends on them (2)")
    options.add_argument("--renew", action="store_true", help="write the list instead of comparing with it")
    options.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="keep the outputs of all scripts in this folder")
    options = options.parse_args()

    program = pathlib.Path(options.program).resolve()
    if not program.is_file():
        sys.exit(f"bits: error: there is no {program}; `make bits` builds it")
    recorded, where = read_list()
    there = sorted(path.stem for path in CASES.glob("*.rhai"))
    if unknown := [name for name in options.names if name not in there]:
        sys.exit(f"bits: error: not in tests/bits: {', '.join(unknown)}")
    names = options.names or there
    sets = SETS if has_avx2() else ("portable",)
    if sets != SETS:
        print("bits: this machine has no AVX2: only the portable instructions are checked")
        if options.renew:
            sys.exit("bits: error: the list is written where both can be run")

    if not options.keep:  # else what an earlier call left there is about to be compared
        shutil.rmtree(KEPT, ignore_errors=True)
    wrong, differing = 0, []
    if not options.renew:
        for name in sorted(set(there) ^ set(recorded)):
            wrong += 1
            missing = "hashes.txt has no line for it" if name in there else "hashes.txt names it, but there is no such script"
            print(f"bits: {name}: {missing}")
    found: dict[str, dict[str, str]] = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {(name, isa): pool.submit(run, program, name, isa, options.threads) for name in names for isa in sets}
        for (name, isa), job in jobs.items():
            got, outputs, failure = job.result()
            found.setdefault(name, {})[isa] = got
            differs = not options.renew and name in recorded and recorded[name][isa] != got
            if options.keep:
                keep(options.keep, name, isa, outputs)
            if failure:
                print(f"bits: {name}, {isa}: {failure}")
            elif differs:
                differing.append(name)
                place = keep(KEPT, name, isa, outputs)
                print(f"bits: {name}, {isa}: {got} in place of {recorded[name][isa]}")
                print(f"      the outputs are in {os.path.relpath(place)}")
            wrong += bool(failure or differs)
    if differing:
        print("bits: to see what changed, keep what the program of before gives, and compare:")
        print(f"      tools/bits.py --program PATH --keep DIR {' '.join(dict.fromkeys(differing))}")
        print(f"      diff -r DIR {os.path.relpath(KEPT)}")
        if where not in (None, host()):
            print(f"bits: recorded on {where}, and this is {host()}, whose sin, exp and so on may differ in the last bit")
    if wrong:
        sys.exit(f"bits: {wrong} wrong")
    if options.renew:
        kept = {name: hashes for name, hashes in recorded.items() if name in there}
        write_list(kept | found)
        print(f"bits: {len(found)} lines written to {os.path.relpath(LIST)}")
    else:
        print(f"bits: {len(names)} scripts, {' and '.join(sets)}: every output has the bits of the record")


if __name__ == "__main__":
    main()
