"""Trainer `surrogate-gradient`: backpropagation through time with the surrogate's derivative."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Encoding, SupervisedTask, Trainer, hookimpl
from spikefront.components import Checkpoint, Data, Fitted, Session, Task
from spikefront.components.task import require_supervised
from spikefront.errors import NotFiniteError
from spikefront.spiking.layers import seed_noise, shortened
from spikefront_plugins.trainers._augment import augmented
from spikefront_plugins.trainers._gradient import Gradient, parts_within
from spikefront_plugins.trainers._update import forget_gradients, update

_CURE = "Try a smaller learning rate, or clip."


class SurrogateGradient(Trainer):
    """Minimises the task's loss by stochastic gradient descent (Neftci, Mostafa, Zenke, IEEE SPM 36, 2019).

    One step: weights are made once, T time steps run, the gradient goes back through all of them, the
    optimiser steps. The order of the samples, the augmentation and the noise of an epoch depend on the candidate's
    seed and the number of the epoch only, so that training can go on from a checkpoint as if it had not
    stopped. An incomplete last batch is left out, where there is a complete one.

    With `first_data` or `first_steps` below 1, the first epoch sees a random part of the samples, or trains with fewer
    time steps; both grow evenly to the whole in the last epoch. The early rungs of `[search.early_stop]` then cost less
    than their share of the epochs.

    Before the first step the memory for activations and their gradients is estimated; parameters, optimiser and data
    come on top. More than the machine has is the failure "out-of-memory". With more than `memory`, each batch goes in
    the fewest parts of two samples or more that stay below. Where the loss is a mean over samples, their gradients add
    up to the batch's, but batch normalisation sees one part, and coders draw for one after the other. The number of
    parts stands in history and checkpoint; it depends on the candidate alone, and on whether neurons are compiled.
    `saved = "packed"` keeps spikes as bits and the indices of max pooling in two bytes; gradients are the same bits.
    """

    name: ClassVar[str] = "surrogate-gradient"

    epochs: int = Field(8, ge=1, description="passes over the training split")
    batch: int = Field(64, ge=2, description="samples of a step")
    optimizer: Literal["adamw", "sgd"] = Field("adamw", description="update rule")
    learning_rate: float = Field(2e-3, gt=0, description="largest learning rate")
    weight_decay: float = Field(1e-4, ge=0, description="decoupled (adamw) or added to the gradient (sgd)")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of sgd")
    schedule: Literal["constant", "cosine"] = Field("cosine", description="learning rate over all steps")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the products of weights and inputs")
    memory: float | None = Field(None, gt=0, description="most GiB of a step; larger batches are split")
    saved: Literal["plain", "packed"] = Field("plain", description="how the backward pass's tensors are kept")
    clip: float | None = Field(None, gt=0, description="largest norm of the gradient")
    order: int = Field(0, ge=0, description="number of the order of the samples: another one, other batches")
    shift: int = Field(0, ge=0, description="augmentation: largest shift in pixels")
    flip: bool = Field(False, description="augmentation: mirror half of the images")
    first_data: float = Field(1.0, gt=0, le=1, description="share of the training split in the first epoch; see above")
    first_steps: float = Field(1.0, gt=0, le=1, description="share of the time steps in the first epoch; see above")

    def fit(self, phenotype: nn.Module, task: Task, session: Session) -> Fitted:
        supervised = require_supervised(task, self.name)
        data = supervised.data("train")
        optimizer = self._optimizer(phenotype, session.parts.encoding)
        first = _restore(phenotype, optimizer, session.checkpoint) if session.checkpoint else 0
        last = max(1, round(self.epochs * session.budget))
        gradient = self._gradient(phenotype, data, session.checkpoint or {})
        epochs = range(first, last)
        history = [self._epoch(phenotype, optimizer, gradient, supervised, data, session, e) for e in epochs]
        samples = int(sum(row["samples"] for row in history))
        checkpoint = _checkpoint(phenotype, optimizer, max(first, last), gradient.parts)
        return Fitted(phenotype, history, samples, checkpoint)

    def after_step(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, session: Session, step: int, steps: int
    ) -> None:
        """Change something between two steps of the optimiser; here nothing, but trainers that derive from this may.

        What it changes has to lie in the network's and the optimiser's state, which checkpoints keep.

        Args:
            network: The network in training.
            optimizer: Its optimiser; gradients are those of the last step.
            session: As `fit` got it.
            step: Number of steps that were done, from 1, those before the checkpoint included.
            steps: How many the whole training has.
        """

    def _gradient(self, network: nn.Module, data: Data, checkpoint: Checkpoint) -> Gradient:
        """Return how gradients are computed: from a checkpoint on as before, since weights may change an estimate."""
        gradient = Gradient(1, self.precision == "bfloat16", self.saved == "packed")
        if "parts" in checkpoint:
            return replace(gradient, parts=int(checkpoint["parts"]))
        batch = data.inputs[: self.batch]
        return replace(gradient, parts=parts_within(self.memory, partial(gradient.peak, network), batch))

    def _optimizer(self, network: nn.Module, encoding: Encoding) -> torch.optim.Optimizer:
        groups = [
            {
                "params": group.parameters,
                "lr": self.learning_rate * group.learning_rate,
                "rate": group.learning_rate,
                "weight_decay": self.weight_decay * group.weight_decay,
            }
            for group in encoding.groups(network)
            if group.parameters
        ]
        if self.optimizer == "sgd":
            return torch.optim.SGD(groups, self.learning_rate, self.momentum)
        return torch.optim.AdamW(groups, self.learning_rate, fused=True)

    def _epoch(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        gradient: Gradient,
        task: SupervisedTask,
        data: Data,
        session: Session,
        epoch: int,
    ) -> dict[str, float]:
        """Train one epoch and return its row of history."""
        network.train()
        seed_noise(network, session.streams.torch("noise", epoch))
        total, samples = 0.0, 0
        batches = list(self._batches(data, session, epoch))
        lengths = [math.ceil(self._samples(len(data.inputs), one) / self.batch) for one in range(self.epochs)]
        before, steps = sum(lengths[:epoch]), sum(lengths)
        with shortened(network, self._grown(self.first_steps, epoch)):
            for number, (inputs, targets) in enumerate(batches):
                self._set_learning_rate(optimizer, epoch + number / len(batches))
                total += self._step(network, optimizer, gradient, task, inputs, targets, epoch) * len(inputs)
                samples += len(inputs)
                self.after_step(network, optimizer, session, before + number + 1, steps)
        _require_finite(network, epoch)
        row = {"epoch": epoch, "loss": total / samples, "samples": samples}
        return row if gradient.parts == 1 else row | {"parts": gradient.parts}

    def _batches(self, data: Data, session: Session, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        generator = session.streams.torch("order", epoch, *([self.order] if self.order else []))
        order = torch.randperm(len(data.inputs), generator=generator)
        for rows in order[: self._samples(len(order), epoch)].split(self.batch):
            yield augmented(data.inputs[rows], self.shift, self.flip, generator), data.targets[rows]

    def _samples(self, available: int, epoch: int) -> int:
        """Return how many samples an epoch sees: whole batches, where there is one."""
        samples = math.ceil(self._grown(self.first_data, epoch) * available)
        return samples - samples % self.batch if samples >= self.batch else samples

    def _step(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        gradient: Gradient,
        task: SupervisedTask,
        inputs: Tensor,
        targets: Tensor,
        epoch: int,
    ) -> float:
        forget_gradients(optimizer)
        value = gradient.add(network, task, inputs, targets)
        if not math.isfinite(value):
            raise NotFiniteError(f"the loss became {value} in epoch {epoch}", _CURE)
        if self.clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.clip)
        update(optimizer)
        return value

    def _grown(self, first: float, epoch: int) -> float:
        """Return a share that grows evenly from the first epoch to 1 in the last."""
        return first + (1 - first) * (epoch / (self.epochs - 1) if self.epochs > 1 else 1.0)

    def _set_learning_rate(self, optimizer: torch.optim.Optimizer, epoch: float) -> None:
        if self.schedule == "cosine":
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * self.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))


def _require_finite(network: nn.Module, epoch: int) -> None:
    """Refuse weights that are not finite: neurons that see NaN fall silent, and the loss looks well."""
    for name, tensor in network.state_dict().items():
        if not tensor.isfinite().all():
            raise NotFiniteError(f"{name} became NaN or infinite in epoch {epoch}", _CURE)


def _checkpoint(network: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, parts: int) -> dict[str, Tensor]:
    """Return weights, the optimiser's state, the number of epochs done and that of a batch's parts, as tensors."""
    tensors = {f"network.{name}": value.detach().clone() for name, value in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": value.clone() for name, value in state.items() if isinstance(value, Tensor)
        }
    return tensors | {"epoch": torch.tensor(epoch), "parts": torch.tensor(parts)}


def _restore(network: nn.Module, optimizer: torch.optim.Optimizer, checkpoint: Checkpoint) -> int:
    """Put a checkpoint back and return the number of epochs done."""
    weights = {n.removeprefix("network."): v for n, v in checkpoint.items() if n.startswith("network.")}
    network.load_state_dict(weights)
    state: dict[int, dict[str, Any]] = {}
    for name, value in checkpoint.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(checkpoint["epoch"])


@hookimpl
def spikefront_trainers() -> list[type[SurrogateGradient]]:
    """Return the trainer."""
    return [SurrogateGradient]
