"""Forgets to mark its hook."""

from spikefront import Coder


class Silence(Coder):
    """All inputs are zero."""

    name = "unmarked"

    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


def spikefront_coders():
    return [Silence]
