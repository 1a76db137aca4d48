"""One candidate's record as tables: genes, measurements, layers, learning curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spikefront.job import Measurement
from spikefront.measure.energy import COSTS, energy_by_layer
from spikefront.measure.recording import NeuronRecord, Recording, SynapseRecord
from spikefront.storage import EvaluationRow
from spikefront_app.theme import with_unit
from spikefront_app.toml import value_text

NOT_CURVES = frozenset({"replicate", "epoch", "samples", "parts"})
"""Columns of a history that say where a row stands, not how well the training went."""

KINDS = {True: "multiply-accumulates", False: "accumulates"}
"""What a layer's operations are called, by whether its input is analog."""


def shown(value: float | None) -> str:
    """Return a number for a table: whole ones in full, others with four digits; a dash for none."""
    if value is None or np.isnan(value):
        return "-"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:,.4g}"


def gene_table(genome: Mapping[str, Any]) -> pd.DataFrame:
    """Return "gene" and "value" of all that is searched; an array as its shape, a list of tables in rows, from 0."""
    rows = [row for path, value in genome.items() for row in _gene_rows(path, value)]
    return pd.DataFrame(rows, columns=["gene", "value"], dtype="str")


def _gene_rows(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        yield from ((f"{path} {number}", value_text(item)) for number, item in enumerate(value))
    else:
        yield path, _gene(value)


def _gene(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.size:,} numbers ({' x '.join(map(str, value.shape))})"
    if isinstance(value, float):
        return shown(value)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def measurement_table(
    measurements: Mapping[str, Measurement],
    replicates: Sequence[int],
    order: Sequence[str],
    units: Mapping[str, str],
    regularised: Mapping[str, float | None],
) -> pd.DataFrame:
    """Return a row for each fitness term, objectives first, as text.

    Args:
        measurements: By term.
        replicates: Numbers of the replicates; more than one get a column each, and a standard error.
        order: Terms that come first.
        units: By term.
        regularised: Objectives as the search saw them; a column of its own where they differ.
    """
    moved = any(name in measurements and measurements[name].mean != seen for name, seen in regularised.items())
    rows = []
    for name in [*(n for n in order if n in measurements), *sorted(set(measurements).difference(order))]:
        one = measurements[name]
        row = {"term": with_unit(name, units.get(name, "1")), "mean": shown(one.mean)}
        if len(replicates) > 1:
            row["s.e."] = shown(one.standard_error)
            row |= {f"replicate {n}": shown(v) for n, v in zip(replicates, one.values, strict=False)}
        if moved:
            row["with regularisers"] = shown(regularised[name]) if name in regularised else ""
        rows.append(row)
    return pd.DataFrame(rows)


def recording_of(plain: Mapping[str, Any]) -> Recording:
    """Return a recording that was stored as plain JSON; an empty one where nothing was recorded."""
    return Recording(
        plain.get("samples", 0),
        plain.get("steps", 0),
        tuple(SynapseRecord(**layer) for layer in plain.get("synapses", ())),
        tuple(NeuronRecord(**layer) for layer in plain.get("neurons", ())),
    )


def energy_model(document: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table of costs of a study, and whether an analog first layer is counted for one step only."""
    study = document.get("study", {})
    terms = [*study.get("objectives", ()), *study.get("columns", ())]
    for use in ("energy", "approximate-energy"):
        for term in terms:
            if isinstance(term, Mapping) and term.get("use") == use and term.get("model", "horowitz-45nm") in COSTS:
                return str(term.get("model", "horowitz-45nm")), term.get("analog_input") == "once"
    return "horowitz-45nm", False


def synapse_table(recording: Recording, titles: Mapping[str, str], model: str, once: bool) -> pd.DataFrame:
    """Return "layer", "kind" of operation, "energy" in pJ, "effective" and "dense" operations, all per sample."""
    energies = energy_by_layer(recording, COSTS[model], once)
    return pd.DataFrame(
        [
            (titles.get(one.name, one.name), KINDS[one.analog], energies[one.name], one.effective, one.dense)
            for one in recording.synapses
        ],
        columns=["layer", "kind", "energy", "effective", "dense"],
    )


def rate_table(recording: Recording, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return "layer", "neurons", "spikes" per sample, and "rate", spikes of a neuron in a step."""
    rows = [
        (titles.get(one.name, one.name), one.neurons, one.spikes, one.spikes / max(one.neurons * recording.steps, 1))
        for one in recording.neurons
    ]
    return pd.DataFrame(rows, columns=["layer", "neurons", "spikes", "rate"])


def history_table(history: Sequence[Mapping[str, float | None]]) -> pd.DataFrame:
    """Return "replicate", "epoch", "curve" and "value" of all that was noted in training; rows that lack a value go."""
    frame = pd.DataFrame(list(history), dtype="float64")
    curves = [name for name in frame if name not in NOT_CURVES]
    if frame.empty or not curves:
        return pd.DataFrame(columns=["replicate", "epoch", "curve", "value"])
    frame["replicate"] = frame["replicate"].astype(int) if "replicate" in frame else 0
    if "epoch" not in frame:
        frame["epoch"] = frame.groupby("replicate").cumcount()
    return frame.melt(["replicate", "epoch"], curves, "curve", "value").dropna(subset="value").reset_index(drop=True)


def retraining_table(rows: Sequence[EvaluationRow], order: Sequence[str], units: Mapping[str, str]) -> pd.DataFrame:
    """Return mean and standard error of each fitness term over all retrainings that did not fail, as text."""
    done = [row for row in rows if row.failure is None]
    names = dict.fromkeys(name for row in done for name in row.measurements)
    pooled = {
        name: Measurement(tuple(v for row in done if name in row.measurements for v in row.measurements[name].values))
        for name in names
    }
    return measurement_table(
        pooled, range(max((len(one.values) for one in pooled.values()), default=0)), order, units, {}
    )
