"""Spikefront: multi-objective search of spiking neural networks, with everything a plugin.

Plugin authors take the contract of their kind, its helpers and `hookimpl` from here; `Study` runs a search from Python.
"""

from spikefront.components import (
    Algorithm,
    Analysis,
    CandidateExporter,
    Coder,
    Component,
    Crossover,
    Encoding,
    Executor,
    Exporter,
    Fitness,
    Mutation,
    Network,
    NeuronModel,
    Predictor,
    Sampling,
    StudyExporter,
    SupervisedTask,
    Surrogate,
    Synapse,
    Task,
    ThresholdNeuron,
    Trainer,
)
from spikefront.sources import hookimpl
from spikefront.study import Study
from spikefront.views import View

__all__ = [
    "Algorithm",
    "Analysis",
    "CandidateExporter",
    "Coder",
    "Component",
    "Crossover",
    "Encoding",
    "Executor",
    "Exporter",
    "Fitness",
    "Mutation",
    "Network",
    "NeuronModel",
    "Predictor",
    "Sampling",
    "Study",
    "StudyExporter",
    "SupervisedTask",
    "Surrogate",
    "Synapse",
    "Task",
    "ThresholdNeuron",
    "Trainer",
    "View",
    "hookimpl",
]
