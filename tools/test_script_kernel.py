#!/usr/bin/env python3
"""The kernel of the script language as Jupyter sees it: jupyter_kernel_test's own suite, then what only a process of its own can
show (signals, restarts, start-up, notebooks).

`make kernel-test` makes the environment and the program. Without one of them the tests are skipped. ODESYNC names another program.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks" / "rhai"
NAME = "odesync-script-test"
TIMEOUT = 60

try:
    import jupyter_kernel_test
    import nbformat
    from jupyter_client.manager import start_new_kernel
    from nbclient import NotebookClient
except ImportError as error:
    raise unittest.SkipTest(f"{error.name} is not in this environment; make kernel-test brings it") from error

PROGRAM = Path(os.environ.get("ODESYNC", ROOT / "target" / "release" / "odesync"))
if not PROGRAM.exists():
    raise unittest.SkipTest(f"{PROGRAM} is not built; make kernel-test builds it")

HOME = tempfile.TemporaryDirectory()
# The kernel is registered in a folder of its own, into which this process and its children look.
os.environ["JUPYTER_PATH"] = str(Path(HOME.name) / "share" / "jupyter")
INSTALL = [PROGRAM, "kernel", "install", "--prefix", HOME.name, "--name", NAME]


def setUpModule():
    subprocess.run(INSTALL, check=True, stdout=subprocess.DEVNULL)


def tearDownModule():
    HOME.cleanup()


class Protocol(jupyter_kernel_test.KernelTests):
    kernel_name = NAME
    language_name = "rhai"
    file_extension = ".rhai"
    code_hello_world = 'print("hello, world")'
    code_stderr = "solve(system(1, |t, u| [u[0]]), [1e-12], [0, 1]);"
    completion_samples = [{"text": "linsp", "matches": {"linspace("}}, {"text": "smoothing_sp", "matches": {"smoothing_spline("}}]
    complete_code_samples = ["1", 'print("hello, world")', "fn f(x) { x * 2 }", "let x = [1,\n 2];"]
    incomplete_code_samples = ["print(", "fn f(x) {", "let x = [1,", "1 +"]
    invalid_code_samples = ["x ]", ")"]
    code_generate_error = "zzz"
    code_execute_result = [{"code": "1 + 2", "result": "3"}, {"code": "[1, 2]", "result": "[1, 2]"}]
    code_display_data = [{"code": "show(figure().line([0, 1], [1, 2]));", "mime": "image/svg+xml"}]
    code_history_pattern = "1*2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "linspace"


class Process(unittest.TestCase):
    def setUp(self):
        begun = time.monotonic()
        self.manager, self.client = start_new_kernel(kernel_name=NAME, startup_timeout=TIMEOUT)
        self.seconds_to_start = time.monotonic() - begun

    def tearDown(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def run_cell(self, code, heard=lambda text: None):
        """The reply, and all that was shown as text."""
        texts = []

        def hook(message):
            content = message["content"]
            texts.append(content.get("text") or content.get("data", {}).get("text/plain") or "\n".join(content.get("traceback", [])))
            heard(texts[-1])

        reply = self.client.execute_interactive(code, output_hook=hook, timeout=TIMEOUT)
        return reply["content"], re.sub(r"\x1b\[[0-9;]*m", "", "".join(texts))

    def test_signal_stops_a_loop_and_keeps_variables(self):
        self.run_cell("let kept = 7;")
        pid = self.manager.provisioner.pid
        reply, text = self.run_cell("print(1); loop { }", lambda text: text == "1\n" and os.kill(pid, signal.SIGINT))
        self.assertEqual(reply["ename"], "Interrupted", text)
        self.assertEqual(self.run_cell("kept")[1], "7")

    def test_interrupt_and_restart_by_the_manager(self):
        reply, _ = self.run_cell("print(1); loop { }", lambda text: text == "1\n" and self.manager.interrupt_kernel())
        self.assertEqual(reply["ename"], "Interrupted")
        self.run_cell("let gone = 1;")
        self.manager.restart_kernel(now=False)
        self.client.wait_for_ready(timeout=TIMEOUT)
        reply, _ = self.run_cell("gone")
        self.assertEqual(reply["status"], "error")
        self.assertEqual(reply["execution_count"], 1)

    def test_a_kernel_whose_client_is_killed_ends(self):
        code = f"from jupyter_client.manager import start_new_kernel as s; m, c = s(kernel_name='{NAME}'); print(m.provisioner.pid, flush=True); import time; time.sleep(600)"
        client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        pid = int(client.stdout.readline())
        client.kill()
        client.wait()
        client.stdout.close()
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(") ")[1][:1]:
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        self.fail("the kernel is still there after ten seconds")

    def test_what_quarto_asks_of_a_kernel(self):
        # Before the cells it opens a comm that only some kernels know, and runs an empty cell that is not kept in the history.
        content = {"comm_id": "quarto_comm", "target_name": "quarto_kernel_setup", "data": {"options": {"fig_width": 7, "run_path": ""}}}
        self.client.shell_channel.send(self.client.session.msg("comm_open", content))
        self.assertEqual(self.client.execute_interactive("", store_history=False, timeout=TIMEOUT)["content"]["status"], "ok")
        # Its options stay in a cell where another front end runs it.
        reply, text = self.run_cell("#| label: fig-orbit\n#| echo: false\nlet a = 40;\na + 2")
        self.assertEqual((reply["status"], text), ("ok", "42"))
        # Expressions in the text, `{rhai} a + 1`, are those of an empty cell.
        reply = self.client.execute_interactive("", user_expressions={"0": "a + 1", "1": "nonsense"}, timeout=TIMEOUT)["content"]
        self.assertEqual(reply["user_expressions"]["0"]["data"]["text/plain"], "41")
        self.assertEqual(reply["user_expressions"]["1"]["status"], "error")
        # Papermill, by which it gives parameters, knows the language by the name of the kernel's language too.
        self.assertEqual(self.manager.kernel_spec.language, "rhai")

    def test_times(self):
        # No limit: a machine may be busy. The numbers are for who looks.
        self.run_cell("1 + 1")
        begun = time.monotonic()
        for _ in range(20):
            self.run_cell("1 + 1")
        cell = (time.monotonic() - begun) / 20
        print(f"start to ready {self.seconds_to_start:.2f} s, a cell 1 + 1 {1000 * cell:.1f} ms", file=sys.stderr)


class Notebooks(unittest.TestCase):
    """Every notebook of notebooks/rhai runs, in the short form of its cells where they have one (in their metadata, as `short`). With
    SAVE=1 it runs in full and is saved with its outputs."""

    def test_quickstart(self):
        mimes = self.execute("quickstart")
        self.assertLessEqual({"image/svg+xml", "text/html", "application/vnd.jupyter.widget-view+json"}, mimes)

    def test_your_own_data(self):
        self.assertLessEqual({"image/svg+xml", "application/vnd.jupyter.widget-view+json"}, self.execute("your_own_data"))

    def test_homotopy(self):
        self.assertLessEqual({"image/svg+xml", "application/vnd.jupyter.widget-view+json"}, self.execute("homotopy"))

    def test_landscapes(self):
        self.assertIn("image/svg+xml", self.execute("landscapes"))

    def test_parameters_and_hidden_states(self):
        self.assertIn("image/svg+xml", self.execute("parameters_and_hidden_states"))

    def test_paper(self):
        self.assertIn("image/svg+xml", self.execute("paper"))

    def test_none_is_left_out(self):
        tested = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertLessEqual({file.stem for file in NOTEBOOKS.glob("*.ipynb")}, tested)

    def execute(self, name):
        """Executes a notebook; an error in a cell fails the test. Returns the kinds of its outputs."""
        file, save = NOTEBOOKS / f"{name}.ipynb", os.environ.get("SAVE")
        notebook = nbformat.read(file, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in code:
            if not save and "short" in cell.metadata:
                cell.source = cell.metadata["short"]
        with tempfile.TemporaryDirectory() as folder:
            client = NotebookClient(notebook, timeout=10 * TIMEOUT, kernel_name=NAME, resources={"metadata": {"path": folder}})
            client.execute()
        if save:
            for cell in code:
                cell.metadata.pop("execution", None)
            notebook.metadata["kernelspec"]["name"] = "odesync-script"
            nbformat.write(notebook, file)
        return {mime for cell in code for output in cell.outputs for mime in output.get("data", {})}


if __name__ == "__main__":
    unittest.main()
