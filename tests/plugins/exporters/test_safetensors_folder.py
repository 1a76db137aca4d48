"""The exporter `safetensors` writes what `load_network` reads."""

import numpy as np

from spikefront.components import Candidate
from spikefront.genome import Genome
from spikefront_plugins.exporters.safetensors_folder import SafetensorsFolder


def test_files_are_named_and_there(tmp_path):
    candidate = Candidate("s", 1, {"study": {}}, Genome({"a.b": np.ones(2)}), {"accuracy": None}, b"weights")
    files = SafetensorsFolder().export(candidate, tmp_path)
    assert len(files) == 5
    assert all(path.parent == tmp_path and path.stat().st_size for path in files)
    assert (tmp_path / "weights.safetensors").read_bytes() == b"weights"
