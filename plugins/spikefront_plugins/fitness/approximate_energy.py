"""Approximate energy: the estimate from mean rates that is usual in the literature."""

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context
from spikefront.measure.energy import COSTS, approximate_energy
from spikefront_plugins.fitness.energy import Energy


class ApproximateEnergy(Energy):
    """The usual estimate in pJ per sample: E = E_MAC FLOPs_1 T_1 + E_AC sum_l r_l T FLOPs_l, r_l the rate of l's input.

    A column to stand beside the exact energy in comparisons with the literature; too high at borders, with strides
    and with sparse weights.
    """

    name = "approximate-energy"

    def measure(self, context: Context) -> float | None:
        if not context.recording.synapses:
            return None
        return approximate_energy(context.recording, COSTS[self.model], self.analog_input == "once")


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the approximate energy."""
    return [ApproximateEnergy]
