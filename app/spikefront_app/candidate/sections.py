"""The parts of the page of one candidate, each shown by a function of study and candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront.storage import EvaluationDetail, StudyRow
from spikefront_app import takehome
from spikefront_app.candidate import genes, lineage, stored, tables
from spikefront_app.candidate.choosing import CANDIDATE, go_to
from spikefront_app.figures import candidate as figures
from spikefront_app.figures.genes import figure_matrix, figure_spectrum
from spikefront_app.figures.lineage import figure_lineage
from spikefront_app.reading import (
    database_label,
    read_asks,
    read_evaluations,
    read_retrainings,
    read_studies,
    specification,
)
from spikefront_app.theme import with_unit
from spikefront_app.widgets import FIGURES_SECONDS, choose, code_to_copy, how_to_read, live

DEPTHS = ("2", "4", "8", "16", "all")


def explain(error: SpikefrontError) -> None:
    """Show, in place of a figure, why there is none and what to do."""
    said = error.message.rstrip(".") + "."
    st.info(f"{said[0].upper()}{said[1:]} {error.hint}".strip(), icon=":material/info:")


def show_measured(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Show genome, measurements, retrainings, and commands that go on with a candidate."""
    order, units = [objective.name for objective in study.objectives], stored.units(study)
    left, right = st.columns([2, 3])
    with left:
        st.subheader("Genome")
        table = tables.gene_table(candidate.genome)
        if table.empty:
            st.info("The study searches nothing: its only genome is empty.")
        else:
            st.dataframe(table, hide_index=True, width="stretch", height="content")
    with right:
        st.subheader("Measurements")
        measured = tables.measurement_table(
            candidate.measurements, candidate.replicates, order, units, candidate.regularised
        )
        if measured.empty:
            st.info("Nothing was measured.")
        else:
            st.dataframe(
                measured, hide_index=True, width="stretch", height="content", column_config=_to_the_right(measured)
            )
            how_to_read(
                f"On the validation split, {_trainings(candidate)}; units in brackets, numbers without one are counts "
                "or shares. s.e.: standard error of the mean. A dash: the term means nothing here."
            )
        again = tables.retraining_table(read_retrainings(study, candidate.number), order, units)
        if not again.empty:
            st.subheader("Retrained")
            st.dataframe(again, hide_index=True, width="stretch", height="content", column_config=_to_the_right(again))
            how_to_read(
                "The same genome, trained anew with fresh seeds and the full budget: free of the search's luck."
            )
    st.subheader("Go on with it")
    for what, command in takehome.commands(study.name, candidate.number, database_label()).items():
        st.caption(what)
        code_to_copy(command)


