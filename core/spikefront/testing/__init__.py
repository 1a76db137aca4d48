"""Contract suites: what a component of each kind has to hold to, as tests that a plugin's author runs.

A plugin's tests derive a class from the suite of the component's kind, and say how an instance is made:

    import pytest
    from spikefront.testing import NeuronContract

    class TestMine(NeuronContract):
        @pytest.fixture
        def component(self):
            return Mine(tau=3.0)

pytest then runs each method `test_...` of the suite. `run_checks(Mine(tau=3.0))` runs the same without pytest, and
returns an `Outcome` for each check. `CONTRACTS` has the suite of each kind. Suites have methods and class attributes
that say what the component is tried with, to be overridden where it needs something else. `study_record` makes a
recorded study of rows, for tests of analyses and exporters.
"""

from typing import Any

from spikefront.testing._contract import ComponentContract
from spikefront.testing._records import study_record
from spikefront.testing._running import Outcome, checks_of, run_check, run_checks
from spikefront.testing.algorithms import AlgorithmContract
from spikefront.testing.analyses import AnalysisContract
from spikefront.testing.coders import CoderContract
from spikefront.testing.encodings import EncodingContract
from spikefront.testing.executors import ExecutorContract
from spikefront.testing.exporters import ExporterContract
from spikefront.testing.fitness import FitnessContract
from spikefront.testing.networks import NetworkContract
from spikefront.testing.neurons import NeuronContract
from spikefront.testing.operators import OperatorContract
from spikefront.testing.predictors import PredictorContract
from spikefront.testing.surrogates import SurrogateContract
from spikefront.testing.synapses import SynapseContract
from spikefront.testing.tasks import TaskContract
from spikefront.testing.trainers import TrainerContract

CONTRACTS: dict[str, type[ComponentContract[Any]]] = {
    suite.kind: suite
    for suite in (
        EncodingContract,
        SynapseContract,
        NeuronContract,
        SurrogateContract,
        CoderContract,
        NetworkContract,
        TaskContract,
        TrainerContract,
        OperatorContract,
        FitnessContract,
        AlgorithmContract,
        PredictorContract,
        AnalysisContract,
        ExecutorContract,
        ExporterContract,
    )
}
"""The suite of each kind of component."""

__all__ = [
    "CONTRACTS",
    "AlgorithmContract",
    "AnalysisContract",
    "CoderContract",
    "ComponentContract",
    "EncodingContract",
    "ExecutorContract",
    "ExporterContract",
    "FitnessContract",
    "NetworkContract",
    "NeuronContract",
    "OperatorContract",
    "Outcome",
    "PredictorContract",
    "SurrogateContract",
    "SynapseContract",
    "TaskContract",
    "TrainerContract",
    "checks_of",
    "run_check",
    "run_checks",
    "study_record",
]
