"""Trainer `none`: leaves the phenotype as it was built."""

from __future__ import annotations

from typing import Any, ClassVar

from spikefront import Trainer, hookimpl
from spikefront.components import Fitted, Session, Task


class NoTraining(Trainer):
    """For tasks that are simulated and scored, and for candidates whose evolved weights are all there is."""

    name: ClassVar[str] = "none"

    def fit(self, phenotype: Any, task: Task, session: Session) -> Fitted:
        return Fitted(phenotype)


@hookimpl
def spikefront_trainers() -> list[type[NoTraining]]:
    """Return the trainer."""
    return [NoTraining]
