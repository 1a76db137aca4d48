"""Fails in its hook."""

from spikefront import Coder, hookimpl


class Silence(Coder):
    """All inputs are zero."""

    name = "raises"

    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


@hookimpl
def spikefront_coders():
    raise RuntimeError("no licence found")
