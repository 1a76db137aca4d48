"""The page about how a search goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from app_pages import figures, numbers, page
from app_studies import document, run_study
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.measure.hypervolume import hypervolume
from spikefront.storage import Database, StudyObjective, StudyStore, queries, schema

OBJECTIVES = (StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ"))
TRACEBACK = 'Traceback (most recent call last):\n  File "net.py", line 7, in build\nValueError: too wide: 9'


def made(url: str, name: str = "made", **search: Any) -> tuple[Database, StudyStore]:
    """Return a study that was just made, and its database."""
    opened = Database.open(url, create=True)
    text = f'{{"study": {{"name": "{name}"}}, "search": {{"population": 4, "generations": 2}}}}'
    return opened, StudyStore.create(
        opened, name, specification=text, specification_hash="5" * 64, seed=1, objectives=OBJECTIVES
    )


def evaluated(gene: int, accuracy: float = 0.5, energy: float = 10.0, **values: Any) -> Evaluation:
    measured = {"accuracy": Measurement((accuracy,)), "energy": Measurement((energy,))}
    return Evaluation(Genome({"tau": gene}), measured, samples=100, seconds=2.0, worker="host:7", **values)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_the_hypervolume_grows_to_that_of_the_front(study: str, database: str) -> None:
    app = page("progress")
    assert not app.exception
    line = figures(app)[0]["data"][0]
    with Database.read_only(database) as opened:
        row, front = queries.study(opened, study), queries.front(opened, study)
    names = [objective.name for objective in row.objectives]
    assert row.reference
    ends = [[row.reference[name][end] for name in names] for end in (0, 1)]
    values = numbers(line["y"])
    assert values[-1] == pytest.approx(hypervolume([[one.mean(name) for name in names] for one in front], *ends))
    assert values == sorted(values)
    assert numbers(line["x"]) == list(range(1, 31))
    assert metrics(app) == {
        "State": "finished", "Candidates": "30 of 30", "On the front": str(len(front)), "Failed": "0",
        "Reused": str(row.reused), "Time left": "-",
    }  # fmt: skip


def test_the_address_chooses_indicator_and_axis(study: str, database: str) -> None:
    app = page("progress", progress_of="best first", progress_over="training time", progress_log="true")
    assert not app.exception
    drawn = figures(app)[0]
    with Database.read_only(database) as opened:
        rows = queries.evaluations(opened, study)
    assert numbers(drawn["data"][0]["y"])[-1] == min(row.mean("first") or 1.0 for row in rows)
    assert drawn["layout"]["xaxis"]["type"] == "log"
    assert "[s]" in drawn["layout"]["xaxis"]["title"]["text"]


def test_a_stale_link_says_what_is_missing(study: str) -> None:
    app = page("progress", progress_of="best fourth")
    assert not app.exception
    assert "best fourth" in app.warning[0].value


def test_throughput_and_workers_show_all_work(study: str) -> None:
    app = page("progress")
    bars, strip = figures(app)[1], figures(app)[2]
    assert sum(sum(numbers(trace["y"])) * trace_width(trace) for trace in bars["data"]) == pytest.approx(30)
    assert strip["data"][0]["type"] == "heatmap"


def trace_width(trace: dict[str, Any]) -> float:
    """Return the width of a bar in minutes, of an axis in seconds."""
    return numbers(trace["width"])[0] / 60


def test_a_study_without_evaluations_waits(database: str) -> None:
    opened, store = made(database)
    with opened:
        store.acquire("there", 4711)
        app = page("progress")
    assert not app.exception
    assert not figures(app)
    assert metrics(app)["Candidates"] == "0 of 8"
    assert "No candidate" in app.info[0].value
    assert any("process 4711 on there" in caption.value for caption in app.caption)


def test_a_running_study_without_anybody_says_how_to_go_on(database: str) -> None:
    opened, _ = made(database)
    with opened:
        app = page("progress")
    assert "spikefront resume made" in app.warning[0].value


def test_one_candidate_is_one_point(database: str) -> None:
    opened, store = made(database)
    with opened:
        store.record(evaluated(1), generation=0)
        store.set_reference({"accuracy": (1.0, 0.0), "energy": (0.0, 20.0)})
        app = page("progress")
    assert not app.exception
    assert numbers(figures(app)[0]["data"][0]["y"]) == [0.25]
    assert numbers(figures(app)[0]["data"][0]["x"]) == [1]


def test_a_running_study_without_a_box_has_best_values_and_no_volume(database: str) -> None:
    opened, store = made(database)
    with opened:
        store.record(evaluated(1, accuracy=0.75), generation=0)
        volume, best = page("progress"), page("progress", progress_of="best accuracy")
    assert not volume.exception
    assert "first generation" in volume.info[0].value
    assert numbers(figures(best)[0]["data"][0]["y"]) == [0.75]


def test_the_time_left_follows_the_pace(database: str) -> None:
    opened, store = made(database)
    with opened:
        store.acquire("there", 4711)
        for number in range(4):
            store.record(evaluated(number), generation=0)
        with opened.write() as session:
            session.execute(update(schema.Lease).values(acquired_at=datetime.now(UTC) - timedelta(minutes=4)))
        app = page("progress")
    assert metrics(app)["Time left"] in {"about 4 min", "about 4 min 1 s", "about 4 min 2 s"}


def test_all_failed_is_told_by_cause(database: str) -> None:
    opened, store = made(database)
    with opened:
        for number in range(3):
            failed = Failure("exception", f"ValueError: too wide: {number}", TRACEBACK)
            store.record(Evaluation(Genome({"tau": number}), failure=failed, worker="host:7"), generation=0)
        late = Failure("timeout", "took more than 60 s")
        store.record(Evaluation(Genome({"tau": 9}), failure=late, seconds=60.0), generation=0)
        store.set_state("failed")
        app = page("progress")
    assert not app.exception
    assert metrics(app)["Failed"] == "4"
    assert "No candidate has given any" in app.info[0].value
    assert [expander.label for expander in app.expander] == [
        r"**exception**, 3 times: ValueError\: too wide\: 0",
        "**timeout**, 1 time: took more than 60 s",
    ]
    assert app.expander[0].code[0].value == TRACEBACK
    assert "Candidates 0, 1, 2." in app.expander[0].markdown[0].value


@pytest.mark.parametrize("objectives", [["first"], ["first", "second"]])
def test_fewer_objectives_have_a_page_too(database: str, objectives: list[str]) -> None:
    run_study(database, document(objectives=objectives))
    for indicator in ("hypervolume", "IGD+", "additive epsilon", "candidates on the front"):
        app = page("progress", progress_of=indicator)
        assert not app.exception
        assert len(figures(app)[0]["data"]) == 1


def test_an_empty_database_says_what_to_run(database: str) -> None:
    with Database.open(database, create=True):
        pass
    assert "spikefront run" in page("progress").info[0].value
