#!/usr/bin/env python3
"""Fills the corpora of the fuzz tests with what the ordinary tests read: files of every format, checkpoints, configurations, code.

    python3 fuzz/seeds.py [--program target/debug/odesync]

A corpus is `fuzz/corpus/TARGET`; what is there stays.
"""

import argparse
import hashlib
import json
import re
import struct
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 1 << 16


def add(target: str, data: bytes) -> None:
    """Adds an input to a corpus, under a name made of its content."""
    if len(data) <= LARGEST:
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def files(*patterns: str) -> list[Path]:
    """Files of the checkout by patterns."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())


def add_files(target: str, *patterns: str, prefix: bytes = b"") -> None:
    for path in files(*patterns):
        add(target, prefix + path.read_bytes())


def rust_texts(*patterns: str) -> list[str]:
    """The texts that stand in quotes in the tests."""
    found = []
    for path in files(*patterns):
        for raw in re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8"), flags=re.S):
            plain = re.sub(r"\\\n\s*", "", raw)
            for escape, letter in (("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\\\", "\\")):
                plain = plain.replace(escape, letter)
            found.append(plain)
    return found


def data() -> None:
    add_files("csv", "**/tests/**/*.csv", prefix=b"\0")
    tests = "crates/train/src/datasets/tests/"
    for text in rust_texts(tests + "csv*.rs"):
        if "\n" in text:
            for options in (0, 1 << 3, 1 << 5):
                add("csv", bytes([options]) + text.encode())
    for target, pattern in (
        ("npy", "npy"), ("npz", "npz"), ("safetensors", "safetensors"), ("excel", "xlsx"), ("matlab", "mat"),
        ("hdf5", "h5"), ("parquet", "parquet"),
    ):
        add_files(target, f"tests/**/*.{pattern}", f"crates/*/tests/**/*.{pattern}")
    for path in files("crates/train/tests/data/tables/*.mat"):
        add("hdf5", path.read_bytes())
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    add("npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(48))
    for text in rust_texts(tests + "json.rs"):
        if "{" in text:
            add("json", text.encode())
    add("json", b'{"t": [0, 1, 2], "u": [[1, 2], [3, 4], [5, null]]}')
    for text in rust_texts(tests + "schmidt_lipson.rs"):
        if "\n" in text:
            add("schmidt_lipson", b"\0" + text.encode())
    add("schmidt_lipson", b"\0% trial t x v\n0 0.0 1.0 2.0\n0 0.1 1.5 2.5\n1 0.0 3.0 4.0\n1 0.1 3.5 4.5\n")


def runs(program: Path) -> None:
    trainings = (
        "vanilla(), #{ epochs: 3, out: \"run\" }",
        "homotopy(#{ coupling: 2.0 }), #{ epochs: 2, trajectory_every: 1, out: \"run\" }",
        "multiple_shooting(#{ segments: 2 }), #{ epochs: 2, out: \"run\" }",
        "weak_constraint(), #{ epochs: 2, out: \"run\" }",
    )
    for training in trainings:
        with tempfile.TemporaryDirectory() as folder:
            code = (
                "let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.25)); "
                f"train(blackbox([2, 2, 2], \"tanh\"), d, {training});"
            )
            subprocess.run([program, "--quiet", "eval", code], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            for name in ("last", "best"):
                bytes_ = (Path(folder) / "run" / f"{name}.safetensors").read_bytes()
                add("checkpoint", bytes_)
                (size,) = struct.unpack("<Q", bytes_[:8])
                entry = json.loads(bytes_[8 : 8 + size])["__metadata__"]["odesync"]
                add("equations_file", json.loads(entry)["model"].encode())


def configs() -> None:
    overrides = set()
    for path in files("docs/src/**/*.md", "README.md", "tests/program/*.rs", "crates/config/src/tests/*.rs"):
        text = path.read_text(encoding="utf-8")
        overrides |= set(re.findall(r"[+~]{0,2}[a-z_]+(?:\.[a-z_0-9]+)*=[^\s\"`]+", text))
    for text in sorted(overrides):
        add("override", text.encode())
    some = sorted(text for text in overrides if "." in text)
    for i, path in enumerate(files("configs/**/*.yaml")):
        add("yaml", b"\n" + path.read_bytes())
        add("yaml", some[i % len(some)].encode() + b"\n" + path.read_bytes())
    for text in rust_texts("crates/config/src/tests/*.rs", "crates/config/src/*/tests.rs"):
        if ":" in text:
            add("yaml", b"\n" + text.encode())


def scripts() -> None:
    codes = [path.read_text(encoding="utf-8") for path in files("scripts/*.rhai", "tests/bits/*.rhai")]
    for path in files("docs/src/**/*.md", "README.md"):
        codes += re.findall(r"```rhai\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.S)
    codes += [text for text in rust_texts("crates/script/tests/script/*.rs", "crates/script/tests/script/messages/*.rs") if "(" in text]
    for code in codes:
        add("script_parse", b"\xff" + code.encode())
        add("script_parse", b"\x80" + code.encode())
        # Trainings in full would take the time of thousands of inputs.
        if len(code) < 400 and not re.search(r"train|discover|ensemble|hessian|landscape|experiment|sleep|loop", code):
            add("script_run", code.encode())


def kernel() -> None:
    header = json.dumps({"msg_id": "1", "session": "s", "username": "u", "date": "", "msg_type": "execute_request", "version": "5.4"})
    contents = (
        {"code": "let x = 1", "silent": False},
        {"code": "pri", "cursor_pos": 3},
        {"hist_access_type": "tail", "n": 3, "output": True, "raw": True},
        {"hist_access_type": "range", "session": 0, "start": 1, "stop": 2, "output": False, "raw": True},
        {"hist_access_type": "search", "pattern": "x*", "n": 2, "unique": True, "output": False, "raw": True},
        {"comm_id": "a", "data": {"method": "update", "state": {"value": 1}}},
    )
    greeting = bytes([0xFF] + [0] * 8 + [0x7F, 3, 0]) + b"NULL" + bytes(48)
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x01a"
    for content in contents:
        parts = [header, "{}", "{}", json.dumps(content)]
        add("messages", "\n".join(parts).encode())
        frames = [b"me", b"<IDS|MSG>", b"", *(part.encode() for part in parts)]
        wire = greeting + bytes([4, len(ready)]) + ready
        for i, frame in enumerate(frames):
            more = int(i + 1 < len(frames))
            wire += (bytes([more, len(frame)]) if len(frame) < 256 else bytes([more | 2]) + struct.pack(">Q", len(frame))) + frame
        add("wire", wire)


def equations() -> None:
    for seed in range(64):
        digest = b"".join(hashlib.sha256(bytes([seed, i])).digest() for i in range(8))
        add("equations", digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "debug" / "odesync")
    program = parser.parse_args().program.resolve()
    data()
    runs(program)
    configs()
    scripts()
    kernel()
    equations()
    for folder in sorted(CORPUS.iterdir()):
        print(f"{folder.name:16} {len(list(folder.iterdir())):5} seeds")


if __name__ == "__main__":
    main()
