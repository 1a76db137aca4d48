"""Same-shape candidates trained together, in one stack of weights, against one after the other.

    python -m benchmarks.batched [--rounds 30] [--candidates 2 4 8 16] [--only mlp]

One thread. A step is forward, loss, backward and AdamW, of K candidates with weights and batches of 64 images of their
own. `stack` is written by hand: products with baddbmm, or convolutions of K groups and one batch normalisation over
the channels of all. `vmap` is the candidates' own network through torch.func. Neurons run in the compiled kernel: in
an mlp one call for each candidate, with time constant, threshold and learning rate of its own; in a hand-written conv
one call for all, with the same values, which is the best case. Losses (at the first and the last step) and weights (at
the end, relative) are compared with those of separate training.
"""

from __future__ import annotations

import argparse
import copy
import ctypes
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional
from torch.nn.utils import parametrize

from spikefront.components import Parts
from spikefront.randomness import Streams
from spikefront.spiking import compiled, leaky
from spikefront.spiking.kernel import source
from spikefront.spiking.layers import Folded, NeuronLayer, SpikingNetwork
from spikefront_plugins.coders.direct import Direct as DirectCode
from spikefront_plugins.encodings.direct import Direct as DirectEncoding
from spikefront_plugins.networks.conv import Conv
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense
from spikefront_plugins.tasks.digits import Digits
from spikefront_plugins.trainers._update import forget_gradients, update

BATCH, CLASSES = 64, 10
BETAS, EPSILON, DECAY = (0.9, 0.999), 1e-8, 1e-4
MLPS: tuple[tuple[int, ...], ...] = ((8,), (16,), (32,), (64, 32), (96,), (128, 128))
CONVS: tuple[tuple[tuple[int, ...], int], ...] = (((4, 8), 8), ((8, 16), 8), ((4, 8), 28), ((8, 16), 28))

Step = Callable[[Tensor, Tensor], list[float]]
"""Trains on images (K, B, C, H, W) and labels (K, B), and returns the candidates' losses."""


class Neurons(torch.autograd.Function):
    """LIF neurons of K candidates: currents (K, T, B, N) to spikes, one call of the kernel for each candidate."""

    @staticmethod
    def forward(x: Tensor, calls: Sequence[Call]) -> Tensor:
        x = x.contiguous()
        spikes, end = torch.empty_like(x), torch.empty_like(x[0, 0])
        start = x.new_zeros(1)
        for number, call in enumerate(calls):
            inputs, state = _inputs(call, x, number, start), compiled._pointers((end,))
            call.library.forward(*inputs, spikes.data_ptr() + _offset(x, number), state)
        return spikes

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Sequence[Call]], output: Tensor) -> None:
        ctx.calls = inputs[1]
        ctx.save_for_backward(inputs[0].contiguous())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_spikes: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        d_spikes, d_x, start = d_spikes.contiguous(), torch.empty_like(x), x.new_zeros(1)
        nothing = compiled._pointers((None,))
        for number, call in enumerate(ctx.calls):
            at = _offset(x, number)
            outputs = (d_spikes.data_ptr() + at, nothing, d_x.data_ptr() + at, None, nothing, None)
            call.library.backward(*_inputs(call, x, number, start), *outputs)
        return d_x, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], x: Tensor, calls: Sequence[Call]) -> tuple[Tensor, int]:
        return Neurons.apply(x.movedim(in_dims[0], 0), calls), 0  # type: ignore[no-untyped-call]


def _offset(x: Tensor, number: int) -> int:
    return number * x.stride(0) * x.element_size()


def _inputs(call: Call, x: Tensor, number: int, start: Tensor) -> tuple[Any, ...]:
    at = x.data_ptr() + _offset(x, number)
    return x.shape[1], x[0, 0].numel(), 1, call.numbers, at, None, compiled._pointers((start,)), call.strides


@dataclass(frozen=True)
class Call:
    """One candidate's kernel: the library, its numbers, and the stride of the initial state, which is one zero."""

    library: Any
    numbers: Any
    strides: Any


def call_of(neuron: LIF) -> Call:
    """Return the kernel of a neuron that has run in this process."""
    surrogate = ATan()
    kernel = leaky._kernel(leaky._Rule(neuron, surrogate, neuron.tau, neuron.decay_input), False)
    scalar = surrogate.scalar()
    library = compiled._checked.get(source(kernel, scalar, "float"))
    if library is None:
        raise SystemExit("this benchmark needs a C compiler")
    numbers = (*kernel.values.values(), *scalar.values.values())
    return Call(library, (ctypes.c_double * len(numbers))(*numbers), (ctypes.c_int64 * 1)(0))


