#!/usr/bin/env python3
"""Tests of size_by_crate.py."""

import unittest

import size_by_crate

LISTING = """\
0000000000001000 0000000000000010 t rhai::engine::Engine::new
0000000000001010 0000000000000020 T <rhai::Dynamic as core::fmt::Debug>::fmt
0000000000001030 0000000000000004 r <&mut serde_json[1a2b]::Value as core::fmt::Display>::fmt
0000000000001040 0000000000000100 b std::STATE
0000000000001040 0000000000000008 R anon.1234.5
                 U at::_ops::add_Tensor::call(at::Tensor const&, long)
0000000000001050 T no_size
"""


class SizesTest(unittest.TestCase):
    def test_symbols_count_for_their_crates(self):
        self.assertEqual(size_by_crate.sizes(LISTING), {"rhai": 0x30, "serde_json": 4, "": 8})


if __name__ == "__main__":
    unittest.main()
