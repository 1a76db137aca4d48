"""Rate errors: how far populations of neurons are from the rates that they are to fire at."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components import Direction, TaskMetric


class RateError(TaskMetric):
    """Root mean square over all groups of neurons of (rate - target) / target: the task's metric "rate_error".

    The task `cortical-column` has it. 0 is best; a silent network has 1. Our reading of the fitness of Ezenwe, Joshi
    and Wong-Lin, ISSC (2020), with the sign turned.
    """

    name = "rate-error"
    metric: ClassVar[str] = "rate_error"
    direction: ClassVar[Direction] = "minimize"


class ExcitatoryRateError(TaskMetric):
    """The same over the excitatory groups alone: the task's metric "excitatory_error"."""

    name = "excitatory-rate-error"
    metric: ClassVar[str] = "excitatory_error"
    direction: ClassVar[Direction] = "minimize"


class InhibitoryRateError(TaskMetric):
    """The same over the inhibitory groups alone: the task's metric "inhibitory_error"."""

    name = "inhibitory-rate-error"
    metric: ClassVar[str] = "inhibitory_error"
    direction: ClassVar[Direction] = "minimize"


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the errors of all groups, and of each population."""
    return [RateError, ExcitatoryRateError, InhibitoryRateError]
