"""Stored parameters: how many numbers it takes to rebuild the network."""

from typing import ClassVar

from torch import nn

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class Parameters(Fitness):
    """Trained tensors, each once, plus evolved arrays and indices: what the encoding says has to be stored.

    With direct weights this is NeuroBench's ParameterCount.
    """

    name = "parameters"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "numbers"

    def measure(self, context: Context) -> float | None:
        if not isinstance(context.phenotype, nn.Module):
            return None
        return context.parts.encoding.stored_numbers(context.phenotype)


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return stored parameters."""
    return [Parameters]
