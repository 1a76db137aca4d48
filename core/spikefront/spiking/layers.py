"""The modules that networks are made of; all of them map (T, B, ...) to (T, B, ...)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import type_before_parametrizations

from spikefront.components.coder import Coder
from spikefront.components.neuron import NeuronModel, State
from spikefront.components.surrogate import Surrogate


class Noise:
    """A module's source of randomness, which is set anew by `seed_noise` before each use."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(0)


class NeuronLayer(nn.Module):
    """A population of neurons of one model. State is made in each call; only trained tensors are kept.

    Args:
        model: The neuron model.
        surrogate: Derivative of the spike.
        shape: Shape of one sample's currents, without time and batch.
        steps: The largest number of time steps T.
        generator: Source of initial values.

    Attributes:
        listeners: Called with the spikes (T, B, ...) of every run, also of a network that runs step by step.
    """

    def __init__(
        self, model: NeuronModel, surrogate: Surrogate, shape: tuple[int, ...], steps: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.model = model
        self.surrogate = surrogate
        self.shape = shape
        self.noise = Noise()
        self.listeners: list[Callable[[Tensor], None]] = []
        trained = model.trained(shape, steps, generator)
        self.trained = nn.ParameterDict({name: nn.Parameter(value) for name, value in trained.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)[0]

    def run(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return spikes and final state for currents `x` (T, B, ...)."""
        start = self.model.initial_state(x[0]) if state is None else state
        trained = dict(self.trained.items())
        spikes, state = self.model.sequence(x, start, trained, self.surrogate, self.noise.generator)
        for listener in self.listeners:
            listener(spikes)
        return spikes, state

    def extra_repr(self) -> str:
        return repr(self.model)


class CoderLayer(nn.Module):
    """Turns data (B, ...) into the input sequence (T, B, ...)."""

    def __init__(self, coder: Coder) -> None:
        super().__init__()
        self.coder = coder
        self.noise = Noise()

    def forward(self, data: Tensor) -> Tensor:
        return self.coder.encode(data, self.noise.generator)


class Folded(nn.Module):
    """Applies a stateless module to all time steps at once: (T, B, ...) as (T*B, ...).

    Images go through channels last, which convolution, normalisation and pooling are faster with. Under autocast the
    module's products are rounded, and its result comes back in the precision of the input, as neurons need it.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        y = self.single(x.flatten(0, 1))
        return y.view(*x.shape[:2], *y.shape[1:])

    def single(self, x: Tensor) -> Tensor:
        """Apply the module to one step (B, ...), or to several that are folded into the batch."""
        y: Tensor = self.module(x.to(memory_format=torch.channels_last) if x.dim() == 4 else x)
        return y if y.dtype == x.dtype else y.to(x.dtype)


class SpikingNetwork(nn.Module):
    """A coder and a body: data (B, ...) to outputs (T, B, ...).

    Where the input repeats one step (a tensor of stride 0 over time, which the direct coder gives), training works on
    the layers before the first neurons once and not T times. Batch normalisation over T copies has the mean and the
    variance of one copy; only the running variance, a sum divided by the number of values less one, counts B samples
    then, which are independent, and not T * B. Evaluation works on every step, for those who count its operations.
    A hook that is to see these layers in training belongs to the module within `Folded`.
    """

    def __init__(self, coder: CoderLayer, body: nn.Module) -> None:
        super().__init__()
        self.coder = coder
        self.body = body

    def forward(self, data: Tensor) -> Tensor:
        x: Tensor = self.coder(data)
        constant = self.training and len(x) > 1 and x.stride(0) == 0 and len(data) > 1
        if not (constant and isinstance(self.body, nn.Sequential)):
            return cast("Tensor", self.body(x))
        steps, x = len(x), x[0]
        layers = iter(self.body)
        layer = next(layers, None)
        while isinstance(layer, Folded) and _repeatable(layer):
            x, layer = layer.single(x), next(layers, None)
        x = _repeated(x, steps)
        while layer is not None:
            x, layer = layer(x), next(layers, None)
        return x


def _repeatable(layer: Folded) -> bool:
    """Tell whether equal steps leave a layer as equal steps: nothing is remembered, and nothing drawn at random.

    Other modules than these say so with a class attribute, `repeatable = True`.
    """
    module = layer.module
    known = type(module) in _DETERMINISTIC or type_before_parametrizations(module) in _DETERMINISTIC
    return known or getattr(module, "repeatable", False)


_DETERMINISTIC = frozenset(
    {nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.Flatten}
)


def _repeated(x: Tensor, steps: int) -> Tensor:
    """Return one step (B, ...) as T steps; they and the gradient's sum over time keep the layout of images."""
    images = x.dim() == 4
    x = x.movedim(1, -1) if images else x
    y = x.expand(steps, *x.shape).contiguous()
    return y.movedim(-1, 2) if images else y


def share_trained(network: nn.Module) -> None:
    """Let layers of the same model share what their model says that they share, in place."""
    layers = [module for module in network.modules() if isinstance(module, NeuronLayer)]
    for model in dict.fromkeys(layer.model for layer in layers):
        mine = [layer.trained for layer in layers if layer.model == model]
        for name in sorted(model.shared()):
            largest = max((trained[name] for trained in mine), key=torch.numel)
            for trained in mine:
                trained[name] = largest


def seed_noise(network: nn.Module, generator: torch.Generator) -> None:
    """Give every layer that may draw a fresh generator, so that a call depends on seed and shapes only."""
    for module in network.modules():
        noise = getattr(module, "noise", None)
        if isinstance(noise, Noise):
            seed = int(torch.randint(2**62, (1,), generator=generator))
            noise.generator = torch.Generator().manual_seed(seed)


@contextlib.contextmanager
def shortened(network: nn.Module, share: float) -> Iterator[None]:
    """Run a network with a share of its coder's time steps, at least one."""
    layers = [module for module in network.modules() if isinstance(module, CoderLayer)]
    whole = [layer.coder for layer in layers]
    try:
        for layer in layers:
            layer.coder = layer.coder.model_copy(update={"steps": max(1, round(share * layer.coder.steps))})
        yield
    finally:
        for layer, coder in zip(layers, whole, strict=True):
            layer.coder = coder
