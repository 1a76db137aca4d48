"""EMO-SNAS (Song et al., TEVC 2025): a list of residual blocks under evolution, and blocks that send one step more."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.systems import Finding
from benchmarks.systems._trained import compared, gains, spread, study, trained, verdict
from spikefront.space import ListOf
from spikefront_plugins.operators.edit import Edit
from spikefront_plugins.operators.splice import Splice

NAME = "emo-snas"
SEEDS = range(5)
LONGER = ("task.train=2000", "trainer.epochs=10", "trainer.learning_rate=0.01")
FIXED = "network.blocks=[{{channels=8, expand={expand}}}, {{channels=16}}, {{channels=16}}]"
ARMS = {
    "two steps": (FIXED.format(expand="false"), "coder.steps=2"),
    "expand": (FIXED.format(expand="true"), "coder.steps=2"),
    "three steps": (FIXED.format(expand="false"), "coder.steps=3"),
}


@dataclass(frozen=True)
class Run:
    """One training: accuracies on validation and test split, and the spikes of a sample."""

    arm: str
    seed: int
    accuracy: float
    test: float
    spikes: float
    seconds: float


def short() -> Iterator[Finding]:
    """Yield the quick checks: what the operators do to lists."""
    domain = study(NAME).space["network.blocks"].domain
    if not isinstance(domain, ListOf):
        raise TypeError(f"network.blocks is a {type(domain).__name__}, and should be a list")
    domain = ListOf(domain.each, 1, 50)
    rng = np.random.default_rng(0)
    lists = [ListOf(domain.each, 5, 15).sample(rng) for _ in range(200)]
    edited = [Edit(insert=0.7, delete=0.1).mutate(domain, one, rng) for one in lists for _ in range(10)]
    kinds = collections.Counter(np.sign(len(new) - len(lists[n // 10])) for n, new in enumerate(edited))
    spliced = [child for a, b in zip(lists, lists[::-1], strict=True) for child in Splice().cross(domain, a, b, rng)]
    inside = all(domain.contains(one) for one in (*edited, *spliced))
    shares = [kinds[sign] / len(edited) for sign in (1, -1, 0)]
    yield Finding(
        "Mutation adds a block with chance 0.7, removes one with 0.1, changes one with 0.2; lists keep 1 to 50 blocks",
        f"{shares[0]:.2f}, {shares[1]:.2f}, {shares[2]:.2f} of {len(edited):,}; {len(edited) + len(spliced):,} lists, "
        f"{'all' if inside else 'NOT all'} inside",
        inside and bool(np.allclose(shares, (0.7, 0.1, 0.2), atol=0.03)),
    )


def jobs() -> list[tuple[str, int]]:
    """Return each arm with each seed."""
    return [(arm, seed) for seed in SEEDS for arm in ARMS]


def run(arm: str, seed: int) -> Run:
    """Train the three blocks of an arm."""
    found = trained(study(NAME, *ARMS[arm], *LONGER), seed)
    return Run(arm, seed, found.measured["accuracy"], found.test["accuracy"], found.measured["spikes"], found.seconds)


def findings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what EXPAND gives, beside a third step of the ordinary kind."""
    arms = {arm: sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"]) for arm in ARMS}
    test = {arm: [row["test"] for row in own] for arm, own in arms.items()}
    spikes = {arm: [row["spikes"] for row in own] for arm, own in arms.items()}
    for rival, claim in (
        ("two steps", "A block with EXPAND gains accuracy over T = 2 (published: +2.97, +1.52, +2.18 points)"),
        ("three steps", "EXPAND is better than a third step of the ordinary kind (our question)"),
    ):
        _, difference = compared(test["expand"], test[rival])
        yield Finding(
            claim,
            f"{difference}; accuracy {spread(test['expand'], 3)} against {spread(test[rival], 3)}; "
            f"spikes {spread(spikes['expand'], 0)} against {spread(spikes[rival], 0)}",
            verdict(gains(test["expand"], test[rival])),
        )
