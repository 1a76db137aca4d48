"""The spike: a step function with a surrogate's gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from spikefront.components.surrogate import Surrogate


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(v)
        ctx.surrogate = surrogate
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (v,) = ctx.saved_tensors
        return gradients[0] * ctx.surrogate.derivative(v), None


def spike(v: Tensor, surrogate: Surrogate) -> Tensor:
    """Return 1 where `v` >= 0 and 0 elsewhere; the gradient is the surrogate's."""
    result: Tensor = _Spike.apply(v, surrogate)  # type: ignore[no-untyped-call]
    return result


def spike_with(surrogate: Surrogate) -> Callable[[Tensor], Tensor]:
    """Return `spike` as a function of the potential alone."""
    return partial(spike, surrogate=surrogate)
