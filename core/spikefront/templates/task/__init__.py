"""Points on random smooth curves: a task without files, as hard as one likes."""

from __future__ import annotations

import functools

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from spikefront import SupervisedTask, hookimpl
from spikefront.components import Data, Split, Task
from spikefront.randomness import Streams

WAVES = 4


class NewComponent(SupervisedTask):
    """Which of the random curves is this a point of?

        x_i(u) = 1/2 + 1/2 sum_k a_ik sin(2 pi (k u + b_ik)) / sum_k a_ik,    k = 1, ..., 4,    u ~ U(0, 1)

    Each class is a curve in [0, 1]^inputs with its own b_ik ~ U(0, 1) and a_ik ~ k^-smoothness U(0, 1); the rougher
    the curves, the harder. The outputs' mean over time are logits, the loss is their cross-entropy. After the
    smooth random manifolds of Zenke and Vogels, "The Remarkable Robustness of Surrogate Gradient Learning for
    Instilling Complex Function in Spiking Neural Networks", Neural Computation 33 (2021).
    """

    name = "new-component"

    classes: int = Field(5, ge=2, le=1000, description="number of curves")
    inputs: int = Field(16, ge=1, le=10_000, description="number of inputs")
    smoothness: float = Field(2.0, ge=0, le=10, description="how fast the waves of a curve get smaller")
    train: int = Field(400, ge=2, description="training samples")
    validation: int = Field(200, ge=2, description="validation samples, and test samples")
    seed: int = Field(0, ge=0, description="what curves and points come from")

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.inputs,)

    @property
    def outputs(self) -> int:
        return self.classes

    def data(self, split: Split) -> Data:
        return _points(self, split)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(outputs.mean(0), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {"accuracy": (outputs.mean(0).argmax(1) == targets).float()}


@functools.lru_cache(maxsize=3)
def _points(task: NewComponent, split: Split) -> Data:
    samples = task.train if split == "train" else task.validation
    a, b = Streams(task.seed).numpy("curves").random((2, task.classes, task.inputs, WAVES))
    u = Streams(task.seed).numpy("points", split).random((samples, 1, 1))
    k, targets = np.arange(1.0, WAVES + 1), np.arange(samples) % task.classes
    a, b = (a * k**-task.smoothness)[targets], b[targets]
    x = 0.5 + 0.5 * (a * np.sin(2 * np.pi * (k * u + b))).sum(2) / a.sum(2)
    return Data(torch.from_numpy(x).float(), torch.from_numpy(targets))


@hookimpl
def spikefront_tasks() -> list[type[Task]]:
    """Return this module's task."""
    return [NewComponent]
