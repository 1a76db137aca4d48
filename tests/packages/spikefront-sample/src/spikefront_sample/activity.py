"""A fitness term: spikes of a sample in a step."""

from spikefront import Fitness, hookimpl
from spikefront_sample.means import per_step


class Activity(Fitness):
    """Spikes per sample and time step, summed over all layers."""

    name = "sample-activity"
    direction = "minimize"
    unit = "spikes per step"

    def measure(self, context):
        recording = context.recording
        return per_step(sum(layer.spikes for layer in recording.neurons), recording.steps)


@hookimpl
def spikefront_fitness():
    return [Activity]
