"""Executor `ray`: the same results as everywhere, on this machine and on a cluster that loses a machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from executed_studies import ODD, START, check_lottery, digits, found, job, lottery, searched

from spikefront.components import Pool
from spikefront.errors import InputError, PluginError, StudyFileError
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront_plugins.executors import _luggage
from spikefront_plugins.executors.inline import Inline
from spikefront_plugins.executors.ray import Ray

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def own_ray() -> Iterator[None]:
    """Have one Ray on this machine for all tests, started as a study starts it."""
    handler = signal.getsignal(signal.SIGTERM)
    pool = Ray(workers=2).open(ODD)
    assert signal.getsignal(signal.SIGTERM) is handler
    yield
    pool.close()
    assert not ray.is_initialized()


@pytest.fixture
def pools(own_ray: None) -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def opened(stack: contextlib.ExitStack, sources: Sources = ODD, **settings: Any) -> Pool:
    pool = Ray(**settings).open(sources)
    stack.callback(pool.close)
    return pool


def test_ray_gives_what_inline_gives(pools: contextlib.ExitStack) -> None:
    jobs = [digits(3), job(), job("raise"), job("nan"), digits(4), job("system-exit")]
    here, there = Inline().open(ODD), opened(pools)
    futures = [there.submit(each) for each in jobs]
    for each, future in zip(jobs, futures, strict=True):
        inline, distant = here.submit(each).result(0), future.result(START)
        if inline.failure and distant.failure:
            assert (distant.failure.kind, distant.failure.message) == (inline.failure.kind, inline.failure.message)
        else:
            assert found(distant) == found(inline)
        assert not distant.worker.endswith(f":{os.getpid()}")


def test_odd_candidates_are_recorded_by_kind_and_never_on_the_front(own_ray: None, tmp_path: Path) -> None:
    execution = {"use": "ray", "workers": 2, "timeout": 4.0, "memory": "1GiB"}
    with Database.open(tmp_path / "test.db", create=True) as database:
        assert searched(database, lottery(execution)) == "finished"
        check_lottery(database)


def test_time_counts_from_when_a_job_runs_and_not_from_when_it_waits(pools: contextlib.ExitStack) -> None:
    pool = opened(pools, workers=4, timeout=3.0)  # on two CPUs
    futures = [pool.submit(job("sleep")) for _ in range(3)] + [pool.submit(job())]
    results = [future.result(START) for future in futures]
    assert [result.failure and result.failure.kind for result in results] == ["time-out"] * 3 + [None]
    assert all(3 <= result.seconds < 10 for result in results[:3])


def test_workers_are_replaced_after_some_jobs(pools: contextlib.ExitStack) -> None:
    pool = opened(pools, workers=1, jobs=1)
    results = [pool.submit(job()).result(START) for _ in range(2)]
    assert [result.failure for result in results] == [None, None]
    assert results[0].worker != results[1].worker


def test_close_gives_up_what_runs(pools: contextlib.ExitStack) -> None:
    pool = opened(pools, workers=1)
    pool.submit(job()).result(START)
    futures = [pool.submit(job("sleep")) for _ in range(2)]
    time.sleep(0.3)
    pool.close()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(1)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(job())


def test_what_no_machine_can_run_is_refused(own_ray: None) -> None:
    with pytest.raises(InputError, match=r"execution.gpus = 7: no machine of the cluster has as much") as caught:
        Ray(gpus=7).open(ODD)
    assert "The largest has" in caught.value.hint


def test_a_cluster_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(InputError, match=r"the Ray cluster at 'localhost:9' cannot be reached: .*refused") as caught:
        Ray(address="localhost:9").open(ODD)
    assert "docs/cluster.md" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "fragments"),
    [
        ({"gpus": 1.5}, ["execution.gpus = 1.5", "whole number"]),
        ({"address": "ray://head:10001"}, ["execution.address", "HOST:PORT"]),
        ({"address": "head"}, ["execution.address = 'head'", "HOST:PORT"]),
        ({"retries": {"worker-dead": 1}}, ["execution.retries.worker-dead", "Did you mean 'worker-died'"]),
        ({"adress": "auto"}, ["execution.adress", "Did you mean 'address'"]),
    ],
)
def test_settings_that_mean_nothing(settings: dict[str, Any], fragments: list[str]) -> None:
    with pytest.raises(StudyFileError) as caught:
        Specification.from_document(lottery({"use": "ray", **settings}), load(ODD))
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


def test_without_ray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PluginError, match="not installed") as caught:
        Ray().open(ODD)
    assert "pip install 'spikefront[cluster]'" in caught.value.hint


def test_plugins_that_are_files_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(os, "environ", {**os.environ})
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mine.py").write_bytes(Path(ODD.folders[0], "odd_tasks.py").read_bytes())
    luggage = _luggage.pack(Sources(folders=(str(folder),)))
    assert _luggage.unpack(luggage).folders == (str(folder),)
    assert os.environ["SPIKEFRONT_DATA"]
    _luggage.unpack.cache_clear()
    (folder / "mine.py").write_text("# another file of that name")
    (elsewhere,) = _luggage.unpack(luggage).folders
    assert elsewhere != str(folder)
    assert "lottery" in load(Sources(folders=(elsewhere,))).components("task")
    _luggage.unpack.cache_clear()
    monkeypatch.setattr(_luggage, "version", lambda name: "0.0")
    with pytest.raises(PluginError, match=r"this machine has spikefront 0.0, and the study runs with"):
        _luggage.unpack(luggage)


STUDY = """
[study]
name = "lottery"
seed = 9
objectives = ["distance", "noise"]
[task]
use = "lottery"
draw = { low = 0.0, high = 0.69 }
a = { low = 0.0, high = 1.0 }
pause = 1.0
[trainer]
use = "none"
[search]
population = 8
generations = 3
"""


def front(path: Path) -> list[tuple[int, str, float | None, float | None]]:
    with Database.read_only(path) as database:
        rows = queries.front(database, "lottery")
        return [(row.number, row.genome_hash, row.mean("distance"), row.mean("noise")) for row in rows]


@pytest.mark.slow
def test_a_machine_that_is_lost_costs_its_running_jobs_only(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    (tmp_path / "study.toml").write_text(STUDY)
    command = [sys.executable, "-m", "spikefront", "run", "study.toml", "--plugins-dir", ODD.folders[0]]
    local = [*command, "--db", "sqlite:///local.db", "--executor", "inline", "--set", "task.pause=0.0"]
    subprocess.run(local, cwd=tmp_path, check=True, capture_output=True)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        second = cluster.add_node(num_cpus=1)
        distant = [*command, "--db", "sqlite:///ray.db", "--ray", cluster.address]
        process = subprocess.Popen(distant, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lost = threading.Thread(target=_lose, args=(cluster, second, tmp_path / "ray.db"))
        lost.start()
        output = process.communicate(timeout=120)[0]
        lost.join()
        assert process.returncode == 0, output
        assert len(cluster.list_all_nodes()) == 1
    finally:
        cluster.shutdown()
    assert front(tmp_path / "ray.db") == front(tmp_path / "local.db")
    with Database.read_only(tmp_path / "ray.db") as database:
        rows = queries.evaluations(database, "lottery")
        attempts = queries.attempts(database, "lottery")
    assert len({row.worker for row in rows}) > 1
    assert not any(row.failure for row in rows)
    assert [attempt.failure.kind for attempt in attempts] == ["worker-died"]
    assert json.loads(json.dumps([attempt.worker for attempt in attempts])) != [""]


def _lose(cluster: Any, node: Any, path: Path) -> None:
    """Kill a machine of a cluster once both have done some of the study."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception), Database.read_only(path) as database:
            rows = queries.evaluations(database, "lottery")
            if len(rows) > 3 and len({row.worker for row in rows}) > 1:
                break
        time.sleep(0.1)
    cluster.remove_node(node, allow_graceful=False)
