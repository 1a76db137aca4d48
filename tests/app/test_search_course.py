"""How a search went and how fast it was, as tables."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spikefront.storage import Holder, StudyObjective
from spikefront_app import pace
from spikefront_app.course import AXES, course_table, indicators, losses_of, meaning_of, readable, unit_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ACCURACY, ENERGY = StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ")
BOX = {"accuracy": (1.0, 0.0), "energy": (0.0, 100.0)}


def evaluations(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return a table from (accuracy, energy, failure, reused, budget), a minute and 10 samples each."""
    number = len(rows)
    columns = list(zip(*rows, strict=True)) or [[]] * 5
    return pd.DataFrame(
        {
            "id": range(number),
            "failure": pd.Series(columns[2], dtype=object),
            "front": False,
            "reused": pd.Series(columns[3], dtype=bool),
            "budget": pd.Series(columns[4], dtype=float),
            "samples": 10,
            "seconds": 30.0,
            "worker": "w:1",
            "finished_at": pd.Series(
                [BEGAN + timedelta(minutes=n + 1) for n in range(number)], dtype="datetime64[us, UTC]"
            ),
            "accuracy": pd.Series(columns[0], dtype=float),
            "energy": pd.Series(columns[1], dtype=float),
        }
    )


def mixed() -> pd.DataFrame:
    return evaluations([
        (0.5, 50.0, None, False, 1.0),
        (None, None, "exception", False, 1.0),
        (0.5, 50.0, None, True, 1.0),
        (0.9, 1.0, None, False, 0.0),
        (0.8, 60.0, None, False, 0.25),
    ])  # fmt: skip


def test_only_what_can_be_on_a_front_has_losses() -> None:
    losses = losses_of(mixed(), [ACCURACY, ENERGY])
    assert losses[[0, 4]].tolist() == [[-0.5, 50.0], [-0.8, 60.0]]
    assert np.isnan(losses[1:4]).all()


def test_an_indicator_goes_over_evaluations_time_and_cost() -> None:
    course = course_table(mixed(), [ACCURACY, ENERGY], "hypervolume", BEGAN, BOX)
    assert course["value"].tolist() == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.25 + 0.3 * 0.4])
    assert course["evaluations"].tolist() == [1, 2, 3, 4, 5]
    assert course["time"].tolist() == [60, 120, 180, 240, 300]
    assert course["training samples"].tolist() == [10, 20, 20, 30, 40]
    assert course["training time"].tolist() == [30, 60, 60, 90, 120]


@pytest.mark.parametrize(("indicator", "last"), [
    ("best accuracy", 0.8), ("best energy", 50.0), ("candidates on the front", 2), ("additive epsilon", 0), ("IGD+", 0)
])  # fmt: skip
def test_every_indicator_ends_where_the_front_does(indicator: str, last: float) -> None:
    assert indicator in indicators([ACCURACY, ENERGY])
    assert meaning_of(indicator, [ACCURACY, ENERGY]).endswith(".")
    course = course_table(mixed(), [ACCURACY, ENERGY], indicator, BEGAN, BOX)
    assert course["value"].iloc[-1] == pytest.approx(last)


def test_evaluations_count_in_the_order_of_recording() -> None:
    table = evaluations([(0.2, 1.0, None, False, 1.0), (0.7, 1.0, None, False, 1.0)])
    turned = table.assign(finished_at=table["finished_at"].iloc[::-1].to_list())
    assert course_table(turned, [ACCURACY, ENERGY], "best accuracy", BEGAN)["value"].tolist() == [0.7, 0.7]


def test_units_are_those_of_the_objective_or_of_the_box() -> None:
    assert [unit_of(name, [ACCURACY, ENERGY]) for name in ("best energy", "best accuracy", "IGD+")] == [
        "pJ", "1", "lengths of the box",
    ]  # fmt: skip
    assert readable("time", 7200) == (3600, "time since the study was made [h]")
    assert readable("training time", 100)[0] == 1
    assert readable("evaluations", 1e6) == (1, "evaluations recorded")


