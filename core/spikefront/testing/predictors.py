"""The contract of predictors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from torch import nn

from spikefront.components import Context, Guess, Predictor
from spikefront.errors import InputError
from spikefront.randomness import Streams
from spikefront.testing._bench import PARTS, differing, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told
from spikefront.testing.fitness import bench_context


class PredictorContract(ComponentContract[Predictor]):
    """What holds for a predictor; it looks at a small network that was not trained."""

    kind: ClassVar[str] = "predictor"

    def context(self) -> Context:
        """Return a fresh context: what the predictor looks at."""
        return bench_context(PARTS)

    def exercise(self, component: Predictor) -> None:
        _probed(component, self.context())

    def test_probe_returns_numbers(self, component: Predictor) -> None:
        """A probe is a sequence of numbers, one or more; those that are not finite rank last."""
        probe: Any = _probed(component, self.context())
        require(
            isinstance(probe, Sequence | np.ndarray) and len(probe) > 0,
            f"{told(component)}: probe returned {probe!r}; it has to be a list of numbers",
        )
        wrong = [value for value in probe if not isinstance(value, int | float)]
        require(not wrong, f"{told(component)}: probe returned {wrong}, which are no numbers of Python's")

    def test_probe_depends_on_candidate_and_streams_only(self, component: Predictor) -> None:
        """The same candidate with the same streams has the same probe, as long as another."""
        first, second = (_probed(component, self.context()) for _ in range(2))
        require(
            np.array_equal(first, second, equal_nan=True),
            f"{told(component)}: the same candidate gave {list(first)}, and then {list(second)}",
        )
        other = _probed(component, self.context(), seed=2)
        require(
            len(other) == len(first),
            f"{told(component)}: candidates gave {len(first)} and {len(other)} numbers; all give as many",
        )

    def test_the_candidate_is_left_alone(self, component: Predictor) -> None:
        """The phenotype is trained next, and has to be as it was: tensors, mode, gradients, layers."""
        context = self.context()
        network: nn.Module = context.phenotype
        before, flags = tensors_of(network), _flags(network)
        _probed(component, context)
        changed = differing(before, tensors_of(network))
        require(
            not changed and _flags(network) == flags,
            f"{told(component)} changed the candidate's network {changed[:3]}; build another one with "
            "`context.task.build(context.parts, context.streams)`",
        )

    def test_features_can_be_learnt_from(self, component: Predictor) -> None:
        """A predictor that gives more than one number has a `fit`, which says what it expects, or nothing."""
        number = len(_probed(component, self.context()))
        if number == 1:
            raise skip("its one number is the score")
        rng = np.random.default_rng(0)
        for trained in (1, 12):
            probes = rng.normal(size=(trained, number))
            probes[0, 0] = math.nan
            predict = component.fit(probes, rng.normal(size=trained))
            guess = predict(rng.normal(size=number)) if predict else Guess(0.0)
            require(
                isinstance(guess, Guess)
                and isinstance(guess.score, int | float)
                and isinstance(guess.expected, int | float | None),
                f"{told(component)}: what `fit` learnt from {trained} candidates says {guess!r}; it has to be a Guess",
            )


def _probed(component: Predictor, context: Context, seed: int = 1) -> Sequence[float]:
    try:
        return component.probe(dataclasses.replace(context, streams=Streams(seed)))
    except InputError as error:
        raise skip(f"it refuses the suite's task: {error.message}") from None


def _flags(network: nn.Module) -> list[Any]:
    layers: list[Any] = [(type(module), module.training) for module in network.modules()]
    return layers + [(one.requires_grad, one.grad is None) for one in network.parameters()]
