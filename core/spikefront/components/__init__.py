"""The contracts: one base class for each kind of component that a plugin may provide.

`KINDS` maps the name of a kind to its base class. Read a contract's module before you write a plugin of
its kind; the built-in components in `plugins/` are examples of each.
"""

from spikefront.components.algorithm import Algorithm, Engine, Objective, Problem, Proposal, StudyObjective, Told
from spikefront.components.analysis import Analysis
from spikefront.components.base import Component, Ranges
from spikefront.components.coder import Coder
from spikefront.components.encoding import Encoding
from spikefront.components.executor import Executor, Pool, Retries
from spikefront.components.exporter import Candidate, CandidateExporter, Exporter, StudyExporter
from spikefront.components.fitness import Context, Direction, Fitness, TaskMetric
from spikefront.components.network import Network
from spikefront.components.neuron import NeuronModel, Spike, State, ThresholdNeuron
from spikefront.components.operator import Crossover, Mutation, Operator, Sampling
from spikefront.components.parts import Parts
from spikefront.components.predictor import Predictor
from spikefront.components.record import EvaluationRecord, StudyRecord
from spikefront.components.surrogate import Surrogate
from spikefront.components.synapse import Synapse
from spikefront.components.task import Data, Split, SupervisedTask, Task
from spikefront.components.trainer import Checkpoint, Fitted, Session, Trainer

KINDS: dict[str, type[Component]] = {
    contract.kind: contract
    for contract in (
        Encoding,
        Synapse,
        NeuronModel,
        Surrogate,
        Coder,
        Network,
        Task,
        Trainer,
        Operator,
        Fitness,
        Algorithm,
        Predictor,
        Analysis,
        Executor,
        Exporter,
    )
}

__all__ = [
    "KINDS",
    "Algorithm",
    "Analysis",
    "Candidate",
    "CandidateExporter",
    "Checkpoint",
    "Coder",
    "Component",
    "Context",
    "Crossover",
    "Data",
    "Direction",
    "Encoding",
    "Engine",
    "EvaluationRecord",
    "Executor",
    "Exporter",
    "Fitness",
    "Fitted",
    "Mutation",
    "Network",
    "NeuronModel",
    "Objective",
    "Operator",
    "Parts",
    "Pool",
    "Predictor",
    "Problem",
    "Proposal",
    "Ranges",
    "Retries",
    "Sampling",
    "Session",
    "Spike",
    "Split",
    "State",
    "StudyExporter",
    "StudyObjective",
    "StudyRecord",
    "SupervisedTask",
    "Surrogate",
    "Synapse",
    "Task",
    "TaskMetric",
    "ThresholdNeuron",
    "Told",
    "Trainer",
]
