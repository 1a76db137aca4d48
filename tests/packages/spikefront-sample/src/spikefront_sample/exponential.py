"""A leaky neuron that decays exactly."""

from pydantic import Field

from spikefront import ThresholdNeuron, hookimpl
from spikefront_sample.means import keep


class Exponential(ThresholdNeuron):
    """h_t = a v_{t-1} + (1 - a) x_t, a = exp(-1 / tau): the exact solution for a constant current within a step."""

    name = "sample-exponential"

    tau: float = Field(2.0, gt=0, description="time constant of the membrane, in steps")

    def step(self, x, state, trained, spike):
        (v,) = state
        a = keep(self.tau)
        s, v = self.fire(a * v + (1 - a) * x, spike)
        return s, (v,)


@hookimpl
def spikefront_neurons():
    return [Exponential]
