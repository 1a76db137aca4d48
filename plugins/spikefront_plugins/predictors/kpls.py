"""KPLS: a Kriging model over how candidates answer to the same inputs, whatever they are made of."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn

from spikefront import Predictor, hookimpl
from spikefront.components import Context, Guess
from spikefront.components.predictor import Numbers
from spikefront.components.task import require_supervised
from spikefront.spiking.layers import seed_noise

LIBRARY = "smt.surrogate_models"
ENOUGH = 3
"""Candidates that have to be known, in times the components."""
STARTS = 2
"""From where the likelihood is climbed; the library's ten take four times as long, and found no other summit."""


class KPLS(Predictor):
    """Kriging with partial least squares on phenotypic vectors (Stapleton and Galvan, NeuroLGP-SM, arXiv 2404.08786).

    The vector z of a candidate is its class scores, softmax of the mean output over T, for the first B inputs of the
    training split, one after the other. With h rotation vectors w*(k) of the partial least squares and lengths
    theta_k (Bouhlel et al., Structural and Multidisciplinary Optimization 53, 2016)

        R(z, z') = prod_k prod_l exp(-theta_k (w*(k)_l z_l - w*(k)_l z'_l)^2)

    gives mean mu and standard deviation sigma of the objective for a new z. As a loss, with the smallest known f_min,

        EI(z) = (f_min - mu) Phi((f_min - mu) / sigma) + sigma phi((f_min - mu) / sigma),   0 where sigma = 0

    A noise term, estimated with the rest, stands for the luck of a training, and equal vectors count once. The library
    `smt` does the Kriging. Our reading for spiking networks; without a short training (`budget` of the screening) z is
    what initial weights say. With several objectives "mean" ranks by predicted non-domination.
    """

    name: ClassVar[str] = "kpls"

    components: int = Field(3, ge=1, le=10, description="rotation vectors h, each with a length theta")
    batch: int = Field(32, ge=1, le=1024, description="inputs B that candidates are compared by")
    criterion: Literal["expected-improvement", "mean"] = Field(
        "expected-improvement", description="what candidates are ranked by"
    )

    @model_validator(mode="after")
    def _has_its_library(self) -> Self:
        if find_spec(LIBRARY.partition(".")[0]) is None:
            raise ValueError("the library smt is missing; pip install 'spikefront[kpls]'")
        return self

    def probe(self, context: Context) -> Sequence[float]:
        inputs = require_supervised(context.task, self.name, "predictor").data("train").inputs[: self.batch]
        network: nn.Module = context.phenotype
        seed_noise(network, context.streams.torch("probe", "noise"))
        with torch.no_grad(), evaluating(network):
            scores = network(inputs).mean(0).flatten(1).double()
        vector: list[float] = scores.softmax(1).flatten().tolist()
        return vector

    def fit(self, probes: Numbers, values: Numbers) -> Callable[[Numbers], Guess] | None:
        whole = np.flatnonzero(~np.isnan(probes).any(1))
        rows = whole[np.sort(np.unique(probes[whole], axis=0, return_index=True)[1])]
        vectors, losses = probes[rows], -values[rows]
        if len(rows) < ENOUGH * self.components or np.ptp(losses) == 0:
            return None
        model, best = kriging(vectors, losses, self.components), float(losses.min())

        def guess(vector: Numbers) -> Guess:
            if np.isnan(vector).any():
                return Guess(-np.inf)
            mean = float(model.predict_values(vector[None])[0, 0])
            deviation = float(np.sqrt(max(model.predict_variances(vector[None])[0, 0], 0.0)))
            score = -mean if self.criterion == "mean" else expected_improvement(best, mean, deviation)
            return Guess(score, -mean)

        return guess


def kriging(vectors: Numbers, losses: Numbers, components: int) -> Any:
    """Return the model of losses (n,) over vectors (n, d), an object of smt; the same for the same numbers."""
    library: Any = importlib.import_module(LIBRARY)
    options = {"eval_noise": True, "hyper_opt": "Cobyla", "n_start": STARTS, "seed": 0, "print_global": False}
    model = library.KPLS(n_comp=components, **options)
    model.set_training_values(vectors, losses[:, None])
    model.train()
    return model


def expected_improvement(best: float, mean: float, deviation: float) -> float:
    """Return by how much a loss with this distribution is expected to lie below `best`."""
    if deviation <= 0:
        return 0.0
    from scipy.stats import norm

    u = (best - mean) / deviation
    return float((best - mean) * norm.cdf(u) + deviation * norm.pdf(u))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Have all modules of a network in evaluation mode, and then as they were."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@hookimpl
def spikefront_predictors() -> list[type[Predictor]]:
    """Return the predictor."""
    return [KPLS]
