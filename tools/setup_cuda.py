#!/usr/bin/env python3
"""Put the CUDA part of libtorch into third/libtorch-cuda, so that the torch engine finds an NVIDIA GPU.

It is that of PyTorch's own wheel, with NVIDIA's libraries: about 2.5 GB to download, 3 GB kept, 5.7 GB free needed
meanwhile. libtorch itself is set up first where it is not. Nothing is exported and nothing is built anew: the program loads
these libraries when a CUDA device is first asked for. The GPU's driver is not among them: it belongs to the system, and has
to be of version 580 or later. Safe to run again, as setup.py is.

Your own libtorch wins, and nothing is downloaded: CUDA is then that beside it.
"""

import argparse
import os
import platform
import shutil
from pathlib import Path

import setup
from setup import Job, Source, Stop, Wheel, say

TORCH = setup.SOURCES["x86_64"].wheels[0]
BUILD = f"{setup.VERSION}+cu130"

JOB = Job(
    command="make setup-cuda",
    free_bytes_needed=5_700_000_000,
    kept="3 GB",
    ways_out="Without CUDA everything works on the CPU. With a libtorch of your own that has CUDA: set LIBTORCH and build again.",
)


def nvidia(name, version, tag, sha256):
    """A wheel of NVIDIA's; a tag may be given with the older one that it includes."""
    filename = f"{name.replace('-', '_')}-{version}-py3-none-{tag}.whl"
    return Wheel(f"{name}=={version}", tag.split(".")[0], filename, sha256)


# What torch 2.11.0 of PyPI requires, less what only Python and several GPUs at a time need.
SOURCE = Source(
    wheels=(
        TORCH,
        nvidia(
            "nvidia-cublas",
            "13.1.0.3",
            "manylinux_2_27_x86_64",
            "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
        ),
        nvidia(
            "nvidia-cuda-nvrtc",
            "13.0.88",
            "manylinux2010_x86_64.manylinux_2_12_x86_64",
            "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
        ),
        nvidia(
            "nvidia-cudnn-cu13",
            "9.19.0.56",
            "manylinux_2_27_x86_64",
            "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf",
        ),
        nvidia(
            "nvidia-cufft",
            "12.0.0.61",
            "manylinux2014_x86_64.manylinux_2_17_x86_64",
            "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
        ),
        nvidia(
            "nvidia-cufile",
            "1.15.1.6",
            "manylinux2014_x86_64.manylinux_2_17_x86_64",
            "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
        ),
        nvidia(
            "nvidia-curand",
            "10.4.0.35",
            "manylinux_2_27_x86_64",
            "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
        ),
        nvidia(
            "nvidia-cusolver",
            "12.0.4.66",
            "manylinux_2_27_x86_64",
            "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112",
        ),
        nvidia(
            "nvidia-cusparse",
            "12.6.3.3",
            "manylinux2014_x86_64.manylinux_2_17_x86_64",
            "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
        ),
        nvidia(
            "nvidia-cusparselt-cu13",
            "0.8.0",
            "manylinux2014_x86_64",
            "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd",
        ),
        nvidia(
            "nvidia-nccl-cu13",
            "2.28.9",
            "manylinux_2_18_x86_64",
            "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42",
        ),
        nvidia(
            "nvidia-nvjitlink",
            "13.0.88",
            "manylinux2010_x86_64.manylinux_2_12_x86_64",
            "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b",
        ),
        nvidia(
            "nvidia-nvshmem-cu13",
            "3.4.5",
            "manylinux2014_x86_64.manylinux_2_17_x86_64",
            "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
        ),
    ),
    # All in one folder: each of them looks for its neighbours in $ORIGIN too.
    libraries=(
        "torch/lib/libtorch_cuda.so",
        "torch/lib/libtorch_cuda_linalg.so",
        "torch/lib/libtorch_nvshmem.so",
        "torch/lib/libc10_cuda.so",
        "torch/lib/libcaffe2_nvrtc.so",
        "nvidia/cu13/lib/libcublas.so.13",
        "nvidia/cu13/lib/libcublasLt.so.13",
        "nvidia/cu13/lib/libcufft.so.12",
        "nvidia/cu13/lib/libcufile.so.0",
        "nvidia/cu13/lib/libcurand.so.10",
        "nvidia/cu13/lib/libcusolver.so.12",
        "nvidia/cu13/lib/libcusparse.so.12",
        "nvidia/cu13/lib/libnvJitLink.so.13",
        "nvidia/cu13/lib/libnvrtc.so.13",
        "nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
        "nvidia/cudnn/lib/libcudnn.so.9",
        "nvidia/cudnn/lib/libcudnn_adv.so.9",
        "nvidia/cudnn/lib/libcudnn_cnn.so.9",
        "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
        "nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9",
        "nvidia/cudnn/lib/libcudnn_graph.so.9",
        "nvidia/cudnn/lib/libcudnn_heuristic.so.9",
        "nvidia/cudnn/lib/libcudnn_ops.so.9",
        "nvidia/cusparselt/lib/libcusparseLt.so.0",
        "nvidia/nccl/lib/libnccl.so.2",
        "nvidia/nvshmem/lib/libnvshmem_host.so.3",
    ),
)


