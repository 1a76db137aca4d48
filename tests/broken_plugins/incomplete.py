"""Does not write what its contract asks for."""

from spikefront import Coder, hookimpl


class Silence(Coder):
    """All inputs are zero."""

    name = "incomplete"

    def decode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


@hookimpl
def spikefront_coders():
    return [Silence]
