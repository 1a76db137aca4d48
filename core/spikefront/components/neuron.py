"""Contract of neuron models: currents (T, B, ...) in, spikes (T, B, ...) and the final state out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from spikefront.components.base import Component
from spikefront.components.surrogate import Surrogate
from spikefront.errors import PluginError
from spikefront.spiking.spike import spike_with

State = tuple[Tensor, ...]
"""What a neuron carries from step to step: tensors of the shape (B, ...) of its currents."""

Spike = Callable[[Tensor], Tensor]
"""Maps potential minus threshold to 0 or 1 (`>=` fires), with a surrogate's gradient."""


def everywhere(value: float, x: Tensor) -> Tensor:
    """Return a tensor shaped like `x` that holds one value and takes no memory; it is not to be written to."""
    return x.new_full((), value).expand(x.shape)


class NeuronModel(Component, ABC):
    """How a neuron turns currents into spikes.

    A model is written as one pure step in plain torch, with its difference equation in the docstring. The
    docstring also says how the input is scaled, what decays, which comparison fires, the kind and time of
    the reset, and which potential is recorded. A faster `sequence` may replace the loop over steps; its
    spikes must equal the loop's bit for bit and its gradients to 1e-5. `spikefront.spiking.compiled.run` is one way:
    it takes the step and its derivatives in C.
    """

    kind: ClassVar[str] = "neuron"

    @abstractmethod
    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        """Advance one time step.

        Args:
            x: Input current (B, ...).
            state: What the step before returned, or `initial_state`.
            trained: The tensors of `trained`, as they are by now.
            spike: The firing function; call it with potential minus threshold.

        Returns:
            Spikes (B, ...) of 0 and 1 (or whole numbers, for bursts), and the next state. The first entry
            of the state is the membrane potential.
        """

    def trained(self, shape: tuple[int, ...], steps: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the initial values of the parameters that gradients train; none by default.

        Args:
            shape: Shape of one sample's currents, without time and batch: (N,) or (C, H, W).
            steps: The largest number of time steps T that the network will run for.
            generator: Source of initial values that are drawn.
        """
        return {}

    def shared(self) -> frozenset[str]:
        """Return which of the `trained` tensors all layers of this model in a network share; none by default.

        The tensor of the layer where it is largest serves all of them, so `step` has to take from it what it needs.
        """
        return frozenset()

    def initial_state(self, x: Tensor) -> State:
        """Return the state before the first step, for currents shaped like `x` (B, ...).

        By default one tensor of zeros, the potential; a model whose state has more entries has to say what they are.
        """
        return (everywhere(0, x),)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        """Run the whole sequence in one call: `x` (T, B, ...) to spikes (T, B, ...) and the final state.

        Args:
            x: Input currents (T, B, ...).
            state: State before the first step.
            trained: The tensors of `trained`, as they are by now.
            surrogate: Derivative of the spike.
            generator: Source of noise, for models that draw.
        """
        return self.reference(x, state, trained, surrogate)

    def reference(
        self, x: Tensor, state: State, trained: Mapping[str, Tensor], surrogate: Surrogate
    ) -> tuple[Tensor, State]:
        """Loop over `step`: what every `sequence` has to equal, unless it draws noise."""
        return self.loop(x, state, trained, spike_with(surrogate))

    def loop(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        """Take one `step` after the other, with any firing function: one that draws its spikes, for example."""
        spikes = []
        for current in x.unbind(0):
            fired, state = self.step(current, state, trained, spike)
            if not isinstance(state, tuple):
                message = f"neuron '{self.name}': the state that `step` returned is a {type(state).__name__}"
                raise PluginError(message, "Return (spikes, state), and the state as a tuple of tensors: (s, (v,)).")
            spikes.append(fired)
        return torch.stack(spikes), state


class ThresholdNeuron(NeuronModel, ABC):
    """Parameters and reset of the neurons that fire where a potential reaches a threshold.

    With h the potential before the reset: s = 1 where h >= v_threshold, else 0; the reset is in the same
    step, v = h (1 - s) (hard) or v = h - v_threshold s (soft).
    """

    v_threshold: float = Field(1.0, gt=0, description="potential at which the neuron fires")
    reset: Literal["hard", "soft"] = Field("hard", description="to zero, or by subtraction of the threshold")
    detach_reset: bool = Field(True, description="keep the reset out of the gradient")

    def fire(self, h: Tensor, spike: Spike, threshold: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the spikes and the potential after the reset.

        Args:
            h: Potential before the reset.
            spike: The firing function.
            threshold: What to compare with where it is not `v_threshold`: a threshold that moves.
        """
        level = self.v_threshold if threshold is None else threshold
        s = spike(h - level)
        r = s.detach() if self.detach_reset else s
        return s, h * (1 - r) if self.reset == "hard" else h - level * r
