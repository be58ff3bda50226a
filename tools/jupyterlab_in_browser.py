#!/usr/bin/env python3
"""Open JupyterLab in headless Chromium, run a notebook in Rust as a person would, and look for its figure in the page.

It runs in the environment that setup_notebook.py makes, see browser.py.
"""

import nbformat
from selenium.webdriver.common.by import By

from browser import KEPT, complain_of_errors, jupyterlab, run_all, run_check, wait
from notebook_kernel import ROOT

KERNEL = "Rust (odesync)"

CELLS = [
    ':dep odesync = { path = "PATH", default-features = false }\nuse odesync::prelude::*;',
    "let solution = solve(&lotka_volterra()?, &[1.0, 1.0], &linspace(0.0, 10.0, 200), &SolveOptions::default())?;\nplot(&solution)?",
    "lotka_volterra()?",
]
# Of the figure that is looked for: its curves, as they stand in the page.
FIGURE = ".jp-OutputArea-output svg polyline, .jp-OutputArea-output svg path, .jp-OutputArea-output img[src^='data:image/svg']"


def browse(driver):
    run_all(driver)
    wait("a figure in the page", lambda: any(e.is_displayed() and e.size["height"] > 20 for e in driver.find_elements(By.CSS_SELECTOR, FIGURE)))
    wait(
        "the equations in the page",
        lambda: any("du[0]/dt" in e.text or "du0" in e.text or "Vector field" in e.text for e in driver.find_elements(By.CSS_SELECTOR, ".jp-OutputArea-output")),
    )
    complain_of_errors(driver)


def check(folder):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "odesync", "display_name": KERNEL, "language": "rust"}
    notebook.cells = [nbformat.v4.new_code_cell(cell.replace("PATH", str(ROOT))) for cell in CELLS]
    nbformat.write(notebook, folder / "check.ipynb")
    with jupyterlab(folder, "check.ipynb", KERNEL, KEPT / "jupyterlab.png") as driver:
        browse(driver)


if __name__ == "__main__":
    run_check(check, "JupyterLab ran the notebook in Chromium, and the figure is in the page")
