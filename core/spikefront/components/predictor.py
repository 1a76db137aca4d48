"""Contract of predictors: how good a candidate will be, guessed before it is trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spikefront.components.base import Component
from spikefront.components.fitness import Context
from spikefront.randomness import Streams

Numbers = npt.NDArray[np.float64]


class Predictor(Component, ABC):
    """A score that ranks candidates by an objective without training them; `[search.screening]` uses it.

    The worker calls `probe`. One number is the score itself. More numbers are features, and the coordinator turns them
    into a score with what `fit` has learned. A score decides who is trained; it never stands for a measurement.
    """

    kind: ClassVar[str] = "predictor"

    @abstractmethod
    def probe(self, context: Context, streams: Streams) -> Sequence[float]:
        """Return a score, larger is better, or features, as many for every candidate of a study.

        Replicates are averaged, number by number. A number that is not finite is no number: a score that lacks one
        ranks last.

        Args:
            context: The candidate, not trained, and what it measures. Its phenotype is to be left as it is.
            streams: Randomness of this candidate; `context.task.build(context.parts, streams)` is the same network.

        Raises:
            InputError: The predictor cannot work with this task.
        """

    def fit(self, probes: Numbers, values: Numbers) -> Callable[[Numbers], float]:
        """Learn from the candidates that were trained; called at most once a generation, for features only.

        Args:
            probes: What `probe` returned (n, features), n at least 1; a number that was not finite is NaN.
            values: The objective's value of each (n,), with its sign turned where less is better.

        Returns:
            Function from the features (features,) of a new candidate to its score, larger is better.
        """
        raise NotImplementedError(f"predictor '{self.name}' gives features and has no fit")
