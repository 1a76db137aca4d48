import math

import pytest

from spikefront.components import Context, Fitted
from spikefront.genome import Genome
from spikefront.measure.recording import Recording, SynapseRecord
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront.templates.predictor import NewComponent
from spikefront.testing import PredictorContract

STUDY = {
    "study": {"name": "small", "objectives": ["accuracy"]},
    "task": {"use": "digits"},
    "network": {"hidden": [16]},
    "search": {"generations": 1},
}


class TestNewComponent(PredictorContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(size="parameters")


def test_both_sizes_by_hand() -> None:
    candidate = Specification.from_document(STUDY, load()).resolve(Genome({}))
    network = candidate.task.build(candidate.parts, Streams(0))
    layers = tuple(SynapseRecord(name, False, 0, 0, flops=flops) for name, flops in (("a", 1024), ("b", 160)))
    recording, streams = Recording(synapses=layers), Streams(0)
    context = Context(Genome({}), candidate.parts, candidate.task, Fitted(network), {}, recording, streams)
    parameters = NewComponent(size="parameters")
    flops = NewComponent(size="flops")
    assert parameters.probe(context) == [math.log(64 * 16 + 16 + 16 * 10 + 10)]
    assert flops.probe(context) == [math.log(1024 + 160)]
