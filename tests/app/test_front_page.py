"""The page of the front, in Streamlit's test runner: what it plots, selects, and takes home."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from app_pages import figures, numbers, page
from app_studies import TRIVIAL, document, make_study, run_study

from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, frames, queries, tags
from spikefront_app import takehome


def drawn(app: Any, chart: int = 0) -> dict[int, tuple[float, ...]]:
    """Return the coordinates of the candidates of the front, by number."""
    found: dict[int, tuple[float, ...]] = {}
    for trace in figures(app)[chart]["data"]:
        if str(trace.get("name", "")).startswith("front,") or trace.get("name") == "front":
            axes = [numbers(trace[letter]) for letter in "xyz" if letter in trace]
            ids = [int(row[0]) if isinstance(row, list) else int(row) for row in numbers(trace["customdata"])]
            found |= dict(zip(ids, zip(*axes, strict=True), strict=True))
    return found


def recorded(database: str, study: str) -> tuple[set[int], dict[int, Any]]:
    with Database.read_only(database) as opened:
        rows = {row.number: row for row in queries.evaluations(opened, study)}
        return {row.number for row in queries.front(opened, study)}, rows


def test_the_front_page_plots_what_is_recorded(study: str, database: str) -> None:
    app = page()
    assert not app.exception
    front, rows = recorded(database, study)
    assert {n: pytest.approx(v) for n, v in drawn(app).items()} == {
        n: (rows[n].mean("second"), rows[n].mean("first")) for n in front
    }
    assert list(app.dataframe[-1].value["id"]) == sorted(front, key=lambda n: rows[n].mean("first"))


def test_axes_colour_and_scale_are_restored_from_the_address(study: str, database: str) -> None:
    app = page(x="third", z="second", colour="generation", **{"log.third": "true"})
    assert not app.exception
    assert set(drawn(app)) == recorded(database, study)[0]
    scene = figures(app)[0]["layout"]["scene"]
    assert [scene[axis]["title"]["text"] for axis in ("xaxis", "yaxis", "zaxis")] == ["third", "first", "second"]
    assert scene["xaxis"]["type"] == "log"
    said = " ".join(caption.value for caption in app.caption)
    assert "Better is third lower, first lower, second lower." in said
    assert "Nothing can be selected in a figure in space: drag a box in the scatter matrix" in said


def test_choosing_an_axis_changes_the_figure(study: str) -> None:
    app = page()
    app.selectbox(key="x").set_value("third").run()
    assert not app.exception
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"] == "third, lower is better"


def test_a_stale_address_is_told(study: str) -> None:
    app = page(x="gone", selected="3,999")
    assert not app.exception
    assert "'gone'" in app.warning[0].value
    assert "no candidate '999'" in app.warning[1].value


def test_replay_shows_the_front_of_then(study: str, database: str) -> None:
    app = page(replay="true", after="0")
    assert not app.exception
    with Database.read_only(database) as opened:
        table = frames.evaluations(opened, study)
        left = frames.left_front(table, queries.study(opened, study).objectives)
    assert set(drawn(app)) == {n for n in table.loc[table["generation"] == 0, "id"] if not left[n] <= 0}
    names = [trace["name"] for trace in figures(app)[0]["data"]]
    assert "front after the last generation" in names
    assert "after generation 0" in " ".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("part", ["Table", "Parallel coordinates", "Scatter matrix", "What differs", "Shortlist"])
def test_every_part_follows_the_selection(study: str, database: str, part: str) -> None:
    front, _ = recorded(database, study)
    one, two = sorted(front)[:2]
    app = page(selected=f"{one},{two}", part=part)
    assert not app.exception
    rings = [trace for trace in figures(app)[0]["data"] if trace["name"] == "selected"]
    assert set(numbers(rings[0]["customdata"])) == {one, two}
    if part == "What differs":
        assert list(app.dataframe[-1].value.columns) == [f"candidate {one}", f"candidate {two}"]
    elif part in {"Parallel coordinates", "Scatter matrix"}:
        assert figures(app)[1]["data"][-1]["name"] == "selected"


def test_the_table_shows_what_is_selected_elsewhere_only(study: str, database: str) -> None:
    front, _ = recorded(database, study)
    chosen = sorted(front)[:2]
    app = page(selected=",".join(map(str, chosen)))
    assert sorted(app.dataframe[-1].value["id"]) == chosen
    assert set(page(selected=str(chosen[0]), only="false").dataframe[-1].value["id"]) == front
    app = next(button for button in app.button if button.label == "Clear selection").click().run()
    assert set(app.dataframe[-1].value["id"]) == front


def test_the_shortlist_lasts_and_can_be_taken_home(study: str, database: str) -> None:
    app = page(selected="3,5", part="Shortlist")
    next(button for button in app.button if button.label == "Add to shortlist").click().run()
    assert not app.exception
    with Database.read_only(database) as opened:
        assert tags.tagged(opened, study) == [3, 5]
    again = page(part="Shortlist", selected="5")
    assert list(again.dataframe[-1].value["id"]) == [3, 5]
    assert [code.value for code in again.code][:2] == [
        f"spikefront retrain shown 3 --db {database} --seeds 5",
        f"spikefront test shown 3 --db {database}",
    ]
    next(button for button in again.button if button.label == "Remove selected").click().run()
    with Database.read_only(database) as opened:
        assert tags.tagged(opened, study) == [3]


def test_limits_pick_of_a_region_are_explained(study: str, database: str) -> None:
    app = page(**{"limit.first": "0.5", "limit.second": "0.5"})
    assert not app.exception
    picks = app.dataframe[0].value
    assert "pick of the region" in list(picks["pick"])
    front, rows = recorded(database, study)
    number = int(picks.loc[picks["pick"] == "pick of the region", "candidate"].iloc[0])
    assert number in front
    assert max(rows[number].mean("first"), rows[number].mean("second")) <= 0.5


def test_other_studies_are_laid_over(study: str, database: str) -> None:
    run_study(database, document("other", seed=2))
    app = page(study="shown", over="other")
    assert not app.exception
    trace = next(trace for trace in figures(app)[0]["data"] if trace["name"] == "other")
    front, rows = recorded(database, "other")
    assert sorted(numbers(trace["x"])) == pytest.approx(sorted(rows[n].mean("second") for n in front))


def test_a_study_that_just_started_says_so(database: str) -> None:
    make_study(database, [])
    app = page()
    assert not app.exception
    assert "No candidate" in app.info[0].value


def test_a_study_whose_candidates_all_failed_says_where_to_look(database: str) -> None:
    make_study(database, [(0, "time-out"), (0, "exception")])
    app = page()
    assert not app.exception
    assert "spikefront failures made" in app.info[0].value


@pytest.mark.parametrize("objectives", [("first",), ("first", "second"), ("first", "second", "third", "fourth")])
@pytest.mark.parametrize("part", ["Table", "Parallel coordinates", "Scatter matrix", "What differs"])
def test_one_candidate_of_any_number_of_objectives(database: str, objectives: tuple[str, ...], part: str) -> None:
    make_study(database, [(0, tuple(0.25 for _ in objectives))], objectives)
    app = page(part=part)
    assert not app.exception
    assert list(drawn(app)) == [0]


def test_replicates_failures_and_the_untrained(database: str) -> None:
    make_study(database, [(0, ((1.0, 2.0, 3.0), 4.0)), (0, "time-out"), (1, (1.0, 9.0))])
    with Database.open(database) as opened:
        untrained = Evaluation(Genome({"task.a": 0.9}), {"second": Measurement((0.0,))})
        StudyStore.open(opened, "made").record(untrained, generation=1, budget=0.0)
    app = page()
    assert not app.exception
    assert drawn(app) == {0: (4.0, 2.0), 2: (9.0, 1.0)}
    bars = [trace["error_y"]["array"] for trace in figures(app)[0]["data"] if "error_y" in trace]
    assert max(value for bar in bars for value in numbers(bar) if value == value) == pytest.approx(1 / 3**0.5)
    assert "1 failed, 1 left untrained" in " ".join(caption.value for caption in app.caption)


def test_a_study_file_of_one_candidate_runs_it_alone(study: str, database: str) -> None:
    with Database.read_only(database) as opened:
        row = queries.evaluation(opened, study, 3)
    specification = Specification.from_document(document(), load(TRIVIAL))
    text = takehome.study_file(specification, 3, row.genome)
    again = tomllib.loads(text)
    assert again["study"]["name"] == "shown-3"
    run_study(database, again)
    front, rows = recorded(database, "shown-3")
    assert front == {0}
    assert [rows[0].mean(name) for name in ("first", "second", "third")] == [
        row.mean(name) for name in ("first", "second", "third")
    ]
