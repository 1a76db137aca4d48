"""The page that puts studies side by side."""

from __future__ import annotations

import json

import pytest
from app_pages import figures, numbers, page
from app_studies import document, run_study
from streamlit.testing.v1 import AppTest

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.storage import Database, StudyObjective, StudyStore, queries


def studies(url: str, name: str, seeds: range, evaluations: int = 3, gain: float = 0.0) -> None:
    """Record studies of one set-up: each evaluation is better in both objectives."""
    with Database.open(url, create=True) as opened:
        for seed in seeds:
            document = {"study": {"name": f"{name}-s{seed}", "seed": seed, "objectives": ["accuracy", "energy"]}}
            store = StudyStore.create(
                opened,
                f"{name}-s{seed}",
                specification=json.dumps({**document, "search": {"algorithm": name, "generations": 1}}),
                specification_hash="5" * 64,
                seed=seed,
                objectives=(StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "pJ")),
            )
            for number in range(evaluations):
                accuracy, energy = 0.2 + number / 10 + seed / 100 + gain, 90.0 - 10 * number - 100 * gain
                measured = {"accuracy": Measurement((accuracy,)), "energy": Measurement((energy,))}
                store.record(Evaluation(Genome({"a": number + seed}), measured, samples=5), generation=0)
            store.set_reference({"accuracy": (1.0, 0.0), "energy": (0.0, 100.0)})
            store.set_state("finished")


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_groups_of_seeds_have_curves_surfaces_values_and_tests(database: str) -> None:
    studies(database, "nsga2", range(5), gain=0.2)
    studies(database, "random", range(5))
    app = page("compare", compare_x="energy")
    assert not app.exception
    curves, fronts = figures(app)
    medians = {trace["name"]: numbers(trace["y"]) for trace in curves["data"] if "name" in trace}
    assert medians["random"] == pytest.approx([0.22 * 0.1, 0.32 * 0.2, 0.42 * 0.3])
    assert medians["nsga2"] == pytest.approx([0.42 * 0.3, 0.52 * 0.4, 0.62 * 0.5])
    final, tests = app.dataframe[0].value, app.dataframe[1].value
    volumes = final[final["value"].str.startswith("hypervolume")].set_index("group")["median"]
    assert {name: volumes[name] for name in medians} == pytest.approx({"nsga2": 0.31, "random": 0.126})
    assert set(tests["test"]) == {"signed rank"}
    assert tests["p"].tolist() == pytest.approx([2 / 2**5] * 3)
    assert tests["p (Holm)"].tolist() == pytest.approx([6 / 2**5] * 3)
    points = {trace["name"]: numbers(trace["x"]) for trace in fronts["data"] if trace["mode"] == "markers"}
    assert points == {"nsga2: fronts": pytest.approx([50.0] * 5), "random: fronts": pytest.approx([70.0] * 5)}
    lines = {trace["name"]: numbers(trace["y"]) for trace in fronts["data"] if trace["mode"] == "lines"}
    assert lines == {"nsga2: half attain": pytest.approx([0.62]), "random: half attain": pytest.approx([0.42])}
    assert fronts["layout"]["xaxis"]["title"]["text"] == "energy [pJ], lower is better"


def test_few_seeds_are_shown_and_not_tested(database: str) -> None:
    studies(database, "nsga2", range(2))
    studies(database, "random", range(1), evaluations=5)
    app = page("compare")
    assert not app.exception
    assert "A test needs 5 studies of each group" in captions(app)
    assert "from 3 to 5 evaluations" in captions(app)
    assert set(app.dataframe[1].value["test"]) == {"none"}


def test_one_study_is_shown_alone(study: str) -> None:
    app = page("compare", compare_over="training samples", compare_log="true")
    assert not app.exception
    assert [trace["name"] for trace in figures(app)[0]["data"]] == [study]
    assert app.info[-1].value == "A comparison needs two groups."


def test_groups_can_be_put_together_by_hand(database: str) -> None:
    studies(database, "nsga2", range(3))
    app = page("compare", compare_by="by hand")
    assert not app.exception
    assert app.info[0].value == "Choose the studies to compare."
    app.multiselect(key="compare_1").set_value(["nsga2-s0", "nsga2-s2"]).run()
    app.multiselect(key="compare_2").set_value(["nsga2-s1"]).run()
    assert not app.exception
    assert {trace["name"] for trace in figures(app)[0]["data"] if "name" in trace} == {"nsga2", "nsga2-s1"}


def test_what_does_not_mean_the_same_is_not_compared(database: str) -> None:
    run_study(database, document("three"))
    run_study(database, document("two", objectives=["first", "second"]))
    run_study(database, document("one", objectives=["third"]))
    two = page("compare", compare=["three", "two"])
    assert not two.exception
    assert two.warning[0].value == "third cannot be compared: 'two' does not search for it."
    assert [box.options for box in two.selectbox if box.key == "compare_y"] == [["first", "second"]]
    none = page("compare", compare=["two", "one"])
    assert not none.exception
    assert not figures(none)
    assert "Nothing is left" in none.info[0].value


def test_one_objective_has_no_fronts(database: str) -> None:
    run_study(database, document("one", objectives=["third"]))
    app = page("compare")
    assert not app.exception
    assert len(figures(app)) == 1
    assert "two objectives" in app.info[0].value


def test_studies_that_have_just_begun_are_left_out(study: str, database: str) -> None:
    with Database.read_only(database) as opened:
        row = queries.study(opened, study)
    with Database.open(database) as opened:
        StudyStore.create(
            opened, "begun", specification=row.specification, specification_hash="6" * 64, seed=9,
            objectives=row.objectives,
        )  # fmt: skip
    app = page("compare")
    assert not app.exception
    assert "begun" in app.info[0].value
    assert [trace["name"] for trace in figures(app)[0]["data"]] == [study]
    alone = page("compare", compare="begun")
    assert not alone.exception
    assert not figures(alone)


def test_studies_that_failed_throughout_say_so(database: str) -> None:
    text = '{"study": {"name": "lost"}, "search": {"generations": 1}}'
    with Database.open(database, create=True) as opened:
        store = StudyStore.create(
            opened, "lost", specification=text, specification_hash="5" * 64, seed=1,
            objectives=(StudyObjective("first", "minimize"), StudyObjective("second", "minimize")),
        )  # fmt: skip
        store.record(Evaluation(Genome({"a": 1}), failure=Failure("exception", "no")), generation=0)
    app = page("compare")
    assert not app.exception
    assert not figures(app)
    assert "no hypervolume" in app.info[0].value


def test_an_empty_database_says_what_to_run(database: str) -> None:
    with Database.open(database, create=True):
        pass
    assert "spikefront run" in page("compare").info[0].value
