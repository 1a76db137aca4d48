"""Contract of trainers: fit a phenotype within a budget, from scratch or from a checkpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from spikefront.components.base import Component
from spikefront.components.parts import Parts
from spikefront.components.task import Task
from spikefront.randomness import Streams

Checkpoint = Mapping[str, Tensor]
"""Everything that is needed to go on: weights, the optimiser's state, the progress. Plain tensors."""


@dataclass(frozen=True)
class Session:
    """One call to a trainer.

    Attributes:
        parts: The candidate's components, for trainers that build more than one network (a teacher).
        streams: Randomness of this candidate.
        budget: Share of the full training to have done at the end, in (0, 1].
        checkpoint: Where an earlier call with a smaller budget stopped, if there was one.
    """

    parts: Parts
    streams: Streams
    budget: float = 1.0
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Fitted:
    """What training gave.

    Attributes:
        phenotype: The trained phenotype; a trainer may return another object than it was given.
        history: One row for each epoch or phase, of numbers by name ("loss", "samples", ...).
        samples: Training samples seen by this call.
        checkpoint: Where to go on; empty where a trainer cannot.
    """

    phenotype: Any
    history: list[dict[str, float]] = field(default_factory=list)
    samples: int = 0
    checkpoint: Checkpoint = field(default_factory=dict)


class Trainer(Component, ABC):
    """A way to fit a phenotype.

    Training with budget b, and then on from its checkpoint with budget 1, gives the same weights as
    training with budget 1 at once.
    """

    kind: ClassVar[str] = "trainer"

    @abstractmethod
    def fit(self, phenotype: Any, task: Task, session: Session) -> Fitted:
        """Fit `phenotype`, in place or anew, to the training split of `task`.

        Raises:
            NotFiniteError: The loss became NaN or infinite.
        """
