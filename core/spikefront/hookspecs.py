"""Every extension point of Spikefront, one function each.

A plugin is a module with functions of these names, marked with `@spikefront.hookimpl`. A hook that
provides components returns their classes; the contracts are in `spikefront.components`.
"""

from __future__ import annotations

import pluggy
import typer

from spikefront.components.algorithm import Algorithm
from spikefront.components.analysis import Analysis
from spikefront.components.coder import Coder
from spikefront.components.encoding import Encoding
from spikefront.components.executor import Executor
from spikefront.components.exporter import Exporter
from spikefront.components.fitness import Fitness
from spikefront.components.network import Network
from spikefront.components.neuron import NeuronModel
from spikefront.components.operator import Operator
from spikefront.components.predictor import Predictor
from spikefront.components.surrogate import Surrogate
from spikefront.components.synapse import Synapse
from spikefront.components.task import Task
from spikefront.components.trainer import Trainer
from spikefront.views import View

PROJECT = "spikefront"
hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def spikefront_encodings() -> list[type[Encoding]]:  # type: ignore[empty-body]
    """Return encodings: how genes become a network's weights."""


@hookspec
def spikefront_synapses() -> list[type[Synapse]]:  # type: ignore[empty-body]
    """Return synapses: a layer's map from its input to currents."""


@hookspec
def spikefront_neurons() -> list[type[NeuronModel]]:  # type: ignore[empty-body]
    """Return neuron models: currents to spikes."""


@hookspec
def spikefront_surrogates() -> list[type[Surrogate]]:  # type: ignore[empty-body]
    """Return surrogates: derivatives used in place of the spike's."""


@hookspec
def spikefront_coders() -> list[type[Coder]]:  # type: ignore[empty-body]
    """Return coders: data to the network's input sequence."""


@hookspec
def spikefront_networks() -> list[type[Network]]:  # type: ignore[empty-body]
    """Return networks: layers and their wiring."""


@hookspec
def spikefront_tasks() -> list[type[Task]]:  # type: ignore[empty-body]
    """Return tasks: data with a loss and metrics, or a simulation to be scored."""


@hookspec
def spikefront_trainers() -> list[type[Trainer]]:  # type: ignore[empty-body]
    """Return trainers: fit a phenotype within a budget."""


@hookspec
def spikefront_operators() -> list[type[Operator]]:  # type: ignore[empty-body]
    """Return evolution operators: sampling, crossover or mutation of genes."""


@hookspec
def spikefront_fitness() -> list[type[Fitness]]:  # type: ignore[empty-body]
    """Return fitness terms: objectives, regularisers, columns."""


@hookspec
def spikefront_algorithms() -> list[type[Algorithm]]:  # type: ignore[empty-body]
    """Return search algorithms: ask and tell."""


@hookspec
def spikefront_predictors() -> list[type[Predictor]]:  # type: ignore[empty-body]
    """Return predictors: which candidates deserve training."""


@hookspec
def spikefront_analyses() -> list[type[Analysis]]:  # type: ignore[empty-body]
    """Return analyses: tables made from stored results."""


@hookspec
def spikefront_executors() -> list[type[Executor]]:  # type: ignore[empty-body]
    """Return executors: where evaluations run."""


@hookspec
def spikefront_exporters() -> list[type[Exporter]]:  # type: ignore[empty-body]
    """Return exporters: formats that a candidate or a whole study can be taken home in."""


@hookspec
def spikefront_defaults() -> dict[str, tuple[str, ...]]:  # type: ignore[empty-body]
    """Return default components, kind -> names: the first stands where a study file names none; operators all serve."""


@hookspec
def spikefront_views() -> list[View]:  # type: ignore[empty-body]
    """Return pages for the web app."""


@hookspec
def spikefront_commands(cli: typer.Typer) -> None:
    """Add commands to the `spikefront` program."""


HOOKS: dict[str, str] = {
    "spikefront_encodings": "encoding",
    "spikefront_synapses": "synapse",
    "spikefront_neurons": "neuron",
    "spikefront_surrogates": "surrogate",
    "spikefront_coders": "coder",
    "spikefront_networks": "network",
    "spikefront_tasks": "task",
    "spikefront_trainers": "trainer",
    "spikefront_operators": "operator",
    "spikefront_fitness": "fitness",
    "spikefront_algorithms": "algorithm",
    "spikefront_predictors": "predictor",
    "spikefront_analyses": "analysis",
    "spikefront_executors": "executor",
    "spikefront_exporters": "exporter",
}
"""Name of the hook -> kind of the components that it provides."""
