"""Contract of encodings: how genes become a network's weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from spikefront.components.base import Component
from spikefront.space import Array


@dataclass(frozen=True)
class Group:
    """Parameters that a trainer updates at a rate of their own.

    Attributes:
        parameters: Parameters of a network; no parameter is in two groups.
        learning_rate: Learning rate, in times the trainer's.
        weight_decay: Weight decay, in times the trainer's.
    """

    parameters: list[nn.Parameter]
    learning_rate: float = 1.0
    weight_decay: float = 1.0


class Encoding(Component, ABC):
    """A way to store a network's weights.

    `apply` parametrises the weighted layers (`torch.nn.utils.parametrize`), so that the tensors that
    gradients train are the encoding's own. `evolved_arrays` declares what evolution shapes instead.
    """

    kind: ClassVar[str] = "encoding"

    @abstractmethod
    def apply(self, network: nn.Module, arrays: Mapping[str, Array], generator: torch.Generator) -> None:
        """Parametrise the encodable weights of `network`, in place.

        The variance of each initial weight has to stay that of PyTorch's default, 1 / (3 fan_in).

        Args:
            network: A freshly built network with direct weights.
            arrays: The evolved arrays of this candidate, by the names of `evolved_arrays`.
            generator: Source of the initial values.
        """

    def groups(self, network: nn.Module) -> list[Group]:
        """Return all parameters of a network that was made with this encoding, by how fast they learn.

        Numbers that are multiplied with others before they are weights want other steps than weights do.
        """
        return [Group(list(network.parameters()))]

    def stored_numbers(self, network: nn.Module) -> int:
        """Return how many numbers have to be stored to rebuild the network.

        By default all parameters, each counted once. Evolved arrays that are not parameters, and
        indices, have to be added.
        """
        return sum(parameter.numel() for parameter in network.parameters())

    def inherit(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Let a network that was made with this encoding start from what a parent learnt, in place.

        By default it takes over each learnt tensor whose name and shape the parent's has; the others stay fresh. What
        evolution shapes is the child's own, and has to be left as it is.

        Args:
            network: The child's network before training.
            tensors: The parent's state, parameters and buffers; one that is shared is under its first name.
        """
        with torch.no_grad():
            for name, tensor in learnt_tensors(network):
                if name in tensors and tensors[name].shape == tensor.shape:
                    tensor.copy_(tensors[name])


def learnt_tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield what a network learns, by name, each shared tensor once: parameters, and statistics of batch normalisation.

    Other buffers hold what genes or fixed values say.
    """
    yield from network.named_parameters()
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            yield from module.named_buffers(name)


def encodable_weights(network: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Yield the weights that an encoding may generate, as (module, attribute), in the order of the network.

    These are the weights of `nn.Linear` and `nn.Conv2d`, and those that a module names in `encodable_weights`.
    """
    for module in network.modules():
        usual = ("weight",) if isinstance(module, nn.Linear | nn.Conv2d) else ()
        for name in getattr(module, "encodable_weights", usual):
            yield module, name


def picture_of(module: nn.Module) -> tuple[int, int, int] | None:
    """Return the shape (channels, height, width) of the pictures that a layer reads as vectors; None if it does not."""
    match getattr(module, "input_shape", None):
        case (int(channels), int(height), int(width)):
            return channels, height, width
    return None
