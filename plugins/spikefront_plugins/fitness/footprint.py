"""Footprint: the bytes that a network takes in memory."""

from typing import ClassVar

from torch import nn

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class Footprint(Fitness):
    """Bytes of all parameters and buffers, zeros included (NeuroBench's Footprint).

    Of generated weights the tensors that generate them count.
    """

    name = "footprint"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "bytes"

    def measure(self, context: Context) -> float | None:
        network = context.phenotype
        if not isinstance(network, nn.Module):
            return None
        return sum(tensor.numel() * tensor.element_size() for tensor in (*network.parameters(), *network.buffers()))


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the footprint."""
    return [Footprint]
