#!/usr/bin/env python3
"""Tests of setup_cuda.py, in the manner of test_setup.py: small wheels, the real pip, no network."""

import argparse
import contextlib
import io
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

import setup
import setup_cuda
import test_setup

TAG = "manylinux_2_28_x86_64"


class SetupCudaTest(test_setup.SetupBase):
    def setUp(self):
        super().setUp()
        blas = {
            "nvidia/cu13/lib/libcublas.so.13": "blas",
            "nvidia/cu13/lib/libnvblas.so.13": "not wanted",
        }
        self.blas = test_setup.make_wheel(self.index, "fake_blas", "2.0", TAG, blas)
        libraries = ("torch/lib/libtorch_cuda.so", "nvidia/cu13/lib/libcublas.so.13")
        source = setup.Source((self.wheel, self.blas), libraries)
        self.patch(mock.patch.object(setup_cuda, "source_for_this_machine", return_value=source))
        self.cuda = self.third / "libtorch-cuda"

    def run_cuda(self, force=False, keep_downloads=False):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            setup_cuda.run(argparse.Namespace(force=force, keep_downloads=keep_downloads), self.third)
        return output.getvalue()

    def test_both_libtorchs_are_laid_out_with_one_download_of_torch(self):
        said = self.run_cuda()
        self.assertIn("GB to download", said)
        self.assertEqual(said.count(f"{self.wheel.filename}: downloading"), 1)
        self.assertEqual((self.third / "libtorch" / "lib" / "libtorch_cpu.so").read_text(), "library")
        self.assertEqual(
            {path.name: path.read_text() for path in (self.cuda / "lib").iterdir()},
            {"libtorch_cuda.so": "not wanted", "libcublas.so.13": "blas"},
        )
        self.assertEqual((self.cuda / "build-version").read_text(), "2.11.0+cu130\n")
        # The size of the library that the program is linked to: the program compares it before it loads anything.
        self.assertIn("libtorch_cpu.so 7\n", (self.cuda / ".complete").read_text())
        self.assertFalse((self.third / "download").exists())
        # What cargo links to stays without CUDA.
        self.assertFalse((self.third / "libtorch" / "lib" / "libtorch_cuda.so").exists())
        self.assertEqual(self.run_cuda().count("nothing to do"), 2)

    def test_a_damaged_set_up_is_done_again(self):
        self.run_cuda(keep_downloads=True)
        (self.cuda / "lib" / "libcublas.so.13").unlink()
        self.assertIn("already downloaded", self.run_cuda(keep_downloads=True))
        self.assertTrue((self.cuda / "lib" / "libcublas.so.13").is_file())

    def test_a_library_that_does_not_load_stops_it_and_names_the_cure(self):
        self.run_setup()
        stop = setup.Stop("no")
        with mock.patch.object(setup, "check_loads", side_effect=stop) as check, self.assertRaises(setup.Stop):
            self.run_cuda()
        names = [path.name for path in check.call_args.args]
        self.assertEqual(names, ["libtorch_cpu.so", "libtorch_cuda.so"])
        self.assertFalse(self.cuda.exists())

    def test_a_download_that_fails_says_how_to_go_on(self):
        (self.index / self.blas.filename).unlink()
        with self.assertRaisesRegex(setup.Stop, "could not download .*(?s:.*)run\n`make setup-cuda` again"):
            self.run_cuda()
        self.assertFalse(self.cuda.exists())

    def test_another_file_than_the_recorded_one_is_refused(self):
        source = setup.Source((self.wheel, self.blas._replace(sha256="0" * 64)), ())
        with mock.patch.object(setup_cuda, "source_for_this_machine", return_value=source):
            with self.assertRaisesRegex(setup.Stop, "(?s)SHA-256 mismatch.*`make setup-cuda`"):
                self.run_cuda()
        self.assertFalse(self.cuda.exists())

    def test_little_disk_space_stops_before_the_download(self):
        self.run_setup()
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=3_000_000_000)):
            with self.assertRaisesRegex(setup.Stop, "3.00 GB free, set-up needs 5.70 GB"):
                self.run_cuda()

    def test_own_libtorch_wins_and_has_to_have_cuda(self):
        lib = self.third.parent / "own" / "lib"
        lib.mkdir(parents=True)
        (lib / "libtorch_cpu.so").touch()
        os.environ["LIBTORCH"] = str(lib.parent)
        with self.assertRaisesRegex(setup.Stop, "holds no libtorch_cuda.so"):
            self.run_cuda()
        (lib / "libtorch_cuda.so").touch()
        self.assertIn("its CUDA is used", self.run_cuda())
        os.environ["LIBTORCH_USE_PYTORCH"] = "1"
        self.assertIn("its CUDA is used", self.run_cuda())
        self.assertFalse(self.third.exists())


class MachineTest(unittest.TestCase):
    def test_only_linux_on_x86_64(self):
        with mock.patch("platform.machine", return_value="aarch64"):
            with self.assertRaisesRegex(setup.Stop, "Linux on x86_64 only(?s:.*)works on the CPU"):
                setup_cuda.source_for_this_machine()

    def test_the_wheel_of_torch_is_that_of_libtorch(self):
        # Another one's libraries would not fit the libtorch_cpu.so that the program is linked to.
        self.assertIn(setup.SOURCES["x86_64"].wheels[0], setup_cuda.SOURCE.wheels)

    def test_no_two_libraries_have_one_name(self):
        names = [Path(library).name for library in setup_cuda.SOURCE.libraries]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
