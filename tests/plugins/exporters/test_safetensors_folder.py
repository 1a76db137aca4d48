"""The exporter `safetensors` writes what `load_network` reads."""

import numpy as np

from spikefront.components import Candidate
from spikefront.genome import Genome
from spikefront_plugins.exporters.safetensors_folder import SafetensorsFolder
from spikefront_plugins.tasks.digits import Digits


def test_files_are_named_and_there(tmp_path):
    genome = Genome({"a.b": np.ones(2)})
    candidate = Candidate("s", 1, {"study": {}}, genome, {"accuracy": None}, b"weights", Digits(), object)
    files = SafetensorsFolder().export(candidate, tmp_path)
    assert len(files) == 5
    assert all(path.parent == tmp_path and path.stat().st_size for path in files)
    assert (tmp_path / "weights.safetensors").read_bytes() == b"weights"
