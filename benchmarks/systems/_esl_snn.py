"""The quick checks of ESL-SNN: its formulas and invariants, on numbers and on networks of a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from benchmarks.systems import Finding
from spikefront import Trainer
from spikefront.components import Session
from spikefront.genome import Genome
from spikefront.measure.energy import COSTS, energy_by_layer
from spikefront.measure.recorder import record
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.space import Tensor
from spikefront.specification import Specification
from spikefront.spiking.layers import SpikingNetwork
from spikefront_plugins.encodings._masks import densities, kept_numbers, masked_weights
from spikefront_plugins.operators.prune_regrow import PruneRegrowMutation
from spikefront_plugins.operators.union_intersection import UnionIntersectionCrossover
from spikefront_plugins.trainers.rewiring import Rewiring

SMALL: dict[str, Any] = {
    "study": {"name": "masks", "objectives": ["accuracy"]},
    "task": {"use": "digits", "train": 300},
    "network": {"use": "mlp", "hidden": [64], "batch_norm": True},
    "neuron": {"use": "lif", "v_threshold": 0.5},
    "coder": {"steps": 3},
    "encoding": {"use": "sparse", "density": 0.1, "origin": "evolved", "weights": 4736},
    "trainer": {"epochs": 5, "batch": 30, "learning_rate": 5e-3},
    "execution": {"use": "inline"},
}
ERK = {0.1: (1, 0.2220, 0.1078, 0.0713, 1), 0.05: (1, 0.1033, 0.0501, 0.0332, 1)}
"""Densities of conv 1-32-64-128-128, kernel 3, and a linear layer to 10, from the printed formula."""

SHAPES = [torch.Size(s) for s in ((32, 1, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3), (10, 128))]


def checks() -> Iterator[Finding]:
    """Compute the quick checks."""
    yield from _numbers()
    yield _schedule()
    yield _density_holds()
    yield _same_as_dense()
    yield _energy()
    yield _topologies()


def _numbers() -> Iterator[Finding]:
    for density, printed in ERK.items():
        found = densities(SHAPES, density, "erk")
        kept, total = kept_numbers(SHAPES, density, "erk"), sum(shape.numel() for shape in SHAPES)
        agree = all(abs(a - b) < 5e-5 for a, b in zip(found, printed, strict=True))
        figure = f"{', '.join(f'{share:.4f}' for share in found)}; {sum(kept):,} of {total:,} kept"
        exact = sum(kept) == int(density * total)
        yield Finding(
            f"ERK densities of a convolutional network at d = {density}, total exact", figure, agree and exact
        )


def _schedule() -> Finding:
    found = [Rewiring(alpha=0.3).share(t) for t in (0, 0.25, 0.5, 0.75, 1)]
    holds = all(abs(a - b) < 5e-5 for a, b in zip(found, (0.3, 0.2561, 0.15, 0.0439, 0), strict=True))
    return Finding("share of a rewiring, alpha = 0.3, over the search", ", ".join(f"{f:.4f}" for f in found), holds)


def _small(trainer: dict[str, Any], **encoding: Any) -> Specification:
    """Return the small study with another trainer and encoding, and no search to speak of."""
    document = SMALL | {"trainer": SMALL["trainer"] | trainer, "search": {"generations": 1}}
    document["encoding"] = {"use": "sparse", **encoding} if encoding else {"use": "direct"}
    return Specification.from_document(document, load())


def _fitted(study: Specification, trainer: Trainer | None = None) -> SpikingNetwork:
    resolved, streams = study.resolve(Genome({})), Streams(1)
    session = Session(resolved.parts, streams)
    network = resolved.task.build(resolved.parts, streams)
    return cast("SpikingNetwork", (trainer or resolved.trainer).fit(network, resolved.task, session).phenotype)


class _Watched(Rewiring):
    """Remembers how many connections there are after each step, and how many of them are new."""

    def after_step(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, session: Session, step: int, steps: int
    ) -> None:
        before = [weight.mask.kept.clone() for weight in masked_weights(network)]
        super().after_step(network, optimizer, session, step, steps)
        after = [weight.mask.kept for weight in masked_weights(network)]
        _SEEN.append([int(mask.sum()) for mask in after])
        _GROWN.append(sum(int((new & ~old).sum()) for old, new in zip(before, after, strict=True)))


_SEEN: list[list[int]] = []
_GROWN: list[int] = []


def _density_holds() -> Finding:
    steps, grown, held = 0, 0, True
    for grow in ("random", "gradient"):
        _SEEN.clear()
        _GROWN.clear()
        options = {"use": "rewiring", "every": 5, "grow": grow}
        study = _small(options, density=0.1)
        network = _fitted(study, _Watched(**study.resolve(Genome({})).trainer.model_dump()))
        held &= all(numbers == _SEEN[0] for numbers in _SEEN)
        held &= all(not one.mask(one.values)[~one.mask.kept].any() for one in masked_weights(network))
        steps, grown = steps + len(_SEEN), grown + sum(_GROWN)
    figure = f"{_SEEN[0]} connections after each of {steps} steps, {grown} replaced"
    return Finding("each layer's density holds at every step, pruned weights are 0", figure, held and grown > 0)


def _same_as_dense() -> Finding:
    rewiring = {"use": "rewiring", "every": 5}
    dense, whole = _fitted(_small({})), _fitted(_small(rewiring, density=1.0))
    still, static = _fitted(_small(rewiring | {"alpha": 0.0}, density=0.1)), _fitted(_small({}, density=0.1))
    same = [_distance(dense, whole), _distance(still, static)]
    claim = "d = 1 is dense training, and alpha = 0 a static mask, bit for bit"
    return Finding(claim, f"largest difference of a weight {same[0]:.1g} and {same[1]:.1g}", not any(same))


def _distance(first: nn.Module, second: nn.Module) -> float:
    pairs = zip(_weights(first), _weights(second), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def _weights(network: nn.Module) -> list[torch.Tensor]:
    return [module.weight.detach() for module in network.modules() if isinstance(module, nn.Linear)]


def _energy() -> Finding:
    """Compare first layers: they multiply whether the input is zero or not, but only where they are connected."""
    counted = {}
    for density in (1.0, 0.1):
        study = _small({}, density=density, distribution="uniform")
        network, data = _fitted(study).eval(), study.resolve(Genome({})).task.data("validation").inputs[:50]
        with torch.no_grad(), record(network, analog_input=True) as recorder:
            network(data)
        counted[density] = next(iter(energy_by_layer(recorder.recording(3), COSTS["horowitz-45nm"]).values()))
    kept = masked_weights(network)[0].kept
    figure = f"{counted[1.0]:,.0f} pJ at d = 1, {counted[0.1]:,.0f} at d = 0.1"
    right = math.isclose(counted[0.1], 4.6 * 3 * kept) and math.isclose(counted[1.0], 4.6 * 3 * 64 * 64)
    return Finding("energy of a first layer: 4.6 pJ for each kept weight and step", figure, right)


def _topologies() -> Finding:
    """Cross and mutate scores, and look at the masks that keep a tenth of them."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=40_000).astype(np.float32)
    second, domain = rng.permutation(first), Tensor((40_000,), 1.0)
    union, both = UnionIntersectionCrossover().cross(domain, first, second, rng)
    mutant = PruneRegrowMutation(alpha=0.1).mutate(domain, first, rng)
    a, b, c, d, e = ({*np.argsort(-scores)[:4000].tolist()} for scores in (first, second, union, both, mutant))
    figure = f"of 4,000: union child {len(c - (a | b))} foreign, intersection child {len((a & b) - d)} lost, "
    holds = c <= a | b and d >= a & b and abs(len(e - a) - 360) < 60
    return Finding("children's topologies keep their density", f"{figure}mutant {len(e - a)} replaced (360)", holds)
