"""Virtual environments of the checks that need Python packages."""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def enter(name, packages):
    """Goes on with the Python of an environment that has these packages: that of the variable ODESYNC_NAME, else target/NAME, which is made
    if it is not there."""
    place = Path(os.environ.get(f"ODESYNC_{name.upper()}", ROOT / "target" / name)).resolve()
    python = place / "bin" / "python"
    if Path(sys.prefix).resolve() == place:
        return
    if not python.exists():
        venv.create(place, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    os.execv(python, [str(python), *sys.argv])
