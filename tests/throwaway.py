"""A throw-away environment: its own interpreter and packages, beside those that the tests run with."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


class Environment:
    """A virtual environment in a folder, into which packages are installed for real.

    All that the tests' own environment has is there too, by a .pth file; without index, so that nothing is downloaded.
    """

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = str(folder / "bin" / "python")
        places = {"base": str(folder), "platbase": str(folder)}
        own = Path(sysconfig.get_path("purelib", "venv", places))
        outer = [*(str(ROOT / part) for part in ("core", "plugins", "app")), sysconfig.get_path("purelib")]
        (own / "outer.pth").write_text("\n".join(outer))

    def install(self, *what: str) -> None:
        """Install with pip: a folder, or options and a folder."""
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        self._run([*pip, "--no-index", "--no-deps", "--no-build-isolation", *what], Path.cwd())

    def run(self, *arguments: str, folder: Path) -> str:
        """Run the environment's python in a folder, and return what it printed."""
        return self._run([self.python, *arguments], folder)

    def _run(self, command: list[str], folder: Path) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COV_"))}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout
