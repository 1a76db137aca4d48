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
Plain = Callable[..., tuple[Tensor, States]]
"""Currents (T, B, ...), the state before them and further inputs to spikes and the state after them, in plain torch."""

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
    inputs: States = (),
) -> tuple[Tensor, States]:
    """Run a sequence by the compiled kernel where there is one that equals `plain`, else by `plain`.

    The environment variable SPIKEFRONT_KERNELS decides: "auto" (the default) as above; "eager" never compiles;
    "compiled" raises an error where no kernel can be had for tensors that kernels are for.

    Args:
        kernel: The neuron's step in C.
        x: Currents (T, B, ...), T >= 1.
        state: State before the first step.
        surrogate: Derivative of the spike.
        plain: The same sequence in plain torch, called with `x`, `state`, and each of `inputs`.
        trained: The kernel's trained tensors, each with one element.
        inputs: The kernel's inputs, each of the shape of `x`; expanded ones are made whole here.

    Returns:
        Spikes (T, B, ...) and the state after the last step.

    Raises:
        InputError: SPIKEFRONT_KERNELS has another value.
        SpikefrontError: It is "compiled", and there is no compiler or the kernel is not right.
    """
    tensors = tuple(trained.values()) if trained else ()
    mode = _mode()
    if mode == "eager" or not _suitable(x, state, inputs, tensors):
        return plain(x, state, *inputs)
    scalar = surrogate.scalar()
    if scalar is None:
        return plain(x, state, *inputs)
    call = _checked_call(kernel, scalar, x.dtype, plain, tensors)
    if call is not None:
        return _run(call, x, state, inputs, tensors)
    if mode == "compiled":
        raise SpikefrontError(
            f"{VARIABLE} is 'compiled', but this neuron's kernel cannot be compiled, or does not equal plain torch",
            "Install a C compiler (cc, gcc or clang), or name it in CC; or leave the variable out.",
        )
    return plain(x, state, *inputs)


def _mode() -> str:
    mode = os.environ.get(VARIABLE, "auto")
    if mode not in {"auto", "eager", "compiled"}:
        raise InputError(f"{VARIABLE} is '{mode}'", did_you_mean(mode, ("auto", "eager", "compiled")))
    return mode


def _suitable(x: Tensor, state: States, inputs: States, trained: tuple[Tensor, ...]) -> bool:
    """Tell whether a kernel may read the memory of these tensors."""
    dtype = x.dtype
    if dtype not in REALS or torch.compiler.is_compiling() or not _readable(x):
        return False
    for tensors, shape in ((state, x.shape[1:]), (inputs, x.shape)):
        for tensor in tensors:
            if tensor.dtype != dtype or tensor.shape != shape or not _readable(tensor):
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
    forward.argtypes = [whole, whole, ctypes.c_int, *[pointer] * 7]
    backward.argtypes = [whole, whole, ctypes.c_int, *[pointer] * 11]
    block.restype = whole
    return _Library(forward, backward, block())


