"""Activation sparsity: the share of silence."""

from typing import ClassVar

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class ActivationSparsity(Fitness):
    """1 - outputs that are not zero / outputs, over layers of neurons, steps and samples (NeuroBench)."""

    name = "activation-sparsity"
    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def measure(self, context: Context) -> float | None:
        layers = context.recording.neurons
        if not layers:
            return None
        outputs = context.recording.steps * sum(layer.neurons for layer in layers)
        return 1 - sum(layer.active for layer in layers) / outputs


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return activation sparsity."""
    return [ActivationSparsity]
