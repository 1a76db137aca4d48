"""Synaptic operations: how many there are in a sample."""

from typing import ClassVar, Literal

from pydantic import Field

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class SynapticOperations(Fitness):
    """Synaptic operations per sample, summed over time steps and layers (NeuroBench's SynapticOperations).

    Effective operations have an input and a weight that are not zero; accumulates and multiply-accumulates count
    alike. A burst of s spikes counts s.
    """

    name = "synaptic-operations"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "operations"

    count: Literal["effective", "dense"] = Field("effective", description="without or with those that involve a zero")

    def measure(self, context: Context) -> float | None:
        layers = context.recording.synapses
        if not layers:
            return None
        return sum(layer.effective if self.count == "effective" else layer.dense for layer in layers)


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return synaptic operations."""
    return [SynapticOperations]
