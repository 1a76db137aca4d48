import pytest

from spikefront.templates.analysis import NewComponent
from spikefront.testing import AnalysisContract, study_record


class TestNewComponent(AnalysisContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent()


def test_two_generations_by_hand() -> None:
    values = [(0, 0.5), (0, 0.9), (0, None), (1, 0.7), (1, 0.6), (2, None)]
    rows = [{"generation": generation, "accuracy": accuracy} for generation, accuracy in values]
    study = study_record(rows, {"accuracy": "maximize"})
    expected = {"generation": [0, 1], "id": [1, 3], "best": [0.9, 0.7], "best so far": [0.9, 0.9]}
    assert NewComponent(by="accuracy").table(study).to_dict("list") == expected
