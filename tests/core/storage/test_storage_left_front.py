"""When candidates left the front, against the front of a study that stopped then."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure
from spikefront.storage import Database, StudyObjective, frames

OBJECTIVES = (StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ"))


def test_the_front_after_each_generation_is_that_of_a_shorter_study(tmp_path, new_study, evaluated):
    rng = np.random.default_rng(3)
    rows = [(n // 6, n % 17, round(rng.random(), 1), round(rng.random() * 10)) for n in range(24)]
    fronts = []
    for last in range(4):
        with Database.open(tmp_path / f"{last}.db", create=True) as shorter:
            store = new_study(shorter)
            for generation, gene, accuracy, energy in rows:
                if generation <= last:
                    store.record(evaluated(gene, accuracy, energy), generation=generation)
            table = frames.evaluations(shorter, "first")
            left = frames.left_front(table, OBJECTIVES)
        table = table.set_index("id")
        fronts.append(list(table.index[table["front"]]))
    for last, front in enumerate(fronts):
        assert [n for n in table.index if table.at[n, "generation"] <= last and not left[n] <= last] == front


def test_what_failed_or_was_not_trained_never_was_on_the_front(database, store, evaluated):
    store.record(Evaluation(Genome({"g": 1}), failure=Failure("time-out", "")), generation=0)
    store.record(evaluated(2, 0.9, 1.0), generation=1, budget=0.0)
    store.record(evaluated(3, 0.5, 10.0), generation=2)
    store.record(evaluated(3, 0.5, 10.0), generation=3)
    left = frames.left_front(frames.evaluations(database, "first"), OBJECTIVES)
    pd.testing.assert_series_equal(
        left, pd.Series([0.0, 1.0, np.nan, 3.0], index=pd.Index([0, 1, 2, 3], name="id"), name="left front")
    )


def test_a_study_without_evaluations_has_none(database, store):
    assert frames.left_front(frames.evaluations(database, "first"), OBJECTIVES).empty
