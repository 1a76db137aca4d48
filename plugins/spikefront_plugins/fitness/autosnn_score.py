"""The score of AutoSNN: accuracy, discounted where a network fires much."""

from typing import ClassVar

from pydantic import Field

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction


class AutoSNNScore(Fitness):
    """F = accuracy (spikes / reference)^exponent, with the spikes of a sample, over all layers and steps.

    Source: Na et al., ICML 2022, arXiv 2201.12738; reference and exponent are those of the released code. Our reading:
    the coder's spikes do not count, and a network that fires less than once a sample counts as one that fires once.
    """

    name = "autosnn-score"
    direction: ClassVar[Direction] = "maximize"

    reference: float = Field(110_000, gt=0, description="spikes of a sample that change nothing")
    exponent: float = Field(-0.08, le=0, description="how much more spikes cost; at 0 the score is the accuracy")

    def measure(self, context: Context) -> float | None:
        if "accuracy" not in context.metrics or not context.recording.neurons:
            return None
        spikes = sum(layer.spikes for layer in context.recording.neurons)
        return float(context.metrics["accuracy"] * (max(spikes, 1.0) / self.reference) ** self.exponent)


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the score."""
    return [AutoSNNScore]
