#!/usr/bin/env python3
"""Install the package of dist/ into an empty environment, and try it there as someone who has neither Rust nor a checkout.

    python3 tools/test_wheel.py [WHEEL]

The environment is made anew in a temporary folder. It brings NumPy, ipykernel, nbconvert and papermill from PyPI, not JupyterLab.
"""

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_MB = 15.0

IN_PYTHON = """
import numpy as np, odesync
assert odesync.evaluate("1 + 1").strip() == "2"
open("own.rhai", "w").write('''
let opt = args(#{ n: 3, scale: 1.0, name: "" });
let data = dataset(lotka_volterra(), [1, 1], linspace(0, opt.scale, opt.n));
seed(1);
let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 5, progress: false });
run.save("runs/own");
print(`${opt.name} ${data.len()}`);
''')
assert odesync.run("own.rhai", n=11, scale=2.5, name="a b").strip() == "a b 11"
run = odesync.load("runs/own")
assert len(run.metrics["mse"]) == 5 and np.isfinite(run.metrics["mse"]).all(), run.metrics
assert run.parameters
u = run.predict([0.0, 0.25, 1.0])
assert u.shape == (3, 2) and np.allclose(u[0], 1.0), u
t = np.linspace(0.0, 5.0, 60)
np.savetxt("decay.csv", np.c_[t, 3.0 * np.exp(-0.7 * t)], delimiter=",", header="t,x", comments="")
found = odesync.discover("decay.csv")
assert abs(found.predict([0.0, 6.0])[1, 0] - 3.0 * np.exp(-4.2)) < 0.02, found.predict([0.0, 6.0])
assert "<svg" in found._repr_html_() and found.report
assert np.allclose(found.predict(6.0)[0], found.predict([0.0, 6.0])[1]), found.predict(6.0)
x = 3.0 * np.exp(-0.7 * t)
x[7] = np.nan
table = odesync.discover({"t": t, "x": x}, equations=False)
assert abs(table.predict([0.0, 6.0])[1, 0] - 3.0 * np.exp(-4.2)) < 0.02 and "1 value missing" in table.report, table.report
try:
    odesync.discover({"t": t, "x": x[1:]}, out="runs/short")
except ValueError as error:
    assert "x has 59" in str(error), error
else:
    raise AssertionError("columns of two lengths")
try:
    odesync.evaluate("nonsense")
except odesync.OdesyncError as error:
    assert "nonsense" in str(error)
else:
    raise AssertionError("no error")
"""

CELLS = {
    "odesync-script": ["let f = lotka_volterra();\nplot(solve(f, [1, 1], linspace(0, 10, 100)))", "f.dof", "interact(|a| plot(solve(f, [a, 1], [0, 1])), #{ a: [1, 2] })"],
    "python3": ["%load_ext odesync", "%%odesync\nlet a = 20;\nplot(solve(lotka_volterra(), [1, 1], linspace(0, 10, 100)))", "%%odesync\na + 22"],
}

# A notebook whose first cell is tagged `parameters`, what papermill is to put in their place, and what the notebook then prints.
PARAMETERS = ["let epochs = 5; // number of epochs\nlet lr = 0.1;\nlet name = \"none\";\nlet more = #{};", "print(`${epochs} ${lr} ${name} ${more}`)"]
GIVEN = {"epochs": 7, "lr": 1e-3, "name": 'a "b" \\ λ\n', "more": {"list": [1.5, None, True, -3], "large": 1e25}}
PRINTED = '7 0.001 a "b" \\ λ\n #{"large": 1e25, "list": [1.5, (), true, -3]}'


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def write_notebook(path, kernel, cells, tags=()):
    """A notebook of these cells, the first of which has these tags."""
    code = [
        {"cell_type": "code", "id": f"c{i}", "execution_count": None, "metadata": {"tags": list(tags) if i == 0 else []}, "outputs": [], "source": cell}
        for i, cell in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "rhai" if kernel == "odesync-script" else "python"}
    path.write_text(json.dumps({"cells": code, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}))


