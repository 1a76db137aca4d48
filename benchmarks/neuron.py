"""Time of a layer of neurons, forward and backward: every built-in neuron by each path, and other libraries' LIF.

    python -m benchmarks.neuron [--check] [--repeats 21] [--threads 1 2]

T = 4, batch 64, 64 channels of 16 x 16, float32. The limit is the memory: one multiplication, forward and backward, of
the same tensors. In each round every row runs twice, and the second run counts. Ratios are medians over the rounds of
the ratio to the same round's multiplication. The allocator keeps what is freed, for all rows alike: else the pages that
a row's tensors are made of depend on the row before it. With --check, exits 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import snntorch
import snntorch.surrogate
import torch
from rich.console import Console
from rich.table import Table
from spikingjelly.activation_based import functional as jelly
from spikingjelly.activation_based import neuron as jelly_neuron
from spikingjelly.activation_based import surrogate as jelly_surrogate
from torch import Tensor

from spikefront.plugins import load
from spikefront.spiking.layers import NeuronLayer

SHAPE = (4, 64, 64, 16, 16)
LIMIT, OURS = "multiplication (the limit)", "lif, compiled"
Forward = Callable[[Tensor], Tensor]
Times = dict[str, list[float]]


def ours(name: str, path: str) -> Forward:
    """Return a layer of one of the built-in neurons, by a path."""
    registry = load()
    layer = NeuronLayer(
        registry.components("neuron")[name](),
        registry.components("surrogate")["atan"](),
        SHAPE[2:],
        SHAPE[0],
        torch.Generator(),
    )

    def run(x: Tensor) -> Tensor:
        os.environ["SPIKEFRONT_KERNELS"] = path
        spikes: Tensor = layer(x)
        return spikes

    return run


def spikingjelly(mode: str) -> Forward:
    """Return SpikingJelly's LIF layer, step by step ("s") or with the whole sequence ("m")."""
    node = jelly_neuron.LIFNode(surrogate_function=jelly_surrogate.ATan(), detach_reset=True, step_mode=mode)

    def run(x: Tensor) -> Tensor:
        jelly.reset_net(node)
        spikes: Tensor = node(x) if mode == "m" else torch.stack([node(current) for current in x])
        return spikes

    return run


def snn(reset: str) -> Forward:
    """Return snnTorch's Leaky layer with a reset by subtraction ("subtract") or to zero ("zero")."""
    node = snntorch.Leaky(beta=0.5, spike_grad=snntorch.surrogate.atan(), reset_mechanism=reset)

    def run(x: Tensor) -> Tensor:
        v, spikes = torch.zeros_like(x[0]), []
        for current in x:
            fired, v = node(current, v)
            spikes.append(fired)
        return torch.stack(spikes)

    return run


def cases() -> dict[str, Forward]:
    """Return what is timed, by name."""
    factor = torch.tensor(0.5)
    found: dict[str, Forward] = {LIMIT: lambda x: x * factor}
    for name in ("if", "lif", "plif", "cuba-lif", "alif", "izhikevich"):
        found |= {f"{name}, {path}": ours(name, path) for path in ("compiled", "eager")}
    found |= {f"SpikingJelly LIFNode, step_mode={mode}": spikingjelly(mode) for mode in ("s", "m")}
    return found | {f"snnTorch Leaky, reset {reset}": snn(reset) for reset in ("subtract", "zero")}


def keep_memory() -> None:
    """Tell glibc's allocator to give no memory back to the system."""
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 2**31 - 1)
        library.mallopt(mmap_threshold, 2**25)


def measure(threads: int, repeats: int) -> Times:
    """Return the seconds of each round's second run, by name."""
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SHAPE, generator=generator).requires_grad_()
    gradient = torch.randn(SHAPE, generator=generator)
    forwards = cases()
    found: Times = {name: [] for name in forwards}
    for _ in range(repeats + 1):
        for name, forward in forwards.items():
            for _ in range(2):
                x.grad = None
                start = time.perf_counter()
                forward(x).backward(gradient)
                seconds = time.perf_counter() - start
            found[name].append(seconds)
    return {name: seconds[1:] for name, seconds in found.items()}


def ratio(times: Times, name: str, other: str) -> float:
    """Return the median over the rounds of one row's time in times of another's."""
    return statistics.median(a / b for a, b in zip(times[name], times[other], strict=True))


def best(times: Times, library: str) -> str:
    """Return the fastest row of a library."""
    return min((name for name in times if name.startswith(library)), key=lambda name: statistics.median(times[name]))


def table(times: Times, threads: int) -> Table:
    """Return the table of one number of threads."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "spikingjelly", "snntorch"))
    result = Table(title=f"Neurons, {threads} threads, medians of {len(times[LIMIT])}, {packages}")
    for column in ("", "ms", "quartiles", "times the limit", "times lif"):
        result.add_column(column, justify="left" if column == "" else "right")
    for name, seconds in times.items():
        low, middle, high = (1000 * value for value in statistics.quantiles(seconds, n=4))
        shares = [f"{ratio(times, name, other):.2f}" for other in (LIMIT, OURS)]
        result.add_row(name, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", *shares)
    return result


def aims(times: Times) -> list[tuple[str, float, bool]]:
    """Return each aim, what was measured, and whether it was reached."""
    limit = ratio(times, OURS, LIMIT)
    jelly_ratio, snn_ratio = (ratio(times, best(times, library), OURS) for library in ("SpikingJelly", "snnTorch"))
    return [
        ("at most 1.3 times the limit", limit, limit <= 1.3),
        ("at least 8 times as fast as SpikingJelly", jelly_ratio, jelly_ratio >= 8),
        ("at least 3.5 times as fast as snnTorch", snn_ratio, snn_ratio >= 3.5),
    ]


def main() -> None:
    """Print the tables and the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    console, missed = Console(width=110), False
    keep_memory()
    for threads in arguments.threads:
        times = measure(threads, arguments.repeats)
        console.print(table(times, threads))
        for aim, value, reached in aims(times):
            console.print(f"{'reached' if reached else 'MISSED '}  {aim}: {value:.2f}")
            missed |= not reached
    if missed and arguments.check:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
