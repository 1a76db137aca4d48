"""Sign descent: every trained number moves by the same step."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import nn
from torch.nn.utils import parametrize

from spikefront import SupervisedTask, Trainer, hookimpl
from spikefront.components import Fitted, Session, Task
from spikefront.components.task import require_supervised
from spikefront.errors import NotFiniteError
from spikefront.spiking.layers import seed_noise


class NewComponent(Trainer):
    """Moves every trained number by the learning rate, against the sign of its gradient.

        w <- w - eta_e sign(dL/dw),    eta_e = learning_rate (1 - e / epochs) in epoch e = 0, 1, ...

    A step is as long for small gradients as for large ones, so it does not depend on the surrogate's scale. Source:
    Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", ICML 2018.
    """

    name = "new-component"

    epochs: int = Field(5, ge=1, description="passes over the training split")
    batch: int = Field(32, ge=2, description="samples of a step; the last of an epoch may have fewer")
    learning_rate: float = Field(0.02, gt=0, description="step in the first epoch")

    def fit(self, phenotype: nn.Module, task: Task, session: Session) -> Fitted:
        supervised = require_supervised(task, self.name)
        first = 0
        if session.checkpoint:
            weights = dict(session.checkpoint)
            first = int(weights.pop("epoch"))
            phenotype.load_state_dict(weights)
        last = max(first, 1, round(self.epochs * session.budget))
        history = [self._epoch(phenotype, supervised, session, epoch) for epoch in range(first, last)]
        checkpoint = {name: tensor.clone() for name, tensor in phenotype.state_dict().items()}
        samples = int(sum(row["samples"] for row in history))
        return Fitted(phenotype, history, samples, checkpoint | {"epoch": torch.tensor(last)})

    def _epoch(self, network: nn.Module, task: SupervisedTask, session: Session, epoch: int) -> dict[str, float]:
        network.train()
        seed_noise(network, session.streams.torch("noise", epoch))
        inputs, targets = task.data("train")
        order = torch.randperm(len(inputs), generator=session.streams.torch("order", epoch))
        groups = session.parts.encoding.groups(network)
        total, step = 0.0, self.learning_rate * (1 - epoch / self.epochs)
        for rows in order.split(self.batch):
            network.zero_grad()
            with parametrize.cached():  # a generated weight is made once
                loss = task.loss(network(inputs[rows]), targets[rows])
            loss.backward()
            total += loss.item() * len(rows)
            with torch.no_grad():
                for group in groups:
                    for parameter in group.parameters:
                        if parameter.grad is not None:
                            parameter.sub_(parameter.grad.sign(), alpha=step * group.learning_rate)
        if not math.isfinite(total):
            raise NotFiniteError(f"the loss became {total} in epoch {epoch}", "Try a smaller learning rate.")
        return {"epoch": epoch, "loss": total / len(inputs), "samples": len(inputs)}


@hookimpl
def spikefront_trainers() -> list[type[Trainer]]:
    """Return this module's trainer."""
    return [NewComponent]
