"""The contract of fitness terms."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any, ClassVar, get_args

import numpy as np
from torch import nn

from spikefront.components import Context, Direction, Fitness, Fitted, Parts
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.measure.recorder import record
from spikefront.measure.recording import Recording
from spikefront.randomness import Streams
from spikefront.testing._bench import PARTS, BenchTask, differing, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told


class FitnessContract(ComponentContract[Fitness]):
    """What holds for a fitness term; it measures a small network that was not trained.

    A term that needs another candidate, for example one with an encoding of its own or another task's metrics,
    overrides `context`.
    """

    kind: ClassVar[str] = "fitness"

    def context(self) -> Context:
        """Return a fresh context: what the term measures."""
        return bench_context(PARTS)

    def exercise(self, component: Fitness) -> None:
        _measured(component, self.context())

    def test_direction_and_unit_are_given(self, component: Fitness) -> None:
        """The term says whether less or more is better, in which unit, and within which bounds."""
        direction, unit, bounds = component.direction, component.unit, component.bounds
        require(
            direction in get_args(Direction),
            f"{told(component)}: direction is {direction!r}; it has to be one of {get_args(Direction)}",
        )
        require(
            isinstance(unit, str) and unit.strip(),
            f"{told(component)}: unit is {unit!r}; a number without a unit has the unit '1'",
        )
        ordered = bounds is None or (len(bounds) == 2 and bounds[0] < bounds[1])
        require(ordered, f"{told(component)}: bounds is {bounds!r}; it has to be (smallest, largest), or None")

    def test_value_is_a_finite_number_or_none(self, component: Fitness) -> None:
        """A value is a finite number of Python's, or None where the term means nothing."""
        for context in self._contexts():
            value: Any = _measured(component, context)
            require(
                value is None or (isinstance(value, int | float) and math.isfinite(value)),
                f"{told(component)} measured {value!r}; it has to be a finite float, or None",
            )

    def test_value_is_within_its_bounds(self, component: Fitness) -> None:
        """Where bounds are known beforehand, no value lies outside: hypervolumes rely on them."""
        if component.bounds is None:
            raise skip("it names no bounds")
        low, high = component.bounds
        values = [_measured(component, context) for context in self._contexts()]
        if all(value is None for value in values):
            raise skip("it measured nothing in the suite's candidates")
        wrong = [value for value in values if value is not None and not low <= value <= high]
        require(not wrong, f"{told(component)} measured {wrong}; its bounds are {low:g} and {high:g}")

    def test_it_measures_something(self, component: Fitness) -> None:
        """A candidate with a network, a recording and an elite has a value."""
        if all(_measured(component, context) is None for context in self._contexts()):
            raise skip("it measured nothing in the suite's candidates; override `context` with one that has a value")

    def test_it_is_pure(self, component: Fitness) -> None:
        """Measuring twice gives the same."""
        for context in self._contexts():
            first, second = _measured(component, context), _measured(component, context)
            require(
                first == second,
                f"{told(component)} measured {first}, and then {second}, of the same candidate; a term is a function "
                "of its context alone",
            )

    def test_the_network_is_left_alone(self, component: Fitness) -> None:
        """The network keeps its tensors, its mode, and has no gradients afterwards; others measure it next."""
        context = self.context()
        network: nn.Module = context.phenotype
        for training in (False, True):
            network.train(training)
            before = tensors_of(network)
            flags = _flags(network)
            _measured(component, context)
            changed = differing(before, tensors_of(network))
            require(not changed, f"{told(component)} changed the network's {changed[:3]}; work on a copy")
            require(
                _flags(network) == flags,
                f"{told(component)} changed the mode of a layer, what is trained, or left gradients; work on a copy",
            )

    def test_the_context_is_left_alone(self, component: Fitness) -> None:
        """Metrics, genome and history are as they were."""
        context = self.context()
        before = dict(context.metrics), context.genome.hash, [dict(row) for row in context.fitted.history]
        _measured(component, context)
        after = dict(context.metrics), context.genome.hash, [dict(row) for row in context.fitted.history]
        require(before == after, f"{told(component)} changed its context from {before} to {after}")

    def test_a_candidate_without_a_network_is_no_error(self, component: Fitness) -> None:
        """Where there is no network and no recording, a term is None, a number, or refused with an InputError."""
        context = replace(self.context(), fitted=Fitted(np.zeros(3)), recording=Recording())
        value: Any = _measured(component, context)
        require(
            value is None or (isinstance(value, int | float) and math.isfinite(value)),
            f"{told(component)} measured {value!r} of a candidate that is no network; return None there",
        )

    def test_the_elite_counts_where_it_says_so(self, component: Fitness) -> None:
        """Only a term with `uses_elite` depends on the generation before, which may be missing."""
        context = self.context()
        without, with_elite = (
            _measured(component, replace(context, elite=elite)) for elite in (None, elite_of(context))
        )
        require(
            component.uses_elite or without == with_elite,
            f"{told(component)} measured {without} without an elite and {with_elite} with one; set uses_elite = True",
        )

    def test_direction_agrees_with_what_is_better(self, component: Fitness) -> None:
        """Better metrics of the task, and less work, never make the value worse."""
        context = self.context()
        better = {
            "a better accuracy and a smaller loss": (
                replace(context, metrics={**context.metrics, "accuracy": 0.2, "loss": 2.0}),
                replace(context, metrics={**context.metrics, "accuracy": 0.9, "loss": 0.3}),
            ),
            "half the synaptic operations": (context, replace(context, recording=_half(context.recording))),
        }
        for what, contexts in better.items():
            worse_value, better_value = (_measured(component, one) for one in contexts)
            if worse_value is None or better_value is None:
                continue
            gain = better_value - worse_value
            require(
                gain >= 0 if component.direction == "maximize" else gain <= 0,
                f"{told(component)}: {what} moved it from {worse_value:g} to {better_value:g}, and its direction is "
                f"'{component.direction}'; is it the other one?",
            )

    def _contexts(self) -> list[Context]:
        """Return contexts with and without an elite, in training and evaluation mode, and with extreme metrics."""
        context = self.context()
        names = context.metrics
        extremes = [replace(context, metrics={**names, "accuracy": value}) for value in (0.0, 1.0)]
        return [context, replace(context, elite=elite_of(context)), *extremes]