def notebook(python, kernel, cells, folder):
    """Executes the cells by nbconvert. Returns the outputs of all."""
    path = folder / f"{kernel}.ipynb"
    write_notebook(path, kernel, cells)
    run(python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", path, cwd=folder, env=clean(python), stderr=subprocess.DEVNULL)
    done = json.loads(path.read_text())
    return [output for cell in done["cells"] for output in cell["outputs"]]


def page(python, folder):
    """Makes a page of the notebook in the script language by the package's template: its figure, and the sliders as a picture."""
    run(python, "-m", "nbconvert", "--to", "html", "--template", "odesync", folder / "odesync-script.ipynb", cwd=folder, env=clean(python), stderr=subprocess.DEVNULL)
    html = (folder / "odesync-script.html").read_text()
    # Below the cells stand the states of the widgets.
    assert html.split("</main>")[0].count("<img") == 2 and ".jp-RenderedSVG img" in html, "a figure is missing in the page"


def parameters(python, folder):
    """Runs a notebook by papermill with other values of its parameters, and asks which it has."""
    path, done = folder / "parameters.ipynb", folder / "done.ipynb"
    write_notebook(path, "odesync-script", PARAMETERS, tags=["parameters"])
    code = f"import papermill; papermill.execute_notebook({str(path)!r}, {str(done)!r}, {GIVEN!r}, progress_bar=False)"
    run(python, "-c", code, cwd=folder, env=clean(python), stderr=subprocess.DEVNULL)
    outputs = [output for cell in json.loads(done.read_text())["cells"] for output in cell.get("outputs", [])]
    printed = "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    assert printed == PRINTED + "\n", printed
    listed = run(python, "-m", "papermill", "--help-notebook", path, cwd=folder, env=clean(python), stdout=subprocess.PIPE, text=True).stdout
    assert "epochs" in listed and "number of epochs" in listed and "0.1" in listed, listed


def clean(python):
    """The environment of a machine without cargo and without this environment's programs on its PATH."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(Path(python).parent.parent), "LANG": "C.UTF-8"}


def main():
    wheels = [Path(sys.argv[1])] if sys.argv[1:] else sorted((ROOT / "dist").glob("odesync-*.whl"))
    if not wheels:
        raise SystemExit("test_wheel: there is no wheel in dist/; make wheel builds it")
    wheel = wheels[-1].resolve()
    size = wheel.stat().st_size / 1e6
    assert size <= LIMIT_MB, f"the wheel has {size:.1f} MB"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run(sys.executable, "-m", "venv", folder / "env")
        python = folder / "env" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, "ipykernel", "nbconvert", "jupyter_client", "papermill")
        program = folder / "env" / "bin" / "odesync"
        work = folder / "work"
        work.mkdir()
        env = clean(python)
        run(program, "--version", env=env)
        run(python, "-c", textwrap.dedent(IN_PYTHON), cwd=work, env=env)
        specs = run(python, "-m", "jupyter_client.kernelspecapp", "list", "--json", env=env, stdout=subprocess.PIPE, text=True)
        assert "odesync-script" in json.loads(specs.stdout)["kernelspecs"], specs.stdout
        for kernel, cells in CELLS.items():
            outputs = notebook(python, kernel, cells, work)
            data = [output.get("data", {}) for output in outputs]
            assert any("image/svg+xml" in one for one in data), f"{kernel}: no figure in {outputs}"
            last = "2" if kernel == "odesync-script" else "42"
            assert any("".join(one.get("text/plain", "")).strip() == last for one in data), f"{kernel}: {data}"
        parameters(python, work)
        page(python, work)
        for name in ("bash-completion/completions/odesync", "zsh/site-functions/_odesync", "fish/vendor_completions.d/odesync.fish"):
            assert (folder / "env" / "share" / name).is_file(), name
    print(f"{wheel.name}: {size:.1f} MB, program, module, kernel, cells in a notebook of Python, papermill and the template of pages work")


if __name__ == "__main__":
    main()
