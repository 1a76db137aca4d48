"""Robustness: the accuracy that is left when inputs or spikes are perturbed, by all kinds together or one of them."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront import Fitness, NeuronModel, SupervisedTask, Surrogate, hookimpl
from spikefront.components import Data, Spike, State
from spikefront.components.fitness import Context, Direction
from spikefront.components.task import require_supervised
from spikefront.errors import InputError
from spikefront.spiking.layers import NeuronLayer

Kind = Literal["noise", "salt-and-pepper", "spikes"]


class _Perturbed(Fitness, ABC):
    """Mean accuracy on the validation split under perturbations, over several passes of each.

    A pass draws perturbation and noise anew; accuracies are averaged and not outputs, so that the value is that of one
    pass and its energy and latency are those of one. Kinds and sizes are those of the code of Ma et al. (arXiv
    2305.16044); what exactly is done to the spikes is our reading.
    """

    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    passes: int = Field(8, ge=1, description="passes over the validation split, for each kind")

    @abstractmethod
    def perturbations(self) -> dict[Kind, float]:
        """Return the size of each kind that counts."""

    def measure(self, context: Context) -> float | None:
        network = context.phenotype
        if not isinstance(network, nn.Module):
            return None
        task = require_supervised(context.task, self.name, "fitness")
        data = task.data("validation")
        found = [
            perturbed_accuracy(network, task, data, kind, size, context.streams.torch("robustness", kind, number))
            for kind, size in self.perturbations().items()
            for number in range(self.passes)
        ]
        return sum(found) / len(found)


class Robustness(_Perturbed):
    """Mean of `robustness-noise`, `robustness-salt-and-pepper` and `robustness-spikes`."""

    name = "robustness"

    noise: float = Field(0.1, ge=0, description="standard deviation of the noise that is added to the inputs")
    salt_and_pepper: float = Field(0.03, ge=0, le=1, description="share of the inputs that become extreme")
    spikes: float = Field(0.1, ge=0, le=1, description="share of the neurons' outputs that are flipped")

    def perturbations(self) -> dict[Kind, float]:
        return {"noise": self.noise, "salt-and-pepper": self.salt_and_pepper, "spikes": self.spikes}


class NoiseRobustness(_Perturbed):
    """Gaussian noise is added to the inputs, and nothing is clipped."""

    name = "robustness-noise"

    size: float = Field(0.1, ge=0, description="standard deviation")

    def perturbations(self) -> dict[Kind, float]:
        return {"noise": self.size}


class SaltAndPepperRobustness(_Perturbed):
    """A share of the inputs becomes the smallest or the largest input of all, each as likely."""

    name = "robustness-salt-and-pepper"

    size: float = Field(0.03, ge=0, le=1, description="share of the inputs")

    def perturbations(self) -> dict[Kind, float]:
        return {"salt-and-pepper": self.size}


class SpikeRobustness(_Perturbed):
    """A share of the outputs of all neurons is flipped in each step: a spike or burst is lost, or one appears."""

    name = "robustness-spikes"

    size: float = Field(0.1, ge=0, le=1, description="share of the neurons and steps")

    def perturbations(self) -> dict[Kind, float]:
        return {"spikes": self.size}


def perturbed_accuracy(
    network: nn.Module, task: SupervisedTask, data: Data, kind: Kind, size: float, generator: torch.Generator
) -> float:
    """Return the accuracy of a network under one draw of a perturbation; the network stays as it is.

    Raises:
        InputError: The task has no metric "accuracy".
    """
    inputs = data.inputs
    if kind == "noise":
        inputs = inputs + size * torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)
    elif kind == "salt-and-pepper":
        inputs = _salted(inputs, size, generator)
    with _restored(network), _flipping(network, size if kind == "spikes" else 0.0), parametrize.cached():
        metrics = task.score_data(network, Data(inputs, data.targets), generator)
    if "accuracy" not in metrics:
        known = ", ".join(sorted(metrics)) or "none"
        message = f"fitness: robustness is measured by 'accuracy', which task '{task.name}' has not"
        raise InputError(message, f"Leave it out; the task's metrics are: {known}.")
    return metrics["accuracy"]


def _salted(inputs: Tensor, share: float, generator: torch.Generator) -> Tensor:
    r = torch.rand(inputs.shape, generator=generator)
    return inputs.where(r >= share / 2, inputs.min()).where((r < share / 2) | (r >= share), inputs.max())


@contextlib.contextmanager
def _restored(network: nn.Module) -> Iterator[None]:
    """Put every module back into its mode, of training or evaluation."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def _flipping(network: nn.Module, share: float) -> Iterator[None]:
    """Flip a share of the outputs of all neurons; also of a network that runs step by step."""
    layers = [module for module in network.modules() if isinstance(module, NeuronLayer)] if share else []
    models = [layer.model for layer in layers]
    try:
        for layer in layers:
            layer.model = _Flipped(inner=layer.model, share=share)
        yield
    finally:
        for layer, model in zip(layers, models, strict=True):
            layer.model = model


class _Flipped(NeuronModel):
    """A neuron model whose outputs become others now and then, behind the reset."""

    name: ClassVar[str] = "flipped"

    inner: NeuronModel
    share: float

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        return self.inner.step(x, state, trained, spike)

    def initial_state(self, x: Tensor) -> State:
        return self.inner.initial_state(x)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        spikes, state = self.inner.sequence(x, state, trained, surrogate, generator)
        flipped = torch.rand(spikes.shape, generator=generator) < self.share
        return torch.where(flipped, (spikes == 0).to(spikes.dtype), spikes), state


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the mean of all kinds, and each kind."""
    return [Robustness, NoiseRobustness, SaltAndPepperRobustness, SpikeRobustness]
