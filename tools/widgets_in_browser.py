#!/usr/bin/env python3
"""Open a notebook in the script language in JupyterLab in headless Chromium, and use it as a person does: run all, drag a slider,
stop a training, complete and look up a name, in the light theme and in the dark one.

    widgets_in_browser.py

Screenshots are kept in target/notebook, to look at. It is for a machine that is not busy: the picture has to follow a slider within
0.3 s. It runs in the environment of `make test-widgets`, see browser.py.
"""

import base64
import re
import statistics
import time
import nbformat
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import KEPT, Stop, complain_of_errors, jupyterlab, run_all, run_check, wait
from notebook_kernel import ROOT

KERNEL = "odesync"
# Time in which a picture has to follow its slider.
LIMIT = 0.3
CELLS = [
    "let truth = lotka_volterra();\ntruth",
    "let data = dataset(truth, [0.44, 4.63], arange(0.0, 6.1, 0.1)).add_noise(0.05, #{ relative_to: \"mean\", seed: 10 });\ndata",
    "plot(data)",
    "seed(10);\nlet run = train(blackbox([2, 16, 2]), data, vanilla(), #{ epochs: 60, lr: 0.02 });\nrun",
    "interact(\n    |a, n, points, kind| plot(solve(lotka_volterra(#{ a: a }), [1, 1], linspace(0, 10, n), #{ solver: kind })),\n"
    "    #{ a: [0.5, 2.0], n: [20, 200], points: true, kind: [\"dopri5\", \"tsit5\"] }\n)",
    "",
]
TRAINING = "let long = train(blackbox([2, 32, 2]), data, vanilla(), #{ epochs: 1_000_000 });"
PICTURE = ".widget-html img[src^='data:image/svg'], .jupyter-widgets img[src^='data:image/svg']"
# Of each picture that comes: when, and of what the slider's last move was. The clock is the page's.
WATCH = """
window.pictures = [];
window.moved = null;
document.addEventListener('pointermove', () => { window.moved = performance.now(); }, true);
new MutationObserver(() => {
  const image = document.querySelector(arguments[0]);
  if (image && image.src !== window.source) {
    window.source = image.src;
    image.decode().then(() => window.pictures.push(performance.now()));
  }
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] });
window.source = document.querySelector(arguments[0]).src;
"""


def cells(driver):
    return driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell")


