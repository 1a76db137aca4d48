"""The page of one candidate, in all conditions that a study may be in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_pages import figures, numbers, page
from app_studies import TRIVIAL, document, run_study
from streamlit.testing.v1 import AppTest

from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.plugins import load
from spikefront.search.record import open_store
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, queries

PARTS = ("Measured", "Layers", "Training", "Lineage", "Genes", "Spikes")


@pytest.fixture
def started(database: str) -> Iterator[StudyStore]:
    """Return a study that was recorded and that has no evaluation yet."""
    with Database.open(database, create=True) as opened:
        yield open_store(Specification.from_document(document(), load(TRIVIAL)), opened)


def said(app: AppTest) -> str:
    """Return all sentences of a page."""
    kinds = (app.info, app.error, app.warning, app.caption, app.markdown)
    return " ".join(str(element.value) for kind in kinds for element in kind)


def evaluated(a: float, failure: Failure | None = None) -> Evaluation:
    measured = {name: Measurement((a * n,)) for n, name in enumerate(("first", "second", "third"), 1)}
    return Evaluation(Genome({"task.a": a}), {} if failure else measured, failure=failure)


def test_an_empty_database_says_what_to_run(database: str) -> None:
    with Database.open(database, create=True):
        pass
    assert "spikefront run" in said(page("candidate"))


def test_a_missing_database_is_a_sentence(database: str) -> None:
    app = page("candidate")
    assert "app.db" in str([said(app), *(one.value for one in app.exception)])  # main.py shows the error


def test_a_study_that_just_started_has_no_candidate_yet(started: StudyStore) -> None:
    app = page("candidate")
    assert not app.exception
    assert "No candidate has been evaluated yet" in said(app)


@pytest.mark.parametrize("part", PARTS)
def test_one_candidate_of_a_running_study(started: StudyStore, part: str) -> None:
    started.record_asks(0, [Proposal(Genome({"task.a": 0.5}))])
    started.record(evaluated(0.5), ask=0, generation=0)
    app = page("candidate", part=part)
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["0.5", "1", "1.5"]
    assert "on the front" in said(app)


@pytest.mark.parametrize("part", PARTS)
def test_a_failed_candidate_says_why(started: StudyStore, part: str) -> None:
    started.record_asks(0, [Proposal(Genome({"task.a": 0.5}))])
    started.record(evaluated(0.5, Failure("time-out", "it took too long", "where")), ask=0, generation=0)
    app = page("candidate", part=part)
    assert not app.exception
    assert app.error[0].value == "time-out: it took too long"
    assert app.code[0].value == "where"
    assert not figures(app)


def test_what_screening_left_untrained_says_so(started: StudyStore) -> None:
    started.record_asks(0, [Proposal(Genome({"task.a": 0.5}))])
    started.record(Evaluation(Genome({"task.a": 0.5})), ask=0, generation=0, budget=0.0)
    app = page("candidate", part="Training")
    assert not app.exception
    assert "left untrained" in said(app)
    assert [metric.value for metric in app.metric] == ["-", "-", "-"]


def test_genome_and_measurements_are_those_recorded(study: str, database: str) -> None:
    app = page("candidate", candidate="7")
    assert not app.exception
    with Database.read_only(database) as opened:
        row = queries.evaluation(opened, study, 7)
    genes, measured = (table.value for table in app.dataframe)
    assert genes["gene"].tolist() == list(row.genome)
    assert float(measured["mean"][0]) == pytest.approx(row.mean("first"), rel=1e-3)
    assert "spikefront retrain shown 7" in app.code[0].value


@pytest.mark.parametrize("objectives", [["first"], ["first", "second"]])
def test_any_number_of_objectives(database: str, objectives: list[str]) -> None:
    run_study(database, document(objectives=objectives))
    for part in ("Measured", "Lineage"):
        app = page("candidate", part=part)
        assert not app.exception
        assert len(app.metric) == len(objectives)


def test_a_study_without_genes_has_an_empty_genome(database: str) -> None:
    what = document() | {
        "task": {"use": "trivial"},
        "search": {"algorithm": "random", "population": 2, "evaluations": 2},
    }
    run_study(database, what)
    app = page("candidate")
    assert not app.exception
    assert "searches nothing" in said(app)


def test_the_best_of_the_front_is_shown_first(study: str, database: str) -> None:
    with Database.read_only(database) as opened:
        best = queries.front(opened, study)[0]
    app = page("candidate")
    assert app.selectbox(key="candidate-choice").value == str(best.number)
    assert app.query_params["candidate"] == str(best.number)


def test_choosing_a_candidate_changes_the_address(study: str) -> None:
    app = page("candidate")
    app.selectbox(key="candidate-choice").set_value("29").run()
    assert not app.exception
    assert app.query_params["candidate"] == "29"
    assert app.selectbox(key="candidate-choice").value == "29"


def test_a_stale_link_says_what_is_missing(study: str) -> None:
    app = page("candidate", candidate="999")
    assert not app.exception
    assert "no candidate '999'" in app.warning[0].value


def test_the_lineage_leads_back_to_the_first_generation(study: str, database: str) -> None:
    with Database.read_only(database) as opened:
        asks = {ask.genome_hash: ask for ask in reversed(queries.asks(opened, study))}
        last = queries.evaluations(opened, study)[-1]
    parents = {asks[one].number for one in asks[last.genome_hash].parents}
    app = page("candidate", candidate=str(last.number), part="Lineage", back="all")
    assert not app.exception
    drawn = {
        int(point[0]): x
        for trace in figures(app)[0]["data"]
        if "customdata" in trace
        for point, x in zip(trace["customdata"], numbers(trace["x"]), strict=True)
    }
    assert {last.number, *parents} <= set(drawn)
    assert min(drawn.values()) == 0
    assert f"{len(parents)} parent" in said(app)


def test_a_task_without_networks_has_only_what_there_is(study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page("candidate", part="Layers")  # the plugin of the study's task is not installed
    assert not app.exception
    assert "needs task 'trivial'" in said(app)
    assert not figures(app)


def test_layers_add_up_to_the_measurements(networks: str, digits_database: str) -> None:
    with Database.read_only(digits_database) as opened:
        row = queries.front(opened, networks)[0]
    app = page("candidate", candidate=str(row.number), part="Layers")
    assert not app.exception
    energy, operations, rates, stored = figures(app)
    size = {"p": 1, "n": 1e3, "u": 1e6}[energy["layout"]["xaxis"]["title"]["text"].split("[")[1][0]]
    total = sum(sum(numbers(trace["x"])) for trace in energy["data"]) * size
    assert total == pytest.approx(row.measurements["energy"].values[0], rel=1e-6)
    assert sum(sum(numbers(trace["x"])) for trace in stored["data"]) == row.mean("parameters")
    assert len(operations["data"]) == 2
    assert len(numbers(rates["data"][0]["x"])) == 2
    assert "horowitz-45nm-int8" in said(app)


def test_learning_curves_are_those_of_each_replicate(networks: str, digits_database: str) -> None:
    with Database.read_only(digits_database) as opened:
        row = queries.evaluation(opened, networks, 0)
    app = page("candidate", candidate="0", part="Training")
    drawn = [value for trace in figures(app)[0]["data"] for value in numbers(trace["y"])]
    assert drawn == pytest.approx([one["loss"] for one in row.history])
    assert [trace["name"] for trace in figures(app)[0]["data"]] == ["replicate 0", "replicate 1"]


def test_genes_are_shown_for_a_genetic_candidate_only(networks: str, digits_database: str) -> None:
    with Database.read_only(digits_database) as opened:
        rows = queries.evaluations(opened, networks)
    used = {row.genes["encoding.use"]: row.number for row in rows}
    app = page("candidate", candidate=str(used["genetic"]), part="Genes")
    assert not app.exception
    matrix, spectrum = figures(app)
    assert len(numbers(matrix["data"][0]["z"])) in {6, 36}
    assert sum(numbers(spectrum["data"][0]["y"])) == pytest.approx(1)
    direct = page("candidate", candidate=str(used["direct"]), part="Genes")
    assert not figures(direct)
    assert "belong to the genetic encoding" in said(direct)


def test_the_network_runs_on_a_chosen_sample(networks: str) -> None:
    app = page("candidate", part="Spikes", sample="3", layer="2 lif 40")
    assert not app.exception
    assert [figure["data"][0]["type"] for figure in figures(app)] == ["heatmap", "scatter", "heatmap", "scatter"]
    assert "Sample 3" in said(app)
    assert app.dataframe[0].value["neurons"].tolist() == [40, 40]
    app.number_input(key="sample").set_value(4).run()
    assert not app.exception
    assert "Sample 4" in said(app)


def test_weights_that_were_not_kept_have_a_remedy(
    digits_database: str, networks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    import sqlite3

    copy = tmp_path / "copy.db"
    shutil.copy(digits_database.removeprefix("sqlite:///"), copy)
    with sqlite3.connect(copy) as opened:
        opened.execute("DELETE FROM artifacts")
    opened.close()
    monkeypatch.setenv("SPIKEFRONT_DB", f"sqlite:///{copy}")
    app = page("candidate", part="Spikes")
    assert not app.exception
    assert "no stored weights" in said(app)
    assert "spikefront retrain" in said(app)