class Stackable(nn.Module):
    """A layer of neurons within vmap; those of a network cannot be there."""

    def __init__(self, calls: Sequence[Call]) -> None:
        super().__init__()
        self.calls = calls

    def forward(self, x: Tensor) -> Tensor:
        spikes: Tensor = Neurons.apply(x, self.calls)  # type: ignore[no-untyped-call]
        return spikes


class Plain(Folded):
    """A folded layer that leaves the layout of images alone: channels last is not to be had within vmap."""

    def single(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x)
        return y


def candidates(network: MLP | Conv, side: int, steps: int, number: int, same: bool) -> list[tuple[SpikingNetwork, LIF]]:
    """Return candidates of one shape with fresh weights; with the same neuron, or neurons of their own."""
    found = []
    for k in range(number):
        neuron = LIF(v_threshold=0.6) if same else LIF(v_threshold=0.5 + 0.02 * k, tau=1.5 + 0.1 * k)
        parts = Parts(network, (neuron,), ATan(), Dense(), DirectCode(steps=steps), DirectEncoding())
        built = parts.build((1, side, side), CLASSES, Streams(k))
        built.train()
        found.append((built, neuron))
    return found


def one_after_the_other(networks: Sequence[nn.Module], rates: Sequence[float]) -> Step:
    """Train as trainer surrogate-gradient does."""
    optimizers = [
        torch.optim.AdamW(network.parameters(), rate, weight_decay=DECAY, fused=True)
        for network, rate in zip(networks, rates, strict=True)
    ]

    def run(images: Tensor, labels: Tensor) -> list[float]:
        losses = []
        for network, optimizer, x, y in zip(networks, optimizers, images, labels, strict=True):
            forget_gradients(optimizer)
            with parametrize.cached():
                with torch.autocast("cpu", torch.bfloat16, enabled=False):
                    outputs = network(x)
                loss = functional.cross_entropy(outputs.mean(0), y)
                loss.backward()
            losses.append(loss.item())
            update(optimizer)
        return losses

    return run


class AdamW:
    """AdamW over tensors (K, ...), with a learning rate for each k."""

    def __init__(self, tensors: list[Tensor], rates: Sequence[float]) -> None:
        self.tensors = tensors
        self.rates = [torch.tensor(rates).view(-1, *[1] * (tensor.dim() - 1)) for tensor in tensors]
        self.first, self.second = ([torch.zeros_like(tensor) for tensor in tensors] for _ in range(2))
        self.steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Update the tensors and forget their gradients."""
        self.steps += 1
        gradients = [tensor.grad for tensor in self.tensors]
        torch._foreach_lerp_(self.first, gradients, 1 - BETAS[0])
        torch._foreach_mul_(self.second, BETAS[1])
        torch._foreach_addcmul_(self.second, gradients, gradients, 1 - BETAS[1])
        scale = torch._foreach_sqrt(self.second)
        torch._foreach_mul_(scale, (1 - BETAS[1] ** self.steps) ** -0.5)
        torch._foreach_add_(scale, EPSILON)
        change = torch._foreach_div(self.first, scale)
        torch._foreach_mul_(change, 1 / (1 - BETAS[0] ** self.steps))
        torch._foreach_add_(change, self.tensors, alpha=DECAY)
        torch._foreach_mul_(change, self.rates)
        torch._foreach_sub_(self.tensors, change)
        for tensor in self.tensors:
            tensor.grad = None


class FusedAdamW:
    """AdamW over tensors (K, ...) with one learning rate for all."""

    def __init__(self, tensors: list[Tensor], rate: float) -> None:
        self.optimizer = torch.optim.AdamW(tensors, rate, weight_decay=DECAY, fused=True)

    def step(self) -> None:
        """Update the tensors and forget their gradients."""
        update(self.optimizer)
        forget_gradients(self.optimizer)


def training(forward: Callable[[Tensor], Tensor], optimizer: AdamW | FusedAdamW) -> Step:
    """Return a step of a stack, whose forward pass maps images (K, B, ...) to logits (K, B, classes)."""

    def run(images: Tensor, labels: Tensor) -> list[float]:
        logits = forward(images)
        losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        means = losses.view(labels.shape).mean(1)
        means.sum().backward()
        values: list[float] = means.tolist()
        optimizer.step()
        return values

    return run


def stacked(networks: Sequence[nn.Module], name: str) -> Tensor:
    """Return a parameter of all networks as one leaf (K, ...)."""
    return torch.stack([network.get_parameter(name).detach() for network in networks]).requires_grad_()


def mlp_stack(
    networks: Sequence[SpikingNetwork], neurons: Sequence[LIF], steps: int, rates: Sequence[float]
) -> tuple[Step, list[Tensor]]:
    """Return a stack of mlps by hand, and its tensors in the order of a network's parameters."""
    names = [name for name, _ in networks[0].named_parameters()]
    tensors = [stacked(networks, name) for name in names]
    kernels = [call_of(neuron) for neuron in neurons]
    number = len(networks)

    def forward(images: Tensor) -> Tensor:
        x = images.flatten(2)
        for weight, bias in zip(tensors[0:-2:2], tensors[1:-2:2], strict=True):
            x = torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
            currents = x.view(number, -1, BATCH, x.shape[2])
            spikes = Neurons.apply(currents.expand(-1, steps, -1, -1), kernels)  # type: ignore[no-untyped-call]
            x = spikes.view(number, -1, x.shape[2])
        outputs = torch.baddbmm(tensors[-1].unsqueeze(1), x, tensors[-2].transpose(1, 2))
        return outputs.view(number, steps, BATCH, CLASSES).mean(1)

    return training(forward, AdamW(tensors, rates)), tensors


