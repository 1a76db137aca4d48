"""The leaky integrate-and-fire neuron with a contextual embedding in its threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, hookimpl
from spikefront.components.neuron import Spike, State, everywhere
from spikefront.components.surrogate import Surrogate
from spikefront.errors import InputError
from spikefront.spiking.compiled import run
from spikefront.spiking.kernel import Kernel
from spikefront.spiking.spike import spike_with

MEAN, DEVIATION = 0.01, 0.01
"""Of the table's initial values."""

HEIGHT, LONGEST, SPAN = 0.1, 0.1, 100.0
"""Of the rhythms: amplitude; time step of the first neuron; how many times smaller that of the last one is."""


class ContextualLIF(NeuronModel):
    """A neuron whose threshold is driven by its own potential, times an embedding E that depends on neuron and time.

        A_t = A_{t-1} + v_{t-1} E_t - beta (A_{t-1} - v_threshold)
        v_t = decay v_{t-1} (1 - s_{t-1}) + x_t
        s_t = 1 where v_t > A_t, else 0

        E_t of neuron i    trained, for each t                                       variant "table"
                           0.1 cos(f_i d_i t), d_i = 0.1 / 100^(i/N), f_i trained    variant "rhythmic"
                           0, so that the threshold stays                            variant "none"

    t counts from 0; before it v = 0, s = 0, A = v_threshold. Input: not scaled. Decay: by `decay` a step. Comparison:
    `>`; it is 1 - spike(A - v), which has the same derivative, as surrogates are even. Reset: to zero, in the step
    after the spike; the threshold sees the potential that was not reset. Recorded potential: v_t, before the reset. The
    table fixes the longest sequence; rhythms do not. A layer uses the first rows of the table that it shares; neurons
    of images count in the order of their values. All samples of a batch are at the same t.

    Source: Chen et al., "Unleashing the Potential of Spiking Neural Networks for Sequential Modeling with Contextual
    Embedding", arXiv 2308.15150; equations and initial values as in the first author's later code, TE-SNN, where f
    starts at 2 pi (0.99 to 1.99), the table at 0.01 +- 0.01, nothing is detached, and the surrogate is 1 within 0.2 of
    the threshold: "rectangle" with alpha = 2.5.
    """

    name = "ce-lif"

    variant: Literal["table", "rhythmic", "none"] = Field("table", description="what the embedding is")
    scope: Literal["network", "layer"] = Field(
        "network", description="whose embedding it is: all layers', or each its own"
    )
    v_threshold: float = Field(0.3, gt=0, description="threshold at rest")
    decay: float = Field(0.5, ge=0, le=1, description="share of the potential that is left after a step")
    beta: float = Field(0.02, ge=0, le=1, description="rate at which the threshold returns to rest")
    detach_reset: bool = Field(False, description="keep the reset out of the gradient")

    def trained(self, shape: tuple[int, ...], steps: int, generator: torch.Generator) -> dict[str, Tensor]:
        neurons = math.prod(shape)
        if self.variant == "table":
            return {"embedding": MEAN + DEVIATION * torch.randn(neurons, steps, generator=generator)}
        if self.variant == "rhythmic":
            return {"frequency": 2 * math.pi * (0.99 + torch.rand(neurons, generator=generator))}
        return {}

    def shared(self) -> frozenset[str]:
        names = {"table": {"embedding"}, "rhythmic": {"frequency"}, "none": set[str]()}
        return frozenset(names[self.variant] if self.scope == "network" else ())

    def initial_state(self, x: Tensor) -> State:
        return everywhere(0, x), everywhere(self.v_threshold, x), everywhere(0, x), everywhere(0, x)

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        *membrane, time = state
        t = _number(time)
        (embedding,) = self._embedding(t, t + 1, trained, x)
        s, state = self._advance(x, embedding, tuple(membrane), spike)
        return s, (*state, everywhere(t + 1, x))

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        def plain(x: Tensor, state: State, embedding: Tensor) -> tuple[Tensor, State]:
            spikes, spike = [], spike_with(surrogate)
            for current, driven in zip(x.unbind(), embedding.unbind(), strict=True):
                s, state = self._advance(current, driven, state, spike)
                spikes.append(s)
            return torch.stack(spikes), state

        *membrane, time = state
        begin = _number(time)
        end = begin + len(x)
        embedding = self._embedding(begin, end, trained, x[0]).unsqueeze(1).expand(x.shape)
        spikes, state = run(self._kernel(), x, tuple(membrane), surrogate, plain, inputs=(embedding,))
        return spikes, (*state, everywhere(end, x[0]))

    def _kernel(self) -> Kernel:
        return Kernel(
            states=("v", "level", "fired"),
            step="""level = level + v * embedding - beta * (level - v_threshold);
                v = decay * v * (1 - fired) + x;
                const real z = level - v;
                s = z >= 0 ? 0 : 1;
                fired = s;""",
            kept=("v", "fired", "z"),
            adjoint=f"""const real d_z = surrogate(z) * (d_s + d_fired);
                d_x = d_v + d_z;
                d_level = d_level - d_z;
                d_embedding = d_level * v;
                d_fired = {"0" if self.detach_reset else "-d_x * decay * v"};
                d_v = d_x * decay * (1 - fired) + d_level * embedding;
                d_level = d_level * (1 - beta);""",
            values={"v_threshold": self.v_threshold, "decay": self.decay, "beta": self.beta},
            inputs=("embedding",),
        )

    def _advance(self, x: Tensor, embedding: Tensor, state: State, spike: Spike) -> tuple[Tensor, State]:
        v, threshold, s = state
        threshold = threshold + v * embedding - self.beta * (threshold - self.v_threshold)
        r = s.detach() if self.detach_reset else s
        v = self.decay * v * (1 - r) + x
        s = 1 - spike(threshold - v)
        return s, (v, threshold, s)

    def _embedding(self, begin: int, end: int, trained: Mapping[str, Tensor], like: Tensor) -> Tensor:
        """Return E of the steps from `begin` to `end` (T, ...), for the neurons of currents (B, ...)."""
        if self.variant == "none":
            return like.new_zeros(()).expand(end - begin, *like.shape[1:])
        neurons = like.shape[1:].numel()
        rows = self._rhythms if self.variant == "rhythmic" else self._entries
        return rows(neurons, begin, end, trained).to(like.dtype).reshape(-1, *like.shape[1:])

    def _entries(self, neurons: int, begin: int, end: int, trained: Mapping[str, Tensor]) -> Tensor:
        table = trained["embedding"]
        if end > table.shape[1]:
            raise InputError(
                f"neuron 'ce-lif': a sequence of {end} steps, and its table was made for {table.shape[1]}",
                "Build it for more steps, coder.steps, or use variant 'rhythmic'.",
            )
        return table[:neurons, begin:end].t()

    def _rhythms(self, neurons: int, begin: int, end: int, trained: Mapping[str, Tensor]) -> Tensor:
        frequency = trained["frequency"]
        place = torch.arange(neurons).to(frequency) / len(frequency)
        angle = torch.outer(torch.arange(begin, end).to(frequency), frequency[:neurons] * LONGEST / SPAN**place)
        return HEIGHT * angle.cos()


def _number(time: Tensor) -> int:
    """Return the step that a state, the same everywhere, stands at; an empty one might be anywhere."""
    return int(time[(0,) * time.dim()]) if time.numel() else 0


@hookimpl
def spikefront_neurons() -> list[type[NeuronModel]]:
    """Return this module's neuron."""
    return [ContextualLIF]