def show_layers(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Show energy, operations, rates and stored numbers by layer."""
    made, reason = None, None
    try:
        made = stored.built(study, candidate)
    except SpikefrontError as error:
        reason = error
    titles: Mapping[str, str] = made.titles if made else {}
    recording = tables.recording_of(candidate.recording)
    if recording.synapses:
        model, once = tables.energy_model(specification(study))
        work = tables.synapse_table(recording, titles, model, once)
        left, right = st.columns(2)
        with left:
            st.subheader("Energy")
            st.plotly_chart(figures.figure_energy(work), width="stretch")
            total = work["energy"].sum()
            how_to_read(
                f"Model {model}: {tables.shown(total)} pJ per sample over all layers{_first(candidate)}. An analog "
                "input costs multiply-accumulates, spikes cost accumulates; never compare energies of other models."
            )
        with right:
            st.subheader("Synaptic operations")
            st.plotly_chart(figures.figure_operations(work), width="stretch")
            how_to_read(
                "Effective: an input that is not zero meets a weight that is not zero. Dense: every input meets every "
                f"weight. Mean of {recording.samples:,} samples, summed over {recording.steps} "
                f"steps{_first(candidate)}."
            )
    left, right = st.columns(2)
    if recording.neurons:
        with left:
            st.subheader("Firing rate")
            st.plotly_chart(figures.figure_rates(tables.rate_table(recording, titles)), width="stretch")
            how_to_read("Mean over all neurons, steps and samples of the validation split: 1 is a spike in every step.")
    with right if recording.neurons else left:
        if made:
            st.subheader("Stored numbers")
            st.plotly_chart(figures.figure_parameters(made.parameters), width="stretch")
            how_to_read(
                f"{int(made.parameters['numbers'].sum()):,} numbers rebuild the network: direct weights, those that "
                "an encoding makes weights of, and what evolved. What layers share is counted once."
            )
    if reason:
        explain(reason)
    elif made is None:
        st.info("What the task builds is no network: it has no layers.")
    elif not recording.synapses:
        st.info("No operations were recorded: the candidate failed, or has no weighted layers.")


def _to_the_right(table: pd.DataFrame) -> dict[str, Any]:
    """Return how a table of numbers that are texts is aligned: all but its first column as numbers are."""
    return {name: st.column_config.TextColumn(alignment="right") for name in table.columns[1:]}


def _trainings(candidate: EvaluationDetail) -> str:
    number = len(candidate.replicates)
    return "from one training" if number == 1 else f"mean of {number} trainings from different seeds"


def _first(candidate: EvaluationDetail) -> str:
    return " (first replicate)" if len(candidate.replicates) > 1 else ""


def show_training(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Show the learning curves."""
    table = tables.history_table(candidate.history)
    if table.empty:
        why = "it was left untrained" if candidate.budget == 0 else "its trainer noted nothing, or it failed before"
        st.info(f"There are no learning curves: {why}.")
        return
    st.plotly_chart(figures.figure_history(table), width="stretch")
    last = table["epoch"].max() + 1
    how_to_read(
        f"A point an epoch; {last:g} epochs, {candidate.samples:,} training samples seen in {candidate.seconds:,.1f} s "
        f"by {candidate.worker or 'an unknown worker'}. A curve that still falls would gain from longer training."
    )


def show_lineage(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Show ancestors as a graph, and parents and children as links; anew as long as the study runs."""
    first, second = st.columns(2)
    with first:
        back = choose("Steps back", DEPTHS, "back", "8", "How many steps from child to parent are followed.")
    with second:
        colour = choose("Colour", [one.name for one in study.objectives], "lineage-colour")

    def render() -> None:
        now = next((row for row in read_studies() if row.name == study.name), study)
        _lineage(now, candidate, 10**6 if back == "all" else int(back), colour)

    live(render, study, FIGURES_SECONDS)


def _lineage(study: StudyRow, candidate: EvaluationDetail, back: int, colour: str) -> None:
    first, table = lineage.first_asks(read_asks(study)), read_evaluations(study).set_index("id")
    found = lineage.ancestors(first, candidate.genome_hash, back)
    unit = next(one.unit for one in study.objectives if one.name == colour)
    if len(found.nodes) > 1:
        figure = figure_lineage(found, table[colour], with_unit(colour, unit), table.index[table["front"]])
        key = f"lineage-{candidate.number}"
        _follow(
            st.plotly_chart(figure, width="stretch", key=key, on_select="rerun", selection_mode="points"), candidate
        )
        more = "" if found.complete else " Earlier ancestors are left out: ask for more steps back."
        how_to_read(
            f"{len(found.nodes) - 1} ancestors, each in the generation that first had it; lines lead from parents to "
            f"children. Choose a point to go there.{more}"
        )
    else:
        st.info("It has no recorded parents: the first generation, or an algorithm that names none.")
    relatives = lineage.kin(first, candidate.genome_hash)
    st.markdown(lineage.kin_failures(relatives))
    for what, title in (("parent", "Parents"), ("child", "Children")):
        _links(study, relatives[relatives["kin"] == what].dropna(subset="id"), title)


def _links(study: StudyRow, relatives: pd.DataFrame, title: str, most: int = 24) -> None:
    if relatives.empty:
        return
    st.markdown(f"**{title}**")
    with st.container(horizontal=True):
        for number, failure in relatives[["id", "failure"]].head(most).itertuples(index=False):
            st.page_link(
                "screens/candidate.py",
                label=f"{number} ({failure})" if isinstance(failure, str) else str(number),
                icon=":material/neurology:",
                query_params={"study": study.name, CANDIDATE: str(number), "part": "Lineage"},
            )
    if len(relatives) > most:
        st.caption(f"{len(relatives) - most} more are left out.")


def _follow(picked: Any, candidate: EvaluationDetail) -> None:
    """Go to the candidate whose point was chosen, if one was."""
    numbers = [str(point["customdata"][0]) for point in picked.selection.points if "customdata" in point]
    if numbers and numbers[0] != str(candidate.number):
        go_to(numbers[0])


def show_genes(study: StudyRow, candidate: EvaluationDetail) -> None:
    """Show the gene interactions of a genetic encoding."""
    made = stored.built(study, candidate)
    matrices = made.matrices if made else {}
    if not matrices:
        used = "its genes save nothing, so every layer kept direct weights" if _is_genetic(candidate) else "it has none"
        st.info(f"Gene interactions belong to the genetic encoding, and {used}.")
        return
    if made and made.trained:
        matrices = stored.trained_matrices(study, candidate)
    name = choose("Matrix", list(matrices), "matrix")
    matrix = matrices[name]
    values = genes.singular_values(matrix)
    mean = float(np.mean([genes.entropy(genes.singular_values(one)) for one in matrices.values()]))
    left, right = st.columns(2)
    with left:
        st.plotly_chart(figure_matrix(matrix), width="stretch")
        how_to_read("How strongly a gene of an output neuron and one of an input neuron add to a weight; both signs.")
    with right:
        st.plotly_chart(figure_spectrum(values), width="stretch")
        how_to_read(
            f"Entropy {genes.entropy(values):.4f} of 1; mean over {len(matrices)} "
            f"{'matrix' if len(matrices) == 1 else 'matrices'} {mean:.4f}, so gene-entropy 1 - H is {1 - mean:.4f}. "
            "The nearer to the dashed line, the more of the genes' combinations are used."
        )


def _is_genetic(candidate: EvaluationDetail) -> bool:
    return any(path.startswith("encoding.") for path in candidate.genome.arrays)