def conv_stack(
    networks: Sequence[SpikingNetwork], neurons: Sequence[LIF], steps: int, rates: Sequence[float]
) -> tuple[Step, list[Tensor]]:
    """Return a stack of convolutional networks by hand, and its tensors in the order of a network's parameters."""
    tensors = [stacked(networks, name) for name, _ in networks[0].named_parameters()]
    kernels, number = [call_of(neurons[0])], len(networks)
    running = [
        (torch.zeros(tensor.numel()), torch.ones(tensor.numel())) for tensor in tensors[1:-2:3]
    ]  # of the normalisations

    def forward(images: Tensor) -> Tensor:
        x = images.movedim(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        for layer, (mean, variance) in enumerate(running):
            weight, scale, shift = (tensor.flatten(0, 1) for tensor in tensors[3 * layer : 3 * layer + 3])
            x = functional.conv2d(x, weight, padding=1, groups=number)
            x = functional.batch_norm(x, mean, variance, scale, shift, training=True)
            images_last = x.movedim(1, -1)
            currents = images_last.view(-1, BATCH, *images_last.shape[1:]).expand(steps, -1, -1, -1, -1)
            spikes = Neurons.apply(currents.unsqueeze(0), kernels)  # type: ignore[no-untyped-call]
            x = functional.max_pool2d(spikes.flatten(0, 2).movedim(-1, 1), 2)
        values = x.reshape(steps * BATCH, number, -1).movedim(1, 0)
        outputs = torch.baddbmm(tensors[-1].unsqueeze(1), values, tensors[-2].transpose(1, 2))
        return outputs.view(number, steps, BATCH, CLASSES).mean(1)

    return training(forward, FusedAdamW(tensors, rates[0])), tensors


def vmapped(
    networks: Sequence[SpikingNetwork], neurons: Sequence[LIF], rates: Sequence[float]
) -> tuple[Step, list[Tensor]]:
    """Return a stack through torch.func, and its tensors in the order of a network's parameters."""
    kernels = [call_of(neuron) for neuron in neurons]
    base = copy.deepcopy(networks[0])
    for name, module in networks[0].named_modules():
        parent, _, child = name.rpartition(".")
        if isinstance(module, NeuronLayer):
            setattr(base.get_submodule(parent), child, Stackable(kernels))
        elif isinstance(module, Folded):
            setattr(base.get_submodule(parent), child, Plain(base.get_submodule(f"{name}.module")))
    for module in base.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.num_batches_tracked = None  # counts within vmap are not to be had
    parameters, buffers = stack_module_state(list(networks))  # type: ignore[arg-type]
    buffers = {name: buffer for name, buffer in buffers.items() if "tracked" not in name}

    def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor) -> Tensor:
        outputs: Tensor = functional_call(base, (parameters, buffers), (images,))
        return outputs.mean(0)

    tensors = list(parameters.values())
    return training(partial(vmap(one), parameters, buffers), AdamW(tensors, rates)), tensors


