"""Misspells its hook."""

from spikefront import Coder, hookimpl


class Silence(Coder):
    """All inputs are zero."""

    name = "misspelled"

    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


@hookimpl
def spikefront_codres():
    return [Silence]
