#!/usr/bin/env python3
"""What a notebook's kernel must do, in kernels of their own: a quick first cell, seeds and variables that go from cell to cell, an
interrupt that a training survives, errors that read well, two kernels at once, and nothing left behind.

It runs in the environment that setup_notebook.py makes.
"""

import re
import sys
import threading
import time
from contextlib import ExitStack, suppress
from queue import Empty

from jupyter_client.manager import start_new_kernel

from notebook_kernel import KERNELS, ROOT

FIRST = ':dep odesync = { path = "..", default-features = false }\nuse odesync::prelude::*;'
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# An odesync that has to be built again takes minutes, so a kernel that does that is told from a slow machine.
FIRST_AT_MOST = 60.0
LATE = 1.0


class Kernel:
    def __init__(self):
        self.manager, self.client = start_new_kernel(startup_timeout=300, kernel_name="odesync", cwd=str(ROOT / "notebooks"))

    def run(self, code, heard=lambda text: None):
        """All that a cell writes and shows, and the seconds it took."""
        texts = []

        def hook(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                texts.append(content["text"])
            elif message["msg_type"] == "error":
                texts.append("\n".join([content["evalue"], *content["traceback"]]))
            elif message["msg_type"] in ("execute_result", "display_data"):
                texts.extend(content["data"].values())
            heard("".join(texts))

        begin = time.monotonic()
        self.client.execute_interactive(code, output_hook=hook, timeout=600)
        seconds = time.monotonic() - begin
        # What a cell writes to standard error goes another way than its end, and may come after it.
        with suppress(Empty):
            while True:
                hook(self.client.get_iopub_msg(timeout=LATE))
        return ESCAPES.sub("", "".join(texts)), seconds

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def expect(what, text, *words):
    missing = [word for word in words if word not in text]
    if missing:
        sys.exit(f"{what}: no {missing} in what the kernel says:\n{text}")
    print(f"  {what}", flush=True)


def ready(kernels):
    kernel = Kernel()
    kernels.callback(kernel.close)
    text, seconds = kernel.run(FIRST)
    if text or seconds > FIRST_AT_MOST:
        sys.exit(f"the first cell took {seconds:.0f} s, and says: {text}")
    print(f"  first cell in {seconds:.1f} s", flush=True)
    return kernel


def seeds(kernel):
    # The weights of torch.manual_seed(10); torch.nn.Linear(1, 2).
    kernel.run("seed(10);")
    here, _ = kernel.run("let one = blackbox(&[1, 1])?; one.params()")
    kernel.run("seed(10);")
    there, _ = kernel.run("let other = blackbox(&[1, 1])?; other.params()")
    expect("a seed holds in the cells after it", str(here == there), "True")
    text, _ = kernel.run("(one.params() != blackbox(&[1, 1])?.params()).to_string()")
    expect("draws go on from cell to cell", text, "true")


def errors(kernel):
    text, _ = kernel.run('read_csv("../scripts/data/hudson_bay.csv", &CsvOptions { time: Some("yaer".into()), ..CsvOptions::default() })?')
    expect("a wrong column is named", text, "yaer", "year")
    text, _ = kernel.run('panic!("on purpose")')
    expect("a panic is told", text, "on purpose")
    text, _ = kernel.run("one.n_params()")
    expect("variables survive a panic", text, "2")
    text, _ = kernel.run("one.nparams()")
    expect("the compiler's error is shown", text, "nparams")


def scripts(kernel):
    # Every cell is a library of its own.
    kernel.run("let mut session = script_session()?;")
    kernel.run('rhai!(session, "fn twice(x) { 2 * x } let f = |x| twice(x) + 1; 0")?')
    text, _ = kernel.run('rhai!(session, one, "let g = f; g.call(one.n_params)")?')
    expect("a script's functions and variables go from cell to cell", text, "5")
    text, _ = kernel.run('session.get::<VectorField>("one")?.n_params()')
    expect("and back", text, "2")


def interrupt(kernel):
    kernel.run(
        "let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 6.0, 0.1))?;\n"
        "let model = blackbox(&[2, 32, 2])?;"
    )
    sent = threading.Event()

    def heard(text):
        # A line of progress: the training goes on.
        if "epoch " in text and not sent.is_set():
            sent.set()
            kernel.manager.interrupt_kernel()

    text, seconds = kernel.run("let run = train(&model, &data, vanilla(), TrainOptions::default().epochs(10_000_000))?;", heard)
    expect("an interrupt stops a training", text, "interrupted")
    text, _ = kernel.run("let done = run.history.len(); (done > 0 && done < 10_000_000).to_string()")
    expect("the run so far is kept", text, "true")
    timers = [threading.Timer(seconds, kernel.manager.interrupt_kernel) for seconds in (3.0, 5.0)]
    for timer in timers:
        timer.start()
    text, _ = kernel.run("loop { std::hint::black_box(1); }")
    # After the training's interrupt a first one may do.
    for timer in timers:
        timer.cancel()
    expect("two interrupts end what can't stop by itself", text, "terminated")
    text, _ = kernel.run("1 + 1")
    expect("the kernel goes on", text, "2")


def main():
    before = set(KERNELS.glob("*"))
    # A kernel that is left open keeps this program from ending.
    with ExitStack() as kernels:
        one = ready(kernels)
        seeds(one)
        errors(one)
        scripts(one)
        other = ready(kernels)
        text, _ = other.run("lotka_volterra()?.n_params()")
        expect("two kernels at once", text, "0")
        interrupt(one)
    left = [folder.name for folder in set(KERNELS.glob("*")) - before]
    if left:
        sys.exit(f"the kernels left {left} in {KERNELS}")
    print("  nothing is left behind")


if __name__ == "__main__":
    main()
