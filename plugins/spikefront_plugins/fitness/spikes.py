"""Spikes: how many the neurons fire in a sample."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class Spikes(Fitness):
    """Spikes per sample, summed over all layers of neurons and time steps."""

    name = "spikes"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "spikes"

    def measure(self, context: Context) -> float | None:
        layers = context.recording.neurons
        return sum(layer.spikes for layer in layers) if layers else None


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the number of spikes."""
    return [Spikes]