@torch.enable_grad()
def _equal(call: _Call, dtype: torch.dtype, plain: Plain, trained: tuple[Tensor, ...]) -> bool:
    """Try a kernel on a small sequence: the same spikes and states, gradients to 1e-4."""
    x = torch.linspace(0, 400, 5 * 37, dtype=dtype).sin_().mul_(2).reshape(5, 1, 37).requires_grad_()
    state = tuple(0.3 * x[0].detach() for _ in range(call.states))
    inputs = tuple((0.1 * x.detach().roll(n + 1)).requires_grad_() for n in range(call.inputs))
    trained = tuple(tensor.detach() for tensor in trained)
    results = []
    with torch.autograd.graph.saved_tensors_hooks(_itself, _itself):  # who packs or counts saved tensors is not meant
        for spikes, end in (_run(call, x, state, inputs, trained), plain(x, state, *inputs)):
            total = (spikes * x.detach()).sum() + sum(last.sum() for last in end)
            results.append((torch.autograd.grad(total, (x, *inputs)), (spikes, *end)))
    (ours, found), (theirs, expected) = results
    same = all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    return same and all(bool((a - b).norm() <= 1e-4 * b.norm()) for a, b in zip(ours, theirs, strict=True))


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
        inputs: Number of inputs beside the current.
    """

    library: _Library
    numbers: ctypes.Array[ctypes.c_double]
    parameters: int
    states: int
    inputs: int

    @classmethod
    def of(cls, library: _Library, kernel: Kernel, scalar: Scalar) -> _Call:
        values = (*kernel.values.values(), *(0.0 for _ in kernel.trained), *scalar.values.values())
        numbers = (ctypes.c_double * len(values))(*values)
        return cls(library, numbers, len(kernel.values), len(kernel.states), len(kernel.inputs))

    def split(self, tensors: States) -> tuple[States, States, States]:
        """Return the states, inputs and trained numbers among the tensors behind the current."""
        first = self.states + self.inputs
        return tensors[: self.states], tensors[self.states : first], tensors[first:]


def _run(call: _Call, x: Tensor, state: States, inputs: States, trained: States) -> tuple[Tensor, States]:
    spikes, *end = _Compiled.apply(call, x, *state, *inputs, *trained)  # type: ignore[no-untyped-call]
    return spikes, tuple(end)


class _Compiled(torch.autograd.Function):
    """Keeps its inputs; the backward pass runs the steps again, block by block, in the cache."""

    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        x, first = _dense(x), x[0]
        state, inputs, trained = call.split(others)
        state = tuple(start if _repeated(start) else _like(start, first) for start in state)
        whole = tuple(_like(entry, x) for entry in inputs)
        spikes, end = torch.empty_like(x), tuple(torch.empty_like(first) for _ in state)
        call.library.forward(*_arguments(call, x, state, whole, trained), spikes.data_ptr(), _pointers(end))
        ctx.call = call
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, *state, *inputs, *trained)
        return spikes, *end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        call: _Call = ctx.call
        x, *others = ctx.saved_tensors
        first = x[0]
        state, inputs, trained = call.split(tuple(others))
        inputs = tuple(_like(entry, x) for entry in inputs)
        d_spikes = torch.zeros_like(x) if gradients[0] is None else _like(gradients[0], x)
        d_end = tuple(None if gradient is None else _like(gradient, first) for gradient in gradients[1:])
        d_x, d_inputs = torch.empty_like(x), tuple(torch.empty_like(x) for _ in inputs)
        d_start = tuple(
            torch.empty_like(first) if needed else None for needed in ctx.needs_input_grad[2:][: len(state)]
        )
        sums = _sums(call, first, trained)
        at = None if sums is None else sums.data_ptr()
        outputs = (d_spikes.data_ptr(), _pointers(d_end), d_x.data_ptr(), _pointers(d_inputs), _pointers(d_start), at)
        if call.library.backward(*_arguments(call, x, state, inputs, trained), *outputs):
            raise MemoryError("no memory for the backward pass of a neuron")
        if sums is None:
            return None, d_x, *d_start, *d_inputs
        d_trained = [total.to(tensor).reshape(tensor.shape) for total, tensor in zip(sums.sum(1), trained, strict=True)]
        return None, d_x, *d_start, *d_inputs, *d_trained


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


def _arguments(call: _Call, x: Tensor, state: States, inputs: States, trained: States) -> tuple[Any, ...]:
    for place, tensor in enumerate(trained, call.parameters):
        call.numbers[place] = tensor.item()
    steps, size = len(x), x.numel()
    return (
        steps,
        size // steps,
        torch.get_num_threads() if size >= LEAST else 1,
        call.numbers,
        x.data_ptr(),
        _pointers(inputs),
        _pointers(state),
        (ctypes.c_int64 * len(state))(*[int(not _repeated(start)) for start in state]),
    )


def _pointers(tensors: tuple[Tensor | None, ...]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*[None if tensor is None else tensor.data_ptr() for tensor in tensors])
