import pandas as pd
import pytest

from spikefront.templates.analysis import NewComponent
from spikefront.testing import AnalysisContract


class TestNewComponent(AnalysisContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent()


def test_two_generations_by_hand() -> None:
    generations, accuracies = [0, 0, 0, 1, 1, 2], [0.5, 0.9, None, 0.7, 0.6, None]
    evaluations = pd.DataFrame({"id": range(6), "generation": generations, "failure": "", "accuracy": accuracies})
    expected = {"generation": [0, 1], "id": [1, 3], "best": [0.9, 0.7], "best so far": [0.9, 0.9]}
    assert NewComponent(by="accuracy").table(evaluations).to_dict("list") == expected
