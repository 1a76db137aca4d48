"""The one place that imports torchvision, also where its wheel does not fit a CPU-only torch.

The Linux wheels of torchvision are linked with CUDA and register two operators from a library that a CPU-only torch
cannot load; without their schemas the import fails. Declaring the schemas is enough for data sets, transforms
and models; the operators themselves (`nms`) stay without a kernel.
"""

from __future__ import annotations

import functools
from types import ModuleType

import torch

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def torchvision() -> ModuleType:
    """Return the torchvision package."""
    try:
        import torchvision
    except RuntimeError:  # an operator does not exist
        _declare_missing_operators()
        import torchvision

    return torchvision  # type: ignore[no-any-return]


@functools.cache
def _declare_missing_operators() -> torch.library.Library:
    """Declare what is missing, and keep the library alive through the cache."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}{_NMS}")
    return library
