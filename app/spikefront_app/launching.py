"""Study files in the working folder, and the processes that search them; they outlive the page and its server."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from spikefront.cli.options import DATABASE_VARIABLE
from spikefront.errors import InputError
from spikefront.storage import Holder

FOLDER = "studies"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TAIL = 65_536
"""Bytes at the end of a log that are read for its last lines."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Launched:
    """A process that this server started.

    Attributes:
        process: The process.
        log: Where its output goes.
    """

    process: subprocess.Popen[bytes]
    log: Path


_launched: dict[tuple[str, str], Launched] = {}  # (database, study): a child has to be waited for by its parent
_lock = Lock()


def study_files(folder: Path) -> list[str]:
    """Return the names of the study files of a working folder, sorted."""
    return sorted(path.name for path in (folder / FOLDER).glob("*.toml") if path.is_file())


def target(folder: Path, name: str) -> Path:
    """Return where a study file of a name is saved; it is always in the folder of studies itself.

    Raises:
        InputError: The name leads elsewhere, or is none.
    """
    stem = name.removesuffix(".toml")
    if not _FILE.fullmatch(stem):
        raise InputError(
            f"'{name}' is no name for a study file", "Use letters, digits, '_', '.' and '-', the first no sign."
        )
    path = folder / FOLDER / f"{stem}.toml"
    if path.is_symlink():
        raise InputError(f"{path} is a link to another place", "Choose another name.")
    return path


def save(folder: Path, name: str, text: str, overwrite: bool = False) -> Path:
    """Write a study file into the folder of studies of a working folder, and return its path.

    Raises:
        InputError: The name is not allowed, there is such a file with other content, or it cannot be written.
    """
    path = target(folder, name)
    if is_saved(path, text):
        return path
    try:
        path.parent.mkdir(exist_ok=True)
        if overwrite:
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        else:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except FileExistsError:
        message = f"there is a file {FOLDER}/{path.name} already, and it says something else"
        raise InputError(message, "Choose another name, or turn on 'Overwrite'.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", "Check the folder's permissions.") from None
    return path


def is_saved(path: Path, text: str) -> bool:
    """Tell whether a file says exactly this."""
    try:
        return path.read_text(encoding="utf-8-sig") == text
    except (OSError, UnicodeDecodeError):
        return False


def log_path(url: str, study: str) -> Path:
    """Return where the output of a study's process goes: beside the database, or else into a folder of one's own."""
    if "://" not in url or url.startswith("sqlite:"):
        path = Path(url.removeprefix("sqlite:///"))
        if os.access(path.parent, os.W_OK):
            return path.with_name(f"{path.name}.{study}.log").absolute()
    own = Path(tempfile.gettempdir()) / f"spikefront-{os.getuid() if hasattr(os, 'getuid') else 'logs'}"
    own.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and (own.is_symlink() or own.stat().st_uid != os.getuid()):
        raise InputError(f"{own} is somebody else's", "Remove it, or set TMPDIR to a folder of your own.")
    return own / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}.{study}.log"


def start(file: Path, study: str, url: str) -> Launched:
    """Start a search in the background, in a session of its own; what it prints goes to the end of its log.

    Raises:
        InputError: This server started it already and it runs, or its log cannot be written.
    """
    with _lock:
        before = _launched.get((url, study))
        if before and before.process.poll() is None:
            raise InputError(f"study '{study}' is running already", "Watch it below, or stop it first.")
        log = log_path(url, study)
        command = [sys.executable, "-m", "spikefront", "run", str(file.absolute())]
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(  # noqa: S603
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, DATABASE_VARIABLE: url, "COLUMNS": "100", "PYTHONUNBUFFERED": "1"},
                )
        except OSError as error:
            raise InputError(
                f"study '{study}' cannot be started: {error}", f"Check that {log} can be written."
            ) from None
        launched = Launched(process, log)
        _launched[url, study] = launched
        return launched


def launched(url: str, study: str) -> Launched | None:
    """Return the process that this server started last for a study."""
    return _launched.get((url, study))


def launched_studies(url: str) -> list[str]:
    """Return the studies that this server started on a database."""
    return [study for database, study in _launched if database == url]


def stop(holder: Holder) -> None:
    """Ask the process that searches a study to stop; it records what has ended.

    Raises:
        InputError: It is none of this machine's, is gone, or is not Spikefront.
    """
    if not holder.alive:
        raise InputError("nobody searches this study any more", "Look again in a moment.")
    if holder.host != socket.gethostname():
        raise InputError(
            f"process {holder.process} runs on {holder.host}, and this is {socket.gethostname()}",
            f"Stop it there: kill {holder.process}",
        )
    command = command_line(holder.process)
    if not is_spikefront(command):
        what = f"is '{shlex.join(command)[:80]}'" if command else "is gone, or not ours to look at"
        raise InputError(
            f"process {holder.process} {what}, not a `spikefront` command", "Stop it where it was started."
        )
    try:
        os.kill(holder.process, signal.SIGTERM)
    except ProcessLookupError:
        raise InputError(f"process {holder.process} is gone", "Its lease runs out in half a minute.") from None
    except PermissionError:
        raise InputError(f"process {holder.process} belongs to another user", "Let them stop it.") from None


def command_line(process: int) -> list[str]:
    """Return the words that a process was started with; none where it cannot be known."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        return [word.decode(errors="replace") for word in words if word]
    except OSError:
        pass
    if sys.platform == "win32" or Path("/proc/self").exists():
        return []
    asked = ["ps", "-p", str(process), "-o", "command="]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603


def is_spikefront(command: list[str]) -> bool:
    """Tell whether a command line is a search by the `spikefront` program."""
    for place, word in enumerate(command[:-1]):
        named = word == "spikefront" and place > 0 and command[place - 1] == "-m"
        if (named or (place < 2 and Path(word).name == "spikefront")) and {"run", "resume"} & set(command[place + 1 :]):
            return True
    return False


def last_lines(log: Path, number: int = 20) -> str:
    """Return the last lines of a log without control characters; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(_CONTROL.sub("", text).rstrip().splitlines()[-number:])
