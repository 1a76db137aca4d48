import pytest
import torch

from spikefront.components import Surrogate
from spikefront.plugins import load
from spikefront.templates.neuron import NewComponent
from spikefront.testing import NeuronContract


class TestNewComponent(NeuronContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(tau=3.0, refractory=2)


def test_the_spikes_of_a_constant_current_by_hand() -> None:
    neuron = NewComponent(tau=2.0, refractory=2)
    currents = torch.full((7, 1), 2.0)  # h = 1 in the first step, and again after two deaf steps
    surrogate = load().get(Surrogate, "atan")()
    spikes, _ = neuron.sequence(currents, neuron.initial_state(currents[0]), {}, surrogate, torch.Generator())
    assert spikes.flatten().tolist() == [1, 0, 0, 1, 0, 0, 1]
