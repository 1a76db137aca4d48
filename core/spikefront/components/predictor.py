"""Contract of predictors: learn from the archive which candidates deserve training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from spikefront.components.algorithm import Problem, Told
from spikefront.components.base import Component
from spikefront.genome import Genome


class Predictor(Component, ABC):
    """A cheap guess of a candidate's losses."""

    kind: ClassVar[str] = "predictor"

    @abstractmethod
    def predict(self, problem: Problem, archive: Sequence[Told], genomes: Sequence[Genome]) -> list[tuple[float, ...]]:
        """Return the expected losses of `genomes`, in the order of the objectives, from what the archive tells."""