def competitors(network: MLP | Conv, side: int, steps: int, number: int) -> dict[str, tuple[Step, list[Tensor]]]:
    """Return steps that start from the same weights, and their tensors (K, ...) or, one by one, those of all."""
    same = isinstance(network, Conv)
    rates = [2e-3] * number if same else [2e-3 + 1e-4 * k for k in range(number)]
    found = candidates(network, side, steps, number, same)
    networks, neurons = [built for built, _ in found], [neuron for _, neuron in found]
    separate = [built for built, _ in candidates(network, side, steps, number, same)]
    with torch.no_grad():
        for built in networks:
            copy.deepcopy(built)(torch.zeros(2, 1, side, side))  # compiles the neurons
    stack = conv_stack if same else mlp_stack
    return {
        "separate": (one_after_the_other(separate, rates), [p for built in separate for p in built.parameters()]),
        "stack": stack(networks, neurons, steps, rates),
        "vmap": vmapped(networks, neurons, rates),
    }


@dataclass(frozen=True)
class Row:
    """Times of a step in microseconds for each candidate, ratios of separate to these, and how far results agree."""

    times: list[float]
    ratios: list[float]
    first: float
    last: float
    weights: float


def measure(network: MLP | Conv, side: int, steps: int, number: int, rounds: int, inner: int) -> dict[str, Row]:
    """Return a row for each way; they take turns, `inner` steps each."""
    images, labels = data(side)
    generator = torch.Generator().manual_seed(0)
    runs = competitors(network, side, steps, number)
    times: dict[str, list[float]] = {name: [] for name in runs}
    losses: dict[str, list[list[float]]] = {name: [] for name in runs}
    for turn in range(rounds + 2):
        batches = [torch.randint(len(images), (number, BATCH), generator=generator) for _ in range(inner)]
        chosen = [(images[rows], labels[rows]) for rows in batches]
        for name, (run, _) in runs.items():
            start = time.perf_counter()
            losses[name] += [run(*batch) for batch in chosen]
            if turn >= 2:
                times[name].append((time.perf_counter() - start) / inner / number * 1e6)
    weights = {name: flat(tensors, number, name) for name, (_, tensors) in runs.items()}
    return {
        name: Row(
            times[name],
            [a / b for a, b in zip(times["separate"], times[name], strict=True)],
            apart(losses[name][0], losses["separate"][0]),
            apart(losses[name][-1], losses["separate"][-1]),
            float((weights[name] - weights["separate"]).norm() / weights["separate"].norm()),
        )
        for name in runs
    }


def flat(tensors: list[Tensor], number: int, name: str) -> Tensor:
    """Return the tensors of all candidates as (K, P)."""
    if name == "separate":
        return torch.cat([tensor.detach().flatten() for tensor in tensors]).view(number, -1)
    return torch.cat([tensor.detach().flatten(1) for tensor in tensors], 1)


def apart(ours: list[float], theirs: list[float]) -> float:
    """Return the largest difference of two lists of losses."""
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


def data(side: int) -> tuple[Tensor, Tensor]:
    """Return digits, enlarged to `side` pixels."""
    images, labels = Digits().data("train")
    return (images if side == 8 else functional.interpolate(images, (side, side), mode="bilinear")), labels


def main() -> None:
    """Print a table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--candidates", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--steps", type=int, nargs="+", default=[2, 4, 8], help="time steps, of the mlps")
    parser.add_argument("--only", choices=["mlp", "conv"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    shapes: list[tuple[str, MLP | Conv, int, int]] = []
    if arguments.only != "conv":
        shapes += [(f"mlp {h}", MLP(hidden=h), 8, steps) for h in MLPS for steps in arguments.steps]
    if arguments.only != "mlp":
        shapes += [(f"conv {c}, {side}x{side}", Conv(channels=c), side, 4) for c, side in CONVS]
    table = Table(title=f"Microseconds of a step for each candidate, batch {BATCH}, torch {version('torch')}, 1 thread")
    for column in (
        "network",
        "T",
        "K",
        "way",
        "us",
        "quartiles",
        "times as fast",
        "quartiles",
        "loss apart",
        "weights",
    ):
        table.add_column(column, justify="left" if column in {"network", "way"} else "right")
    for name, network, side, steps in shapes:
        for number in arguments.candidates:
            inner = 5 if side == 8 else 1
            for way, row in measure(network, side, steps, number, arguments.rounds, inner).items():
                low, middle, high = statistics.quantiles(row.times)
                worse, ratio, better = statistics.quantiles(row.ratios)
                found = [f"{middle:.0f}", f"{low:.0f} to {high:.0f}", f"{ratio:.2f}", f"{worse:.2f} to {better:.2f}"]
                table.add_row(
                    name, str(steps), str(number), way, *found, f"{row.first:.0e}, {row.last:.0e}", f"{row.weights:.0e}"
                )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
