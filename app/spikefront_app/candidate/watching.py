"""The part of the page of one candidate that runs its network on a sample."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from spikefront.storage import EvaluationDetail, StudyRow
from spikefront_app.candidate import stored
from spikefront_app.candidate.running import LayerRun, Run
from spikefront_app.candidate.tables import shown
from spikefront_app.figures.spikes import (
    ROWS,
    figure_potentials,
    figure_raster,
    figure_rate_histogram,
    figure_sample,
)
from spikefront_app.widgets import choose, choose_several, how_to_read

OFFERED = 200
"""Neurons that one may choose among, the most active first."""


def show_spikes(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Run the stored network on a validation sample and show what it does."""
    if candidate.failure:
        st.info("It failed, so it left no trained network to run.")
        return
    available = stored.samples(study, candidate)
    if not available:
        st.info("The task has no samples: there is nothing to run.")
        return
    sample = st.number_input(
        f"Sample of the validation split, 0 to {available - 1:,}",
        min_value=0,
        max_value=available - 1,
        value=0,
        key="sample",
        bind="query-params",
        width=320,
    )
    looked = stored.looked_at(study, candidate, int(sample))
    made = stored.built(study, candidate)
    names = made.titles if made else {}
    layers = looked.run.layers
    titles = [names.get(layer.path, layer.path) for layer in layers]
    left, right = st.columns([1, 2])
    with left:
        st.plotly_chart(figure_sample(looked.inputs), width="stretch")
        said = ", ".join(f"{name} {shown(value)}" for name, value in looked.metrics.items())
        how_to_read(f"Sample {sample}, before it is coded. {_answer(looked)}{said}.")
    if not layers:
        st.info("The network has no layers of neurons.")
        return
    with right:
        table = activity_table(layers, titles)
        st.dataframe(table, hide_index=True, width="stretch", height="content")
        how_to_read(
            f"Over the first {looked.run.samples} validation samples. A neuron that never fires adds nothing; one that "
            "fires in every step tells nothing apart."
        )
        st.plotly_chart(figure_rate_histogram(layers, titles), width="stretch")
        how_to_read("Share of a layer's neurons by how often they fire; a peak at 0 is silence, one at 1 saturation.")
    st.subheader("Spikes")
    st.plotly_chart(figure_raster(layers, titles), width="stretch")
    how_to_read(
        "A line for each neuron, a column for each step; a full cell is a spike. A layer with more than "
        f"{ROWS} neurons is drawn in groups, the fuller the more of a group fire."
    )
    st.subheader("Potentials")
    _potentials(looked.run, titles)


def activity_table(layers: tuple[LayerRun, ...], titles: list[str]) -> pd.DataFrame:
    """Return for each layer its neurons, mean rate, and how many neurons never and always fire."""
    return pd.DataFrame(
        {
            "layer": title,
            "neurons": len(layer.rates),
            "spikes of a neuron in a step": shown(float(layer.rates.mean())),
            "never fire": _share(int(layer.silent.sum()), len(layer.rates)),
            "always fire": _share(int(layer.always.sum()), len(layer.rates)),
        }
        for layer, title in zip(layers, titles, strict=True)
    )


def _share(number: int, whole: int) -> str:
    return f"{number:,} ({100 * number / max(whole, 1):.1f} %)"


def _answer(looked: stored.Looked) -> str:
    """Return the class asked for and the one that came, where the task has classes."""
    outputs = looked.run.outputs
    if not isinstance(looked.target, int) or outputs.dim() != 3:
        return ""
    return f"Class {looked.target}; the network's largest output is {int(outputs.mean(0)[0].argmax())}: "


def _potentials(run: Run, titles: list[str]) -> None:
    first, second = st.columns(2)
    with first:
        title = choose("Layer", titles, "layer")
    layer = run.layers[titles.index(title)]
    order = layer.rates.argsort(kind="stable")[::-1][:OFFERED]
    options = [str(neuron) for neuron in order]
    active = options[: max(int((~layer.silent).sum()), 1)]
    default = list(dict.fromkeys(active[place * (len(active) - 1) // 3] for place in range(4)))
    with second:
        chosen = choose_several("Neurons", options, f"neurons-{titles.index(title)}", default)
    if layer.potentials is None:
        st.info(
            "This layer's neurons cannot be followed step by step: they know the whole sequence, or draw at random."
        )
        return
    st.plotly_chart(figure_potentials(layer, [int(neuron) for neuron in chosen]), width="stretch")
    level = " The dashed line is the threshold." if layer.threshold is not None else ""
    how_to_read(
        f"A large mark is a spike, after which the potential is reset.{level} The most active are offered first."
    )
