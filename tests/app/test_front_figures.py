"""The front's figures, picks and tables, from tables alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from spikefront.components.algorithm import StudyObjective
from spikefront_app.candidates import as_of, counted, differences, drawable, number_text, thinned
from spikefront_app.figures.front import Axis, Marks, figure_front
from spikefront_app.figures.groups import groups_of
from spikefront_app.figures.relations import figure_matrix, figure_parallel, scaled
from spikefront_app.picks import compromise, ends, knee, picks_of, staircase, within
from spikefront_app.selection import numbers_of, parsed
from spikefront_app.takehome import as_csv, as_json, commands

ACCURACY = StudyObjective("accuracy", "maximize")
PARAMETERS = StudyObjective("parameters", "minimize", "numbers")
ENERGY = StudyObjective("energy", "minimize", "pJ")
AXES = (
    Axis("parameters", "parameters [numbers]", log=True, objective=PARAMETERS),
    Axis("accuracy", "accuracy", objective=ACCURACY),
)


def table(**more: Any) -> pd.DataFrame:
    values = {
        "id": [0, 1, 2, 3],
        "generation": [0, 0, 1, 1],
        "failure": None,
        "budget": 1.0,
        "front": [True, False, True, True],
        "accuracy": [0.9, 0.5, 0.8, 0.7],
        "accuracy s.e.": [0.01, 0.02, 0.03, 0.04],
        "parameters": [300.0, 400.0, 200.0, 100.0],
        "energy": [5.0, 6.0, 7.0, 8.0],
        "encoding.use": ["direct", "direct", "genetic", "genetic"],
    }
    return pd.DataFrame(values | more)


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def ids(trace: Any) -> list[int]:
    return [row[0] for row in trace.customdata]


def test_every_candidate_is_drawn_once_the_front_by_its_colour() -> None:
    figure = figure_front(table(), AXES, "encoding.use")
    found = traces(figure)
    drawn = {name: ids(trace) for name, trace in found.items() if name not in {"staircase", "selected"}}
    assert drawn == {"dominated": [1], "front, direct": [0], "front, genetic": [3, 2]}
    genetic = found["front, genetic"]
    assert (list(genetic.x), list(genetic.y)) == ([100.0, 200.0], [0.7, 0.8])
    assert list(genetic.error_y.array) == [0.04, 0.03]
    assert (figure.layout.xaxis.type, figure.layout.xaxis.title.text) == (
        "log",
        "parameters [numbers], lower is better",
    )
    assert genetic.hovertext[0] == "<b>candidate 3</b>, generation 1<br>parameters 100<br>accuracy 0.7 ± 0.04"


def test_bars_can_be_left_out_and_the_selected_are_ringed() -> None:
    found = traces(figure_front(table(), AXES, "encoding.use", Marks(selected=[1, 3], bars=False)))
    assert found["front, genetic"].error_y.array is None
    assert ids(found["selected"]) == [1, 3]


def test_the_staircase_turns_where_less_is_better() -> None:
    found = traces(figure_front(table(), AXES, "generation"))
    assert list(found["staircase"].x) == [100.0, 200.0, 300.0]
    assert found["staircase"].line.shape == "hv"
    turned = traces(figure_front(table(), AXES[::-1], "generation"))
    assert list(turned["staircase"].x) == [0.7, 0.8, 0.9]
    assert turned["staircase"].line.shape == "vh"


def test_three_axes_make_a_figure_in_space() -> None:
    axes = (*AXES, Axis("energy", "energy [pJ]", objective=ENERGY))
    figure = figure_front(table(), axes, "encoding.use", Marks(reference={}, selected=[0]))
    assert {trace.type for trace in figure.data} == {"scatter3d"}
    assert list(traces(figure)["front, genetic"].z) == [8.0, 7.0]
    assert figure.layout.scene.zaxis.title.text == "energy [pJ]"


def test_reference_limits_and_other_studies_are_marked() -> None:
    other = table(id=[7, 8, 9, 10])
    marks = Marks(
        reference={"accuracy": (1.0, 0.1), "parameters": (50.0, 500.0)},
        limits={"accuracy": 0.75},
        others={"other": other[other["front"]]},
        final=table(),
    )
    figure = figure_front(table(), AXES, "encoding.use", marks)
    found = traces(figure)
    assert (list(found["reference point"].x), list(found["reference point"].y)) == ([500.0], [0.1])
    assert found["other"].customdata is None
    assert sorted(found["other"].x) == [100.0, 200.0, 300.0]
    assert [note.text for note in figure.layout.annotations] == ["≥ 0.75: 2"]
    assert "front after the last generation" in found


def test_a_number_with_many_values_becomes_a_colour_scale_and_a_missing_one_a_group() -> None:
    rows = table(**{"neuron.tau": 0.0})
    many = pd.concat([rows.assign(id=rows["id"] + 4 * n, **{"neuron.tau": n / 7 if n else np.nan}) for n in range(9)])
    found = traces(figure_front(many, AXES, "neuron.tau"))
    assert found["front"].marker.colorbar.title.text == "neuron.tau"
    assert sorted(ids(found["front, -"])) == [0, 2, 3]


def test_more_kinds_than_colours_share_the_last_one() -> None:
    rows = pd.DataFrame({"id": range(20), "gene": [f"kind {min(n, 9)}" for n in range(20)]})
    groups = groups_of(rows, "gene")
    assert len(groups) == 7
    assert len({group.colour for group in groups}) == 7
    assert groups[-1].name == "front, others"
    assert sum(len(group.rows) for group in groups) == 20


def test_a_large_study_is_thinned_but_not_its_front() -> None:
    rng = np.random.default_rng(0)
    count = 50_000
    rows = pd.DataFrame({"id": range(count), "a": rng.random(count), "b": rng.lognormal(size=count)})
    rows["front"] = rows["id"] % 25 == 0
    kept = thinned(rows, ["a", "b"])
    assert kept["front"].sum() == 2000
    rest = kept[~kept["front"]]
    assert 500 < len(rest) <= 1500
    assert rest["a"].min() < 0.02
    assert rest["a"].max() > 0.98
    figure = figure_front(kept.assign(generation=0, budget=1.0), [Axis("a", "a"), Axis("b", "b")], "generation")
    assert {trace.type for trace in figure.data if trace.name != "selected"} == {"scattergl"}


def test_the_front_as_it_was_is_that_of_then() -> None:
    left = pd.Series([np.nan, 0.0, 1.0, np.nan], index=[0, 1, 2, 3])
    rows = table(generation=[0, 0, 0, 1])
    assert as_of(rows, left, 0)["front"].tolist() == [True, False, True]
    assert as_of(rows, left, 1)["front"].tolist() == [True, False, False, True]


def test_failed_and_untrained_candidates_are_counted_and_not_drawn() -> None:
    rows = table(failure=[None, "time-out", None, None], budget=[1.0, 1.0, 0.0, 0.5])
    assert drawable(rows, ["accuracy"])["id"].tolist() == [0, 3]
    assert counted(rows) == "3 of 4 candidates are on the front (1 failed, 1 left untrained, not drawn)"


def test_the_knee_is_farthest_from_the_line_through_the_ends() -> None:
    front = pd.DataFrame({"id": [5, 6, 7, 8], "parameters": [0.0, 1.0, 5.0, 10.0], "accuracy": [0.0, 0.8, 0.9, 1.0]})
    found = knee(front, [PARAMETERS, ACCURACY], [False, False])
    assert found is not None
    assert found.number == 6
    assert f"{0.7 / np.sqrt(2):.2f}" in found.why
    assert knee(front.iloc[[0, 3]], [PARAMETERS, ACCURACY], [False, False]) is None
    hollow = front.assign(accuracy=[0.0, 0.05, 0.1, 1.0])
    assert knee(hollow, [PARAMETERS, ACCURACY], [False, False]) is None
    assert knee(front.iloc[:3], [PARAMETERS, ACCURACY], [True, True]) is None  # no logarithm of 0


def test_ends_and_the_pick_of_a_region() -> None:
    front = table()[table()["front"]]
    objectives = [ACCURACY, PARAMETERS]
    assert [(pick.name, pick.number) for pick in ends(front, objectives)] == [
        ("best accuracy", 0),
        ("best parameters", 3),
    ]
    assert within(front, objectives, {"accuracy": 0.8})["id"].tolist() == [0, 2]
    best = compromise(front, objectives, {"accuracy": 0.75, "parameters": 250.0})
    assert best is not None
    assert best.number == 2
    assert compromise(front, objectives, {"accuracy": 0.99}) is None
    assert picks_of(front.iloc[:0], objectives, objectives, [False, False], {}) == []


def test_the_staircase_is_the_front_of_two_objectives_alone() -> None:
    front = pd.DataFrame({"id": [0, 1, 2], "parameters": [1.0, 2.0, 3.0], "accuracy": [0.5, 0.4, 0.9]})
    assert staircase(front, [PARAMETERS, ACCURACY])["id"].tolist() == [0, 2]


def test_only_what_differs_is_told() -> None:
    rows = table(gene=[1.0, 1.0, None, 1.0], same="x")
    found = differences(rows[rows["id"].isin([0, 2])], ["accuracy", "gene", "same", "encoding.use"])
    assert found.to_dict("index") == {
        "accuracy": {"0": "0.9", "2": "0.8"},
        "gene": {"0": "1", "2": "-"},
        "encoding.use": {"0": "direct", "2": "genetic"},
    }


@pytest.mark.parametrize(("value", "text"), [(0.83751, "0.8375"), (8834.0, "8,834"), (6540112.4, "6,540,112")])
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert number_text(value) == text


def test_axes_hold_numbers_and_kinds() -> None:
    assert scaled(pd.Series([1.0, 3.0, 2.0])).places.tolist() == [0.0, 1.0, 0.5]
    assert scaled(pd.Series([1.0, 100.0, 10.0]), log=True).places.tolist() == pytest.approx([0.0, 1.0, 0.5])
    kinds = scaled(pd.Series(["b", None, "a"]))
    assert kinds.ticks == ((0.0, "a"), (1.0, "b"))
    assert np.array_equal(kinds.places, [1.0, np.nan, 0.0], equal_nan=True)
    assert scaled(pd.Series([2.0, 2.0])).places.tolist() == [0.5, 0.5]


def test_a_line_crosses_every_axis_and_ends_with_a_gap() -> None:
    front = table()[table()["front"]]
    figure = figure_parallel(front, ["accuracy", "parameters", "encoding.use"], "encoding.use", selected=[2])
    found = traces(figure)
    genetic = found["front, genetic"]
    assert ids(genetic) == [2, 2, 2, 2, 3, 3, 3, 3]
    assert genetic.y[:3].tolist() == pytest.approx([0.5, 0.5, 1.0])
    assert np.isnan(genetic.y[3])
    assert ids(found["selected"]) == [2, 2, 2, 2]
    assert {note.text for note in figure.layout.annotations} >= {"direct", "genetic", "100", "300"}


def test_many_numbers_colour_lines_by_ranges() -> None:
    rows = pd.concat([table().assign(id=n, **{"neuron.tau": float(n)}) for n in range(10)], ignore_index=True)
    figure = figure_parallel(rows[rows["front"]], ["accuracy", "neuron.tau"], "neuron.tau")
    assert len([trace for trace in figure.data if trace.name.startswith("neuron.tau to")]) == 5


def test_the_matrix_has_each_column_and_the_selected_on_top() -> None:
    front = table()[table()["front"]]
    figure = figure_matrix(front, ["accuracy", "encoding.use"], "generation", selected=[0])
    assert [list(trace.dimensions[0]["values"]) for trace in figure.data] == [[0.9], [0.8, 0.7], [0.9]]
    assert figure.data[-1].name == "selected"


def test_a_selection_is_read_by_number_not_by_place() -> None:
    points = [{"point_index": 0, "customdata": [7]}, {"customdata": {"0": 3}}, {"customdata": [7]}, {"x": 1}]
    assert numbers_of({"selection": {"points": points}}) == [3, 7]
    assert numbers_of(None) == []
    assert parsed("3, 5 5,x,99", {3, 5}) == ([3, 5], ["x", "99"])


def test_what_is_taken_home() -> None:
    rows = table()[["id", "accuracy"]].assign(gene=[1.0, None, 2.0, 3.0])
    assert as_csv(rows).splitlines()[1] == "0,0.9,1.0"
    assert '"gene": null' in as_json("shown", rows)
    assert commands("a study", 3, "x.db")["Score on the test split"] == "spikefront test 'a study' 3 --db x.db"
