import pytest
import torch
from torch import nn

from spikefront.templates.encoding import NewComponent
from spikefront.testing import EncodingContract


class TestNewComponent(EncodingContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(share=0.25)


def test_a_layer_of_thirty_two_weights_is_made_from_eight_numbers() -> None:
    layer = nn.Linear(8, 4)
    encoding = NewComponent(share=0.25)
    encoding.apply(layer, {}, torch.Generator().manual_seed(0))
    assert encoding.stored_numbers(layer) == 32 * 0.25 + 4  # and the biases
    assert len(layer.weight.abs().unique()) == 8
