"""C source to a loaded library: compiled once on a machine, kept in a folder, shared by all processes."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

LOG = logging.getLogger(__name__)

FLAGS = ("-O3", "-std=c11", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
"""No option here lets the compiler reorder, merge or approximate floating-point operations."""

EXTRAS = (
    ("-march=native", "-fopenmp", "-mprefer-vector-width=512"),
    ("-march=native", "-fopenmp"),
    ("-march=native",),
    ("-fopenmp",),
    (),
)
"""What a compiler may not have, tried in this order; without OpenMP a kernel runs on one thread."""

PATIENCE = 120
"""Seconds after which a compiler is given up."""


def load(source: str) -> ctypes.CDLL | None:
    """Return the library of a C source, compiled by an earlier process or now; None where that cannot be done."""
    compiler = find_compiler()
    if compiler is None:
        return None
    key = "\0".join((source, *FLAGS, *sum(EXTRAS, ()), _identity(compiler)))
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.so"
    library = _open(cache_folder() / name)
    if library is not None:
        return library
    try:
        return _build(source, compiler, cache_folder(), name)
    except OSError as error:
        LOG.info("kernels are not kept: %s", error)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _build(source, compiler, Path(folder), name)
    except OSError as error:
        LOG.info("kernels are not compiled: %s", error)
    return None


def cache_folder() -> Path:
    """Return where libraries are kept: `SPIKEFRONT_CACHE`, or `spikefront` in the user's cache folder."""
    named = os.environ.get("SPIKEFRONT_CACHE")
    if named:
        return Path(named) / "kernels"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "spikefront" / "kernels"


def find_compiler() -> tuple[str, ...] | None:
    """Return the command of the C compiler: `CC`, else cc, gcc or clang on the PATH."""
    for command in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        words = shlex.split(command)
        found = shutil.which(words[0]) if words else None
        if found:
            return (found, *words[1:])
    return None


def _build(source: str, compiler: tuple[str, ...], folder: Path, name: str) -> ctypes.CDLL | None:
    """Compile into the folder; a library appears there whole or not at all, whoever else does the same."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        text, result = Path(place, "kernel.c"), Path(place, "kernel.so")
        text.write_text(source)
        for extra in EXTRAS:
            if _compile([*compiler, *FLAGS, *extra, str(text), "-o", str(result)]):
                os.replace(result, folder / name)
                return _open(folder / name)
    return None


def _compile(command: list[str]) -> bool:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)  # noqa: S603
    except subprocess.CalledProcessError as error:
        LOG.info("%s: %s", shlex.join(command), error.stderr.decode(errors="replace")[:2000])
        return False
    except (OSError, subprocess.TimeoutExpired) as error:
        LOG.info("%s: %s", shlex.join(command), error)
        return False
    return True


def _open(path: Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(path)) if path.exists() else None
    except OSError:
        return None


@cache
def _identity(compiler: tuple[str, ...]) -> str:
    """Name the compiler and the processor: a folder may be shared by machines that differ."""
    status = os.stat(compiler[0])
    return "\0".join((*compiler, str(status.st_size), str(status.st_mtime_ns), platform.machine(), _processor()))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "".join(sorted({line for line in lines if line.startswith(("flags", "model name", "Features", "CPU part"))}))
