import pytest
import torch

from spikefront.templates.synapse import NewComponent
from spikefront.testing import SynapseContract


class TestNewComponent(SynapseContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(excitatory=0.8)


def test_the_currents_of_a_layer_by_hand() -> None:
    layer = NewComponent(excitatory=0.5).linear(2, 1, True, torch.Generator())
    layer.load_state_dict({"weight": torch.tensor([[-3.0, -2.0]]), "bias": torch.tensor([0.5])})
    currents = layer(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    assert currents.flatten().tolist() == [3.5, -1.5, 1.5]
