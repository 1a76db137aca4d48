"""What one training step keeps in memory for its backward pass, found out before any training."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.utils import parametrize

from spikefront.spiking.packing import Packed, pack


@dataclass(frozen=True)
class Activations:
    """Memory of one training step, beside the network and its optimiser's state.

    Attributes:
        kept: Bytes that are kept from the forward pass for the backward pass, each piece of memory once.
        peak: Estimate of the most bytes that are taken at any time: where an operation goes back, what it and those
            before it kept, and two tensors as large as its own: the gradients of its output and of its input; and a
            third where it has to be unpacked. Allocators may hold more: glibc's keeps much of what is freed.
    """

    kept: int
    peak: int


def activations(network: nn.Module, inputs: Tensor, packed: bool = False) -> Activations:
    """Return what a training step with these inputs keeps.

    A copy of the network runs forward in training mode, and what its operations save is counted and let go at
    once: this takes the time of a forward pass, and hardly more memory than an evaluation. Nothing stays behind, in the
    network or in torch's generator of random numbers. Parameters, buffers, the inputs and the loss are not counted,
    and neither is what a function keeps past `save_for_backward`. What is saved depends on the neurons' kernels:
    without a compiler it is more.

    Args:
        network: Maps data (B, ...) to outputs.
        inputs: Data of as many samples as the step has, (B, ...).
        packed: Whether saved tensors are packed (`spikefront.spiking.packing`).
    """
    network = copy.deepcopy(network).train()
    given = [_memory(tensor) for tensor in (inputs, *network.parameters(), *network.buffers())]
    counter = _Counter(packed, {memory.cdata for memory in given})
    hooks = torch.autograd.graph.saved_tensors_hooks(counter.add, _zeros)
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), parametrize.cached(), hooks:
        network(inputs)
    return Activations(counter.kept, counter.peak)


@dataclass
class _Counter:
    """Counts saved tensors; weak references to their memory tell new memory from old, also at the same address."""

    packed: bool
    given: set[int]
    kept: int = 0
    peak: int = 0
    _known: dict[int, StorageWeakRef] = field(default_factory=dict)

    def add(self, tensor: Tensor) -> Tensor:
        """Count a tensor and return what has its shape and no memory."""
        if tensor.layout == torch.strided:
            memory = _memory(tensor)
            if memory.cdata not in self.given:
                self._count(tensor, memory)
        return torch.empty_like(tensor, device="meta")

    def _count(self, tensor: Tensor, memory: StorageWeakRef) -> None:
        size = tensor.untyped_storage().nbytes()
        kept = pack(tensor) if self.packed else tensor
        if isinstance(kept, Packed):
            self.kept += kept.values.nbytes
            self.peak = max(self.peak, self.kept + 3 * size)
        elif self._known.setdefault(memory.cdata, memory) is memory:
            self.kept += size
        self.peak = max(self.peak, self.kept + 2 * size)


def _memory(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())


def _zeros(like: Tensor) -> Tensor:
    """Return something of the right shape for a function that goes back within the forward pass."""
    return torch.zeros_like(like, device="cpu")