def bench_context(parts: Parts, genome: Genome | None = None) -> Context:
    """Return the context of a network that is made of some components and was not trained.

    Args:
        parts: Components of the candidate.
        genome: The candidate; by default one with a number and an array.
    """
    task, streams = BenchTask(), Streams(1)
    network = task.build(parts, streams)
    with record(network, parts.coder.analog) as recorder:
        metrics = task.score(network, "validation", streams)
    fitted = Fitted(network, [{"epoch": 0, "loss": 1.0, "samples": 48}], 48)
    recording = recorder.recording(parts.coder.steps)
    return Context(genome or _genome(1), parts, task, fitted, metrics, recording, streams)


def elite_of(context: Context) -> Genome:
    """Return a genome with the genes of a context's candidate, whose arrays are others."""
    return Genome(
        {path: value * 0.5 if isinstance(value, np.ndarray) else value for path, value in context.genome.items()}
    )


@functools.cache
def _genome(seed: int) -> Genome:
    array = np.random.default_rng(seed).normal(0, 0.3, (1, 1, 4, 4)).astype(np.float32)
    return Genome({"neuron.tau": 2.0, "encoding.interactions": array})


def _measured(component: Fitness, context: Context) -> float | None:
    try:
        return component.measure(context)
    except InputError as error:
        raise skip(f"it refuses the suite's candidate: {error.message}") from None


def _flags(network: nn.Module) -> list[Any]:
    modes: list[Any] = [module.training for module in network.modules()]
    return modes + [(one.requires_grad, one.grad is None) for one in network.parameters()]


def _half(recording: Recording) -> Recording:
    layers = [
        replace(one, effective=one.effective / 2, dense=one.dense / 2, flops=one.flops / 2, absent=one.absent / 2)
        for one in recording.synapses
    ]
    return replace(recording, synapses=tuple(layers))
