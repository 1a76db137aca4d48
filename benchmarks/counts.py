"""Parameters and synaptic operations of three candidates: by the program, by brute force, and by NeuroBench.

    python -m benchmarks.counts [--samples 40]

The brute-force count loops over every spike of every layer and over the connections that it meets. The
parameters are counted in the exported file: all stored numbers but the running statistics of batch normalisation.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.data import DataLoader, TensorDataset

from spikefront.components import SupervisedTask
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.measure.recorder import record
from spikefront.plugins import load
from spikefront.specification import Specification

CANDIDATES: dict[str, dict[str, Any]] = {
    "mlp 64-32, direct": {"network": {"use": "mlp", "hidden": [64, 32]}},
    "mlp 96, genetic, 8 genes": {
        "network": {"use": "mlp", "hidden": [96]},
        "encoding": {"use": "genetic", "variant": "unfold", "genes": 8},
    },
    "conv 16-32, genetic per tap, 6 genes": {
        "network": {"use": "conv", "channels": [16, 32]},
        "encoding": {"use": "genetic", "variant": "per-tap", "genes": 6},
    },
}
RUNNING_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Counted:
    """Numbers of one network by one way of counting."""

    parameters: float
    macs: float
    acs: float


def study_of(changes: dict[str, Any]) -> Specification:
    """Return a study of one candidate, trained for two epochs on digits."""
    document = {
        "study": {"name": "counts", "objectives": ["parameters", "synaptic-operations"]},
        "task": {"use": "digits"},
        "coder": {"steps": 3},
        "neuron": {"use": "lif", "v_threshold": 0.5},
        "trainer": {"epochs": 2},
        "search": {"population": 2, "evaluations": 2},
        **changes,
    }
    return Specification.from_document(document, load())


def brute_force(network: nn.Module, weights: bytes, images: Tensor) -> Counted:
    """Count stored numbers in the file, and operations spike by spike."""
    stored = sum(t.numel() for name, t in load_tensors(weights).items() if not name.endswith(RUNNING_STATISTICS))
    inputs: list[tuple[nn.Module, Tensor]] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    handles = [layer.register_forward_hook(lambda m, x, y: inputs.append((m, x[0]))) for layer in layers]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    macs = _operations(*inputs[0], burst=False)
    acs = sum(_operations(layer, x, burst=True) for layer, x in inputs[1:])
    return Counted(stored, macs / len(images), acs / len(images))


def _operations(layer: nn.Module, x: Tensor, burst: bool) -> float:
    """Return the sum over all non-zero inputs of the non-zero weights that they meet."""
    with torch.no_grad():
        weight: npt.NDArray[np.float32] = layer.weight.numpy()
    total = 0.0
    for position in zip(*np.nonzero(x.numpy()), strict=True):
        times = float(x[position]) if burst else 1.0
        if isinstance(layer, nn.Conv2d):
            total += times * _met_by_convolution(layer, weight, position, x.shape[2:])
        else:
            total += times * np.count_nonzero(weight[:, position[1]])
    return total


def _met_by_convolution(layer: nn.Conv2d, weight: npt.NDArray[np.float32], at: Any, size: torch.Size) -> int:
    """Return how many weights one input pixel meets, tap by tap."""
    _, channel, *pixel = at
    met = 0
    for tap in itertools.product(*(range(k) for k in layer.kernel_size)):
        inside = True
        for p, k, side, pad, stride, kernel in zip(
            pixel, tap, size, layer.padding, layer.stride, layer.kernel_size, strict=True
        ):
            start = p + int(pad) - k
            inside = (
                inside
                and start >= 0
                and start % stride == 0
                and start // stride <= (side + 2 * int(pad) - kernel) // stride
            )
        if inside:
            met += np.count_nonzero(weight[:, channel, tap[0], tap[1]])
    return met


def by_neurobench(network: nn.Module, images: Tensor) -> Counted:
    """Count with NeuroBench's harness; it sees no generated weights, so they are made and kept first."""
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics import static, workload
    from neurobench.models import TorchModel

    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    loader = DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=len(images))
    metrics = [[static.ParameterCount], [workload.SynapticOperations]]
    with torch.no_grad():
        result = Benchmark(TorchModel(network), loader, [], [], metrics).run(quiet=True)
    operations = result["SynapticOperations"]
    return Counted(result["ParameterCount"], operations["Effective_MACs"], operations["Effective_ACs"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40)
    samples = parser.parse_args().samples
    table = Table(title=f"{samples} validation images of digits, T = 3, NeuroBench {version('neurobench')}")
    for column in ("candidate", "counted by", "parameters", "MACs a sample", "ACs a sample"):
        table.add_column(column, justify="left" if column in {"candidate", "counted by"} else "right")
    for name, changes in CANDIDATES.items():
        for number, (way, counted) in enumerate(_compare(study_of(changes), samples).items()):
            label = "" if number else name
            table.add_row(label, way, f"{counted.parameters:,}", f"{counted.macs:,.3f}", f"{counted.acs:,.3f}")
        table.add_section()
    console = Console(width=120)
    console.print(table)
    console.print(
        "NeuroBench counts the generated weights of a genetic candidate, all of them, as parameters; the program "
        "counts what has to be stored."
    )


def _compare(study: Specification, samples: int) -> dict[str, Counted]:
    point = {path: gene.domain.sample(np.random.default_rng(0)) for path, gene in study.space.items()}
    genome: Genome = study.space.genome(point)
    evaluation = evaluate(Job(study.to_json(), genome), load())
    if evaluation.failure:
        raise SystemExit(evaluation.failure.traceback)
    resolved = study.resolve(genome)
    network = phenotype_of(resolved, evaluation.weights, streams_of(study, genome, 0)).eval()
    task = resolved.task
    assert isinstance(task, SupervisedTask)  # noqa: S101
    images = task.data("validation").inputs[:samples]
    with torch.no_grad(), record(network, analog_input=True) as recorder:
        network(images)
    layers = recorder.recording(3).synapses
    parameters = evaluation.measurements["parameters"].mean or 0.0
    macs = sum(layer.effective for layer in layers if layer.analog)
    acs = sum(layer.effective for layer in layers if not layer.analog)
    return {
        "the program": Counted(int(parameters), macs, acs),
        "brute force": brute_force(network, evaluation.weights, images),
        "NeuroBench": by_neurobench(network, images),
    }


if __name__ == "__main__":
    main()
