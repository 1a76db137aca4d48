import pytest
import torch

from spikefront.templates.surrogate import NewComponent
from spikefront.testing import SurrogateContract


class TestNewComponent(SurrogateContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(alpha=3.0)


def test_the_derivative_by_hand() -> None:
    v = torch.tensor([-1.5, -0.5, 0.0, 0.5])
    assert NewComponent(alpha=2.0).derivative(v).tolist() == [1 / 16, 1 / 4, 1, 1 / 4]
