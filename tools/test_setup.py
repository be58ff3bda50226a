#!/usr/bin/env python3
"""Tests of setup.py: with small wheels made here and the real pip, in a temporary folder, without the network."""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import setup


def make_wheel(folder, name, version, tag, members):
    """A wheel that pip accepts."""
    path = folder / f"{name}-{version}-py3-none-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return setup.Wheel(f"{name}=={version}", tag, path.name, setup.sha256(path))


class SetupBase(unittest.TestCase):
    """A small libtorch to set up, in a folder of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.index = Path(scratch.name, "index")
        self.third = Path(scratch.name, "third")
        self.index.mkdir()
        members = {
            "torch/include/torch/torch.h": "// header\n",
            "torch/lib/libtorch_cpu.so": "library",
            "torch/lib/libtorch_cuda.so": "not wanted",
            "torch/setup.py": "not wanted",
        }
        self.wheel = make_wheel(self.index, "fake_torch", "1.0", "manylinux_2_28_x86_64", members)
        # What these small files need is not what a disk that happens to be nearly full has.
        self.patch(mock.patch("shutil.disk_usage", return_value=mock.Mock(free=10**12)))
        self.use((self.wheel,), ("torch/lib/libtorch_cpu.so",))
        environ = {k: v for k, v in os.environ.items() if k not in ("LIBTORCH", "LIBTORCH_LIB", "LIBTORCH_USE_PYTORCH")}
        environ.update(PIP_NO_INDEX="1", PIP_QUIET="3", PIP_FIND_LINKS=str(self.index), PIP_CONFIG_FILE=os.devnull)
        self.patch(mock.patch.dict(os.environ, environ, clear=True))
        self.patch(mock.patch.object(setup, "check_loads"))
        self.patch(mock.patch.object(setup, "check_compiler"))

    def patch(self, patcher):
        self.addCleanup(patcher.stop)
        return patcher.start()

    def use(self, wheels, libraries):
        source = setup.Source(wheels, libraries)
        self.patch(mock.patch.object(setup, "source_for_this_machine", return_value=source))

    def run_setup(self, force=False):
        """Run it and give back what it printed, pip's own lines left out."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            setup.run(argparse.Namespace(force=force, keep_downloads=True), self.third)
        return output.getvalue()

    def downloaded(self):
        return self.third / "download" / self.wheel.filename


class SetupTest(SetupBase):
    def test_first_run_lays_out_libtorch_and_second_does_nothing(self):
        self.assertIn("downloading", self.run_setup())
        libtorch = self.third / "libtorch"
        self.assertEqual((libtorch / "lib" / "libtorch_cpu.so").read_text(), "library")
        self.assertEqual((libtorch / "lib" / "libtorch.so").read_text(), "INPUT(-ltorch_cpu -lc10)\n")
        self.assertEqual((libtorch / "build-version").read_text(), "2.11.0+cpu\n")
        self.assertTrue((libtorch / "include" / "torch" / "torch.h").is_file())
        self.assertFalse((libtorch / "lib" / "libtorch_cuda.so").exists())
        self.assertFalse((libtorch / "setup.py").exists())
        self.assertIn("nothing to do", self.run_setup())

    def test_a_damaged_set_up_is_done_again(self):
        self.run_setup()
        library = self.third / "libtorch" / "lib" / "libtorch_cpu.so"
        library.write_text("lib")
        self.run_setup()
        self.assertEqual(library.read_text(), "library")
        (self.third / "cargo.toml").unlink()
        self.run_setup()
        self.assertTrue((self.third / "cargo.toml").is_file())

    def test_a_truncated_download_is_replaced(self):
        whole = (self.index / self.wheel.filename).read_bytes()
        self.downloaded().parent.mkdir(parents=True)
        self.downloaded().write_bytes(whole[: len(whole) // 2])
        self.assertIn("downloading it again", self.run_setup())
        self.assertEqual(self.downloaded().read_bytes(), whole)

    def test_a_whole_download_is_kept(self):
        whole = (self.index / self.wheel.filename).read_bytes()
        self.downloaded().parent.mkdir(parents=True)
        self.downloaded().write_bytes(whole)
        (self.index / self.wheel.filename).unlink()
        self.assertIn("already downloaded", self.run_setup())

    def test_another_file_than_the_recorded_one_is_refused(self):
        self.use((self.wheel._replace(sha256="0" * 64),), ("torch/lib/libtorch_cpu.so",))
        with self.assertRaisesRegex(setup.Stop, "(?s)SHA-256 mismatch.*recorded 0000.*received " + self.wheel.sha256):
            self.run_setup()
        self.assertFalse(self.downloaded().exists())
        self.assertFalse((self.third / "libtorch").exists())

    def test_a_download_that_fails_says_how_to_go_on(self):
        (self.index / self.wheel.filename).unlink()
        with self.assertRaisesRegex(setup.Stop, "could not download .*(?s:.*)run\n`make setup` again"):
            self.run_setup()

    def test_a_library_missing_from_the_wheel_is_named(self):
        self.use((self.wheel,), ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so"))
        with self.assertRaisesRegex(setup.Stop, "torch/lib/libc10.so"):
            self.run_setup()
        self.assertFalse((self.third / "libtorch").exists())

    def test_little_disk_space_stops_before_the_download(self):
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=300_000_000)):
            with self.assertRaisesRegex(setup.Stop, "0.30 GB free, set-up needs 1.10 GB"):
                self.run_setup()

    def test_missing_pip_is_named_with_the_cure(self):
        with mock.patch.object(setup.subprocess, "run", return_value=mock.Mock(returncode=1)):
            with self.assertRaisesRegex(setup.Stop, "has no pip(?s:.*)apt-get install python3-pip"):
                self.run_setup()

    def test_own_libtorch_wins(self):
        own = self.third.parent / "own"
        (own / "lib").mkdir(parents=True)
        os.environ["LIBTORCH"] = str(own)
        with self.assertRaisesRegex(setup.Stop, "holds no libtorch_cpu"):
            self.run_setup()
        (own / "lib" / "libtorch_cpu.so").touch()
        self.assertIn(f"cargo takes {own}", self.run_setup())
        os.environ["LIBTORCH_USE_PYTORCH"] = "1"
        self.assertIn("the active Python's PyTorch", self.run_setup())
        self.assertFalse(self.third.exists())


class MachineTest(unittest.TestCase):
    def test_an_unknown_machine_gets_the_ways_out(self):
        with mock.patch("platform.machine", return_value="riscv64"):
            with self.assertRaisesRegex(setup.Stop, "riscv64(?s:.*)LIBTORCH(?s:.*)--no-default-features"):
                setup.source_for_this_machine()

    def test_a_missing_compiler_is_named_with_the_cure(self):
        with mock.patch.dict(os.environ, {"CXX": "no-such-compiler"}):
            with self.assertRaisesRegex(setup.Stop, "no-such-compiler(?s:.*)apt-get install g"):
                setup.check_compiler()

    def test_a_library_that_does_not_load_is_an_error(self):
        with self.assertRaisesRegex(setup.Stop, "does not load"):
            setup.check_loads(Path("/nonexistent/libtorch_cpu.so"))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
