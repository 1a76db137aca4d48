"""Writing folders and files that are whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikefront.errors import InputError


def require_free(folder: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        InputError: It is there, and not an empty folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already and not an empty folder", "Name a new folder with --to.")


def write_folder(to: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary folder beside the target, and rename it when it is whole.

    Raises:
        InputError: The target is there and not an empty folder, or cannot be written.
    """
    require_free(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    except OSError as error:
        raise _refused(to, error) from error
    try:
        write(temporary)
        temporary.chmod(0o755)
        if to.exists():
            to.rmdir()
        os.replace(temporary, to)
    except OSError as error:
        raise _refused(to, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_file(to: Path, text: str) -> None:
    """Write a new file.

    Raises:
        InputError: The file is there, or cannot be written.
    """
    if to.exists():
        raise InputError(f"{to}: is there already", "Choose another name, or another folder with --to.")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as folder:
            temporary = Path(folder, to.name)
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, to)
    except OSError as error:
        raise _refused(to, error) from error


def _refused(to: Path, error: OSError) -> InputError:
    return InputError(f"{to}: cannot be written: {error.strerror or error}", "Name another folder with --to.")
