"""Whole sequences of neurons by compiled kernels, and the choice between them and plain torch."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikefront.components.surrogate import Scalar, Surrogate
from spikefront.errors import InputError, SpikefrontError, did_you_mean
from spikefront.spiking.compiler import load
from spikefront.spiking.kernel import Kernel, source

States = tuple[Tensor, ...]
Plain = Callable[[Tensor, States], tuple[Tensor, States]]
"""Currents (T, B, ...) and the state before them to spikes and the state after them, in plain torch."""

VARIABLE = "SPIKEFRONT_KERNELS"
REALS = {torch.float32: "float", torch.float64: "double"}
LEAST = 1 << 15
"""Elements below which a second thread costs more than it brings."""

_checked: dict[str, _Library | None] = {}


def run(
    kernel: Kernel,
    x: Tensor,
    state: States,
    surrogate: Surrogate,
    plain: Plain,
    trained: Mapping[str, Tensor] | None = None,
) -> tuple[Tensor, States]:
    """Run a sequence by the compiled kernel where there is one that equals `plain`, else by `plain`.

    The environment variable SPIKEFRONT_KERNELS decides: "auto" (the default) as above; "eager" never compiles;
    "compiled" raises an error where no kernel can be had for tensors that kernels are for.

    Args:
        kernel: The neuron's step in C.
        x: Currents (T, B, ...), T >= 1.
        state: State before the first step.
        surrogate: Derivative of the spike.
        plain: The same sequence in plain torch.
        trained: The kernel's trained tensors, each with one element.

    Returns:
        Spikes (T, B, ...) and the state after the last step.

    Raises:
        InputError: SPIKEFRONT_KERNELS has another value.
        SpikefrontError: It is "compiled", and there is no compiler or the kernel is not right.
    """
    tensors = tuple(trained.values()) if trained else ()
    mode = _mode()
    if mode == "eager" or not _suitable(x, state, tensors):
        return plain(x, state)
    scalar = surrogate.scalar()
    if scalar is None:
        return plain(x, state)
    call = _checked_call(kernel, scalar, x.dtype, plain, tensors)
    if call is not None:
        return _run(call, x, state, tensors)
    if mode == "compiled":
        raise SpikefrontError(
            f"{VARIABLE} is 'compiled', but this neuron's kernel cannot be compiled, or does not equal plain torch",
            "Install a C compiler (cc, gcc or clang), or name it in CC; or leave the variable out.",
        )
    return plain(x, state)


def _mode() -> str:
    mode = os.environ.get(VARIABLE, "auto")
    if mode not in {"auto", "eager", "compiled"}:
        raise InputError(f"{VARIABLE} is '{mode}'", did_you_mean(mode, ("auto", "eager", "compiled")))
    return mode


def _suitable(x: Tensor, state: States, trained: tuple[Tensor, ...]) -> bool:
    """Tell whether a kernel may read the memory of these tensors."""
    dtype, shape = x.dtype, x.shape[1:]
    if dtype not in REALS or torch.compiler.is_compiling() or not _readable(x):
        return False
    for start in state:
        if start.dtype != dtype or start.shape != shape or not _readable(start):
            return False
    return all(tensor.numel() == 1 and _readable(tensor) for tensor in trained)


def _readable(tensor: Tensor) -> bool:
    return type(tensor) in _KNOWN and tensor.is_cpu


_KNOWN = frozenset({Tensor, torch.nn.Parameter})


@dataclass(frozen=True)
class _Library:
    """A loaded kernel.

    Attributes:
        forward: See kernel.c.
        backward: See kernel.c.
        block: Elements of a block.
    """

    forward: Callable[..., int]
    backward: Callable[..., int]
    block: int


def _checked_call(
    kernel: Kernel, scalar: Scalar, dtype: torch.dtype, plain: Plain, trained: tuple[Tensor, ...]
) -> _Call | None:
    """Return a call of the kernel's library once it has equalled `plain` in this process."""
    text = source(kernel, scalar, REALS[dtype])
    if text not in _checked:
        loaded = load(text)
        call = loaded and _Call.of(_typed(loaded), kernel, scalar)
        _checked[text] = call.library if call and _equal(call, dtype, plain, trained) else None
    library = _checked[text]
    return None if library is None else _Call.of(library, kernel, scalar)


def _typed(library: ctypes.CDLL) -> _Library:
    forward, backward, block = library.forward, library.backward, library.block_size
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    forward.argtypes = [whole, whole, ctypes.c_int, *[pointer] * 6]
    backward.argtypes = [whole, whole, ctypes.c_int, *[pointer] * 9]
    block.restype = whole
    return _Library(forward, backward, block())


