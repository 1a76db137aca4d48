import pytest
import torch

from spikefront.components import Session
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront.templates.trainer import NewComponent
from spikefront.testing import TrainerContract

STUDY = {
    "study": {"name": "small", "objectives": ["accuracy"]},
    "task": {"use": "digits", "train": 50, "validation": 50},
    "search": {"generations": 1},
}


class TestNewComponent(TrainerContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(epochs=2)


def test_one_step_moves_every_number_by_the_learning_rate_or_not_at_all() -> None:
    candidate = Specification.from_document(STUDY, load()).resolve(Genome({}))
    network = candidate.task.build(candidate.parts, Streams(0))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    trainer = NewComponent(epochs=1, batch=50, learning_rate=0.25)
    trainer.fit(network, candidate.task, Session(candidate.parts, Streams(0)))
    moved = torch.cat([(a - b).abs().flatten() for a, b in zip(network.parameters(), before, strict=True)])
    assert torch.all(torch.isclose(moved, torch.tensor(0.25)) | (moved == 0))
    assert moved.any()
