"""Screening: which candidates deserve training, by a predictor's score that has to show its worth.

Every candidate is measured and scored before it is trained, or shortly: a rung below the ladder of early stopping.
Kendall's tau of score and trained objective is taken over candidates that were trained whatever their score; those that
the score chose itself differ less in it, and their tau would be too small.
"""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np

from spikefront.checks import validated
from spikefront.components import Objective
from spikefront.components.predictor import Guess, Numbers
from spikefront.job import Evaluation, Measurement
from spikefront.search.early_stop import Ladder, Losses
from spikefront.settings import Screening as Settings
from spikefront.storage import Database, queries
from spikefront.study_parts import Screening

Measurements = Mapping[str, Measurement]


@dataclass(frozen=True)
class Standing:
    """How a score stands.

    Attributes:
        predictor: Whose score it is.
        objective: What it stands for.
        tau: Kendall's tau of score and trained objective, positive where they agree; None where it is not defined.
        candidates: Number of candidates that it is taken over.
        on: Whether candidates are screened by it.
        error: Mean absolute error of the objective's value that the predictor expects; None where it expects none.
    """

    predictor: str
    objective: str
    tau: float | None
    candidates: int
    on: bool
    error: float | None = None

    def __str__(self) -> str:
        tau = "unknown" if self.tau is None else f"{self.tau:.2f}"
        error = "" if self.error is None else f", mean absolute error {self.error:.3g}"
        return (
            f"{self.predictor}: Kendall tau {tau} with {self.objective} over {self.candidates} candidates{error}, "
            f"{'on' if self.on else 'off'}"
        )


class Worth:
    """Scores beside what came of training, over candidates that were trained whatever their score.

    Args:
        settings: When a score is worth to be followed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._drawn: dict[int, Guess] = {}
        self._pairs: list[tuple[Guess, float]] = []
        self.tau: float | None = None
        self.error: float | None = None

    @property
    def candidates(self) -> int:
        """Number of candidates with a score and a whole training."""
        return len(self._pairs)

    @property
    def on(self) -> bool:
        """Whether the score is followed."""
        enough = self.candidates >= self._settings.after
        return enough and self.tau is not None and self.tau >= self._settings.bound

    def draw(self, guesses: Mapping[int, Guess | None], genomes: Mapping[int, str]) -> set[int]:
        """Return those of a generation that are trained whatever their score: all, while the score is not followed.

        Args:
            guesses: What was guessed of each candidate, by number; one without a guess does not count.
            genomes: Hash of its genome, which decides in place of a random number.
        """
        share = self._settings.unscreened if self.on else 1.0
        drawn = {number for number in guesses if int(genomes[number][:8], 16) < share * 2**32}
        self._drawn |= {number: guess for number in drawn if (guess := guesses[number]) is not None}
        return drawn

    def learn(self, values: Mapping[int, float]) -> None:
        """Add what came of training, larger is better; candidates that were not drawn do not count."""
        self._pairs += [(self._drawn[number], values[number]) for number in sorted(values) if number in self._drawn]
        self.tau = kendall_tau([(guess.score, value) for guess, value in self._pairs])
        errors = [abs(guess.expected - value) for guess, value in self._pairs if guess.expected is not None]
        self.error = statistics.fmean(errors) if errors else None

    def standing(self, predictor: str, objective: str) -> Standing:
        """Return how the score stands by now."""
        return Standing(predictor, objective, self.tau, self.candidates, self.on, self.error)


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
        self._ladder = Ladder((self._settings.budget,), self._settings.keep)
        self._probes: dict[int, Numbers] = {}
        self._values: dict[int, float] = {}
        self._predict: Callable[[Numbers], Guess] | None = None
        self._fitted = False

    @property
    def standing(self) -> Standing:
        """How the score stands by now."""
        return self._worth.standing(self._predictor.name, self._objective.name)

    def scored(self, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation of a candidate on this rung with the guess among its measurements."""
        probe = self._probe(evaluation.measurements)
        known = [number for number in self._probes if number in self._values]
        if not (len(probe) and known):
            return evaluation
        if not self._fitted:
            probes = np.array([self._probes[number] for number in known]).reshape(len(known), len(probe))
            self._predict = self._predictor.fit(probes, np.array([self._values[number] for number in known]))
            self._fitted = True
        if self._predict is None:
            return evaluation
        guess = self._predict(probe)
        measurements = {**evaluation.measurements, self._predictor.name: _measurement(guess.score)}
        if guess.expected is not None:
            measurements[_expected(self._predictor.name)] = _measurement(_turned(self._objective, guess.expected))
        return dataclasses.replace(evaluation, measurements=measurements)

    def without_score(self, evaluation: Evaluation) -> Evaluation:
        """Return an evaluation with what was measured only; a guess is no measurement of the candidate."""
        name = self._predictor.name
        own = {
            name,
            _expected(name),
            *(f"{name}.{number}" for number in range(len(self._probe(evaluation.measurements)))),
        }
        kept = {key: value for key, value in evaluation.measurements.items() if key not in own}
        return dataclasses.replace(evaluation, measurements=kept)

    def promoted(self, arrived: Mapping[int, Evaluation], losses: Mapping[int, Losses | None]) -> set[int]:
        """Return those of a generation that are trained; among them those that have no score yet.

        Args:
            arrived: Evaluation of each candidate on this rung by number.
            losses: Its losses in the order of the objectives, or None where one has no value.
        """
        numbers = sorted(arrived)
        name, objective = self._predictor.name, self._objective
        guesses = {number: guess_of(arrived[number].measurements, name, objective) for number in numbers}
        self._probes |= {n: probe for n in numbers if len(probe := self._probe(arrived[n].measurements))}
        on = self._worth.on
        drawn = self._worth.draw(guesses, {number: arrived[number].genome.hash for number in numbers})
        known = {n: self._scored_losses(losses[n], guess.score) for n, guess in guesses.items() if guess is not None}
        chosen = self._ladder.promoted(self._settings.budget, known)
        return drawn | chosen | (set(arrived) - set(known)) if on else set(arrived)

    def learn(self, trained: Mapping[int, Measurements]) -> None:
        """Compare the scores of a generation with what its candidates measure after a whole training."""
        values = {n: _value(self._objective, measurements) for n, measurements in trained.items()}
        self._worth.learn(values)
        self._values |= values
        self._fitted = False

    def _scored_losses(self, losses: Losses | None, score: float) -> Losses:
        if losses is None:
            return (math.inf,)
        return (*losses[: self._place], -score, *losses[self._place + 1 :])

    def _probe(self, measurements: Measurements) -> Numbers:
        """Return the features of a candidate, mean over replicates; none where the score came from the worker."""
        names = takewhile(measurements.__contains__, (f"{self._predictor.name}.{number}" for number in count()))
        means = [measurements[name].mean for name in names]
        return np.array([math.nan if mean is None else mean for mean in means])


