"""Tensors that the backward pass needs, kept in less memory: spikes as bits, small whole numbers in two bytes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LEAST = 1 << 12
"""Elements below which a tensor is not worth packing."""

CHUNK = 1 << 16
"""Elements that are looked at together: few enough for the cache, and to give up early."""

ONES = {
    torch.float64: (torch.int64, 0x3FF0000000000000),
    torch.float32: (torch.int32, 0x3F800000),
    torch.bfloat16: (torch.int16, 0x3F80),
    torch.float16: (torch.int16, 0x3C00),
}
"""Whole numbers as wide as a type of real numbers, and its 1 read as one of them; its 0 is 0, its -0 is not."""


@dataclass(frozen=True)
class Packed:
    """A tensor in less memory.

    Attributes:
        values: Eight elements of 0 and 1 to a byte (uint8), or elements as they are (int16), in the order of memory.
        like: Type, shape and strides of the tensor, without memory.
    """

    values: npt.NDArray[Any]
    like: Tensor


def pack(tensor: Tensor) -> Tensor | Packed:
    """Return a tensor packed, if it loses nothing by that, or as it is.

    Real numbers that are all 0 or 1 become bits: spikes, also behind max pooling, or from a coder. int64 that fits into
    int16 becomes that: the indices that max pooling keeps. Tensors that are small, not dense, or not on the CPU stay as
    they are.
    """
    known = tensor.dtype in ONES or tensor.dtype == torch.int64
    if not known or tensor.numel() < LEAST or tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return tensor
    like = torch.empty_like(tensor, device="meta")
    if like.stride() != tensor.stride():
        return tensor
    flat = tensor.detach().as_strided((tensor.numel(),), (1,))
    values = _narrowed(flat.numpy()) if tensor.dtype == torch.int64 else _bits(flat)
    return tensor if values is None else Packed(values, like)


def unpack(kept: Tensor | Packed) -> Tensor:
    """Return the tensor that was given to `pack`: the same bits in the same layout."""
    if isinstance(kept, Tensor):
        return kept
    like = kept.like
    if like.dtype == torch.int64:
        flat = torch.from_numpy(kept.values.astype(np.int64))
    else:
        flat = torch.empty(8 * len(kept.values), dtype=like.dtype)
        rows = flat.view(ONES[like.dtype][0]).numpy().reshape(-1, 8)
        for start in range(0, len(rows), CHUNK):  # np.take makes eight bytes of each byte that it looks up
            part = slice(start, start + CHUNK)
            np.take(_table(like.dtype), kept.values[part], axis=0, out=rows[part], mode="clip")
    return flat.as_strided(like.shape, like.stride())


def packed_tensors() -> torch.autograd.graph.saved_tensors_hooks:
    """Return a context: what operations in it save for their backward pass is packed until then."""
    return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


def _bits(flat: Tensor) -> npt.NDArray[np.uint8] | None:
    """Return eight elements to a byte, or None where one is neither 0 nor 1."""
    whole, one = ONES[flat.dtype]
    numbers = flat.view(whole).numpy()
    bits, fired = np.empty(-(-len(numbers) // 8), np.uint8), np.empty(CHUNK, np.bool_)
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        ones = np.equal(part, one, out=fired[: len(part)])
        if np.count_nonzero(part) != np.count_nonzero(ones):
            return None
        bits[start // 8 : (start + CHUNK) // 8] = np.packbits(ones)
    return bits


def _narrowed(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int16] | None:
    """Return the elements as int16, or None where one does not fit."""
    narrow = np.empty(len(numbers), np.int16)
    limits = np.iinfo(np.int16)
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK]
        if part.min() < limits.min or part.max() > limits.max:
            return None
        narrow[start : start + CHUNK] = part
    return narrow


@functools.cache
def _table(dtype: torch.dtype) -> npt.NDArray[Any]:
    """Return the eight elements that each byte stands for (256, 8), as the whole numbers of `ONES`."""
    whole, one = ONES[dtype]
    ones = torch.from_numpy(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1))
    return ones.to(whole).mul_(one).numpy()
