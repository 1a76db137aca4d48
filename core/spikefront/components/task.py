"""Contract of tasks: what a phenotype is asked to do, and how well it did."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from spikefront.components.base import Component
from spikefront.components.parts import Parts
from spikefront.errors import InputError
from spikefront.randomness import Streams
from spikefront.spiking.layers import SpikingNetwork, seed_noise

Split = Literal["train", "validation", "test"]


class Data(NamedTuple):
    """Samples of one split, as tensors in memory: inputs (N, ...) and targets (N, ...)."""

    inputs: Tensor
    targets: Tensor


class Task(Component, ABC):
    """Something that can be scored. It may train a network (`SupervisedTask`), or simulate something else.

    Attributes:
        sections: The sections of a study file that this task reads; others are refused.
    """

    kind: ClassVar[str] = "task"
    sections: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def build(self, parts: Parts, streams: Streams) -> Any:
        """Return the phenotype of a candidate: mostly a `torch.nn.Module`."""

    @abstractmethod
    def score(self, phenotype: Any, split: Split, streams: Streams) -> dict[str, float]:
        """Return the metrics of a phenotype on a split, by name.

        Args:
            phenotype: What `build` returned and a trainer fitted.
            split: "validation" in a search; "test" only where a user asks for it.
            streams: Randomness of the measurement.
        """

    def fingerprint(self) -> str:
        """Return what identifies the data behind the parameters: results are the same where it is the same."""
        return ""


class SupervisedTask(Task, ABC):
    """A task with data: splits, a loss and metrics. The phenotype is a `SpikingNetwork`."""

    sections: ClassVar[frozenset[str]] = frozenset(
        {"network", "neuron", "surrogate", "synapse", "coder", "encoding", "trainer"}
    )
    score_batch: ClassVar[int] = 256

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample at one time step, without time and batch."""

    @property
    def frames(self) -> int | None:
        """Number of frames of a sample that is a sequence; None, the default, where it has no time of its own."""
        return None

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample of `data`: `input_shape`, behind the number of frames where there are any."""
        return self.input_shape if self.frames is None else (self.frames, *self.input_shape)

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of outputs: classes, boxes' numbers, recorded cells."""

    @abstractmethod
    def data(self, split: Split) -> Data:
        """Return a split, its inputs (N, *sample_shape).

        Splits never overlap and depend on the task's parameters only.

        Raises:
            DataError: The data are not there; the hint says how to get them.
        """

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the scalar that training minimises, from outputs (T, B, ...) and targets (B, ...)."""

    @abstractmethod
    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return one number for each sample and metric: name -> (B,); `score` averages them."""

    def check(self) -> None:
        """Refuse, before a study starts, data that are not there.

        Raises:
            DataError: The hint says how to get them.
        """

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        splits: tuple[Split, ...] = ("train", "validation")
        for split in splits:
            for tensor in self.data(split):
                digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
                digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()

    def build(self, parts: Parts, streams: Streams) -> SpikingNetwork:
        return parts.build(self.input_shape, self.outputs, streams)

    def score(self, phenotype: SpikingNetwork, split: Split, streams: Streams) -> dict[str, float]:
        return self.score_data(phenotype, self.data(split), streams.torch("score", split))

    def score_data(self, network: nn.Module, data: Data, generator: torch.Generator) -> dict[str, float]:
        """Return the metrics of a network on some samples, by name; it is in evaluation mode afterwards.

        Args:
            network: Maps inputs (B, ...) to outputs (T, B, ...).
            data: A split, or part of one, or a split whose inputs were perturbed.
            generator: Source of the noise of coder and neurons.
        """
        seed_noise(network, generator)
        sums: dict[str, float] = {}
        network.eval()
        with torch.no_grad():
            for start in range(0, len(data.inputs), self.score_batch):
                batch = slice(start, start + self.score_batch)
                outputs = network(data.inputs[batch])
                for name, values in self.metrics(outputs, data.targets[batch]).items():
                    sums[name] = sums.get(name, 0.0) + float(values.double().sum())
        return {name: total / len(data.inputs) for name, total in sums.items()}


def require_supervised(task: Task, who: str, kind: str = "trainer") -> SupervisedTask:
    """Return `task`, if it has data; otherwise say which component wanted them.

    Raises:
        InputError: The task has no data to train on.
    """
    if not isinstance(task, SupervisedTask):
        raise InputError(
            f"{kind}: '{who}' needs a task with data, and '{task.name}' has none",
            "Use trainer 'none' with this task." if kind == "trainer" else "Leave it out, or use another task.",
        )
    return task
