"""Screening: which candidates deserve training, by a predictor's score that has to show its worth.

Every candidate is measured and scored before it is trained: a rung below the ladder of early stopping. Kendall's tau of
score and trained objective is taken over candidates that were trained whatever their score; those that the score chose
itself differ less in it, and their tau would be too small.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np

from spikefront.checks import validated
from spikefront.components import Objective
from spikefront.components.predictor import Numbers
from spikefront.job import Evaluation, Measurement
from spikefront.search.early_stop import Ladder, Losses
from spikefront.settings import Screening as Settings
from spikefront.storage import Database, queries
from spikefront.study_parts import Screening

Measurements = Mapping[str, Measurement]

_RUNG = 0.0


@dataclass(frozen=True)
class Standing:
    """How a score stands.

    Attributes:
        predictor: Whose score it is.
        objective: What it stands for.
        tau: Kendall's tau of score and trained objective, positive where they agree; None where it is not defined.
        candidates: Number of candidates that it is taken over.
        on: Whether candidates are screened by it.
    """

    predictor: str
    objective: str
    tau: float | None
    candidates: int
    on: bool

    def __str__(self) -> str:
        tau = "unknown" if self.tau is None else f"{self.tau:.2f}"
        return (
            f"{self.predictor}: Kendall tau {tau} with {self.objective} over {self.candidates} candidates, "
            f"{'on' if self.on else 'off'}"
        )


class Worth:
    """Scores beside what came of training, over candidates that were trained whatever their score.

    Args:
        settings: When a score is worth to be followed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._drawn: dict[int, float] = {}
        self._pairs: list[tuple[float, float]] = []
        self.tau: float | None = None

    @property
    def candidates(self) -> int:
        """Number of candidates with a score and a whole training."""
        return len(self._pairs)

    @property
    def on(self) -> bool:
        """Whether the score is followed."""
        enough = self.candidates >= self._settings.after
        return enough and self.tau is not None and self.tau >= self._settings.bound

    def draw(self, scores: Mapping[int, float | None], genomes: Mapping[int, str]) -> set[int]:
        """Return those of a generation that are trained whatever their score: all, while the score is not followed.

        Args:
            scores: Score of each candidate by number; one without a score does not count.
            genomes: Hash of its genome, which decides in place of a random number.
        """
        share = self._settings.unscreened if self.on else 1.0
        drawn = {number for number in scores if int(genomes[number][:8], 16) < share * 2**32}
        self._drawn |= {number: score for number in drawn if (score := scores[number]) is not None}
        return drawn

    def learn(self, values: Mapping[int, float]) -> None:
        """Add what came of training, larger is better; candidates that were not drawn do not count."""
        self._pairs += [(self._drawn[number], values[number]) for number in sorted(values) if number in self._drawn]
        self.tau = kendall_tau(self._pairs)


