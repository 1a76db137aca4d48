"""Networks of a recorded study: built anew, with their stored weights, and what they did; kept for the next look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from torch import nn

from spikefront import Study
from spikefront.components import SupervisedTask
from spikefront.errors import InputError, SpikefrontError
from spikefront.evaluate import streams_of
from spikefront.specification import Resolved, Specification
from spikefront.storage import Database, EvaluationDetail, StudyRow, queries
from spikefront_app.candidate.genes import Matrix, interaction_matrices
from spikefront_app.candidate.layers import layer_titles, parameter_table
from spikefront_app.candidate.running import Floats, Run, run
from spikefront_app.reading import database_url, read_retrainings


@dataclass(frozen=True)
class Built:
    """A candidate's network before training.

    Attributes:
        titles: What to call its layers, by path.
        parameters: From `layers.parameter_table`.
        matrices: Gene interactions, by what to call them.
        trained: Whether gradients train these, so that their values are in the stored weights.
    """

    titles: dict[str, str]
    parameters: pd.DataFrame
    matrices: dict[str, Matrix]
    trained: bool


@dataclass(frozen=True)
class Looked:
    """What a network made of a sample.

    Attributes:
        run: Spikes, potentials and outputs.
        inputs: The sample.
        target: What the task asks for, as plain numbers.
        metrics: The task's metrics of this sample, by name.
    """

    run: Run
    inputs: Floats
    target: Any
    metrics: dict[str, float]


def built(study: StudyRow, candidate: EvaluationDetail) -> Built | None:
    """Return what a candidate's network is made of, without its stored weights; None if it is no network.

    Raises:
        SpikefrontError: A plugin is missing, or the network cannot be built with today's.
    """
    return _built(database_url(), study.name, candidate.number, str(study.created_at))


def trained_matrices(study: StudyRow, candidate: EvaluationDetail) -> dict[str, Matrix]:
    """Return the gene interactions of a candidate's stored network.

    Raises:
        SpikefrontError: Its weights were not kept, or a plugin is missing.
    """
    weights = _weights(study, candidate)
    network = _network(database_url(), study.name, candidate.number, str(study.created_at), weights)
    return interaction_matrices(network)[0]


def units(study: StudyRow) -> dict[str, str]:
    """Return the units of all fitness terms that can be known: without a study's plugins those of its objectives."""
    found = {objective.name: objective.unit for objective in study.objectives}
    try:
        what = _study(database_url(), study.name, str(study.created_at))
    except SpikefrontError:
        return found
    terms = (*what.objectives, *what.columns, *(regulariser.term for regulariser in what.regularisers))
    return {term.name: term.unit for term in terms} | found


def samples(study: StudyRow, candidate: EvaluationDetail) -> int:
    """Return the number of validation samples of a candidate's task, 0 if it has no data.

    Raises:
        SpikefrontError: The data are not there, or a plugin is missing.
    """
    task = _resolved(database_url(), study.name, candidate.number, str(study.created_at))[2].task
    return len(task.data("validation").inputs) if isinstance(task, SupervisedTask) else 0


def looked_at(study: StudyRow, candidate: EvaluationDetail, sample: int) -> Looked:
    """Return what a candidate's stored network makes of a validation sample.

    Weights of its last retraining are taken where there are some, else those of the search.

    Raises:
        SpikefrontError: Its weights were not kept, data are not there, or a plugin is missing.
    """
    return _looked(
        database_url(), study.name, candidate.number, str(study.created_at), _weights(study, candidate), sample
    )


def _weights(study: StudyRow, candidate: EvaluationDetail) -> int:
    """Return which weights are looked at: a retraining makes others."""
    return len(read_retrainings(study, candidate.number))


@st.cache_resource(show_spinner=False, max_entries=8)
def _study(url: str, name: str, created: str) -> Specification:
    return Study.open(name, db=url).specification


def _resolved(url: str, name: str, number: int, created: str) -> tuple[Specification, EvaluationDetail, Resolved]:
    what = _study(url, name, created)
    with Database.read_only(url) as database:
        candidate = queries.evaluation(database, name, number)
    return what, candidate, what.resolve(candidate.genome)


@st.cache_resource(show_spinner="Building the network", max_entries=32)
def _built(url: str, name: str, number: int, created: str) -> Built | None:
    what, candidate, resolved = _resolved(url, name, number, created)
    with _explained(number, "built"):
        streams = streams_of(what, candidate.genome, next(iter(candidate.replicates), 0))
        network = resolved.task.build(resolved.parts, streams)
        if not isinstance(network, nn.Module):
            return None
        titles = layer_titles(network)
        matrices, trained = interaction_matrices(network)
        return Built(titles, parameter_table(network, resolved.parts.encoding, titles), matrices, trained)


@st.cache_resource(show_spinner="Loading the network", max_entries=4)
def _network(url: str, name: str, number: int, created: str, weights: int) -> Any:
    with _explained(number, "loaded"):
        return Study(_study(url, name, created), db=url).load(number)


@st.cache_resource(show_spinner="Running the network", max_entries=16)
def _looked(url: str, name: str, number: int, created: str, weights: int, sample: int) -> Looked:
    what, _, resolved = _resolved(url, name, number, created)
    if not isinstance(resolved.task, SupervisedTask):
        raise InputError(f"task '{resolved.task.name}' has no samples", "There is no network to run.")
    network = _network(url, name, number, created, weights)
    data = resolved.task.data("validation")
    with _explained(number, "run"):
        done = run(network, data.inputs, sample, what.settings.seed)
        target = data.targets[sample : sample + 1]
        metrics = {name: float(one[0]) for name, one in resolved.task.metrics(done.outputs, target).items()}
    return Looked(done, data.inputs[sample].numpy(), target[0].tolist(), metrics)


@contextmanager
def _explained(number: int, what: str) -> Iterator[None]:
    """Turn what a plugin raises into a sentence."""
    try:
        yield
    except SpikefrontError:
        raise
    except Exception as error:
        raise InputError(
            f"the network of candidate {number} could not be {what}: {type(error).__name__}: {error}",
            "Its plugins may have changed since: see the page Plugins.",
        ) from error
