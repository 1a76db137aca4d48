"""A neuron's step and its derivatives for the compiled kernels, and the C source that they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from spikefront.components.surrogate import Scalar

TEMPLATE = Template((Path(__file__).parent / "kernel.c").read_text())

REALS = {
    "float": "enum { SHIFT = 23, BIAS = 127, TERMS = 7 };\ntypedef int32_t whole;\n#define LOWEST ((real)-87)",
    "double": "enum { SHIFT = 52, BIAS = 1023, TERMS = 13 };\ntypedef int64_t whole;\n#define LOWEST ((real)-708)",
}


CONSTANT = (
    "const real {0} = setting->constants[2 * {1}], inverse_{0} = setting->constants[2 * {1} + 1];"
    "(void){0}, (void)inverse_{0};"
)
BEGIN = (
    "const real *const {0}_start = setting->stride[{1}] ? setting->start[{1}] + from : setting->repeated[{1}];"
    "for (int64_t lane = 0; lane < n; lane++) {0}_at[lane] = {0}_start[lane];"
)
END = "for (int64_t lane = 0; lane < n; lane++) end[{1}][from + lane] = {0}_at[lane];"
D_BEGIN = (
    "const real *const d_{0}_end = d_end[{1}] ? d_end[{1}] + from : zeros;"
    "for (int64_t lane = 0; lane < n; lane++) d_{0}_at[lane] = d_{0}_end[lane];"
)
D_END = "if (d_start[{1}]) for (int64_t lane = 0; lane < n; lane++) d_start[{1}][from + lane] = d_{0}_at[lane];"


@dataclass(frozen=True)
class Kernel:
    """One neuron's step in C, and the step's derivatives, for a single element.

    The text sees every name below as a `real` (float or double); T, N, t, n and lane are taken. `step` does the
    operations of the neuron's `step` in their order, so that the spikes are the same bits. Constants with a fraction
    belong into `values`: as a literal they would turn float into double. For each value and trained k there is also
    `inverse_k` = 1 / k. `surrogate(z)`, `magnitude(z)`, `square(z)`, `larger(a, b)` and `exponential(z)` are
    there.

    Attributes:
        states: Names of the state, in its order.
        step: Reads `x`, the inputs and the states; sets `s` and the states after the step; may declare names of its
            own.
        kept: Names in `step` that `adjoint` reads; a state here is the one before the step.
        adjoint: Reads `x`, the inputs, what is kept, `d_s` and, for each state v, `d_v`, the gradient after the step;
            sets `d_x`, `d_e` for each input e and each `d_v` before the step, and adds to `d_k` for each trained k.
        values: Parameters; another value is not another kernel.
        trained: Names of tensors with one element that gradients train.
        inputs: Names of what enters each step beside the current, with a value for each step and element.
    """

    states: tuple[str, ...]
    step: str
    kept: tuple[str, ...]
    adjoint: str
    values: Mapping[str, float]
    trained: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


def source(kernel: Kernel, surrogate: Scalar, real: str) -> str:
    """Return the C source of a kernel with a surrogate, for "float" or "double"."""
    names = (*kernel.values, *kernel.trained)
    return _source(
        kernel.states, kernel.step, kernel.kept, kernel.adjoint, names, kernel.trained, kernel.inputs,
        surrogate.expression, tuple(surrogate.values), real,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _source(
    states: tuple[str, ...],
    step: str,
    kept: tuple[str, ...],
    adjoint: str,
    names: tuple[str, ...],
    trained: tuple[str, ...],
    inputs: tuple[str, ...],
    expression: str,
    shape: tuple[str, ...],
    real: str,
) -> str:
    locals_of = [name for name in kept if name not in states]
    constants = [*names, *(f"surrogate_{name}" for name in shape)]
    return TEMPLATE.substitute(
        real=real,
        machine=REALS[real],
        derivative=expression,
        shape="".join(f", const real {name}" for name in shape),
        passed="".join(f", surrogate_{name}" for name in shape),
        constants=_each(CONSTANT, constants),
        memory=_each("real {0}_at[BLOCK] ALIGNED;", states),
        begin=_each(BEGIN, states),
        load=_each("real {0} = {0}_at[lane];", states),
        store=_each("{0}_at[lane] = {0};", states),
        end=_each(END, states),
        keeping=len(kept),
        count=len(constants),
        states=len(states),
        rows=_each("real *restrict {0}_row = kept + ({1} * T + t) * BLOCK;", kept),
        keep_before=_each("{0}_row[lane] = {0};", [name for name in kept if name in states]),
        keep_after=_each("{0}_row[lane] = {0};", locals_of),
        kept=_each("const real {0} = {0}_row[lane]; (void){0};", kept),
        step=step,
        adjoint=adjoint,
        d_memory=_each("real d_{0}_at[BLOCK] ALIGNED;", states),
        d_begin=_each(D_BEGIN, states),
        d_load=_each("real d_{0} = d_{0}_at[lane];", states),
        d_store=_each("d_{0}_at[lane] = d_{0};", states),
        d_end=_each(D_END, states),
        input_rows=_each("const real *const {0}_in = inputs[{1}] + t * N + from;", inputs),
        inputs=_each("const real {0} = {0}_in[lane]; (void){0};", inputs),
        d_input_rows=_each("real *const d_{0}_out = d_inputs[{1}] + t * N + from;", inputs),
        d_inputs=_each("real d_{0};", inputs),
        d_input_store=_each("d_{0}_out[lane] = d_{0};", inputs),
        sums=_each("double d_{0} = 0;", trained),
        reduction="".join(f" reduction(+:d_{name})" for name in trained),
        totals=_each("sums[{1} * ((N + BLOCK - 1) / BLOCK) + from / BLOCK] = d_{0};", trained),
    )


def _each(line: str, names: list[str] | tuple[str, ...]) -> str:
    return " ".join(line.format(name, number) for number, name in enumerate(names))
