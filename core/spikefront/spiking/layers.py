"""The modules that networks are made of; all of them map (T, B, ...) to (T, B, ...)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

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

    Attributes:
        listeners: Called with the spikes (T, B, ...) of every run, also of a network that runs step by step.
    """

    def __init__(self, model: NeuronModel, surrogate: Surrogate, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.model = model
        self.surrogate = surrogate
        self.shape = shape
        self.noise = Noise()
        self.listeners: list[Callable[[Tensor], None]] = []
        trained = model.trained(shape)
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
    """Applies a stateless module to all time steps at once: (T, B, ...) as (T*B, ...)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.module(x.flatten(0, 1))
        return y.reshape(*x.shape[:2], *y.shape[1:])


class SpikingNetwork(nn.Module):
    """A coder and a body: data (B, ...) to outputs (T, B, ...)."""

    def __init__(self, coder: CoderLayer, body: nn.Module) -> None:
        super().__init__()
        self.coder = coder
        self.body = body

    def forward(self, data: Tensor) -> Tensor:
        outputs: Tensor = self.body(self.coder(data))
        return outputs


def seed_noise(network: nn.Module, generator: torch.Generator) -> None:
    """Give every layer that may draw a fresh generator, so that a call depends on seed and shapes only."""
    for module in network.modules():
        noise = getattr(module, "noise", None)
        if isinstance(noise, Noise):
            seed = int(torch.randint(2**62, (1,), generator=generator))
            noise.generator = torch.Generator().manual_seed(seed)
