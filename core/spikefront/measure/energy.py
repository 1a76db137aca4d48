"""Energy from counted operations: cost tables, the exact sum over layers, and the usual approximation."""

from __future__ import annotations

from dataclasses import dataclass

from spikefront.measure.recording import Recording


@dataclass(frozen=True)
class Costs:
    """Energy of single operations in pJ.

    Attributes:
        multiply_accumulate: A multiply-accumulate (MAC), for analog inputs.
        accumulate: An accumulate (AC), for spikes.
    """

    multiply_accumulate: float
    accumulate: float


COSTS = {
    "horowitz-45nm": Costs(4.6, 0.9),
    "horowitz-45nm-fp16": Costs(1.5, 0.4),
    "horowitz-45nm-int8": Costs(0.23, 0.03),
}
"""Multiplier plus adder, and adder, at 45 nm (Horowitz, ISSCC 2014, fig. 1.1.9): FP32, FP16, INT8.

Computation only: memory and the movement of data are left out. Energies of different tables cannot be compared.
"""


def energy_by_layer(recording: Recording, costs: Costs, input_once: bool = False) -> dict[str, float]:
    """Return the energy of each weighted layer in pJ per sample, in the order of the network.

    An analog layer costs a multiply-accumulate for every input, zero or not, that meets a weight that is not zero; any
    other layer an accumulate for every spike that does.

    Args:
        recording: The counted operations.
        costs: Cost of an operation.
        input_once: Count an analog first layer for one time step: its input is the same at every step.
    """
    energies = {}
    for number, layer in enumerate(recording.synapses):
        repeats = recording.steps if input_once and number == 0 else 1
        multiplied = costs.multiply_accumulate * (layer.dense - layer.absent) / repeats
        energies[layer.name] = multiplied if layer.analog else costs.accumulate * layer.effective
    return energies


def approximate_energy(recording: Recording, costs: Costs, input_once: bool = False) -> float:
    """Return the field's usual estimate in pJ per sample.

    E = E_MAC FLOPs_1 T_1 + E_AC sum_l r_l T FLOPs_l, with r_l the mean rate of layer l's input and FLOPs_l its
    multiply-accumulates of a step (Yao et al., NeurIPS 2023, "Spike-driven Transformer", among others). It takes
    borders for inner positions and sparse weights for dense ones. Analog layers are counted like the first.

    Args:
        recording: The counted operations.
        costs: Cost of an operation.
        input_once: T_1 = 1 instead of T.
    """
    total = 0.0
    for number, layer in enumerate(recording.synapses):
        steps = 1 if layer.analog and input_once and number == 0 else recording.steps
        cost = costs.multiply_accumulate if layer.analog else costs.accumulate * layer.rate
        total += cost * steps * layer.flops
    return total
