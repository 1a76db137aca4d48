import math

import pytest
import torch

from spikefront.templates.task import NewComponent
from spikefront.testing import TaskContract


class TestNewComponent(TaskContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(classes=3, inputs=6, train=60, validation=30)


def test_loss_and_accuracy_by_hand() -> None:
    task, targets = NewComponent(classes=3), torch.tensor([0, 1, 2, 2])
    undecided = torch.zeros(2, 4, 3)  # (T, B, classes): equal logits, of which the first counts as the answer
    assert task.loss(undecided, targets).item() == pytest.approx(math.log(3))
    assert task.metrics(undecided, targets)["accuracy"].tolist() == [1, 0, 0, 0]
