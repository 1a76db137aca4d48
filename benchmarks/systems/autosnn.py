"""AutoSNN (Na et al., ICML 2022): a chain of five searched blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from benchmarks.systems import Finding
from benchmarks.systems._scores import NETWORKS, Scored, rankings, scored
from benchmarks.systems._trained import study
from spikefront.measure.recording import NeuronRecord, Recording
from spikefront_plugins.fitness.autosnn_score import AutoSNNScore
from spikefront_plugins.networks.autosnn import AutoSNN

NAME = "autosnn"
GOLDEN = {(0.9315, 310_000): 0.8574, (0.90, 55_000): 0.9513, (0.90, 110_000): 0.90}
FOUND = {f"network.slot_{n}": getattr(AutoSNN(), f"slot_{n}") for n in range(1, 6)}
"""The network that its authors found; it has the number -1."""


def short() -> Iterator[Finding]:
    """Yield the quick checks."""
    space = study(NAME).space
    inside = all(space[path].domain.contains(value) for path, value in FOUND.items())
    yield Finding(
        "The space has 3,125 members, and the published network is one of them",
        f"{space.size():,.0f} members; {'it is' if inside else 'it is not'}",
        space.size() == 3125 and inside,
    )
    scores = {key: _score(*key) for key in GOLDEN}
    yield Finding(
        "F = accuracy (spikes / 110,000)^-0.08",
        ", ".join(f"({accuracy}, {spikes:,}): {value:.4f}" for (accuracy, spikes), value in scores.items()),
        all(abs(scores[key] - expected) < 5e-5 for key, expected in GOLDEN.items()),
    )


def jobs() -> list[tuple[int]]:
    """Return the networks: the published one, and random members of the space."""
    return [(number,) for number in range(-1, NETWORKS)]


def run(number: int) -> Scored:
    """Score and train one of them."""
    return scored(NAME, number, FOUND if number < 0 else None)


def findings(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield where the published network lies among random ones, and what the scores are worth."""
    published = [row for row in rows if row["number"] < 0]
    others = [row for row in rows if row["number"] >= 0]
    for one in published:
        better = [row for row in others if row["accuracy"] >= one["accuracy"] and row["spikes"] <= one["spikes"]]
        yield Finding(
            "No random member of the space is at least as accurate as the published network with as few spikes",
            f"published: accuracy {one['accuracy']:.3f}, {one['spikes']:,.0f} spikes; {len(better)} of {len(others)} "
            "random networks are",
            not better,
        )
    yield from rankings(others)


def _score(accuracy: float, spikes: float) -> float:
    layer = NeuronRecord("all", 1, spikes, spikes)
    context: Any = SimpleNamespace(metrics={"accuracy": accuracy}, recording=Recording(1, 1, (), (layer,)))
    return AutoSNNScore().measure(context) or 0.0
