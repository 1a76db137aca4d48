"""Studies side by side, as tables and figures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spikefront.storage import StudyObjective, StudyRow
from spikefront_app import comparing
from spikefront_app.comparing import Final
from spikefront_app.figures.compare import figure_curves, figure_fronts
from spikefront_app.set_ups import common_objectives, differing_tasks, grouped_by_set_up, named

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCURACY, ENERGY = StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ")
BOTH = (ACCURACY, ENERGY)


def study(name: str, seed: int = 0, objectives: Any = BOTH, reference: Any = None, **changes: Any) -> StudyRow:
    given = changes.pop("given", [objective.name for objective in objectives])
    document = {
        "study": {"name": name, "seed": seed, "objectives": given},
        "task": {"use": "digits"},
        "search": {"generations": 2},
        **changes,
    }
    return StudyRow(
        name, json.dumps(document), "5" * 64, seed, "finished", NOW, NOW, "0", tuple(objectives), reference, (), 3, 0, 0
    )


def table(*values: tuple[float, float]) -> pd.DataFrame:
    columns = {"id": range(len(values)), "failure": None, "reused": False, "budget": 1.0}
    return pd.DataFrame({**columns, "accuracy": [v[0] for v in values], "energy": [v[1] for v in values]})


def ended(seed: int, **values: float) -> Final:
    named_values = {name.replace("_", " "): value for name, value in values.items()}
    return Final(seed, 10, table()[["id", "accuracy", "energy"]], named_values)


def test_studies_of_one_set_up_belong_together_whatever_name_seed_and_place() -> None:
    rows = [
        study("gee-seed1", 1),
        study("gee-seed2", 2, execution={"workers": 9}),
        study("other", 1, search={"generations": 3}),
        study("gee-seed13", 3),
    ]
    groups = grouped_by_set_up(rows)
    assert {name: [row.name for row in group] for name, group in groups.items()} == {
        "gee": ["gee-seed1", "gee-seed2", "gee-seed13"],
        "other": ["other"],
    }


@pytest.mark.parametrize(("names", "name"), [
    (["a-s1", "a-s2"], "a"), (["run.1", "run.2"], "run"), (["one", "two"], "one and others"), (["solo-7"], "solo-7"),
    (["lots", "lots-2"], "lots"),
])  # fmt: skip
def test_a_group_is_called_what_its_names_share(names: list[str], name: str) -> None:
    assert list(named([[study(one) for one in names]])) == [name]


def test_groups_of_one_name_are_told_apart_and_empty_ones_left_out() -> None:
    assert list(named([[study("a-1"), study("a-2")], [], [study("a-3"), study("a-4")]])) == ["a", "a, 2"]


def test_objectives_are_common_where_they_mean_the_same() -> None:
    once = study("once", given=["accuracy", {"use": "energy", "analog_input": "once"}])
    common, sentences = common_objectives([study("a"), once])
    assert common == [ACCURACY]
    assert sentences == ["energy cannot be compared: the studies give it other parameters or another unit."]
    common, sentences = common_objectives([study("a"), study("b", objectives=[ENERGY])])
    assert common == [ENERGY]
    assert sentences == ["accuracy cannot be compared: 'b' does not search for it."]
    assert common_objectives([study("a"), study("b")]) == (list(BOTH), [])


def test_tasks_that_differ_are_named() -> None:
    assert differing_tasks([study("a"), study("b")]) == []
    assert differing_tasks([study("a"), study("b", task="mnist")]) == ["digits", "mnist"]


def test_the_common_box_holds_every_box_and_every_best_value() -> None:
    a = study("a", reference={"accuracy": (1.0, 0.2), "energy": (10.0, 50.0)})
    b = study("b", reference={"accuracy": (1.0, 0.1), "energy": (20.0, 90.0)})
    finals = [comparing.final(a, table((0.5, 40.0)), BOTH), comparing.final(b, table((0.6, 4.0)), BOTH)]
    box = comparing.common_box([a, b, study("c")], finals, BOTH)
    assert box == {"accuracy": (1.0, 0.1), "energy": (4.0, 90.0)}
    assert "energy from 4 to 90" in comparing.explained(box, BOTH)
    assert comparing.common_box([study("c")], [], BOTH) == {}


def test_a_study_ends_with_its_front_over_the_common_objectives() -> None:
    one = comparing.final(study("a"), table((0.5, 50.0), (0.4, 60.0), (0.3, 10.0)), BOTH)
    assert one.front["id"].tolist() == [0, 2]
    assert one.values == {"best accuracy": 0.5, "best energy": 10.0}
    boxed = comparing.in_box(one, BOTH, {"accuracy": (1.0, 0.0), "energy": (0.0, 100.0)})
    assert boxed.values["hypervolume"] == pytest.approx(0.5 * 0.5 + 0.3 * 0.4)
    alone = comparing.final(study("a"), table((0.5, 50.0), (0.4, 60.0), (0.3, 10.0)), [ENERGY])
    assert alone.front["id"].tolist() == [2]


def test_a_study_that_failed_has_no_volume_and_no_best_value() -> None:
    failed = table((np.nan, np.nan)).assign(failure="exception")
    one = comparing.in_box(comparing.final(study("a"), failed, BOTH), BOTH, {"accuracy": (1, 0), "energy": (0, 9)})
    assert one.values == {"hypervolume": 0.0}


def course(evaluations: list[float], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"evaluations": evaluations, "value": values})


def test_curves_go_as_far_as_the_shortest_and_hold_between_steps() -> None:
    found = comparing.curves(
        [course([1, 2, 3], [0.1, 0.3, 0.5]), course([2, 3, 4], [0.2, 0.4, 0.9]), course([1, 4], [0.0, 1.0])],
        "evaluations",
    )
    assert found["evaluations"].tolist() == [1, 2, 3]
    assert found["median"].tolist() == [0.0, 0.2, 0.4]
    assert found["low"].tolist() == pytest.approx([0.0, 0.1, 0.2])
    assert found["high"].tolist() == pytest.approx([0.05, 0.25, 0.45])


def test_long_curves_have_few_points() -> None:
    many = [course(list(np.arange(1.0, 500) * step), list(np.linspace(0, 1, 499))) for step in (1.0, 1.1)]
    found = comparing.curves(many, "evaluations")
    assert (len(found), found["evaluations"].iloc[-1]) == (200, 499)


def groups_of(number: int) -> dict[str, list[Final]]:
    return {
        "better": [ended(n, hypervolume=0.6 + n / 100, best_energy=1.0 + n) for n in range(number)],
        "worse": [ended(n, hypervolume=0.5 + n / 100, best_energy=10.0 + n) for n in range(number)],
    }


def test_the_summary_has_median_and_quartiles() -> None:
    rows = comparing.summary(groups_of(5), {"hypervolume": "1", "best energy": "pJ"})
    first = rows.iloc[0]
    assert (first["value"], first["group"], first["studies"]) == ("hypervolume", "better", 5)
    assert first[["lower quartile", "median", "upper quartile"]].tolist() == pytest.approx([0.61, 0.62, 0.63])
    assert rows["value"].tolist()[2:] == ["best energy [pJ]"] * 2


def test_groups_are_tested_in_each_value_and_corrected_together() -> None:
    rows = comparing.side_by_side(groups_of(6), BOTH).set_index("value")
    assert rows["test"].tolist() == ["signed rank"] * 2
    assert rows["p"].tolist() == pytest.approx([2 / 2**6] * 2)
    assert rows["p (Holm)"].tolist() == pytest.approx([4 / 2**6] * 2)
    assert rows.loc["best energy", "A12"] == 1.0  # less energy is better
    assert rows.loc["hypervolume", "effect"] == "large"


def test_a_seed_that_occurs_twice_is_not_paired() -> None:
    twice = {name: [*finals, finals[0]] for name, finals in groups_of(6).items()}
    assert set(comparing.side_by_side(twice, BOTH)["test"]) <= {"rank sum"}


def test_few_studies_and_unlike_budgets_are_told() -> None:
    assert comparing.warnings(groups_of(5)) == []
    (few,) = comparing.warnings(groups_of(2))
    assert "better (2), worse (2)" in few
    assert set(comparing.side_by_side(groups_of(2), BOTH)["test"]) == {"none"}
    longer = Final(9, 40, table(), {})
    assert "from 10 to 40 evaluations" in comparing.warnings({"a": [*groups_of(5)["better"], longer]})[0]


def test_curves_are_a_line_and_a_band() -> None:
    band = pd.DataFrame({"evaluations": [1, 2], "low": [0.1, 0.2], "median": [0.2, 0.3], "high": [0.3, 0.4]})
    line = band.assign(low=band["median"], high=band["median"])
    figure = figure_curves({"many": band, "one": line}, "evaluations", "hypervolume")
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["many", "one"]
    assert [list(trace.y) for trace in figure.data] == [[0.1, 0.2], [0.3, 0.4], [0.2, 0.3], [0.2, 0.3]]


def test_fronts_have_their_half_attained_surface_in_their_own_units() -> None:
    fronts = {"a": table((0.5, 50.0), (0.3, 10.0)), "b": table((0.6, 60.0)), "c": table((0.2, 5.0))}
    figure = figure_fronts({"g": fronts}, ENERGY, ACCURACY)
    points, surface = figure.data
    assert [row[0] for row in points.customdata] == ["a", "a", "b", "c"]
    assert list(zip(surface.x, surface.y, strict=True)) == [(10.0, 0.2), (60.0, 0.5)]
    assert figure.layout.xaxis.title.text == "energy [pJ], lower is better"


def test_one_study_each_needs_no_surface() -> None:
    figure = figure_fronts({"a": {"a": table((0.5, 50.0))}, "b": {"b": table((0.4, 40.0))}}, ENERGY, ACCURACY)
    assert [trace.name for trace in figure.data] == ["a", "b"]


def test_large_fronts_are_drawn_whole_and_fast() -> None:
    large = table(*((n / 9000, float(n)) for n in range(3000)))
    figure = figure_fronts({"a": {"a": large}}, ENERGY, ACCURACY)
    assert (figure.data[0].type, len(figure.data[0].x)) == ("scattergl", 3000)