def guess_of(measurements: Measurements, predictor: str, objective: Objective) -> Guess | None:
    """Return what was guessed of a candidate, None before anything was.

    The score is minus infinity where that of a replicate was not finite.
    """
    if predictor not in measurements:
        return None
    values = [-math.inf if value is None else value for value in measurements[predictor].values]
    expected = measurements[_expected(predictor)].mean if _expected(predictor) in measurements else None
    return Guess(sum(values) / len(values), None if expected is None else _turned(objective, expected))


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
    standings = recorded_standings(database, study)
    return standings[-1] if standings else None


def recorded_standings(database: Database, study: str) -> tuple[Standing, ...]:
    """Return how the score of a recorded study stood at first and after each generation; nothing without screening.

    Raises:
        StorageError: There is no such study.
    """
    row = queries.study(database, study)
    given = json.loads(row.specification)["search"].get("screening")
    if given is None:
        return ()
    keys = {} if isinstance(given, str) else {key: given[key] for key in given if key in Settings.model_fields}
    settings = validated(Settings, keys, "search.screening")
    predictor = next(plugin.name for plugin in row.plugins if plugin.kind == "predictor")
    objective = next(objective for objective in row.objectives if objective.name == settings.objective)
    worth = Worth(settings)
    rungs = [rung for rung in queries.evaluations(database, study, "rung") if rung.budget == settings.budget]
    ends = [end for end in queries.evaluations(database, study) if end.budget == 1]
    trained = {end.number: end.measurements for end in ends if end.mean(objective.name) is not None}
    standings = [worth.standing(predictor, objective.name)]
    for generation in sorted({rung.generation for rung in rungs}):
        mine = {rung.candidate: rung for rung in rungs if rung.generation == generation}
        guesses = {number: guess_of(mine[number].measurements, predictor, objective) for number in sorted(mine)}
        worth.draw(guesses, {number: rung.genome_hash for number, rung in mine.items()})
        worth.learn({n: _value(objective, trained[n]) for n in mine if n in trained})
        standings.append(worth.standing(predictor, objective.name))
    return tuple(standings)


def _value(objective: Objective, measurements: Measurements) -> float:
    """Return an objective's value, larger is better."""
    return _turned(objective, measurements[objective.name].mean or 0.0)


def _turned(objective: Objective, value: float) -> float:
    """Return a value with its sign turned where less is better: from the objective's sign to that of `fit`, or back."""
    return -objective.loss(value)


def _measurement(value: float) -> Measurement:
    return Measurement((value if math.isfinite(value) else None,))


def _expected(predictor: str) -> str:
    """Return the name of the measurement that holds the objective's value that a predictor expects."""
    return f"{predictor}.expected"
