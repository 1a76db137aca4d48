"""The archive of a running search: every candidate told, with what the search saw and what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spikefront.components import Objective
from spikefront.genome import Genome
from spikefront.job import Measurement
from spikefront.measure.hypervolume import hypervolume, nondominated
from spikefront.specification import Specification

Reference = Mapping[str, tuple[float, float]]
"""Ideal and reference value of each objective, in its own unit."""


@dataclass(frozen=True)
class Entry:
    """One candidate told.

    Attributes:
        number: Its ID in the study.
        generation: Generation, from 0.
        genome: The candidate.
        measurements: Fitness terms by name; empty where the evaluation failed.
        regularised: Value of each objective as the search saw it; empty where the evaluation failed.
        reused: Whether it was answered from the record.
        budget: Share of the training that it had.
    """

    number: int
    generation: int
    genome: Genome
    measurements: Mapping[str, Measurement]
    regularised: Mapping[str, float]
    reused: bool = False
    budget: float = 1.0

    @property
    def failed(self) -> bool:
        """Whether it has no value of its objectives."""
        return not self.regularised

    @property
    def ranked(self) -> bool:
        """Whether it can be on the front: neither failed nor left untrained by screening."""
        return not self.failed and self.budget > 0


class Archive:
    """All entries of a search, unbounded, in the order told.

    Attributes:
        entries: Every candidate told.
        front: Those that no other dominates.
    """

    def __init__(self, study: Specification) -> None:
        self._study = study
        self._objectives = study.problem_objectives
        self.entries: list[Entry] = []
        self.front: list[Entry] = []
        self._front_values = self._values([])

    def add(self, entries: Sequence[Entry]) -> None:
        """Append a generation, and bring the front up to date: what no other dominates, by pure values."""
        self.entries += entries
        ranked = [*self.front, *(entry for entry in entries if entry.ranked)]
        values = np.vstack([self._front_values, self._values(entries)])
        keep = nondominated(values)
        self.front = [entry for entry, kept in zip(ranked, keep, strict=True) if kept]
        self._front_values = values[keep]

    def first(self, genome: str) -> Entry | None:
        """Return the first entry of a genome, by hash: the one that was trained; None if it was never told."""
        return next((entry for entry in self.entries if entry.genome.hash == genome), None)

    def spread(self, number: int) -> tuple[Genome, ...]:
        """Return at most `number` genomes of the front, evenly spaced along the first objective."""
        first = self._objectives[0]
        ordered = sorted(self.front, key=lambda entry: (first.loss(entry.regularised[first.name]), entry.number))
        places = np.linspace(0, len(ordered) - 1, min(number, len(ordered))).round().astype(int)
        return tuple(dict.fromkeys(ordered[place].genome for place in places))

    def regularised(self, measurements: Mapping[str, Measurement], generation: int) -> dict[str, float]:
        """Return each objective's mean, moved by the regularisers with their weights in this generation.

        Returns an empty dict where an objective has no value.
        """
        values: dict[str, float] = {}
        for objective in self._objectives:
            mean = measurements[objective.name].mean if objective.name in measurements else None
            if mean is None:
                return {}
            values[objective.name] = mean + self._shift(objective, measurements, generation)
        return values

    def _shift(self, objective: Objective, measurements: Mapping[str, Measurement], generation: int) -> float:
        shift = 0.0
        for regulariser in self._study.regularisers:
            mean = measurements[regulariser.term.name].mean
            if regulariser.on == objective.name and mean is not None:
                towards = 1.0 if regulariser.term.direction == objective.direction else -1.0
                weight = regulariser.weight.at(generation, self._study.budget.last_generation)
                shift += towards * weight * mean
        return shift

    def losses(self, entry: Entry) -> tuple[float, ...] | None:
        """Return what the algorithm is told: regularised values to minimise, or None where there is nothing to rank."""
        return self.losses_of(entry.regularised) if entry.ranked else None

    def losses_of(self, regularised: Mapping[str, float]) -> tuple[float, ...] | None:
        """Return regularised values as losses, or None where there are none."""
        return tuple(o.loss(regularised[o.name]) for o in self._objectives) if regularised else None

    def elites(self, generation: int) -> dict[str, Genome]:
        """Return the best genome of a generation for each objective that a regulariser acts on."""
        wanted = {regulariser.on for regulariser in self._study.regularisers if regulariser.term.uses_elite}
        ranked = [entry for entry in self.entries if entry.generation == generation and entry.ranked]
        return {
            objective.name: min(ranked, key=lambda e, o=objective: o.loss(e.regularised[o.name])).genome  # type: ignore[misc]
            for objective in self._objectives
            if objective.name in wanted and ranked
        }

    def best(self) -> dict[str, float]:
        """Return the best pure value of each objective."""
        if not self.front:
            return {}
        pick = self._front_values.min(0)
        return {objective.name: objective.loss(float(pick[n])) for n, objective in enumerate(self._objectives)}

    def hypervolume(self, reference: Reference) -> float:
        """Return the share of the box between ideal and reference that the front dominates."""
        ideal, worst = (
            np.array([objective.loss(reference[objective.name][n]) for objective in self._objectives]) for n in (0, 1)
        )
        return hypervolume(self._front_values, ideal, worst)

    def reference(self) -> dict[str, tuple[float, float]] | None:
        """Return ideal and reference value of each objective, from the file, the term, or what is there by now.

        None as long as nothing is there.
        """
        values = self._values(self.entries)
        if not len(values):
            return None
        found: dict[str, tuple[float, float]] = {}
        for n, (term, objective) in enumerate(zip(self._study.objectives, self._objectives, strict=True)):
            low, high = float(values[:, n].min()), float(values[:, n].max())
            span = high - low or abs(low) or 1.0
            seen = (objective.loss(low), objective.loss(low + span))
            known = term.bounds and (term.bounds if term.direction == "minimize" else term.bounds[::-1])
            found[term.name] = self._study.budget.reference.get(term.name) or known or seen
        return found

    def _values(self, entries: Sequence[Entry]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the pure values (n, objectives) of the entries that can be ranked, to minimise."""
        rows = [
            [objective.loss(entry.measurements[objective.name].mean or 0.0) for objective in self._objectives]
            for entry in entries
            if entry.ranked
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._objectives))
