import pytest
import torch

from spikefront.components import NeuronModel, Surrogate, Synapse
from spikefront.plugins import load
from spikefront.spiking.builder import Builder
from spikefront.templates.network import NewComponent
from spikefront.testing import NetworkContract


class TestNewComponent(NetworkContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(branches=(5, 3))


def test_the_number_of_parameters_by_hand() -> None:
    synapse, lif, atan = (
        load().get(Synapse, "dense")(),
        load().get(NeuronModel, "lif")(),
        load().get(Surrogate, "atan")(),
    )
    builder = Builder((1, 2, 3), 4, synapse, [lif], atan, torch.Generator(), 5)
    body = NewComponent(branches=(5, 3)).build(builder)
    assert sum(p.numel() for p in body.parameters()) == (6 * 5 + 5) + (6 * 3 + 3) + (8 * 4 + 4)
