"""The web app: figures from tables, pages in Streamlit's test runner."""

from __future__ import annotations

import pandas as pd
import pytest
from app_pages import figures, numbers, page

from spikefront.storage import Database, queries
from spikefront_app.figures.front import figure_front, figure_parallel


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [0, 1, 2, 3],
            "generation": [0, 0, 1, 1],
            "front": [True, False, True, True],
            "accuracy": [0.9, 0.5, 0.8, 0.7],
            "parameters": [300.0, 400.0, 200.0, 100.0],
            "encoding.use": ["direct", "direct", "genetic", "genetic"],
        }
    )


def test_the_front_figure_holds_every_candidate_once_the_front_coloured() -> None:
    figure = figure_front(
        table(), "parameters", "accuracy", "encoding.use", {"parameters": "parameters [numbers]"}, True
    )
    ids = {trace.name: [row[0] for row in trace.customdata] for trace in figure.data}
    assert ids == {"dominated": [1], "front, direct": [0], "front, genetic": [3, 2]}
    genetic = figure.data[2]
    assert list(genetic.x) == [100.0, 200.0]
    assert list(genetic.y) == [0.7, 0.8]
    assert (figure.layout.xaxis.type, figure.layout.xaxis.title.text) == ("log", "parameters [numbers]")


def test_a_number_with_many_values_becomes_a_colour_scale() -> None:
    many = pd.concat([table().assign(id=n, **{"neuron.tau": n / 7}) for n in range(9)])
    figure = figure_front(many, "parameters", "accuracy", "neuron.tau", {})
    assert [trace.name for trace in figure.data] == ["dominated", "front"]
    assert figure.data[1].marker.colorbar.title.text == "neuron.tau"


def test_parallel_coordinates_show_numbers_of_the_front_only() -> None:
    figure = figure_parallel(table(), ["accuracy", "parameters", "encoding.use"], "accuracy")
    assert [dimension.label for dimension in figure.data[0].dimensions] == ["accuracy", "parameters"]
    assert list(figure.data[0].dimensions[0].values) == [0.9, 0.8, 0.7]


def test_the_front_page_plots_what_is_recorded(study: str, database: str) -> None:
    app = page()
    assert not app.exception
    with Database.read_only(database) as opened:
        front = {row.number for row in queries.front(opened, study)}
        rows = {row.number: row for row in queries.evaluations(opened, study)}
    drawn = {}
    for trace in figures(app)[0]["data"]:
        if trace["name"] != "dominated":
            points = zip(numbers(trace["customdata"]), numbers(trace["x"]), numbers(trace["y"]), strict=True)
            drawn |= {number: (x, y) for number, x, y in points}
    assert set(drawn) == front
    for number, (x, y) in drawn.items():
        assert (x, y) == pytest.approx((rows[number].mean("second"), rows[number].mean("first")))


def test_choosing_an_axis_changes_the_figure(study: str) -> None:
    app = page()
    app.selectbox(key="x").set_value("third").run()
    assert not app.exception
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"] == "third"


def test_the_studies_page_lists_them(study: str) -> None:
    app = page("studies")
    assert not app.exception
    assert list(app.dataframe[0].value["study"]) == [study]
    assert list(app.dataframe[0].value["evaluations"]) == [30]


def test_a_missing_database_is_a_sentence(database: str) -> None:
    app = page()
    assert not app.exception
    assert "app.db" in app.error[0].value
    assert app.info[0].value


@pytest.mark.parametrize("name", ["front", "studies"])
def test_an_empty_database_says_what_to_run(database: str, name: str) -> None:
    with Database.open(database, create=True):
        pass
    app = page(name)
    assert not app.exception
    assert "spikefront run" in app.info[0].value
