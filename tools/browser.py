"""JupyterLab in headless Chromium, for the tests that look at notebooks as a person does.

They need Chromium and its driver. As root on Debian or Ubuntu they are installed where they are missing; CHROMIUM and CHROMEDRIVER
name others. They run in the environment that setup_notebook.py makes.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from notebook_kernel import ROOT

PACKAGES = ["chromium", "chromium-driver"]
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --window-size=1400,2000 "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
TOKEN = "browser"
PATIENCE = 240.0
# Where screenshots are kept, to look at.
KEPT = ROOT / "target" / "notebook"


class Stop(Exception):
    """The test can't go on, or has failed; the message says why."""


def program(variable, names):
    named = os.environ.get(variable)
    return named or next((path for name in names if (path := shutil.which(name))), None)


def find_chromium():
    def found():
        return program("CHROMIUM", ["chromium", "chromium-browser", "google-chrome"]), program("CHROMEDRIVER", ["chromedriver"])

    if all(found()):
        return found()
    cure = f"apt-get install {' '.join(PACKAGES)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Stop(f"there is no Chromium with a driver on the PATH. On Debian and Ubuntu: {cure}. Or set CHROMIUM and CHROMEDRIVER.")
    print(f"installing {' and '.join(PACKAGES)}", flush=True)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", "-o", "Acquire::Retries=5", *command], env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise Stop(f"`{cure}` fails:\n{done.stderr.strip()}")
    if not all(found()):
        raise Stop(f"`{cure}` is done, but brought no chromium and chromedriver")
    return found()


def wait(what, check, patience=PATIENCE):
    """What `check` gives, once it gives something."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if value := check():
                return value
        except (WebDriverException, OSError):
            pass
        time.sleep(0.3)
    raise Stop(f"waited {patience:.0f} s in vain for {what}")


def serve(folder, port):
    # Settings, kernels and state of the user's own JupyterLab are left out.
    env = os.environ | {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_RUNTIME_DIR")}
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    if os.geteuid() == 0:
        options.append("--allow-root")
    log = open(folder / "server.log", "w")
    jupyter = ROOT / ".venv-jupyter" / "bin" / "jupyter"
    return subprocess.Popen([jupyter, "lab", *options], env=env, stdout=log, stderr=subprocess.STDOUT)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def shown(driver):
    """What the page says, for one who can't see it."""
    wanted = {
        "status": "#jp-main-statusbar",
        "prompts": ".jp-InputPrompt",
        "outputs": ".jp-OutputArea-output",
        "dialogs": ".jp-Dialog-content",
        "notices": ".jp-toast-message",
    }
    lines = []
    try:
        for what, selector in wanted.items():
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            lines.append(f"  {what}: {[e.text[:300] for e in found]}")
        lines += [f"  console: {line['message'][:300]}" for line in driver.get_log("browser")[-10:]]
    except WebDriverException as error:
        lines.append(f"  the browser does not answer: {error.msg}")
    return "\n".join(lines)


@contextmanager
def jupyterlab(folder, notebook, kernel, screenshot):
    """A browser that shows a notebook of the folder in JupyterLab, once its kernel is idle. At the end, whether it went well or not,
    the page is kept as a picture."""
    chromium, chromedriver = find_chromium()
    KEPT.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server, driver = serve(folder, port), None
    url = f"http://127.0.0.1:{port}"
    try:
        wait("JupyterLab", lambda: urllib.request.urlopen(f"{url}/api?token={TOKEN}", timeout=5).status == 200, 120.0)
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in [*FLAGS, f"--user-data-dir={folder / 'chromium'}"]:
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(chromedriver))
        try:
            driver.get(f"{url}/lab/tree/{notebook}?token={TOKEN}&reset")
            wait("the notebook in the page", lambda: driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell"))
            # Not the notebook's own sign, which says idle before there is a kernel; cells that are run then go nowhere.
            wait("a kernel that is idle", lambda: f"{kernel} | Idle" in driver.find_element(By.CSS_SELECTOR, "#jp-main-statusbar").text)
            yield driver
        except Stop as stop:
            raise Stop(f"{stop}\nThe page shows, see {screenshot.relative_to(ROOT)}:\n{shown(driver)}") from stop
        finally:
            driver.save_screenshot(str(screenshot))
    except Stop as stop:
        log = (folder / "server.log").read_text()[-3000:]
        raise Stop(f"the server's log ends:\n{log}\n{stop}") from stop
    finally:
        if driver:
            driver.quit()
        server.terminate()
        server.wait(30)


def run_check(check, message):
    """Runs the check in a temporary folder and prints the message, or ends the program with what stopped it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            check(Path(folder))
        except Stop as stop:
            sys.exit(f"error: {stop}")
    print(message)


def choose(driver, menu, command):
    """Chooses a command of a menu."""
    driver.find_element(By.XPATH, f"//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='{menu}']").click()
    wait("the menu", lambda: driver.find_element(By.CSS_SELECTOR, f"li[data-command='{command}']")).click()


def run_all(driver):
    """The menu: Run, Run All Cells."""
    choose(driver, "Run", "runmenu:run-all")


def complain_of_errors(driver):
    """Stops where the page shows errors."""
    errors = [e.text for e in driver.find_elements(By.CSS_SELECTOR, "[data-mime-type='application/vnd.jupyter.stderr'], .jp-mod-error")]
    if errors:
        raise Stop("the page shows errors:\n" + "\n".join(errors))
