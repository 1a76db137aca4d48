"""Connection sparsity: the share of weights that are zero."""

from typing import ClassVar

from torch import nn

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront.measure.recorder import Weighted


class ConnectionSparsity(Fitness):
    """Weights that are zero / weights, of all linear and convolutional layers, biases aside (NeuroBench).

    Generated weights count as they are used.
    """

    name = "connection-sparsity"
    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def measure(self, context: Context) -> float | None:
        if not isinstance(context.phenotype, nn.Module):
            return None
        weights = [layer.weight for layer in context.phenotype.modules() if isinstance(layer, Weighted)]
        total = sum(weight.numel() for weight in weights)
        return 1 - sum(int(weight.count_nonzero()) for weight in weights) / total if total else None


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return connection sparsity."""
    return [ConnectionSparsity]
