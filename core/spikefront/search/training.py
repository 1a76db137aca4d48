"""Training the candidates of a generation: at once, or up a ladder of rungs on which many are stopped early."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.search.archive import Archive
from spikefront.search.cache import Cache
from spikefront.search.early_stop import Ladder, Losses
from spikefront.search.record import recorded_evaluation
from spikefront.search.runner import Runner
from spikefront.storage import Database, EvaluationRow, StudyStore, queries
from spikefront.study import Study

WHOLE = 1.0


@dataclass(frozen=True)
class Candidate:
    """A proposal with its number in the study."""

    number: int
    generation: int
    proposal: Proposal

    @property
    def genome(self) -> Genome:
        """The genome that was proposed."""
        return self.proposal.genome


@dataclass(frozen=True)
class Trained:
    """The last evaluation of a candidate.

    Attributes:
        budget: Share of the training that it had.
        reused: Whether it was taken from the record.
        cache_key: What other studies may find it by.
    """

    candidate: Candidate
    evaluation: Evaluation
    budget: float
    reused: bool = False
    cache_key: str | None = None


class Training:
    """Trains generation after generation; what was measured on a rung is recorded, and taken from the record.

    Args:
        study: What is searched.
        database: Where the study is recorded.
        store: Writes its record.
        archive: Ranks what was measured.
        runner: Runs the jobs.
        cache: What other studies left, or None.
    """

    def __init__(
        self,
        study: Study,
        database: Database,
        store: StudyStore,
        archive: Archive,
        runner: Runner,
        cache: Cache | None = None,
    ) -> None:
        self._study, self._database, self._store = study, database, store
        self._archive, self._runner, self._cache = archive, runner, cache
        early_stop = study.budget.early_stop
        self._rungs = early_stop.rungs if early_stop else ()
        self._ladder = Ladder(early_stop) if early_stop else None
        rows = queries.evaluations(database, study.name, "rung") if early_stop else []
        self._recorded = {(row.candidate, row.budget): row for row in rows}

    def run(self, candidates: Sequence[Candidate], settled: Collection[int]) -> Iterator[Trained]:
        """Yield the last evaluation of each candidate as it ends, but for those that are settled already.

        Args:
            candidates: A whole generation; what others did on a rung decides who goes on.
            settled: Numbers of the candidates whose last evaluation is recorded.
        """
        climbing, before = {candidate.number: candidate for candidate in candidates}, dict[int, Evaluation]()
        for rung in self._rungs:
            arrived: dict[int, Evaluation] = {}
            for candidate, evaluation in self._on_rung(climbing, before, rung, settled):
                if evaluation.failure or not self._losses(candidate, evaluation):
                    yield Trained(candidate, evaluation, rung)
                else:
                    arrived[candidate.number] = evaluation
            promoted = self._promoted(rung, climbing, arrived)
            for number in sorted(set(arrived) - promoted - set(settled)):
                yield Trained(climbing[number], arrived[number], rung)
            climbing = {number: climbing[number] for number in sorted(promoted)}
            before = {number: arrived[number] for number in promoted}
        yield from self._to_the_end({n: c for n, c in climbing.items() if n not in settled}, before)

    def close_generation(self, generation: int) -> None:
        """Drop what only an unfinished generation needs."""
        if self._rungs:
            self._store.prune_rungs(generation)

    def _to_the_end(self, climbing: Mapping[int, Candidate], before: Mapping[int, Evaluation]) -> Iterator[Trained]:
        """Yield what each candidate measures at last; with a cache, what another study left of the same."""
        jobs: dict[int, Job] = {}
        keys: dict[int, str] = {}
        for number, candidate in climbing.items():
            job = self._job(candidate, WHOLE, before.get(number))
            if self._cache:
                keys[number] = self._cache.key(job)
                found = self._cache.find(keys[number], candidate.genome)
                if found:
                    yield Trained(candidate, found, WHOLE, reused=True, cache_key=keys[number])
                    continue
            jobs[number] = job
        for number, evaluation in self._runner.run(jobs):
            joined = _joined(evaluation, before.get(number))
            yield Trained(climbing[number], joined, WHOLE, cache_key=keys.get(number))

    def _on_rung(
        self, climbing: dict[int, Candidate], before: dict[int, Evaluation], rung: float, settled: Collection[int]
    ) -> Iterator[tuple[Candidate, Evaluation]]:
        """Yield what each candidate measures on a rung, from the record where it is there."""
        jobs: dict[int, Job] = {}
        for number, candidate in climbing.items():
            row = self._recorded.get((number, rung))
            if row is not None:
                yield candidate, self._from_record(candidate, row, whole=number not in settled)
            elif number not in settled:
                jobs[number] = self._job(candidate, rung, before.get(number))
        for number, evaluation in self._runner.run(jobs):
            joined = _joined(evaluation, before.get(number))
            if not evaluation.failure:
                self._record(climbing[number], joined, rung)
            yield climbing[number], joined

    def _promoted(self, rung: float, climbing: dict[int, Candidate], arrived: dict[int, Evaluation]) -> set[int]:
        losses: dict[int, Losses] = {}
        for number in sorted(arrived):
            found = self._losses(climbing[number], arrived[number])
            if found:
                losses[number] = found
        return self._ladder.promoted(rung, losses) if self._ladder else set()

    def _losses(self, candidate: Candidate, evaluation: Evaluation) -> Losses | None:
        return self._archive.losses_of(self._archive.regularised(evaluation.measurements, candidate.generation))

    def _job(self, candidate: Candidate, budget: float, before: Evaluation | None) -> Job:
        return Job(
            study=self._study.to_json(),
            genome=candidate.genome,
            replicates=tuple(range(self._study.settings.replicates)),
            budget=budget,
            elites=self._archive.elites(candidate.generation - 1),
            threads=self._study.executor.threads,
            checkpoint=before.checkpoint if before else b"",
        )

    def _record(self, candidate: Candidate, evaluation: Evaluation, rung: float) -> None:
        self._store.record(
            evaluation,
            purpose="rung",
            candidate=candidate.number,
            ask=candidate.number,
            generation=candidate.generation,
            replicates=range(self._study.settings.replicates),
            budget=rung,
            regularised=self._archive.regularised(evaluation.measurements, candidate.generation),
            regularisers=[regulariser.term.name for regulariser in self._study.regularisers],
        )

    def _from_record(self, candidate: Candidate, row: EvaluationRow, whole: bool) -> Evaluation:
        """Return a recorded rung; with all that is needed to go on only where a candidate will."""
        if not whole:
            return Evaluation(candidate.genome, row.measurements)
        evaluation = recorded_evaluation(self._database, self._study.name, row.number, "rung")
        checkpoint = queries.checkpoint(self._database, self._study.name, row.number)
        return dataclasses.replace(evaluation, checkpoint=checkpoint)


def _joined(evaluation: Evaluation, before: Evaluation | None) -> Evaluation:
    return evaluation.after(before) if before else evaluation
