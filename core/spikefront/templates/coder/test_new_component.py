import pytest
import torch

from spikefront.templates.coder import NewComponent
from spikefront.testing import CoderContract


class TestNewComponent(CoderContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(steps=6, most=4, longest=3)


def test_the_bursts_of_four_data_by_hand() -> None:
    coder, data = NewComponent(steps=6, most=3, longest=3), torch.tensor([0.0, 0.1, 0.5, 1.0])
    spikes = coder.encode(data, torch.Generator())
    assert spikes.T.tolist() == [[0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]]
