from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from spikefront.components import Candidate, Task
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.templates.exporter import NewComponent
from spikefront.testing import ExporterContract


class TestNewComponent(ExporterContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent()


@pytest.mark.parametrize("compressed", [False, True])
def test_weights_and_page_by_hand(tmp_path: Path, compressed: bool) -> None:
    weights = save({"body.1.module.weight": np.array([[1.0, -2.0]], np.float32)})
    genome, task = Genome({"neuron.tau": 1.5}), load().get(Task, "digits")()
    candidate = Candidate("small", 7, {}, genome, {"accuracy": 0.75}, weights, task, phenotype=object)
    NewComponent(compressed=compressed).export(candidate, tmp_path)
    with np.load(tmp_path / "weights.npz") as stored:
        assert stored["body.1.module.weight"].tolist() == [[1.0, -2.0]]
    page = (tmp_path / "README.md").read_text().splitlines()
    assert {"# Candidate 7 of small", "| accuracy | 0.75 |", "| neuron.tau | 1.5 |"} <= set(page)
