"""Training steps a second of one convolutional network in Spikefront, SpikingJelly and snnTorch, and their loss curves.

    python -m benchmarks.train_step [--repeats 15] [--steps 100] [--seeds 2] [--check]

Conv 32-64-128 with batch normalisation and max pooling, T = 4, batch 64, 28 x 28, direct code; LIF with tau = 2, hard
reset, detached, arc tangent. All libraries start from the same weights and compute the same function, snnTorch with
threshold and potential doubled, as it does not scale the input. The data are digits, or MNIST
where SPIKEFRONT_DATA has it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import snntorch
import torch
from rich.console import Console
from rich.table import Table
from snntorch import surrogate as snntorch_surrogate
from spikingjelly.activation_based import functional as spikingjelly
from spikingjelly.activation_based import layer, neuron, surrogate
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from benchmarks.encoding import build
from spikefront.errors import DataError
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.tasks.mnist import Mnist

T, BATCH, CHANNELS = 4, 64, (32, 64, 128)
NETWORK = {"use": "conv", "channels": list(CHANNELS)}
GENETIC = {"use": "genetic", "genes": 32}
AIM, AIM_GENETIC = 1.8, 1.1

Step = Callable[[Tensor, Tensor], float]


class SpikingJelly(nn.Module):
    """The network with multi-step layers of SpikingJelly."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *CHANNELS), CHANNELS, strict=False):
            fire = neuron.LIFNode(tau=2.0, surrogate_function=surrogate.ATan(), detach_reset=True)
            convolution = layer.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            layers += [convolution, layer.BatchNorm2d(outputs), fire, layer.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers, layer.Flatten(), layer.Linear(128 * 9, 10))
        spikingjelly.set_step_mode(self, "m")

    def forward(self, images: Tensor) -> Tensor:
        spikingjelly.reset_net(self)
        outputs: Tensor = self.layers(images.expand(T, *images.shape))
        return outputs


class SnnTorch(nn.Module):
    """The network with neurons of snnTorch, which are run step by step: all layers in turn, or each for all steps.

    The first is that library's usual loop, and normalises each step by itself. The second is the same function as
    that of the other libraries.
    """

    def __init__(self, by_layer: bool) -> None:
        super().__init__()
        self.by_layer = by_layer
        self.blocks = nn.ModuleList()
        for inputs, outputs in zip((1, *CHANNELS), CHANNELS, strict=False):
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            spike = snntorch_surrogate.atan(alpha=1.0)
            fire = snntorch.Leaky(beta=0.5, threshold=2.0, spike_grad=spike, reset_mechanism="zero")
            self.blocks.append(nn.ModuleList([convolution, nn.BatchNorm2d(outputs), fire]))
        self.readout = nn.Linear(128 * 9, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self._layer_by_layer(images) if self.by_layer else self._step_by_step(images)

    def _layer_by_layer(self, images: Tensor) -> Tensor:
        x = images.expand(T, *images.shape).flatten(0, 1)
        for convolution, normalise, fire in self.blocks:
            potential, spikes = fire.init_leaky(), []
            for current in normalise(convolution(x)).chunk(T):
                spike, potential = fire(current, potential)
                spikes.append(spike)
            x = functional.max_pool2d(torch.cat(spikes), 2)
        outputs: Tensor = self.readout(x.flatten(1)).unflatten(0, (T, -1))
        return outputs

    def _step_by_step(self, images: Tensor) -> Tensor:
        potentials = [fire.init_leaky() for *_, fire in self.blocks]
        outputs = []
        for _ in range(T):
            x = images
            for number, (convolution, normalise, fire) in enumerate(self.blocks):
                spikes, potentials[number] = fire(normalise(convolution(x)), potentials[number])
                x = functional.max_pool2d(spikes, 2)
            outputs.append(self.readout(x.flatten(1)))
        return torch.stack(outputs)


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "SpikingJelly": SpikingJelly,
    "snnTorch by step": lambda: SnnTorch(by_layer=False),
    "snnTorch by layer": lambda: SnnTorch(by_layer=True),
}


def steps(seed: int) -> dict[str, Step]:
    """Return a training step of each competitor, all from the same weights but for the genetic encoding."""
    ours = {name: build(NETWORK, {"use": "direct"}, seed) for name in ("Spikefront", "Spikefront, bfloat16")}
    networks: dict[str, nn.Module] = {**ours, "Spikefront, genetic": build(NETWORK, GENETIC, seed)}
    for name, make in OTHERS.items():
        networks[name] = same_weights(make(), ours["Spikefront"])
        last = same_weights(make(), ours["Spikefront"])
        networks[f"{name}, channels last"] = last.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return {name: training_step(network, "bfloat16" in name) for name, network in networks.items()}


