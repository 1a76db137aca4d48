"""What the page of a candidate is made of: tables, lineage, gene entropy, runs, figures; without Streamlit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from spikefront import Study
from spikefront.job import Measurement
from spikefront_app.candidate import genes, lineage, tables
from spikefront_app.candidate.layers import layer_titles, parameter_table
from spikefront_app.candidate.running import LayerRun, run
from spikefront_app.figures.candidate import figure_energy, figure_history
from spikefront_app.figures.genes import figure_spectrum
from spikefront_app.figures.lineage import figure_lineage
from spikefront_app.figures.spikes import figure_potentials, figure_raster, figure_rate_histogram, figure_sample

RECORDING: dict[str, Any] = {
    "samples": 10,
    "steps": 4,
    "synapses": [
        {"name": "a", "analog": True, "effective": 10.0, "dense": 100.0, "rate": 0.1, "flops": 25.0},
        {"name": "b", "analog": False, "effective": 20.0, "dense": 200.0, "rate": 0.1, "flops": 50.0},
    ],
    "neurons": [{"name": "c", "neurons": 5, "spikes": 10.0, "active": 10.0}],
}


def family() -> pd.DataFrame:
    """Return a family: 0 and 1 made 2 and 3, these made 4, which was asked for again; 4 and 1 made 5."""
    rows = [
        (0, 0, "g0", [], [], 0, None, 0),
        (1, 0, "g1", [], [], 1, None, 1),
        (2, 1, "g2", ["g0", "g1"], ["sbx"], 2, None, 0),
        (3, 1, "g3", ["g0"], ["gaussian"], 3, "time-out", 2),
        (4, 2, "g4", ["g2", "g3", "g2"], ["sbx", "flip"], 4, None, 0),
        (5, 3, "g4", ["g2"], ["sbx"], 5, None, 0),
        (6, 3, "g5", ["g4", "g1"], ["sbx"], None, None, 0),
    ]
    columns = ["ask", "generation", "genome", "parents", "operators", "id", "failure", "attempts"]
    return lineage.first_asks(pd.DataFrame(rows, columns=columns).astype({"id": "Int64"}))


def test_ancestors_go_back_to_the_first_generation() -> None:
    found = lineage.ancestors(family(), "g4", 10)
    assert dict(found.nodes["back"]) == {"g4": 0, "g2": 1, "g3": 1, "g0": 2, "g1": 2}
    edges = set(found.edges.itertuples(index=False, name=None))
    assert edges == {("g4", "g2"), ("g4", "g3"), ("g2", "g0"), ("g2", "g1"), ("g3", "g0")}
    assert found.complete
    assert found.nodes.loc["g4", "id"] == 4
    assert sorted(found.nodes.loc[["g2", "g3"], "place"]) == [-0.5, 0.5]


def test_ancestors_stop_after_so_many_steps_and_say_so() -> None:
    found = lineage.ancestors(family(), "g4", 1)
    assert set(found.nodes.index) == {"g4", "g2", "g3"}
    assert not found.complete
    assert set(lineage.ancestors(family(), "g4", 10, most=2).nodes.index) == {"g4", "g2", "g3"}


def test_kin_are_parents_and_children_with_their_failures() -> None:
    relatives = lineage.kin(family(), "g4")
    assert dict(relatives["kin"]) == {"g2": "parent", "g3": "parent", "g5": "child"}
    said = "It has 2 parents and 1 child; 1 of them failed (1 time-out), and 2 failed tries were made again."
    assert lineage.kin_failures(relatives) == said
    alone = family().head(2)
    assert lineage.kin_failures(lineage.kin(alone, "g0")) == "It has 0 parents and 0 children; none of them failed."


def test_the_lineage_figure_points_at_candidates() -> None:
    values = pd.Series({0: 0.1, 1: 0.2, 2: 0.3, 4: 0.4})
    figure = figure_lineage(lineage.ancestors(family(), "g4", 10), values, "accuracy", {2})
    drawn = {t.name: [int(row[0]) for row in t.customdata] for t in figure.data if t.customdata is not None}
    assert drawn == {"on the front": [2], "dominated": [0, 1], "failed": [3], "this candidate": [4]}
    assert figure.data[0].x.count(None) == 5
    assert next(t for t in figure.data if t.name == "failed").marker.coloraxis is None


def test_energy_by_layer_is_counted_by_the_study_s_model() -> None:
    recording = tables.recording_of(RECORDING)
    table = tables.synapse_table(recording, {"a": "1 linear"}, "horowitz-45nm", once=False)
    assert table["energy"].tolist() == pytest.approx([460.0, 18.0])
    assert table["layer"].tolist() == ["1 linear", "b"]
    assert tables.synapse_table(recording, {}, "horowitz-45nm", once=True)["energy"][0] == pytest.approx(115.0)
    assert tables.rate_table(recording, {})["rate"].tolist() == [0.5]
    figure = figure_energy(table)
    assert {t.name: t.x[0] for t in figure.data} == pytest.approx({"multiply-accumulates": 460, "accumulates": 18})
    assert figure.layout.xaxis.title.text == "energy [pJ per sample]"
    large = figure_energy(table.assign(energy=table["energy"] * 1000))
    assert large.layout.xaxis.title.text == "energy [nJ per sample]"
    assert large.data[0].x[0] == pytest.approx(460)


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"objectives": ["accuracy", "energy"]}, ("horowitz-45nm", False)),
        ({"objectives": [{"use": "energy", "model": "horowitz-45nm-int8"}]}, ("horowitz-45nm-int8", False)),
        (
            {
                "objectives": ["accuracy"],
                "columns": [{"use": "energy", "model": "horowitz-45nm-fp16", "analog_input": "once"}],
            },
            ("horowitz-45nm-fp16", True),
        ),
        ({}, ("horowitz-45nm", False)),
    ],
)
def test_the_energy_model_is_the_study_s(study: dict[str, Any], expected: tuple[str, bool]) -> None:
    assert tables.energy_model({"study": study}) == expected


def test_nothing_recorded_gives_empty_tables() -> None:
    recording = tables.recording_of({})
    assert tables.synapse_table(recording, {}, "horowitz-45nm", once=False).empty
    assert tables.rate_table(recording, {}).empty
    assert tables.history_table(()).empty
    assert tables.history_table([{"epoch": 0, "samples": 5}]).empty
    assert tables.gene_table({}).empty


def test_measurements_stand_with_units_replicates_and_what_the_search_saw() -> None:
    measured = {
        "latency": Measurement((4.0, 4.0)),
        "accuracy": Measurement((0.5, None)),
        "loss": Measurement((None,) * 2),
    }
    table = tables.measurement_table(measured, (0, 1), ["accuracy"], {"latency": "steps"}, {"accuracy": 0.49})
    assert table["term"].tolist() == ["accuracy", "latency [steps]", "loss"]
    assert table["mean"].tolist() == ["0.5", "4", "-"]
    assert table["s.e."].tolist() == ["-", "0", "-"]
    assert table["replicate 1"].tolist() == ["-", "4", "-"]
    assert table["with regularisers"].tolist() == ["0.49", "", ""]
    plain = tables.measurement_table({"accuracy": Measurement((0.5,))}, (0,), ["accuracy"], {}, {"accuracy": 0.5})
    assert list(plain) == ["term", "mean"]


def test_genes_show_arrays_by_their_shape() -> None:
    table = tables.gene_table(
        {"a": np.zeros((2, 3)), "b": [16, 32], "c": 0.123456, "d": True, "e": [{"op": "pool", "to": 1}] * 2}
    )
    line = '{ op = "pool", to = 1 }'
    assert table["value"].tolist() == ["6 numbers (2 x 3)", "16, 32", "0.1235", "True", line, line]
    assert table["gene"].tolist() == ["a", "b", "c", "d", "e 0", "e 1"]


@pytest.mark.parametrize(
    ("value", "text"), [(12345678.0, "12,345,678"), (12345.6, "12,346"), (0.5, "0.5"), (None, "-")]
)
def test_numbers_are_readable(value: float | None, text: str) -> None:
    assert tables.shown(value) == text


def test_learning_curves_have_a_line_for_each_replicate_and_a_row_for_each_curve() -> None:
    history = [{"replicate": r, "epoch": e, "loss": 1.0 - e, "rate": 0.5, "samples": 9} for r in (0, 1) for e in (0, 1)]
    table = tables.history_table([*history, {"replicate": 1, "epoch": 2, "loss": None, "rate": 0.5, "samples": 9}])
    figure = figure_history(table)
    assert [(t.name, list(t.y)) for t in figure.data] == [
        ("replicate 0", [1.0, 0.0]),
        ("replicate 1", [1.0, 0.0]),
        ("replicate 0", [0.5, 0.5]),
        ("replicate 1", [0.5, 0.5, 0.5]),
    ]
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("loss", "rate")


def test_entropy_is_one_for_equal_singular_values_and_zero_for_one() -> None:
    assert genes.entropy(genes.singular_values(np.eye(4))) == pytest.approx(1)
    assert genes.entropy(genes.singular_values(np.outer([1.0, 2.0], [3.0, 4.0]))) == pytest.approx(0, abs=1e-6)
    assert genes.entropy(np.array([3.0, 1.0])) == pytest.approx(
        -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    )
    assert genes.entropy(np.zeros(3)) == 0
    assert list(figure_spectrum(np.array([3.0, 1.0])).data[0].y) == [0.75, 0.25]


def network_of(url: str, encoding: str) -> tuple[nn.Module, Any, pd.Series[Any]]:
    """Return a trained network with this encoding, the candidate, and its row."""
    study = Study.open("digits", db=url)
    table = study.evaluations()
    row = table[table["encoding.use"] == encoding].iloc[0]
    candidate = study.candidate(int(row["id"]))
    return candidate.phenotype(), study.specification.resolve(candidate.genome), row


@pytest.mark.parametrize("encoding", ["genetic", "direct"])
def test_stored_numbers_add_up_to_the_parameters(digits_database: str, encoding: str) -> None:
    network, resolved, row = network_of(digits_database, encoding)
    table = parameter_table(network, resolved.parts.encoding, layer_titles(network))
    assert table["numbers"].sum() == row["parameters"]
    kinds = {"direct"} if encoding == "direct" else {"direct", "encoded", "evolved"}
    assert set(table["kind"]) == kinds
    assert "1 linear 64-40" in set(table["layer"])


def test_gene_entropy_is_the_recorded_one(digits_database: str) -> None:
    network, _, row = network_of(digits_database, "genetic")
    matrices, trained = genes.interaction_matrices(network)
    assert not trained
    assert {matrix.shape for matrix in matrices.values()} == {(6, 6)}
    mean = np.mean([genes.entropy(genes.singular_values(matrix)) for matrix in matrices.values()])
    assert 1 - mean == pytest.approx(row["gene-entropy"], abs=1e-6)


def test_a_direct_network_has_no_interactions(digits_database: str) -> None:
    assert genes.interaction_matrices(network_of(digits_database, "direct")[0]) == ({}, False)


def test_a_run_has_the_network_s_outputs_spikes_and_potentials(digits_database: str) -> None:
    network, resolved, _ = network_of(digits_database, "genetic")
    inputs = resolved.task.data("validation").inputs[:40]
    done = run(network, inputs, 5, seed=1)
    with torch.no_grad():
        assert torch.equal(done.outputs, network(inputs[5:6]))
    assert done.samples == 40
    model = resolved.parts.neurons[0]
    for layer in done.layers:
        assert layer.threshold == model.v_threshold
        assert layer.potentials is not None
        assert layer.spikes.shape == layer.potentials.shape == (resolved.parts.coder.steps, 40)
        assert not layer.potentials[layer.spikes > 0].any()  # a hard reset
        assert layer.potentials.max() < layer.threshold
        assert (layer.silent == (layer.rates == 0)).all()
        assert (layer.rates[layer.always] == 1).all()
        assert not layer.spikes[:, layer.silent].any()
    assert not any(module.listeners for module in network.modules() if hasattr(module, "listeners"))


def layer_run(neurons: int = 3) -> LayerRun:
    spikes = np.zeros((2, neurons), dtype=np.float32)
    spikes[:, 1] = 1
    rates = spikes.mean(0)
    return LayerRun("a", spikes, spikes - 1, 1.0, rates, rates == 1)


def test_the_raster_marks_neurons_that_never_and_always_fire() -> None:
    figure = figure_raster([layer_run(), layer_run()], ["first", "second"])
    assert [t.type for t in figure.data] == ["heatmap", "scatter", "scatter"] * 2
    assert figure.data[0].z.tolist() == [[0, 0], [1, 1], [0, 0]]
    assert [(t.name, list(t.y)) for t in figure.data[1:3]] == [("never fires", [0, 2]), ("always fires", [1])]
    assert [t.showlegend for t in figure.data[1:3]] == [True, True]
    assert [t.showlegend for t in figure.data[4:]] == [False, False]


def test_the_raster_of_many_neurons_shows_means_of_groups() -> None:
    figure = figure_raster([layer_run(1000)], ["first"])
    assert figure.data[0].z.shape == (256, 2)
    assert figure.data[0].z[0, 0] == pytest.approx(1 / 3)
    assert figure.data[0].z[1:].sum() == 0
    assert len(figure.data) == 1


def test_potentials_and_rates_are_plotted() -> None:
    figure = figure_potentials(layer_run(), [1, 2])
    assert [(t.name, list(t.y)) for t in figure.data] == [
        ("neuron 1", [0, 0]),
        ("neuron 2", [-1, -1]),
        ("threshold", [1, 1]),
    ]
    shares = figure_rate_histogram([layer_run()], ["first"]).data[0].y
    assert (shares[0], shares[-2], sum(shares[:-1])) == pytest.approx((200 / 3, 100 / 3, 100))


@pytest.mark.parametrize(
    ("shape", "kind"), [((1, 8, 8), "heatmap"), ((3, 8, 8), "image"), ((2, 8, 8), "heatmap"), ((7,), "bar")]
)
def test_samples_of_any_shape_are_drawn(shape: tuple[int, ...], kind: str) -> None:
    assert figure_sample(np.random.default_rng(0).random(shape, dtype=np.float32)).data[0].type == kind