def type_into_last_cell(driver, text):
    """Empties the last cell and types into it."""
    editor = cells(driver)[-1].find_element(By.CSS_SELECTOR, ".cm-content")
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", editor)
    editor.click()
    ActionChains(driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(Keys.DELETE).perform()
    # What is typed comes with closing brackets of its own; a text that is put in comes as it is.
    driver.execute_cdp_cmd("Input.insertText", {"text": text})


def run_last_cell(driver, text):
    type_into_last_cell(driver, text)
    ActionChains(driver).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()


def output(driver):
    return cells(driver)[-1].find_element(By.CSS_SELECTOR, ".jp-OutputArea").text


def status(driver):
    return driver.find_element(By.CSS_SELECTOR, "#jp-main-statusbar").text


def curve(driver):
    """The points of the picture of the sliders, as its SVG has them."""
    source = driver.find_element(By.CSS_SELECTOR, PICTURE).get_attribute("src")
    svg = base64.b64decode(source.split(",", 1)[1]).decode()
    return re.findall(r'(?:points|d)="([^"]{100,})"', svg)


def see_outputs(driver):
    run_all(driver)
    wait("the figure in the page", lambda: driver.find_elements(By.CSS_SELECTOR, ".jp-RenderedSVG img, .jp-RenderedSVG svg"))
    wait("sliders in the page", lambda: len(driver.find_elements(By.CSS_SELECTOR, ".noUi-handle")) >= 2)
    wait("their picture", lambda: curve(driver))
    complain_of_errors(driver)


def drag_slider(driver):
    """Drags the first slider, step by step. Returns the times from a move to the picture that it brings."""
    slider = driver.find_element(By.CSS_SELECTOR, ".noUi-target")
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", slider)
    driver.execute_script(WATCH, PICTURE)
    handle = slider.find_element(By.CSS_SELECTOR, ".noUi-handle")
    before, times = curve(driver), []
    ActionChains(driver, duration=0).click_and_hold(handle).perform()
    for step in range(10):
        seen = driver.execute_script("return window.pictures.length")
        ActionChains(driver, duration=0).move_by_offset(6 if step < 5 else -9, 0).perform()
        wait("a picture that follows the slider", lambda: driver.execute_script("return window.pictures.length") > seen, 10.0)
        times.append(driver.execute_script("return (window.pictures[arguments[0]] - window.moved) / 1000", seen))
    ActionChains(driver).release().perform()
    wait("a curve that has changed", lambda: curve(driver) != before, 10.0)
    # Many values at once, as from a quick hand: what comes last is what is shown.
    ActionChains(driver, duration=0).click_and_hold(handle).perform()
    for _ in range(15):
        ActionChains(driver, duration=0).move_by_offset(3, 0).perform()
    ActionChains(driver).release().perform()
    wait("an idle kernel", lambda: "| Idle" in status(driver))
    return times


def stop_training(driver):
    """Starts a training that would take hours, and stops it by the button."""
    run_last_cell(driver, TRAINING)
    wait("the line of the training", lambda: "loss" in output(driver) and "| Busy" in status(driver))
    time.sleep(1.0)
    button = driver.find_element(By.CSS_SELECTOR, "[data-command='notebook:interrupt-kernel'], jp-button[data-command='notebook:interrupt-kernel']")
    begun = time.monotonic()
    button.click()
    wait("a kernel that has stopped", lambda: "| Idle" in status(driver), 20.0)
    print(f"the stop button ends a training in {time.monotonic() - begun:.2f} s")
    driver.save_screenshot(str(KEPT / "widgets_stopped.png"))
    run_last_cell(driver, "long")
    wait("the run so far", lambda: "Run" in output(driver) and "epochs" in output(driver), 20.0)


def complete_and_look_up(driver, theme):
    def completions():
        return [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".jp-Completer-item")]

    type_into_last_cell(driver, "linsp")
    ActionChains(driver).send_keys(Keys.TAB).perform()
    wait("a completion", lambda: any("linspace" in text for text in completions()), 20.0)
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    editor = cells(driver)[-1].find_element(By.CSS_SELECTOR, ".cm-content")
    wait("the completed name", lambda: "linspace(" in editor.text, 20.0)
    type_into_last_cell(driver, "sol")
    ActionChains(driver).send_keys(Keys.TAB).perform()
    wait("a list of completions", lambda: any("solve" in text for text in completions()), 20.0)
    time.sleep(0.5)
    driver.save_screenshot(str(KEPT / f"widgets_completion_{theme}.png"))
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    type_into_last_cell(driver, "solve")
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    tooltip = wait("help", lambda: next((e for e in driver.find_elements(By.CSS_SELECTOR, ".jp-Tooltip") if "solve(" in e.text), None), 20.0)
    if "Relative tolerance" not in tooltip.text or "lotka_volterra()" not in tooltip.text:
        raise Stop(f"the help of solve lacks an option or its example: {tooltip.text}")
    driver.save_screenshot(str(KEPT / f"widgets_help_{theme}.png"))
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()


def change_theme(driver):
    driver.find_element(By.XPATH, "//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='Settings']").click()
    theme = wait("the menu of themes", lambda: driver.find_element(By.XPATH, "//li[contains(@class, 'lm-Menu-item')]//div[text()='Theme']"))
    ActionChains(driver).move_to_element(theme).click().perform()
    wait("the dark theme", lambda: driver.find_element(By.XPATH, "//div[contains(@class, 'lm-Menu-itemLabel') and text()='JupyterLab Dark']")).click()
    wait("a dark page", lambda: driver.find_element(By.TAG_NAME, "body").get_attribute("data-jp-theme-light") == "false")


def check(folder):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "odesync-script", "display_name": KERNEL, "language": "rhai"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    nbformat.write(notebook, folder / "check.ipynb")
    with jupyterlab(folder, "check.ipynb", KERNEL, KEPT / "widgets.png") as driver:
        driver.set_window_size(1400, 3600)
        see_outputs(driver)
        driver.save_screenshot(str(KEPT / "widgets_light.png"))
        times = drag_slider(driver)
        print(f"the picture follows the slider in {statistics.median(times):.3f} s (median of {len(times)}), at most {max(times):.3f} s")
        if statistics.median(times) > LIMIT:
            raise Stop(f"that is more than {LIMIT} s")
        stop_training(driver)
        complete_and_look_up(driver, "light")
        change_theme(driver)
        complete_and_look_up(driver, "dark")
        run_last_cell(driver, "zzz")
        wait("an error", lambda: "zzz" in output(driver) and "In [" in output(driver))
        driver.save_screenshot(str(KEPT / "widgets_dark.png"))


if __name__ == "__main__":
    run_check(check, f"JupyterLab showed figure, sliders, training, completion and help; see {(KEPT / 'widgets_dark.png').relative_to(ROOT)} and those beside it")