def test_fifty_thousand_evaluations_are_fast() -> None:
    number, random = 50_000, np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "failure": None, "reused": False, "budget": 1.0, "samples": 5, "seconds": 1.0,
            "worker": [f"w:{n % 40}" for n in range(number)], "front": False,
            "finished_at": pd.Timestamp(BEGAN) + pd.to_timedelta(np.arange(number) + 1, unit="s"),
            "accuracy": random.random(number), "energy": random.random(number) * 100,
        }
    )  # fmt: skip
    begun = time.perf_counter()
    courses = [course_table(rows, [ACCURACY, ENERGY], name, BEGAN, BOX) for name in indicators([ACCURACY, ENERGY])]
    rates, (shares, mean) = pace.throughput(rows, BEGAN), pace.busy_shares(rows, BEGAN)
    assert time.perf_counter() - begun < 4
    assert max(map(len, courses)) <= 200
    assert (len(rates), shares.shape, round(mean, 3)) == (60, (32, 160), 1.0)


def test_throughput_counts_what_came_of_each_evaluation() -> None:
    rates = pace.throughput(mixed(), BEGAN)
    minutes = (rates["end"] - rates["start"]) / 60
    counted = {name: float((rates[name] * minutes).sum()) for name in pace.OUTCOMES}
    assert counted == pytest.approx(dict.fromkeys(pace.OUTCOMES, 1.0))


def test_workers_are_busy_in_their_own_time() -> None:
    work = pd.DataFrame(
        {
            "worker": ["a", "b", "a"],
            "seconds": [40.0, 80.0, 40.0],
            "finished_at": pd.Series(
                [BEGAN + timedelta(seconds=n) for n in (40, 160, 160)], dtype="datetime64[us, UTC]"
            ),
        }
    )
    shares, mean = pace.busy_shares(work, BEGAN)
    assert list(shares.index) == ["a", "b"]
    assert shares.loc["a"].tolist() == pytest.approx([1.0] * 40 + [0.0] * 80 + [1.0] * 40)
    assert shares.loc["b"].tolist() == pytest.approx([0.0] * 80 + [1.0] * 80)
    assert mean == pytest.approx((80 + 80) / 160)


def test_one_worker_with_one_candidate_was_always_busy() -> None:
    work = pd.DataFrame(
        {"worker": ["a"], "seconds": [5.0], "finished_at": [pd.Timestamp(BEGAN + timedelta(seconds=5))]}
    )
    shares, mean = pace.busy_shares(work, BEGAN)
    assert (mean, shares.to_numpy().min()) == (1.0, pytest.approx(1.0))


@pytest.mark.parametrize(("search", "extension", "total"), [
    ({"population": 4, "generations": 3}, None, 12),
    ({"evaluations": 7, "algorithm": "random"}, None, 7),
    ({"evaluations": 7}, {"generations": 2}, 48),
    ({"generations": 2, "early_stop": {"rungs": [0.5]}}, None, 48),
])  # fmt: skip
def test_candidates_planned_are_those_of_the_longest_budget(search: Any, extension: Any, total: int) -> None:
    assert pace.planned({"search": search}, extension) == total


def test_the_time_left_is_that_of_the_pace_now() -> None:
    table, now = mixed(), BEGAN + timedelta(minutes=6)
    holder = Holder("host", 1, BEGAN + timedelta(minutes=2), now, alive=True)
    assert pace.remaining(table, 8, holder, now) == pytest.approx(3 * 240 / 3)  # the reused one does not count
    assert pace.remaining(table, 5, holder, now) == 0
    assert pace.remaining(table, 8, None, now) is None
    assert pace.remaining(table[:0], 8, holder, now) is None


@pytest.mark.parametrize(("seconds", "words"), [
    (0.2, "0 s"), (59.4, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h"),
])  # fmt: skip
def test_times_are_told_in_two_units(seconds: float, words: str) -> None:
    assert pace.duration(seconds) == words


def test_axes_are_the_columns_of_a_course() -> None:
    course = course_table(mixed(), [ACCURACY, ENERGY], "best energy", BEGAN)
    assert list(course.columns) == [*AXES, "value"]
