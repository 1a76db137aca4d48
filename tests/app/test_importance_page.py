"""The page of importance: bars, effects and interactions, and the studies of which nothing can be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from app_pages import figures, numbers, page
from app_studies import document, run_study

from spikefront.sources import FOLDERS_VARIABLE
from spikefront.storage import Database
from spikefront.study import Study
from spikefront_app.figures.importance import (
    binned,
    figure_effect,
    figure_importance,
    figure_interaction,
    running_median,
    thin,
)


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the app find the plugin of the studies, and return its folder."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "trivial.py").write_text("from benchmarks.trivial import spikefront_fitness, spikefront_tasks\n")
    monkeypatch.setenv(FOLDERS_VARIABLE, str(folder))
    return str(folder)


def many() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"id": range(600), "x": rng.random(600), "use": rng.choice(["a", "b"], 600)})
    return table.assign(loss=table["x"] * 2 + (table["use"] == "a"))


def test_bars_are_those_of_the_objective_the_longest_on_top() -> None:
    table = pd.DataFrame(
        {
            "objective": ["e", "e", "e", "f"],
            "gene": ["a", "b", "c", "a"],
            "importance": [0.7, 0.3, np.nan, 1.0],
        }
    )
    bars = figure_importance(table, "e").data[0]
    assert (list(bars.y), list(bars.x)) == (["b", "a"], [0.3, 0.7])


def test_the_running_median_follows_a_straight_line() -> None:
    table = many().assign(loss=lambda rows: rows["x"] * 2)
    median = running_median(table["x"], table["loss"], logarithmic=False)
    assert len(median) == 12
    assert median["loss"].to_numpy() == pytest.approx(2 * median["x"].to_numpy())


def test_the_running_median_of_a_choice_is_one_for_each_value() -> None:
    table = many()
    median = running_median(table["use"], table["loss"], logarithmic=False)
    expected = table.groupby("use")["loss"].median()
    assert dict(zip(median["use"], median["loss"], strict=True)) == pytest.approx(dict(expected))


def test_an_effect_has_dots_a_median_and_the_right_axis() -> None:
    table = many().assign(x=lambda rows: rows["x"] + 1)
    number = figure_effect(table, "x", "loss", "J", logarithmic=True)
    assert [len(trace.x) for trace in number.data] == [600, 12]
    assert (number.layout.xaxis.type, number.layout.yaxis.title.text) == ("log", "loss [J]")
    choice = figure_effect(table, "use", "loss", "J")
    assert (len(choice.data[1].x), choice.data[1].mode, choice.layout.xaxis.type) == (2, "markers", "category")


def test_the_heat_map_has_the_median_of_each_cell_and_gaps_where_nobody_was() -> None:
    table = pd.DataFrame({"id": range(4), "x": [1, 1, 2, 1], "use": ["a", "a", "b", "b"], "loss": [1.0, 3.0, 5.0, 7.0]})
    heat = figure_interaction(table, ("x", "use"), "loss", "1").data[0]
    assert (list(heat.x), list(heat.y)) == (["1", "2"], ["a", "b"])
    assert np.array_equal(heat.z, [[2.0, np.nan], [7.0, 5.0]], equal_nan=True)


def test_bins_hold_every_value_and_logarithmic_ones_are_as_wide_in_the_exponent() -> None:
    values = pd.Series(np.geomspace(1e-4, 1e-1, 100))
    middles = np.unique(binned(values, logarithmic=True).astype(float))
    assert len(middles) == 12
    assert np.diff(np.log(middles)) == pytest.approx(np.log(1e3) / 12)


def test_thinning_keeps_the_ends() -> None:
    assert list(thin(many(), 3)["id"]) == [0, 300, 599]
    assert len(thin(many(), 1000)) == 600


def test_the_page_shows_what_the_analysis_says(study: str, database: str, known: str) -> None:
    app = page("importance", objective="first", method="mdi")
    assert not app.exception
    table = Study.open("shown", db=database, plugins=[known]).analyse("importance", method="mdi")
    mine = table[table["objective"] == "first"]
    bars = figures(app)[0]["data"][0]
    drawn = dict(zip(bars["y"], numbers(bars["x"]), strict=True))
    assert drawn == pytest.approx(dict(zip(mine["gene"], mine["importance"], strict=True)))
    assert "30 evaluations mean little" in app.warning[0].value
    assert len(figures(app)) == 5  # bars, three genes, two together


def test_a_study_with_too_few_evaluations_is_a_sentence(database: str, known: str) -> None:
    what = document("short")
    run_study(database, what | {"search": {"population": 4, "generations": 1}})
    app = page("importance")
    assert not app.exception
    assert "4 evaluations with all objectives" in app.error[0].value


def test_a_study_whose_plugin_is_missing_is_a_sentence(study: str) -> None:
    app = page("importance")
    assert not app.exception
    assert "trivial" in app.error[0].value


def test_an_empty_database_says_what_to_run(database: str) -> None:
    with Database.open(database, create=True):
        pass
    app = page("importance")
    assert not app.exception
    assert "spikefront run" in app.info[0].value
