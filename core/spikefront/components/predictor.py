"""Contract of predictors: how good a candidate will be, guessed before it is trained to the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from spikefront.components.base import Component
from spikefront.components.fitness import Context

Numbers = npt.NDArray[np.float64]


class Guess(NamedTuple):
    """What a predictor expects of a candidate.

    Attributes:
        score: What candidates are ranked by, larger is better.
        expected: The objective's value that it expects, with the sign of the values that it was fitted to; None where
            the score is all that it says.
    """

    score: float
    expected: float | None = None


class Predictor(Component, ABC):
    """A score that ranks candidates by an objective before they are trained; `[search.screening]` uses it.

    The worker calls `probe`, without any training or after the share `search.screening.budget` of it. One number is the
    score itself. More numbers are features, and the coordinator turns them into a score with what `fit` has learned. A
    score decides who is trained to the end; it never stands for a measurement.
    """

    kind: ClassVar[str] = "predictor"

    @abstractmethod
    def probe(self, context: Context) -> Sequence[float]:
        """Return a score, larger is better, or features, as many for every candidate of a study.

        Replicates are averaged, number by number. A number that is not finite is no number: a score that lacks one
        ranks last.

        Args:
            context: The candidate and what it measures, not trained or shortly. Its phenotype is to be left as it is;
                `context.task.build(context.parts, context.streams)` is the same network before any training.

        Raises:
            InputError: The predictor cannot work with this task.
        """

    def fit(self, probes: Numbers, values: Numbers) -> Callable[[Numbers], Guess] | None:
        """Learn from the candidates that were trained; called at most once a generation, for features only.

        Args:
            probes: What `probe` returned (n, features), n at least 1; a number that was not finite is NaN.
            values: The objective's value of each (n,), with its sign turned where less is better.

        Returns:
            Function from the features (features,) of a new candidate to what is expected of it; None where these are
            too few to learn from, and nothing is said of the next generation.
        """
        raise NotImplementedError(f"predictor '{self.name}' gives features and has no fit")