def source_for_this_machine():
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise Stop(f"CUDA's libraries are recorded for Linux on x86_64 only, and this is {system} on {machine}.\n{JOB.ways_out}")
    return SOURCE


def own_libtorch(environ):
    """A line about the user's own libtorch and its CUDA, or None where setup is to bring both."""
    own = setup.own_libtorch(environ)
    if own is not None and "LIBTORCH_USE_PYTORCH" not in environ:
        lib = Path(environ.get("LIBTORCH_LIB", environ["LIBTORCH"])) / "lib"
        if not (lib / "libtorch_cuda.so").exists():
            raise Stop(
                f"LIBTORCH is {environ['LIBTORCH']}, and {lib} holds no libtorch_cuda.so: it is a libtorch without CUDA.\n"
                f"Take one with CUDA, or unset LIBTORCH to let `{JOB.command}` bring libtorch {BUILD}."
            )
    return own and own.replace("nothing to download", "its CUDA is used, nothing to download")


def stamp_text(source, third):
    """What third/libtorch-cuda/.complete says: as for libtorch, and the size of the libtorch_cpu.so that it belongs to."""
    cpu = third / "libtorch" / "lib" / "libtorch_cpu.so"
    return setup.stamp_text(source, third / "libtorch-cuda" / "lib") + f"{cpu.name} {cpu.stat().st_size}\n"


def is_complete(source, third):
    stamp = third / "libtorch-cuda" / ".complete"
    return stamp.is_file() and stamp.read_text() == stamp_text(source, third)


def install(source, third):
    target, fresh = third / "libtorch-cuda", third / "libtorch-cuda.new"
    wheels = setup.download(source, third, fresh, JOB)
    say("unpacking")
    setup.unpack(source, wheels, fresh, with_headers=False)
    setup.check_loads(
        third / "libtorch" / "lib" / "libtorch_cpu.so",
        fresh / "lib" / "libtorch_cuda.so",
        what="CUDA's part of libtorch",
        job=JOB,
    )
    (fresh / "build-version").write_text(f"{BUILD}\n")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    # Last, as it names the sizes of what is in place.
    (target / ".complete").write_text(stamp_text(source, third))


def run(arguments, third=setup.ROOT / "third"):
    own = own_libtorch(os.environ)
    if own is not None:
        say(own)
        return
    source = source_for_this_machine()
    # Both need the same wheel of torch.
    setup.run(argparse.Namespace(force=False, keep_downloads=True), third)
    ready = f"libtorch {BUILD} is in {third / 'libtorch-cuda'}"
    with setup.alone(third):
        if not arguments.force and is_complete(source, third):
            say(f"{ready}; nothing to do")
        else:
            say("CUDA's libraries are 2.5 GB to download and 3 GB on disk")
            install(source, third)
            say(f"{ready}; `odesync doctor` says whether a GPU can be used")
        if not arguments.keep_downloads:
            shutil.rmtree(third / "download", ignore_errors=True)


if __name__ == "__main__":
    setup.main(__doc__, run, JOB)
