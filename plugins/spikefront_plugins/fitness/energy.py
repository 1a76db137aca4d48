"""Energy: what the counted synaptic operations cost."""

from typing import ClassVar, Literal

from pydantic import Field

from spikefront import Fitness, hookimpl
from spikefront.components.fitness import Context, Direction
from spikefront.measure.energy import COSTS, energy_by_layer


class Energy(Fitness):
    """Energy of the synaptic operations in pJ per sample: E = sum_analog E_MAC n_l + sum_spiking E_AC effective_l.

    The operations are counted one by one, see `spikefront.measure.recorder`; n_l are those of an analog layer with any
    input and a weight that is not zero, so that masked connections cost nothing. Computation only: memory, movement
    of data and neuron updates are left out, as is the convention (Horowitz, ISSCC 2014, 45 nm). The number
    compares networks; it predicts no chip. Energies of different models are never compared.
    """

    name = "energy"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "pJ"

    model: Literal["horowitz-45nm", "horowitz-45nm-fp16", "horowitz-45nm-int8"] = Field(
        "horowitz-45nm", description="table of costs: 4.6 and 0.9 pJ, 1.5 and 0.4 pJ, or 0.23 and 0.03 pJ"
    )
    analog_input: Literal["every-step", "once"] = Field(
        "every-step", description="when a first layer with analog input works; once is enough for a constant input"
    )

    def measure(self, context: Context) -> float | None:
        if not context.recording.synapses:
            return None
        return sum(energy_by_layer(context.recording, COSTS[self.model], self.analog_input == "once").values())


@hookimpl
def spikefront_fitness() -> list[type[Fitness]]:
    """Return the exact energy."""
    return [Energy]
