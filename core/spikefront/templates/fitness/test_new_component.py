import pytest

from spikefront.components import Context, Fitted
from spikefront.genome import Genome
from spikefront.measure.recording import NeuronRecord, Recording
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront.templates.fitness import NewComponent
from spikefront.testing import FitnessContract

STUDY = {
    "study": {"name": "small", "objectives": ["accuracy"]},
    "task": {"use": "digits"},
    "search": {"generations": 1},
}


class TestNewComponent(FitnessContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(target=0.2)


def test_two_layers_by_hand() -> None:
    candidate = Specification.from_document(STUDY, load()).resolve(Genome({}))
    layers = (NeuronRecord("silent", 10, 0, 0), NeuronRecord("busy", 10, 20, 20))  # rates 0 and 20 / (10 * 4)
    recording = Recording(samples=1, steps=4, neurons=layers)
    context = Context(Genome({}), candidate.parts, candidate.task, Fitted(None), {}, recording, Streams(0))
    assert NewComponent(target=0.25).measure(context) == 0.25**2
