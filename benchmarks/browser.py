"""The app in a server of its own, and a real browser that looks at it: for measurements, pictures and tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spikefront_app
from spikefront.cli.options import DATABASE_VARIABLE
from spikefront_app.plugin import HERE, server_command

MAIN = Path(spikefront_app.__file__).with_name("main.py")
SCREENS = MAIN.with_name("screens")
PAGES = ("front", "candidate", "progress", "compare", "importance", "studies", "launch", "plugins")
MISSING = "there is no chromium here; on Debian: apt-get install chromium"
PATIENCE_S = 60.0
_STILL = {"STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none"}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
        process: Its process ID.
        log: File of what it says.
    """

    url: str
    process: int
    log: Path

    def page(self, name: str, query: str = "") -> str:
        """Return the address of a page; the first one has none of its own."""
        return f"{self.url}/{'' if name == PAGES[0] else name}{query}"

    def memory(self) -> int:
        """Return the largest memory that the server has had by now, in bytes."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def chromium() -> str | None:
    """Return the browser, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def server(database: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve a database at a free port of this machine until the block is left; `folder` is where the server works."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            server_command(HERE, port, headless=True),
            cwd=folder,
            env={**os.environ, **_STILL, DATABASE_VARIABLE: database, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://{HERE}:{port}"
            _wait(f"{url}/_stcore/health", running, log)
            yield Server(url, running.pid, log)
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def browser() -> Iterator[Any]:
    """Give a browser of playwright.

    Raises:
        FileNotFoundError: There is none; the message says how to get it.
    """
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        )
        try:
            yield started
        finally:
            started.close()


def look(page: Any, url: str, settle_s: float = 0.5) -> None:
    """Open an address, and wait until Streamlit has drawn all of it."""
    page.goto(url)
    page.wait_for_selector("h1", timeout=1000 * PATIENCE_S)
    finished(page)
    page.wait_for_timeout(1000 * settle_s)


def finished(page: Any) -> None:
    """Wait until the server has nothing more to do for a page, and no figure is left to be drawn."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]');
            const idle = app && app.dataset.testScriptState === "notRunning";
            const waits = document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"]');
            return idle && !waits;
        }""",
        timeout=1000 * PATIENCE_S,
    )


def _wait(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if running.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the server did not answer within {PATIENCE_S:.0f} s: {log.read_text()}")