@torch.enable_grad()
def _equal(call: _Call, dtype: torch.dtype, plain: Plain, trained: tuple[Tensor, ...]) -> bool:
    """Try a kernel on a small sequence: the same spikes and states, gradients to 1e-4."""
    x = torch.linspace(0, 400, 5 * 37, dtype=dtype).sin_().mul_(2).reshape(5, 1, 37).requires_grad_()
    state = tuple(0.3 * x[0].detach() for _ in range(call.states))
    trained = tuple(tensor.detach() for tensor in trained)
    results = []
    with torch.autograd.graph.saved_tensors_hooks(_itself, _itself):  # who packs or counts saved tensors is not meant
        for spikes, end in (_run(call, x, state, trained), plain(x, state)):
            (gradient,) = torch.autograd.grad((spikes * x.detach()).sum() + sum(last.sum() for last in end), x)
            results.append((gradient, (spikes, *end)))
    (ours, found), (theirs, expected) = results
    same = all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    return same and bool((ours - theirs).norm() <= 1e-4 * theirs.norm())


def _itself(tensor: Tensor) -> Tensor:
    return tensor


@dataclass(frozen=True)
class _Call:
    """What a call needs besides tensors.

    Attributes:
        library: The kernel.
        numbers: Parameters of the neuron, a place for each trained number, numbers of the surrogate.
        parameters: Number of parameters.
        states: Number of states.
    """

    library: _Library
    numbers: ctypes.Array[ctypes.c_double]
    parameters: int
    states: int

    @classmethod
    def of(cls, library: _Library, kernel: Kernel, scalar: Scalar) -> _Call:
        values = (*kernel.values.values(), *(0.0 for _ in kernel.trained), *scalar.values.values())
        return cls(library, (ctypes.c_double * len(values))(*values), len(kernel.values), len(kernel.states))


def _run(call: _Call, x: Tensor, state: States, trained: tuple[Tensor, ...]) -> tuple[Tensor, States]:
    spikes, *end = _Compiled.apply(call, x, *state, *trained)  # type: ignore[no-untyped-call]
    return spikes, tuple(end)


class _Compiled(torch.autograd.Function):
    """Keeps its inputs; the backward pass runs the steps again, block by block, in the cache."""

    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        x, first = _dense(x), x[0]
        state = tuple(start if _repeated(start) else _like(start, first) for start in others[: call.states])
        trained = others[call.states :]
        spikes, end = torch.empty_like(x), tuple(torch.empty_like(first) for _ in state)
        call.library.forward(*_inputs(call, x, state, trained), spikes.data_ptr(), _pointers(end))
        ctx.call = call
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, *state, *trained)
        return spikes, *end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        call: _Call = ctx.call
        x, *others = ctx.saved_tensors
        first = x[0]
        state, trained = tuple(others[: call.states]), tuple(others[call.states :])
        d_spikes = torch.zeros_like(x) if gradients[0] is None else _like(gradients[0], x)
        d_end = tuple(None if gradient is None else _like(gradient, first) for gradient in gradients[1:])
        d_x = torch.empty_like(x)
        d_start = tuple(
            torch.empty_like(first) if needed else None for needed in ctx.needs_input_grad[2:][: len(state)]
        )
        sums = _sums(call, first, trained)
        at = None if sums is None else sums.data_ptr()
        outputs = (d_spikes.data_ptr(), _pointers(d_end), d_x.data_ptr(), _pointers(d_start), at)
        if call.library.backward(*_inputs(call, x, state, trained), *outputs):
            raise MemoryError("no memory for the backward pass of a neuron")
        if sums is None:
            return None, d_x, *d_start
        d_trained = [total.to(tensor).reshape(tensor.shape) for total, tensor in zip(sums.sum(1), trained, strict=True)]
        return None, d_x, *d_start, *d_trained


def _sums(call: _Call, first: Tensor, trained: tuple[Tensor, ...]) -> Tensor | None:
    """Return memory for the gradients of trained numbers, block by block; nothing where none are trained."""
    if not trained:
        return None
    return torch.empty(len(trained), -(-first.numel() // call.library.block), dtype=torch.float64)


def _dense(x: Tensor) -> Tensor:
    """Return x with time outermost and every step dense, in whatever order; a copy only where it has to be."""
    if x.is_contiguous():
        return x
    dense = torch.empty_like(x, device="meta").stride() == x.stride()
    return x if dense and (len(x) == 1 or x.stride(0) == x[0].numel()) else x.contiguous()


def _like(tensor: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the memory layout of another one."""
    return tensor if tensor.stride() == other.stride() else torch.empty_like(other).copy_(tensor)


def _repeated(tensor: Tensor) -> bool:
    """Tell whether a tensor is one value everywhere, as an initial state is."""
    return not any(tensor.stride())


def _inputs(call: _Call, x: Tensor, state: States, trained: tuple[Tensor, ...]) -> tuple[Any, ...]:
    for place, tensor in enumerate(trained, call.parameters):
        call.numbers[place] = tensor.item()
    steps, size = len(x), x.numel()
    return (
        steps,
        size // steps,
        torch.get_num_threads() if size >= LEAST else 1,
        call.numbers,
        x.data_ptr(),
        _pointers(state),
        (ctypes.c_int64 * len(state))(*[int(not _repeated(start)) for start in state]),
    )


def _pointers(tensors: tuple[Tensor | None, ...]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*[None if tensor is None else tensor.data_ptr() for tensor in tensors])
