"""Its hook wants an argument that there is not."""

from spikefront import Coder, hookimpl


class Silence(Coder):
    """All inputs are zero."""

    name = "wrong-arguments"

    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))


@hookimpl
def spikefront_coders(session):
    return [Silence]