def same_weights(network: nn.Module, ours: nn.Module) -> nn.Module:
    """Copy parameters in their order, which is that of the layers."""
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), ours.parameters(), strict=True):
            parameter.copy_(value)
    return network


def training_step(network: nn.Module, rounded: bool) -> Step:
    """Return forward, backward and update as a function of images and labels that gives the loss."""
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-4, fused=True)

    def run(images: Tensor, labels: Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        with parametrize.cached():
            with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
                outputs = network(images)
            loss = functional.cross_entropy(outputs.mean(0), labels)
            loss.backward()
        optimizer.step()
        return loss.item()

    return run


def images_and_labels() -> tuple[str, Tensor, Tensor]:
    """Return MNIST, or digits in its size."""
    try:
        data = Mnist().data("train")
        return "MNIST", data.inputs, data.targets
    except DataError:
        data = Digits().data("train")
        return "digits", functional.interpolate(data.inputs, (28, 28), mode="bilinear"), data.targets


def seconds(images: Tensor, labels: Tensor, repeats: int) -> dict[str, list[float]]:
    """Return the time of each step, the competitors taking turns."""
    runs = steps(0)
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 3):
        for name, run in runs.items():
            start = time.perf_counter()
            run(images[:BATCH], labels[:BATCH])
            if number >= 3:
                found[name].append(time.perf_counter() - start)
    return found


def curves(images: Tensor, labels: Tensor, length: int, seed: int) -> dict[str, list[float]]:
    """Return the loss at each of `length` steps; every competitor sees the same batches."""
    runs = steps(seed)
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[float]] = {name: [] for name in runs if "last" not in name}
    for _ in range(length):
        rows = torch.randint(len(images), (BATCH,), generator=generator)
        for name, losses in found.items():
            losses.append(runs[name](images[rows], labels[rows]))
    return found


def ratio(found: dict[str, list[float]], name: str, base: str) -> float:
    """Return the median of the pairwise ratios of two competitors' times."""
    return statistics.median(a / b for a, b in zip(found[name], found[base], strict=True))


def time_table(found: dict[str, list[float]], threads: int, data: str) -> Table:
    """Return milliseconds, samples a second and ratios as a table."""
    table = Table(title=f"Training step, batch {BATCH}, T = {T}, {data}, threads: {threads}")
    for column in ("", "ms, median", "smallest", "largest", "samples / s", "times Spikefront's"):
        table.add_column(column, justify="right" if column else "left")
    for name, times in found.items():
        median = statistics.median(times)
        row = (median * 1000, min(times) * 1000, max(times) * 1000, BATCH / median)
        table.add_row(name, *(f"{value:.1f}" for value in row), f"{ratio(found, name, 'Spikefront'):.2f}")
    return table


def curve_table(found: list[dict[str, list[float]]]) -> Table:
    """Return the losses at the first step, the tenth, and on average over the last fifth, by seed."""
    table = Table(title=f"Loss over {len(found[0]['Spikefront'])} steps, one value for each seed")
    for column in ("", "step 1", "step 10", "last fifth"):
        table.add_column(column, justify="right" if column else "left")
    for name in found[0]:
        losses = [curve[name] for curve in found]
        ends = [statistics.fmean(loss[-len(loss) // 5 :]) for loss in losses]
        columns: list[Any] = [[loss[0] for loss in losses], [loss[9] for loss in losses], ends]
        table.add_row(name, *(" ".join(f"{value:.4f}" for value in values) for values in columns))
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument(
        "--steps", type=int, default=100, help="steps of the loss curves, 10 or more; 0 leaves them out"
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="exit with 1 if an aim is missed with one thread")
    arguments = parser.parse_args()
    console = Console(width=120)
    console.print(", ".join(f"{name} {version(name)}" for name in ("torch", "spikingjelly", "snntorch", "spikefront")))
    data, images, labels = images_and_labels()
    for threads in (2, 1):
        torch.set_num_threads(threads)
        found = seconds(images, labels, arguments.repeats)
        console.print(time_table(found, threads, data))
    if arguments.steps:
        console.print(curve_table([curves(images, labels, arguments.steps, s) for s in range(arguments.seeds)]))
    ratios = {name: ratio(found, name, "Spikefront") for name in found}
    best = {other: min(r for name, r in ratios.items() if other in name) for other in ("SpikingJelly", "snnTorch")}
    genetic = ratios["Spikefront, genetic"]
    for other, times in best.items():
        console.print(f"{times:.2f} times the samples a second of {other} at its best (aim: {AIM})")
    console.print(f"genetic encoding: {genetic:.2f} times the time of direct (aim: at most {AIM_GENETIC})")
    if arguments.check and (min(best.values()) < AIM or genetic > AIM_GENETIC):
        sys.exit(1)


if __name__ == "__main__":
    main()