class Screen:
    """Decides for each generation of a search who is trained. A function of what it was told, in order.

    Args:
        screening: The predictor, and how far it is followed.
        objectives: The study's objectives.
    """

    def __init__(self, screening: Screening, objectives: tuple[Objective, ...]) -> None:
        self._predictor, self._settings = screening.predictor, screening.settings
        self._place = [objective.name for objective in objectives].index(self._settings.objective)
        self._objective = objectives[self._place]
        self._worth = Worth(self._settings)
        self._ladder = Ladder((_RUNG,), self._settings.keep)
        self._probes: dict[int, Numbers] = {}
        self._values: dict[int, float] = {}
        self._predict: Callable[[Numbers], float] | None = None

    @property
    def standing(self) -> Standing:
        """How the score stands by now."""
        worth = self._worth
        return Standing(self._predictor.name, self._objective.name, worth.tau, worth.candidates, worth.on)

    def scored(self, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation of an untrained candidate with the score among its measurements."""
        probe = self._probe(evaluation.measurements)
        known = [number for number in self._probes if number in self._values]
        if not (len(probe) and known):
            return evaluation
        if self._predict is None:
            probes = np.array([self._probes[number] for number in known]).reshape(len(known), len(probe))
            self._predict = self._predictor.fit(probes, np.array([self._values[number] for number in known]))
        score = float(self._predict(probe))
        measurement = Measurement((score if math.isfinite(score) else None,))
        return dataclasses.replace(
            evaluation, measurements={**evaluation.measurements, self._predictor.name: measurement}
        )

    def without_score(self, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation with what was measured only; a guess is no measurement of the candidate."""
        name = self._predictor.name
        own = {name, *(f"{name}.{number}" for number in range(len(self._probe(evaluation.measurements))))}
        kept = {key: value for key, value in evaluation.measurements.items() if key not in own}
        return dataclasses.replace(evaluation, measurements=kept)

    def promoted(self, arrived: Mapping[int, Evaluation], losses: Mapping[int, Losses | None]) -> set[int]:
        """Return those of a generation that are trained; among them those that have no score yet.

        Args:
            arrived: Evaluation of each untrained candidate by number.
            losses: Its losses in the order of the objectives, or None where one has no value.
        """
        numbers = sorted(arrived)
        scores = {number: score_of(arrived[number].measurements, self._predictor.name) for number in numbers}
        self._probes |= {n: probe for n in numbers if len(probe := self._probe(arrived[n].measurements))}
        on = self._worth.on
        drawn = self._worth.draw(scores, {number: arrived[number].genome.hash for number in numbers})
        known = {n: self._scored_losses(losses[n], score) for n, score in scores.items() if score is not None}
        chosen = self._ladder.promoted(_RUNG, known)
        return drawn | chosen | (set(arrived) - set(known)) if on else set(arrived)

    def learn(self, trained: Mapping[int, Measurements]) -> None:
        """Compare the scores of a generation with what its candidates measure after a whole training."""
        values = {n: _value(self._objective, measurements) for n, measurements in trained.items()}
        self._worth.learn(values)
        self._values |= values
        self._predict = None

    def _scored_losses(self, losses: Losses | None, score: float) -> Losses:
        if losses is None:
            return (math.inf,)
        return (*losses[: self._place], -score, *losses[self._place + 1 :])

    def _probe(self, measurements: Measurements) -> Numbers:
        """Return the features of a candidate, mean over replicates; none where the score came from the worker."""
        names = takewhile(measurements.__contains__, (f"{self._predictor.name}.{number}" for number in count()))
        means = [measurements[name].mean for name in names]
        return np.array([math.nan if mean is None else mean for mean in means])


def score_of(measurements: Measurements, predictor: str) -> float | None:
    """Return a candidate's score: minus infinity where that of a replicate was not finite, None before any is known."""
    if predictor not in measurements:
        return None
    values = [-math.inf if value is None else value for value in measurements[predictor].values]
    return sum(values) / len(values)


def kendall_tau(pairs: list[tuple[float, float]]) -> float | None:
    """Return Kendall's tau-b of pairs of numbers; None with fewer than two, or where all are equal in one."""
    from scipy.stats import kendalltau

    if len(pairs) < 2:
        return None
    tau = float(kendalltau(*zip(*pairs, strict=True)).statistic)
    return tau if math.isfinite(tau) else None


def recorded_standing(database: Database, study: str) -> Standing | None:
    """Return how the score of a recorded study stands by what is recorded; None where it has no screening.

    Raises:
        StorageError: There is no such study.
    """
    row = queries.study(database, study)
    given = json.loads(row.specification)["search"].get("screening")
    if given is None:
        return None
    keys = {} if isinstance(given, str) else {key: given[key] for key in given if key in Settings.model_fields}
    settings = validated(Settings, keys, "search.screening")
    predictor = next(plugin.name for plugin in row.plugins if plugin.kind == "predictor")
    objective = next(objective for objective in row.objectives if objective.name == settings.objective)
    worth = Worth(settings)
    rungs = [rung for rung in queries.evaluations(database, study, "rung") if rung.budget == _RUNG]
    ends = [end for end in queries.evaluations(database, study) if end.budget == 1]
    trained = {end.number: end.measurements for end in ends if end.mean(objective.name) is not None}
    for generation in sorted({rung.generation for rung in rungs}):
        mine = {rung.candidate: rung for rung in rungs if rung.generation == generation}
        scores = {number: score_of(mine[number].measurements, predictor) for number in sorted(mine)}
        worth.draw(scores, {number: rung.genome_hash for number, rung in mine.items()})
        worth.learn({n: _value(objective, trained[n]) for n in mine if n in trained})
    return Standing(predictor, objective.name, worth.tau, worth.candidates, worth.on)


def _value(objective: Objective, measurements: Measurements) -> float:
    """Return an objective's value, larger is better."""
    return -objective.loss(measurements[objective.name].mean or 0.0)
