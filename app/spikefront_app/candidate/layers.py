"""A network's layers: what they are called, and where its stored numbers are."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import nn

from spikefront.components import Encoding
from spikefront.spiking.layers import CoderLayer, Folded, NeuronLayer

GENERATED = ".parametrizations."
"""Stands in the names of tensors that an encoding makes weights of."""

KINDS = ("direct", "encoded", "encoded, shared", "evolved")
SHARED = "shared"


def layer_titles(network: nn.Module) -> dict[str, str]:
    """Return what to call the layers of a network, by path; the number is that of the weighted layer."""
    titles: dict[str, str] = {}
    number = 0
    for path, module in network.named_modules():
        if GENERATED in f".{path}." or path.endswith(".parametrizations") or isinstance(module, CoderLayer | Folded):
            continue
        match module:
            case nn.Linear():
                number += 1
                titles[path] = f"{number} linear {module.in_features}-{module.out_features}"
            case nn.Conv2d():
                number += 1
                side = "x".join(map(str, module.kernel_size))
                titles[path] = f"{number} conv {module.in_channels}-{module.out_channels}, {side}"
            case NeuronLayer():
                titles[path] = f"{number} {module.model.name} {'x'.join(map(str, module.shape))}"
            case _ if list(module.parameters(recurse=False)):
                titles[path] = f"{number} {type(module).__name__}"
    return titles


def parameter_table(network: nn.Module, encoding: Encoding, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return where the stored numbers of a network are.

    Columns: "layer", "kind" and "numbers". A number is "direct" (a trained parameter as it is used), "encoded" (a
    trained one that an encoding makes weights of), "encoded, shared" (the same, for several layers) or "evolved"
    (stored and not trained: evolved arrays, and indices of sparse encodings). A tensor that layers share counts for
    the first.
    """
    rows = [(*_owner(name, titles), parameter.numel()) for name, parameter in network.named_parameters()]
    evolved = encoding.stored_numbers(network) - sum(numbers for *_, numbers in rows)
    rows += [(SHARED, "evolved", evolved)] if evolved > 0 else []
    table = pd.DataFrame(rows, columns=["layer", "kind", "numbers"])
    return table.groupby(["layer", "kind"], sort=False)[["numbers"]].sum().reset_index()


def _owner(name: str, titles: Mapping[str, str]) -> tuple[str, str]:
    """Return title of the layer and kind of a parameter."""
    path, generated, rest = name.partition(GENERATED)
    if generated and not rest.partition(".")[2].startswith("original"):
        return SHARED, "encoded, shared"
    while path and path not in titles:
        path = path.rpartition(".")[0]
    return titles.get(path, name), "encoded" if generated else "direct"
