"""A fresh virtual environment that sees what is installed beside the tests, and installs projects without network."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from pathlib import Path


class FreshVenv:
    """Made in `folder`; packages of the outer environment, editable ones too, can be imported in it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        (site,) = folder.glob("lib/python*/site-packages")
        outer = sysconfig.get_paths()["purelib"]
        (site / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")

    def install(self, *projects: Path, editable: bool = False) -> None:
        """`pip install` the projects, their dependencies being there already."""
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-index"]
        named = [word for one in projects for word in (["-e", str(one)] if editable else [str(one)])]
        done = self.run("pip", "install", *options, *named)
        assert done.returncode == 0, done.stderr

    def run(self, module: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """`python -m module arguments`."""
        lists = ("SPIKECORE_PLUGINS", "SPIKECORE_DISABLE")
        environment = {key: value for key, value in os.environ.items() if key not in lists}
        command = [str(self.python), "-m", module, *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
