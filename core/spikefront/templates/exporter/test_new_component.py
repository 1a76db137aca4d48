from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from spikefront.components import Candidate
from spikefront.genome import Genome
from spikefront.templates.exporter import NewComponent
from spikefront.testing import ExporterContract


class TestNewComponent(ExporterContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent()


def test_weights_and_page_by_hand(tmp_path: Path) -> None:
    weights = {"body.1.module.weight": np.array([[1.0, -2.0]], np.float32)}
    candidate = Candidate("small", 7, {}, Genome({"neuron.tau": 1.5}), {"accuracy": 0.75}, save(weights))
    NewComponent().export(candidate, tmp_path)
    with np.load(tmp_path / "weights.npz") as stored:
        assert stored["body.1.module.weight"].tolist() == [[1.0, -2.0]]
    page = (tmp_path / "README.md").read_text().splitlines()
    assert {"# Candidate 7 of small", "| accuracy | 0.75 |", "| neuron.tau | 1.5 |"} <= set(page)
