"""Writing folders and files that are whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spikefront.errors import InputError


def require_free(folder: Path) -> None:
    """Refuse a folder that cannot be replaced by a new one.

    Raises:
        InputError: It is there, and not an empty folder; or it is the working folder.
    """
    if folder.resolve() == Path.cwd():
        raise InputError(f"--to {folder}: is the working folder, which cannot be replaced", "Name a new folder.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"--to {folder}: is there already and not an empty folder", "Name a new folder.")


def write_folder(to: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary folder, and rename it when it is whole.

    Raises:
        InputError: The target is there and not an empty folder, or cannot be written.
    """
    require_free(to)
    with _beside(to) as temporary:
        write(temporary)
        temporary.chmod(0o755)
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.exists():
            to.rmdir()
        os.replace(temporary, to)


def write_file(to: Path, text: str) -> None:
    """Write a new file, whole or not at all.

    Raises:
        InputError: It is there, or cannot be written.
    """
    if to.exists():
        raise InputError(f"{to}: is there already", "Choose another name, or another folder with --to.")
    with _beside(to) as temporary:
        (temporary / to.name).write_text(text, encoding="utf-8")
        to.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary / to.name, to)


@contextmanager
def _beside(to: Path) -> Iterator[Path]:
    """Make a temporary folder in the first folder above the target that is there, and remove what is left of it.

    Raises:
        InputError: Something cannot be written.
    """
    temporary = None
    try:
        home = next(folder for folder in to.absolute().parents if folder.is_dir())
        temporary = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=home))
        yield temporary
    except OSError as error:
        reason = f"{to}: cannot be written: {error.strerror or error}"
        raise InputError(reason, "Name another folder with --to.") from error
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
