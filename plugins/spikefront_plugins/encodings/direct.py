"""Direct encoding: every weight is stored and trained."""

from collections.abc import Mapping

import torch
from torch import nn

from spikefront import Encoding, hookimpl
from spikefront.space import Array


class Direct(Encoding):
    """One stored number for each weight; the baseline of all other encodings."""

    name = "direct"

    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        """Leave the network as it was built."""


@hookimpl
def spikefront_encodings() -> list[type[Encoding]]:
    """Return the direct encoding."""
    return [Direct]
