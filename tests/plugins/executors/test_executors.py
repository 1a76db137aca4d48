"""Executors: the same evaluations wherever they run, and a pool that outlives its candidates."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, wait
from dataclasses import replace
from pathlib import Path

import pytest

from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.sources import Sources
from spikefront_plugins.executors.inline import Inline
from spikefront_plugins.executors.local import Local

ODD = Sources(folders=(str(Path(__file__).parents[2] / "core" / "odd_plugins"),))
START = 60  # seconds that a worker may take to start on a busy machine


def job(behaviour="well", place=(0.0, 0.5, 1.0)):
    import numpy as np

    study = {
        "study": {"name": "target", "seed": 3, "objectives": ["distance", "noise"]},
        "task": {"use": "target", "behaviour": behaviour},
        "trainer": {"use": "none"},
        "search": {"generations": 1},
    }
    return Job(json.dumps(study), Genome({"task.place": np.array(place)}))


def digits(steps):
    study = {
        "study": {"name": "digits", "seed": 3, "objectives": ["accuracy", "energy"]},
        "task": {"use": "digits", "train": 64, "validation": 30},
        "network": {"use": "mlp", "hidden": [12]},
        "coder": {"use": "poisson", "steps": steps},
        "trainer": {"epochs": 1},
        "search": {"generations": 1},
    }
    return Job(json.dumps(study), Genome({}))


def found(evaluation):
    return replace(evaluation, seconds=0.0, peak_memory=0, worker="")


@pytest.fixture
def open_pool():
    pools = []

    def opened(executor, sources=ODD):
        pools.append(executor.open(sources))
        return pools[-1]

    yield opened
    for pool in pools:
        pool.close()


def kind(future):
    failure = future.result(START).failure
    return failure and failure.kind


def test_inline_runs_here(open_pool):
    pool = open_pool(Inline())
    result = pool.submit(job()).result(0)
    assert result.failure is None
    assert result.worker.endswith(f":{os.getpid()}")
    assert kind(pool.submit(job("raise"))) == "exception"


def test_local_gives_what_inline_gives(open_pool):
    jobs = [digits(3), job(), digits(4), job("raise"), job("nan"), job("system-exit")]
    here, there = open_pool(Inline()), open_pool(Local(workers=2))
    expected = [here.submit(each) for each in jobs]
    futures = [there.submit(each) for each in jobs]
    for one, other in zip(expected, futures, strict=True):
        inline, local = one.result(0), other.result(START)
        if inline.failure:
            assert (local.failure.kind, local.failure.message) == (inline.failure.kind, inline.failure.message)
            assert "behave" in local.failure.traceback or "nan" in local.failure.message
        else:
            assert found(local) == found(inline)
        assert not local.worker.endswith(f":{os.getpid()}")


def test_a_pool_outlives_its_candidates(open_pool):
    pool = open_pool(Local(workers=2, timeout=3.0))
    names = ["sleep", "well", "exit", "well", "abort", "exit-0", "well"]
    futures = [pool.submit(job(name)) for name in names]
    died = "worker-died"
    assert [kind(future) for future in futures] == ["time-out", None, died, None, died, died, None]
    codes = [futures[names.index(name)].result().failure.message for name in ("exit", "abort")]
    assert "exit code 3" in codes[0]
    assert "SIGABRT" in codes[1]


def test_workers_that_die_idle_are_replaced(open_pool):
    pool = open_pool(Local(workers=2))
    first = pool.submit(job()).result(START)
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.5)
    futures = [pool.submit(job(place=(number, 0.0, 0.0))) for number in range(3)]
    results = [future.result(START) for future in futures]
    assert [result.failure for result in results] == [None] * 3
    assert first.worker not in {result.worker for result in results}


def test_workers_that_never_start_are_a_failure(open_pool, tmp_path):
    (tmp_path / "deadly.py").write_text(
        "import multiprocessing, os\nif multiprocessing.parent_process():\n    os._exit(4)\n"
    )
    pool = open_pool(Local(workers=1), Sources(folders=(str(tmp_path), *ODD.folders)))
    futures = [pool.submit(job()) for _ in range(2)]
    assert [kind(future) for future in futures] == ["worker-died"] * 2


def test_close_gives_up_what_runs(open_pool):
    pool = open_pool(Local(workers=1))
    pool.submit(job()).result(START)
    futures = [pool.submit(job("sleep")) for _ in range(3)]
    time.sleep(0.5)
    assert multiprocessing.active_children()
    start = time.monotonic()
    pool.close()
    assert time.monotonic() - start < 8
    assert not multiprocessing.active_children()
    assert not wait(futures, timeout=1).not_done
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(0)
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(job())


def test_a_pool_without_jobs_closes():
    start = time.monotonic()
    Local(workers=2).open(ODD).close()
    assert time.monotonic() - start < 5


def test_slow_libraries_are_not_imported_at_the_start():
    code = "import sys; from spikefront.plugins import load; load(); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"sklearn", "torchvision", "pymoo", "optuna", "cmaes", "streamlit", "plotly", "scipy"}
