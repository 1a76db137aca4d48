"""Has a name that a study file cannot write."""

from spikefront import Coder, hookimpl


class Silence(Coder):
    """All inputs are zero."""

    name = "My Coder!"

    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


@hookimpl
def spikefront_coders():
    return [Silence]
