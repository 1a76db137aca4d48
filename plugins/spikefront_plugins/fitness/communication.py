"""Communication: how many values layers of neurons send to others."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront.measure.recording import NeuronRecord

ACTIVATION_BITS = 32
"""Bits of a value that is no spike."""


class Communication(Fitness):
    """Values that cross from a layer of neurons to the next ones, per sample, summed over layers and time steps.

    - "sent": a layer whose outputs are 0 and 1 sends its spikes; any other sends all its outputs at each step.
    - "width": every layer sends all its outputs at each step. The number is a matter of the architecture; it is the
      measure of Wu et al., arXiv 2306.11950, whose neurons have real outputs.
    - "bits": as "sent", and a spike takes the ceil(log2 N) bits that tell which of a layer's N neurons fired (address
      events), any other output 32.

    Each value counts once, however many connections wait for it; what the task's input sends does not count. The
    measures differ, and are never compared.
    """

    name = "communication"
    direction: ClassVar[Direction] = "minimize"

    count: Literal["sent", "width", "bits"] = Field("sent", description="what is counted; see above")

    def measure(self, context: Context) -> float | None:
        layers, steps = context.recording.neurons, context.recording.steps
        return sum(self._of(layer, steps) for layer in layers) if layers else None

    def _of(self, layer: NeuronRecord, steps: int) -> float:
        if self.count == "width" or layer.spikes != layer.active:
            values = layer.neurons * steps
            return float(values * ACTIVATION_BITS if self.count == "bits" else values)
        return layer.spikes * (max(1, math.ceil(math.log2(layer.neurons))) if self.count == "bits" else 1)


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return communication."""
    return [Communication]
