"""How far the layers are from a wanted firing rate."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class NewComponent(Fitness):
    """Mean squared distance of the layers' firing rates from a target.

        D = 1/L sum_l (r_l - target)^2,    r_l = active_l / (neurons_l T)

    active_l is the number of outputs of layer l, over T steps, that are not zero. As a regulariser it keeps layers from
    falling silent, and from firing all the time.
    """

    name = "new-component"
    direction: ClassVar[Direction] = "minimize"
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)

    target: float = Field(0.1, ge=0, le=1, description="wanted firing rate, spikes for each neuron and step")

    def measure(self, context: Context) -> float | None:
        recording = context.recording
        rates = [layer.active / (layer.neurons * recording.steps) for layer in recording.neurons]
        return sum((rate - self.target) ** 2 for rate in rates) / len(rates) if rates else None


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return this module's fitness term."""
    return [NewComponent]
