"""A private PostgreSQL server in a temporary folder, on a free port of this machine only, for tests and benchmarks."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql")
"""Debian keeps a folder here for each version, outside of the PATH."""

USER = "spikefront"
MISSING = "no PostgreSQL server programs: neither on the PATH nor in /usr/lib/postgresql (apt-get install postgresql)"


def programs() -> Path | None:
    """Return the folder of the server programs: on the PATH, or the newest where Debian puts them; None without."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def server(*, durable: bool = True) -> Iterator[str]:
    """Start a server, give the URL of its database `postgres`, whose user may make others, and stop it.

    Args:
        durable: Wait for the disk at each commit, as a real server does; tests need not.

    Raises:
        FileNotFoundError: There are no server programs.
        RuntimeError: The server does not start; the message is its log.
    """
    folder = programs()
    if folder is None:
        raise FileNotFoundError(MISSING)
    home, password = Path(tempfile.mkdtemp(prefix="spikefront-postgresql-")), secrets.token_hex(16)
    try:
        secret = home / "password"
        secret.write_text(password)
        secret.chmod(0o600)
        for path in (home, secret):
            os.chown(path, *_unprivileged())
        login = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", str(secret)]
        _run(folder / "initdb", "--pgdata", home / "data", "--encoding", "UTF8", "--no-locale", "--no-sync", *login)
        port = _start(folder, home, durable)
        try:
            yield f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run(folder / "pg_ctl", "stop", "--pgdata", home / "data", "--mode", "immediate")
    finally:
        shutil.rmtree(home)


def _start(folder: Path, home: Path, durable: bool) -> int:
    """Start the server and return its port; another program may take a free one before the server does."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "dynamic_shared_memory_type": "mmap",
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    }
    log = home / "log"
    for _ in range(5):
        port = _free_port()
        options = " ".join(f"-c {name}='{value}'" for name, value in {**settings, "port": port}.items())
        start = ["start", "--wait", "--pgdata", home / "data", "--log", log, "--options", options]
        try:
            _run(folder / "pg_ctl", *start)
        except RuntimeError:
            continue
        return port
    raise RuntimeError(log.read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> tuple[int, int]:
    """Return the user and the group to run as; the server refuses to run as root."""
    if os.getuid():
        return os.getuid(), os.getgid()
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


def _run(program: Path, *arguments: str | Path) -> None:
    user, group = _unprivileged()
    identity: dict[str, Any] = {} if os.getuid() else {"user": user, "group": group, "extra_groups": []}
    command: Sequence[str] = [str(program), *map(str, arguments)]
    # The server inherits what is open here, so nothing may wait for the end of a pipe.
    with tempfile.TemporaryFile("w+") as output:
        code = subprocess.run(command, cwd="/", stdout=output, stderr=output, check=False, **identity).returncode
        if code:
            output.seek(0)
            raise RuntimeError(f"{program.name} failed with code {code}: {output.read()}")
