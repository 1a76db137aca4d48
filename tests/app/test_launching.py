"""Study files and background processes: nothing is overwritten in silence, nothing but Spikefront is stopped."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spikefront.errors import InputError
from spikefront.storage import Holder
from spikefront_app import launching

NOW = datetime.now(UTC)


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/x", "", ".hidden", "..", "x\0", "a b", "x.toml.toml/../y", "-x"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name for a study file"):
        launching.save(tmp_path, name, "text")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "x.toml").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="is a link"):
        launching.save(tmp_path, "x", "text", overwrite=True)
    assert not (tmp_path / "precious").exists()


def test_saving_overwrites_only_if_told_to(tmp_path: Path) -> None:
    path = launching.save(tmp_path, "mine", "one")
    assert path == tmp_path / "studies" / "mine.toml"
    assert launching.save(tmp_path, "mine.toml", "one") == path
    with pytest.raises(InputError, match=r"a file studies/mine\.toml already"):
        launching.save(tmp_path, "mine", "two")
    assert path.read_text() == "one"
    launching.save(tmp_path, "mine", "two", overwrite=True)
    assert path.read_text() == "two"
    assert launching.study_files(tmp_path) == ["mine.toml"]
    assert [file.name for file in path.parent.iterdir()] == ["mine.toml"]


def test_where_logs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert launching.log_path(f"sqlite:///{tmp_path}/a.db", "one") == tmp_path / "a.db.one.log"
    assert launching.log_path(str(tmp_path / "a.db"), "one") == tmp_path / "a.db.one.log"
    monkeypatch.setattr(launching.tempfile, "gettempdir", lambda: str(tmp_path))
    server = launching.log_path("postgresql+psycopg://u:secret@host/name", "one")
    assert server.parent.parent == tmp_path
    assert "secret" not in str(server)
    assert stat.S_IMODE(server.parent.stat().st_mode) == 0o700
    assert server != launching.log_path("postgresql+psycopg://u:secret@host/other", "one")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["python", "-m", "spikefront", "run", "x.toml"], True),
        (["python3.11", "-X", "dev", "-m", "spikefront", "resume", "x"], True),
        (["/venv/bin/python", "/venv/bin/spikefront", "run", "x.toml"], True),
        (["spikefront", "--no-plugins", "resume", "x"], True),
        (["spikefront", "app"], False),
        (["python", "-m", "spikefront", "app"], False),
        (["vim", "notes", "spikefront", "run"], False),
        (["python", "my_search.py"], False),
        ([], False),
    ],
)
def test_what_is_a_search(command: list[str], expected: bool) -> None:
    assert launching.is_spikefront(command) is expected


def holder(process: int, host: str = "", alive: bool = True) -> Holder:
    return Holder(host or socket.gethostname(), process, NOW, NOW, alive)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_nothing_but_spikefront_is_stopped(bystander: subprocess.Popen[bytes]) -> None:
    with pytest.raises(InputError, match="not a `spikefront` command"):
        launching.stop(holder(bystander.pid))
    with pytest.raises(InputError, match="runs on elsewhere"):
        launching.stop(holder(bystander.pid, "elsewhere"))
    with pytest.raises(InputError, match="nobody searches"):
        launching.stop(holder(bystander.pid, alive=False))
    with pytest.raises(InputError, match="is gone"):
        launching.stop(holder(2**22 - 1))
    assert bystander.poll() is None


STAND_IN = """#!{python}
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *a: (print("stopping", flush=True), sys.exit(130)))
print("\\x1b[1mrun\\x1b[0m", *sys.argv[1:], "on", os.environ["SPIKEFRONT_DB"], flush=True)
time.sleep(60)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is started be a script that says how it was started, and waits."""
    script = tmp_path / "python"
    script.write_text(STAND_IN.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setattr(launching.sys, "executable", str(script))


def waited_for(log: Path, words: str) -> str:
    deadline = time.monotonic() + 20
    while words not in launching.last_lines(log) and time.monotonic() < deadline:
        time.sleep(0.02)
    return launching.last_lines(log)


def test_a_search_is_started_on_its_own_and_stopped_politely(tmp_path: Path, stand_in: None) -> None:
    file, url = launching.save(tmp_path, "mine", "text"), f"sqlite:///{tmp_path}/a.db"
    launched = launching.start(file, "mine", url)
    assert launching.launched(url, "mine") is launched
    assert launching.launched_studies(url) == ["mine"]
    assert waited_for(launched.log, "run") == f"run -m spikefront run {file} on {url}"
    assert os.getsid(launched.process.pid) == launched.process.pid  # no signal of the server's terminal reaches it
    with pytest.raises(InputError, match="is running already"):
        launching.start(file, "mine", url)
    launching.stop(holder(launched.process.pid))
    assert launched.process.wait(20) == 130
    assert launching.last_lines(launched.log).endswith("\nstopping")
    again = launching.start(file, "mine", url)
    assert "stopping\nrun" in waited_for(again.log, "stopping\nrun")
    again.process.send_signal(signal.SIGKILL)
    again.process.wait()


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert launching.last_lines(log) == ""
    log.write_bytes(b"x" * 100_000 + b"\n" + b"\n".join(b"\x1b[2K%d\r" % n for n in range(50)) + b"\xff\n")
    assert launching.last_lines(log, 3) == "47\n48\n49\N{REPLACEMENT CHARACTER}"
