"""Exported networks: loaded again in a fresh process without a database, and refused where a file is damaged."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from spikefront.errors import InputError
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.exported import ARRAYS, GENOME, MEASURED, STUDY, WEIGHTS, candidate_of, load_network, write_candidate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

DOCUMENT = {
    "study": {"name": "exported", "seed": 3, "objectives": ["accuracy", "parameters"]},
    "task": {"use": "digits", "train": 64, "validation": 20},
    "network": {"use": "conv", "channels": [4, 6]},
    "neuron": {"v_threshold": 0.3, "tau": {"low": 1.2, "high": 3.0}},
    "trainer": {"epochs": 1},
    "search": {"generations": 1},
}
GENETIC = {"use": "genetic", "genes": {"low": 1, "high": 3}}
CASES = {
    "direct": {},
    "genetic": {"encoding": GENETIC},
    "unfolded": {"encoding": GENETIC | {"variant": "unfold", "origin": "both"}},
    "choice": {"encoding": GENETIC | {"use": {"choice": ["genetic", "direct"]}}},
    "shared": {
        "task": {"use": "interval", "train": 64, "validation": 20, "test": 10},
        "network": {"use": "mlp", "hidden": [5, 9, 7]},
        "neuron": {"use": "ce-lif", "decay": {"low": 0.5, "high": 0.9}},
        "coder": {"use": "frames", "steps": 64},
    },
    "recurrent": {"network": {"use": "recurrent", "hidden": [7]}},
    "layers": {"neuron": [{"use": "lif", "v_threshold": 0.3}, {"use": "plif", "v_threshold": 0.3}]},
    "resnet": {"network": {"use": "resnet", "blocks": [1, 1], "width": 3}, "encoding": GENETIC | {"gain": "layer"}},
}


def trained_candidate(case="genetic"):
    """Return a trained candidate and the outputs of its network for the validation images."""
    study = Specification.from_document(DOCUMENT | CASES[case], load())
    rng = np.random.default_rng(1)
    genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
    evaluation = evaluate(Job(study.to_json(), genome), load())
    assert evaluation.failure is None
    resolved = study.resolve(genome)
    network = phenotype_of(resolved, evaluation.weights, streams_of(study, genome, 0)).eval()
    means = {name: measurement.mean for name, measurement in evaluation.measurements.items()}
    candidate = candidate_of(study, 5, genome, means, evaluation.weights)
    with torch.no_grad():
        return candidate, network(resolved.task.data("validation").inputs)


def digest(outputs):
    return hashlib.sha256(outputs.numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_network_gives_the_same_outputs(case, tmp_path):
    candidate, expected = trained_candidate(case)
    write_candidate(candidate, tmp_path)
    network = load_network(tmp_path)
    assert not network.training
    resolved = Specification.from_document(dict(candidate.resolved), load()).resolve(candidate.genome)
    with torch.no_grad():
        assert torch.equal(network(resolved.task.data("validation").inputs), expected)


def test_a_shared_tensor_is_stored_and_counted_once():
    """1-5-9-7-8 with biases, and a table of 9 x 64 for three layers."""
    candidate, _ = trained_candidate("shared")
    stored = load_arrays(candidate.weights)
    assert sum(array.size for array in stored.values()) == 10 + 54 + 70 + 64 + 9 * 64
    assert candidate.measurements["parameters"] == 774
    assert [array.shape for name, array in stored.items() if "embedding" in name] == [(9, 64)]
    network = candidate.phenotype()
    tables = {name: value for name, value in network.state_dict().items() if "embedding" in name}
    assert len(tables) == 3
    assert len({table.data_ptr() for table in tables.values()}) == 1
    assert sum(parameter.numel() for parameter in network.parameters()) == 774


def test_a_fresh_process_gives_the_same_outputs(tmp_path):
    candidate, expected = trained_candidate()
    write_candidate(candidate, tmp_path)
    code = f"""
import hashlib, torch
from spikefront.exported import load_network
from spikefront_plugins.tasks.digits import Digits
with torch.no_grad():
    outputs = load_network({str(tmp_path)!r})(Digits(train=64, validation=20).data("validation").inputs)
print(hashlib.sha256(outputs.numpy().tobytes()).hexdigest())
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() == digest(expected)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".db")]


def test_what_is_written(tmp_path):
    candidate, _ = trained_candidate()
    files = write_candidate(candidate, tmp_path)
    assert sorted(files) == sorted(tmp_path.iterdir())
    assert (tmp_path / WEIGHTS).read_bytes() == candidate.weights
    arrays = load_arrays((tmp_path / ARRAYS).read_bytes())
    assert list(arrays) == ["encoding.interactions"]
    np.testing.assert_array_equal(arrays["encoding.interactions"], candidate.genome["encoding.interactions"])
    genome = json.loads((tmp_path / GENOME).read_text())
    assert genome["neuron.tau"] == candidate.genome["neuron.tau"]
    assert json.loads((tmp_path / STUDY).read_text())["neuron"]["tau"] == candidate.genome["neuron.tau"]
    measured = json.loads((tmp_path / MEASURED).read_text())
    assert measured == {"study": "exported", "id": 5, "measurements": dict(candidate.measurements)}


@pytest.mark.parametrize("name", [WEIGHTS, ARRAYS, GENOME, STUDY])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "list"])
def test_damaged_folders_are_refused(name, damage, tmp_path):
    candidate, _ = trained_candidate()
    write_candidate(candidate, tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": path.read_bytes()[:-7], "list": b"[1]"}[damage])
    with pytest.raises(InputError):
        load_network(tmp_path)


def test_an_array_of_another_candidate_is_refused(tmp_path):
    candidate, _ = trained_candidate()
    write_candidate(candidate, tmp_path)
    (tmp_path / ARRAYS).write_bytes(save_arrays({"encoding.interactions": np.zeros((1, 2, 2), np.float32)}))
    with pytest.raises(InputError, match="interactions"):
        load_network(tmp_path)


def test_weights_of_another_candidate_are_refused(tmp_path):
    candidate, _ = trained_candidate()
    write_candidate(candidate, tmp_path)
    (tmp_path / WEIGHTS).write_bytes(trained_candidate("recurrent")[0].weights)
    with pytest.raises(InputError, match="weights"):
        load_network(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no exported network"):
        load_network(tmp_path / "nowhere")
