"""What a running search tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """The state of a search after something happened.

    Attributes:
        generation: Generation under way, counted from 0.
        generations: Number of generations planned.
        total: Candidates planned.
        done: Candidates told so far, whatever their outcome.
        failed: How many of them failed.
        reused: How many of them were answered from the record.
        best: Best pure value of each objective so far.
        hypervolume: Share of the box between ideal and reference that the front dominates; None before the
            first generation is told.
        seconds: Time since this run began.
        remaining: Estimate of the seconds left; None before anything was trained.
        screening: How the score of [search.screening] stands; empty without one.
    """

    generation: int
    generations: int
    total: int
    done: int = 0
    failed: int = 0
    reused: int = 0
    best: Mapping[str, float] = field(default_factory=dict)
    hypervolume: float | None = None
    seconds: float = 0.0
    remaining: float | None = None
    screening: str = ""


Watcher = Callable[[Progress], None]
"""Is called with every change; must not raise."""
