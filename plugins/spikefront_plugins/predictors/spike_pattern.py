"""Spike pattern: how differently the neurons of an untrained network answer to different samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from spikefront import NeuronModel, Predictor, Surrogate, hookimpl
from spikefront.components import Context, Spike, State
from spikefront.components.task import require_supervised
from spikefront.spiking.layers import NeuronLayer, SpikingNetwork, seed_noise

Distance = Literal["sparsity-aware", "hamming"]

_SMALL, _EPSILON = 1e-3, 1e-5


class SpikePattern(Predictor):
    """The sparsity-aware Hamming distance of SNASNet (Kim et al., ECCV 2022, arXiv 2201.10355).

    Over the layers of N neurons and the time steps, with x (B, N) the neurons that fire and r_i = mean_n x_in,

        D_ij = sum_n |x_in - x_jn|
        K_ij = mean of N - D_ij / (2 (N (r_i (1 - r_j) + (1 - r_i) r_j) + 1e-3))

    and the score is ln |det K|, mean over batches and seeds. The bracket is the distance that two independent patterns
    of these rates have on average; `distance = "hamming"` leaves it and the 2 out, K_ij = mean of N - D_ij, as Mellor
    et al. (ICML 2021) do. Our reading of the published code; the paper prints a factor in place of the 2. A layer
    with more neurons weighs more, and the score grows by about ln N where all layers do. In a batch with two
    samples that no neuron tells apart det K = 0: the score is minus infinity, which ranks last.

    Currents are normalised over the batch, for each neuron or channel, also where a network has no batch normalisation:
    with initial weights as they are, most layers would be silent. The samples are the first of the training split, the
    same for all candidates. A further seed gives other initial weights.
    """

    name: ClassVar[str] = "spike-pattern"

    batch: int = Field(32, ge=2, le=4096, description="samples B that are compared with each other")
    distance: Distance = Field(
        "sparsity-aware", description="whether a distance is seen beside that of independent patterns"
    )
    batches: int = Field(2, ge=1, description="batches that the score is averaged over")
    seeds: int = Field(
        1, ge=1, description="initialisations that the score is averaged over, the candidate's own first"
    )

    def probe(self, context: Context) -> Sequence[float]:
        inputs = require_supervised(context.task, self.name, "predictor").data("train").inputs
        batches = [rows for rows in inputs[: self.batch * self.batches].split(self.batch) if len(rows) > 1]
        scores: list[float] = []
        for seed in range(self.seeds):
            own = context.streams.child("probe", seed) if seed else context.streams
            network = context.task.build(context.parts, own)
            seed_noise(network, own.torch("probe", "noise"))
            scores += [pattern_score(patterns(network, rows), self.distance) for rows in batches]
        return [sum(scores) / len(scores)]


def patterns(network: SpikingNetwork, inputs: Tensor) -> list[Tensor]:
    """Return the spikes of each layer, in one or more pieces (T, B, ...), for inputs (B, ...); changes the network."""
    found: list[Tensor] = []
    network.train()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, NeuronLayer):
                layer.model = _Normalised(inner=layer.model)
                layer.listeners.append(found.append)
        network(inputs)
    return found


def pattern_score(spikes: Sequence[Tensor], distance: Distance = "sparsity-aware") -> float:
    """Return ln |det K| of spikes (T, B, ...) of one or more layers; minus infinity for two equal patterns."""
    kernels: list[Tensor] = []
    apart = torch.zeros((), dtype=torch.float64)
    for layer in spikes:
        x = (layer.flatten(2) > 0).float()
        neurons, common = x.shape[2], (x @ x.mT).double()  # sums of ones: exact in single precision below 2^24
        fired = x.sum(2).double()
        r, s = (fired / neurons).unsqueeze(2), (fired / neurons).unsqueeze(1)
        d = fired.unsqueeze(2) + fired.unsqueeze(1) - 2 * common
        scale = 2 * (neurons * (r * (1 - s) + (1 - r) * s) + _SMALL) if distance == "sparsity-aware" else 1.0
        kernels += [(neurons - d / scale).sum(0)]
        apart = apart + d.sum(0)
    if not kernels or int((apart == 0).sum()) > len(apart):
        return -math.inf
    kernel = torch.stack(kernels).sum(0) / sum(len(layer) for layer in spikes)
    return float(torch.linalg.slogdet(kernel).logabsdet)


class _Normalised(NeuronModel):
    """A neuron model whose currents have mean 0 and variance 1 over steps, samples and positions."""

    name: ClassVar[str] = "normalised"

    inner: NeuronModel

    def step(self, x: Tensor, state: State, trained: Mapping[str, Tensor], spike: Spike) -> tuple[Tensor, State]:
        return self.inner.step(x, state, trained, spike)

    def initial_state(self, x: Tensor) -> State:
        return self.inner.initial_state(x)

    def sequence(
        self,
        x: Tensor,
        state: State,
        trained: Mapping[str, Tensor],
        surrogate: Surrogate,
        generator: torch.Generator,
    ) -> tuple[Tensor, State]:
        axes = [axis for axis in range(x.dim()) if axis != 2]
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        return self.inner.sequence((x - mean) / (variance + _EPSILON).sqrt(), state, trained, surrogate, generator)


@hookimpl
def spikefront_predictors() -> list[type[Predictor]]:
    """Return the predictor."""
    return [SpikePattern]
