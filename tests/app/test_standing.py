"""How studies stand: states, totals, sparklines, the table and its filter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from app_studies import document, run_study
from benchmarks import trivial

from spikefront import Study
from spikefront.components.algorithm import StudyObjective
from spikefront.search.screening import Standing
from spikefront.storage import Database, Holder, StudyRow, frames, queries
from spikefront_app.standing import POINTS, filtered, growth, overview, standing_table, state, task, total

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def study(name: str = "one", state: Any = "running", search: Any = None, **values: Any) -> StudyRow:
    objectives = (StudyObjective("accuracy", "maximize", "1"), StudyObjective("energy", "minimize", "pJ"))
    specification = {
        "task": values.pop("task", {"use": "digits"}),
        "search": search or {"population": 4, "generations": 5},
    }
    facts: dict[str, Any] = {
        "name": name, "specification": json.dumps(specification), "specification_hash": "", "seed": 0, "state": state,
        "created_at": MOMENT, "updated_at": MOMENT, "spikefront_version": "0", "objectives": objectives,
        "reference": {"accuracy": (1.0, 0.0), "energy": (0.0, 10.0)}, "plugins": (), "evaluations": 3, "failed": 1,
        "reused": 0,
    }  # fmt: skip
    return StudyRow(**(facts | values))


def holder(alive: bool) -> Holder:
    return Holder("here", 7, MOMENT, MOMENT, alive)


def test_a_study_whose_holder_is_silent_is_interrupted() -> None:
    assert state(study(), holder(alive=True)) == "running"
    assert state(study(), holder(alive=False)) == "interrupted"
    assert state(study(), None) == "interrupted"
    assert state(study(state="finished"), holder(alive=False)) == "finished"


def test_how_many_candidates_a_study_asks_for() -> None:
    assert total(study()) == 20
    assert total(study(search={"algorithm": "tpe", "startup": 3, "evaluations": 7})) == 7
    assert total(study(extension={"generations": 6})) == 24
    assert total(study(search={"generations": 2, "early_stop": {"rungs": [0.5]}, "screening": "synflow"})) == 48


def test_the_task_of_a_study() -> None:
    assert task(study()) == "digits"
    assert task(study(task="mnist")) == "mnist"
    assert task(study(task={"use": {"choice": ["a", "b"]}})) == "a, b"


def evaluations(generations: int = 3) -> pd.DataFrame:
    rows = [
        (0, None, 1.0, 0.5, 5.0),
        (1, "time-out", 1.0, np.nan, np.nan),
        (1, None, 0.0, 1.0, 0.0),
        (2, None, 1.0, 1.0, 5.0),
    ]
    rows += [(number, None, 1.0, 0.1, 9.0) for number in range(3, generations)]
    return pd.DataFrame(rows, columns=["generation", "failure", "budget", "accuracy", "energy"])


def test_growth_leaves_out_what_failed_and_what_was_not_trained() -> None:
    assert growth(evaluations(), study()) == pytest.approx([0.25, 0.25, 0.5])


def test_growth_of_a_long_study_is_short_and_ends_with_the_last_generation() -> None:
    points = growth(evaluations(1000), study())
    assert len(points) == POINTS
    assert (points[0], points[-1]) == pytest.approx((0.25, 0.5))


def test_growth_without_bounds_or_evaluations_is_empty() -> None:
    assert growth(evaluations(), study(reference=None)) == []
    assert growth(evaluations()[:0], study()) == []


def test_growth_agrees_with_the_analysis(tmp_path: Path) -> None:
    run_study(f"sqlite:///{tmp_path}/app.db", document())
    of_the_analysis = Study.open("shown", db=tmp_path / "app.db", plugins=[trivial]).analyse("hypervolume")
    with Database.read_only(tmp_path / "app.db") as opened:
        points = growth(frames.evaluations(opened, "shown"), queries.study(opened, "shown"))
    assert points == pytest.approx(list(of_the_analysis["hypervolume"]))


def test_the_overview_asks_for_the_holder_of_those_that_run_only() -> None:
    asked = []
    rows = [study("a"), study("b", state="finished"), study("c", state="failed", evaluations=0, failed=0)]
    table = overview(rows, lambda row: asked.append(row.name), lambda row: [0.5])
    assert asked == ["a"]
    assert list(table["state"]) == ["interrupted", "finished", "failed"]
    assert list(table["of"]) == [20, 20, 20]
    assert list(table["objectives"]) == ["accuracy, energy"] * 3
    assert list(table["hypervolume"]) == [[0.5]] * 3


def test_a_screening_has_a_row_for_each_generation() -> None:
    at_first, then = Standing("kpls", "accuracy", None, 0, False), Standing("kpls", "accuracy", 0.5, 8, True, 0.02)
    table = standing_table([at_first, at_first, then])
    assert table.to_dict("records")[0] == {
        "generation": 1,
        "candidates": 8,
        "Kendall tau": 0.5,
        "mean absolute error": 0.02,
        "followed": True,
    }
    assert table["generation"].tolist() == [1, 0]
    assert table["Kendall tau"].isna().tolist() == [False, True]


def test_the_filter_takes_all_words_and_any_state() -> None:
    rows = [study("alpha"), study("beta", state="finished", task="mnist"), replace(study("alpha-2"), state="failed")]
    table = overview(rows, lambda row: holder(alive=True), lambda row: [])
    assert list(filtered(table, "ALPHA", [])["study"]) == ["alpha", "alpha-2"]
    assert list(filtered(table, "alpha digits", ["failed", "finished"])["study"]) == ["alpha-2"]
    assert list(filtered(table, "mnist", ["running"])["study"]) == []
    assert list(filtered(table, "a.pha (", [])["study"]) == []
    assert filtered(table[:0], "x", ["failed"]).empty
