"""Neuron models as nodes of NIR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from torch import Tensor

from spikefront.components import NeuronModel, ThresholdNeuron
from spikefront_plugins.neurons.cuba_lif import CurrentBasedLIF
from spikefront_plugins.neurons.integrate_and_fire import IntegrateAndFire
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.neurons.plif import ParametricLIF

Grade = Literal["faithful", "approximate", "unsupported"]

_SOFT = (
    "NIR resets to a value only: a reader sets the potential to 0, where Spikefront subtracts the threshold and keeps "
    "what is above it"
)


def neuron_node(
    model: NeuronModel, trained: Mapping[str, Tensor], shape: tuple[int, ...], dt: float
) -> tuple[Any, Grade, str]:
    """Return the node of a layer of neurons (None where there is none), how well it stands for it, and why.

    Each parameter is a float32 array of one value.

    Args:
        model: The neuron model.
        trained: Its trained tensors.
        shape: Shape of one sample's currents.
        dt: Length of a time step in the graph's unit of time.
    """
    import nir

    if not isinstance(model, ThresholdNeuron):
        return None, "unsupported", _no_node(model)
    values: dict[str, float] = {"v_threshold": model.v_threshold, "v_reset": 0.0}
    make: Any
    if type(model) is IntegrateAndFire:
        make, why = nir.IF, "the same equation, with R = 1 / dt"
        values |= {"r": 1 / dt}
    elif type(model) is LIF or type(model) is ParametricLIF:
        tau = model.tau if type(model) is LIF else 1 / float(trained["w"].detach().sigmoid())
        make, why = nir.LIF, f"the same equation, with R = {'1' if model.decay_input else 'tau / dt'}"
        why += "" if type(model) is LIF else "; tau = 1 / k is rounded once more, as Spikefront multiplies by k"
        values |= {"tau": tau * dt, "r": 1 if model.decay_input else tau, "v_leak": 0}
    elif type(model) is CurrentBasedLIF:
        make, why = nir.CubaLIF, "the same equations; a step advances the current, and with the new one the potential"
        values |= {"tau_mem": model.tau * dt, "tau_syn": model.tau_synapse * dt, "v_leak": 0}
        values |= {"r": 1 if model.decay_input else model.tau, "w_in": model.tau_synapse}
    else:
        return None, "unsupported", _no_node(model)
    node = make(**{name: np.full(shape, value, np.float32) for name, value in values.items()})
    return (node, "approximate", _SOFT) if model.reset == "soft" else (node, "faithful", why)


def _no_node(model: NeuronModel) -> str:
    return f"NIR has no node for neuron '{model.name}'; there are nodes for if, lif, plif and cuba-lif"
