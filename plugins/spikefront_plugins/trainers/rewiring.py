"""Trainer `rewiring`: surrogate gradients, while weak connections are pruned and as many others grown."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from spikefront import Trainer, hookimpl
from spikefront.components import Fitted, Session, Task
from spikefront.errors import InputError
from spikefront_plugins.encodings._masks import MaskedWeight, masked_weights, strongest
from spikefront_plugins.encodings.sparse import Sparse
from spikefront_plugins.trainers.surrogate_gradient import SurrogateGradient


class Rewiring(SurrogateGradient):
    """Searches the topology of a network with encoding `sparse` while it trains; each layer keeps its density.

    After every `every` steps of the optimiser, and until the share `until` of all steps, in each layer

        n = floor(zeta(t) kept_l),    zeta(t) = (alpha / 2) (1 + cos(pi t / T_end))   or   alpha

    connections are pruned, those with the smallest |w| or the smallest |dL/dw|, and then n others grown: at random
    (SET), or where |dL/dW| of the dense weight is largest on the batch of the last step (RigL), whose backward pass
    gives it in any case. What was just pruned does not grow again at once. Grown weights and their optimiser state are
    0 at first. Each output keeps its best input. Nothing is done with alpha = 0, or at density 1.

    Sources: Shen et al., ESL-SNNs, AAAI (2023), arXiv 2306.03693: constant density, pruning and growing every few
    steps; Mocanu et al., Nature Communications 9 (2018), for SET; Evci et al., ICML (2020), for RigL and its schedule.
    Order, defaults and the protection of outputs are our reading.
    """

    name: ClassVar[str] = "rewiring"

    alpha: float = Field(0.3, ge=0, le=1, description="share of a layer's connections that the first rewiring replaces")
    every: int = Field(100, ge=1, description="steps of the optimiser from one rewiring to the next")
    until: float = Field(0.75, gt=0, le=1, description="share of all steps after which the topology stays")
    decay: Literal["cosine", "constant"] = Field("cosine", description="what becomes of alpha until then")
    prune: Literal["magnitude", "gradient"] = Field("magnitude", description="what a weak connection has little of")
    grow: Literal["random", "gradient"] = Field("random", description="where new connections grow")

    def fit(self, phenotype: nn.Module, task: Task, session: Session) -> Fitted:
        if not isinstance(session.parts.encoding, Sparse):
            raise InputError(
                f"trainer 'rewiring' needs weights with masks, and encoding '{session.parts.encoding.name}' has none",
                "Use encoding 'sparse', or trainer 'surrogate-gradient'.",
            )
        masks = [weight.mask for weight in masked_weights(phenotype)]
        try:
            for mask in masks:
                mask.listening = "gradient" in (self.prune, self.grow)
            return super().fit(phenotype, task, session)
        finally:
            for mask in masks:
                mask.listening, mask.gradient = False, None

    def after_step(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, session: Session, step: int, steps: int
    ) -> None:
        weights = masked_weights(network)
        if step % self.every == 0 and step <= self.until * steps:
            share = self.share(step / (self.until * steps))
            generator = session.streams.torch("rewiring", step)
            for weight in weights:
                self._rewire(weight, optimizer, share, generator)
        for weight in weights:
            weight.mask.gradient = None

    def share(self, progress: float) -> float:
        """Return zeta where `progress` is t / T_end."""
        return self.alpha / 2 * (1 + math.cos(math.pi * progress)) if self.decay == "cosine" else self.alpha

    def _rewire(
        self, weight: MaskedWeight, optimizer: torch.optim.Optimizer, share: float, generator: torch.Generator
    ) -> None:
        kept = weight.mask.kept
        number = min(math.floor(share * weight.kept), int((~kept).sum()))
        if number == 0:
            return
        strength = weight.values.detach() if self.prune == "magnitude" else _dense_gradient(weight)
        strength = strength.abs().masked_fill(~kept, -math.inf)
        stays = strongest(strength, weight.kept - number, serve=True)
        worth = (
            _dense_gradient(weight).abs() if self.grow == "gradient" else torch.rand(kept.shape, generator=generator)
        )
        weight.set(stays | strongest(worth.masked_fill(kept, -math.inf), number))
        for state in optimizer.state.get(weight.values, {}).values():
            if isinstance(state, Tensor) and state.shape == stays.shape:
                state.mul_(stays)


def _dense_gradient(weight: MaskedWeight) -> Tensor:
    """Return the gradient of the last step with respect to all entries of a weight, kept or not."""
    gradient = weight.mask.gradient
    return torch.zeros_like(weight.values) if gradient is None else gradient


@hookimpl
def spikefront_trainers() -> list[type[Trainer]]:
    """Return the trainer."""
    return [Rewiring]
