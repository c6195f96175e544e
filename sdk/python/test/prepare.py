"""Makes the environment of the tests, `.cache/sdk-python`, anew when `requirements.txt` or the interpreter changed."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
SDK = Path(__file__).resolve().parents[1]
ENVIRONMENT = SDK.parents[1] / ".cache/sdk-python"

contents = f"{sys.version}\n{SDK}\n{REQUIREMENTS.read_text('utf-8')}"
marker = ENVIRONMENT / "contents.txt"
if not marker.exists() or marker.read_text("utf-8") != contents:
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    options = ["--quiet", "--disable-pip-version-check", "--requirement", str(REQUIREMENTS)]
    subprocess.run([ENVIRONMENT / "bin/python", "-m", "pip", "install", *options], check=True)
    # The tests import the package as it is here.
    (site_packages,) = ENVIRONMENT.glob("lib/*/site-packages")
    (site_packages / "byond.pth").write_text(f"{SDK}\n", "utf-8")
    marker.write_text(contents, "utf-8")
