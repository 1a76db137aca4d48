"""Executors: the same evaluations wherever they run, and a pool that outlives its candidates."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest
from executed_studies import ODD, START, check_lottery, digits, found, job, lottery, searched

from spikefront.errors import StudyFileError
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database
from spikefront_plugins.executors.inline import Inline
from spikefront_plugins.executors.local import Local


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
    failed = {name: future.result() for name, future in zip(names, futures, strict=True)}
    assert failed["exit"].failure.message == "the worker ended with exit code 3"
    assert failed["abort"].failure.message == "the worker was ended by SIGABRT"
    assert "odd_tasks.py" in failed["abort"].failure.traceback
    assert "in behave" in failed["sleep"].failure.traceback
    assert failed["sleep"].failure.message == "the evaluation took more than 3 s"
    assert 3 < failed["sleep"].seconds < 10
    for name in ("sleep", "exit", "abort"):
        assert failed[name].worker.split(":")[1].isdigit()
        assert failed[name].peak_memory > 50_000_000


def test_a_worker_is_bounded_and_replaced(open_pool):
    pool = open_pool(Local(workers=1, memory=1.0, jobs=2))
    names = ["well", "well", "hoard", "memory", "well", "kill"]
    results = [pool.submit(job(name)).result(START) for name in names]
    kinds = [result.failure and result.failure.kind for result in results]
    assert kinds == [None, None, "out-of-memory", "out-of-memory", None, "worker-died"]
    assert "SIGKILL" in results[-1].failure.message
    workers = [result.worker for result in results]
    assert workers[0] == workers[1]
    assert workers[4] == workers[5]
    assert len(set(workers)) == 4


def test_odd_candidates_are_recorded_by_kind_and_never_on_the_front(tmp_path):
    execution = {"use": "local", "workers": 2, "timeout": 4.0, "memory": "1GiB"}
    with Database.open(tmp_path / "test.db", create=True) as database:
        assert searched(database, lottery(execution)) == "finished"
        check_lottery(database)


@pytest.mark.parametrize(("given", "gibibytes"), [(2, 2.0), ("1GiB", 1.0), ("1536 MiB", 1.5), ("1000MB", 0.931)])
def test_sizes_of_memory(given, gibibytes):
    document = lottery({"use": "local", "memory": given})
    assert Specification.from_document(document, load(ODD)).executor.memory == pytest.approx(gibibytes, abs=1e-3)


@pytest.mark.parametrize(
    ("memory", "fragments"),
    [
        ("much", ["execution.memory = 'much'", "'1GiB' or '800MB'"]),
        ("100MiB", ["execution.memory", "0.5"]),
        (True, ["execution.memory = True"]),
    ],
)
def test_sizes_that_mean_nothing(memory, fragments):
    with pytest.raises(StudyFileError) as caught:
        Specification.from_document(lottery({"use": "local", "memory": memory}), load(ODD))
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


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
    message = "the workers end before they start a job; the last one ended with exit code 4"
    assert futures[0].result().failure.message == message


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


ORPHAN = """
import sys, time
sys.path.insert(0, {folder!r})
from executed_studies import ODD, job
from spikefront_plugins.executors.local import Local

if __name__ == "__main__":
    pool = Local(workers=1).open(ODD)
    print(pool.submit(job()).result().worker, flush=True)
    pool.submit(job("sleep")).result()
"""


def test_a_worker_ends_with_its_coordinator(tmp_path):
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN.format(folder=str(Path(__file__).parent)))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as coordinator:
        worker = int(coordinator.stdout.readline().split(":")[1])
        time.sleep(0.5)
        coordinator.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{worker}").exists()


def test_a_pool_without_jobs_closes():
    start = time.monotonic()
    Local(workers=2).open(ODD).close()
    assert time.monotonic() - start < 5


def test_slow_libraries_are_not_imported_at_the_start():
    code = "import sys; from spikefront.plugins import load; load(); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert not loaded & {"ray", "sklearn", "torchvision", "pymoo", "optuna", "cmaes", "streamlit", "plotly", "scipy"}
