"""Training the candidates of a generation: at once, or up a ladder of rungs on which many are stopped early."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safetensors.torch import save as save_tensors

from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.search.archive import Archive
from spikefront.search.cache import Cache
from spikefront.search.early_stop import Ladder, Losses
from spikefront.search.record import recorded_evaluation
from spikefront.search.runner import Runner
from spikefront.search.screening import Screen, Standing
from spikefront.specification import Specification
from spikefront.storage import Database, EvaluationRow, StudyStore, queries

UNTRAINED, WHOLE = 0.0, 1.0


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


@dataclass(frozen=True)
class _Open:
    """A candidate on its last way: what it measured before, and what other studies may find it by."""

    candidate: Candidate
    before: Evaluation | None
    cache_key: str | None


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
        study: Specification,
        database: Database,
        store: StudyStore,
        archive: Archive,
        runner: Runner,
        cache: Cache | None = None,
    ) -> None:
        self._study, self._database, self._store = study, database, store
        self._archive, self._runner, self._cache = archive, runner, cache
        early_stop = study.budget.early_stop
        self._screen = Screen(study.screening, study.problem_objectives) if study.screening else None
        self._ladder = Ladder(early_stop.rungs, early_stop.keep) if early_stop else None
        self._rungs = (*([UNTRAINED] if self._screen else []), *(early_stop.rungs if early_stop else []))
        rows = queries.evaluations(database, study.name, "rung") if self._rungs else []
        self._recorded = {(row.candidate, row.budget): row for row in rows}
        self._open: dict[int, _Open] = {}

    def run(self, candidates: Sequence[Candidate], settled: Collection[int], leave: int = 0) -> Iterator[Trained]:
        """Yield last evaluations as they end, of these candidates and of those left from before.

        Args:
            candidates: With rungs a whole generation: what others did on a rung decides who goes on.
            settled: Numbers of the candidates whose last evaluation is recorded; they are not yielded.
            leave: How many may be left for a later call; 0 with rungs.

        Raises:
            Stopped: The search should stop; all that had ended was yielded.
        """
        climbing, before = {candidate.number: candidate for candidate in candidates}, dict[int, Evaluation]()
        for rung in self._rungs:
            arrived: dict[int, Evaluation] = {}
            for candidate, evaluation in self._on_rung(climbing, before, rung, settled):
                if evaluation.failure or (rung > UNTRAINED and not self._losses(candidate, evaluation)):
                    yield Trained(candidate, evaluation, rung)
                else:
                    arrived[candidate.number] = evaluation
            promoted = self._promoted(rung, climbing, arrived)
            for number in sorted(set(arrived) - promoted - set(settled)):
                yield Trained(climbing[number], self._without_score(arrived[number]), rung)
            climbing = {number: climbing[number] for number in sorted(promoted)}
            before = {number: arrived[number] for number in promoted}
        yield from self._to_the_end({n: c for n, c in climbing.items() if n not in settled}, before, leave)

    def close_generation(self, generation: int) -> None:
        """Drop what only an unfinished generation needs, and let screening learn from who was trained to the end."""
        if self._rungs:
            self._store.prune_rungs(generation)
        if self._screen:
            ended = [entry for entry in self._archive.entries if entry.generation == generation and not entry.failed]
            self._screen.learn({entry.number: entry.measurements for entry in ended if entry.budget == WHOLE})

    @property
    def screening(self) -> Standing | None:
        """How the score of [search.screening] stands, or None without one."""
        return self._screen.standing if self._screen else None

    def _to_the_end(
        self, climbing: Mapping[int, Candidate], before: Mapping[int, Evaluation], leave: int
    ) -> Iterator[Trained]:
        """Yield what candidates measure at last; with a cache, what another study left of the same."""
        jobs: dict[int, Job] = {}
        for number, candidate in climbing.items():
            job = self._job(candidate, WHOLE, before.get(number))
            key = self._cache.key(job) if self._cache else None
            found = self._cache.find(key, candidate.genome) if self._cache and key else None
            if found:
                yield Trained(candidate, found, WHOLE, reused=True, cache_key=key)
            else:
                jobs[number], self._open[number] = job, _Open(candidate, before.get(number), key)
        for number, evaluation in self._runner.run(jobs, leave):
            one = self._open.pop(number)
            yield Trained(one.candidate, _joined(evaluation, one.before), WHOLE, cache_key=one.cache_key)

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
            if self._screen and rung == UNTRAINED:
                joined = self._screen.scored(joined)
            if not evaluation.failure:
                self._record(climbing[number], joined, rung)
            yield climbing[number], joined

    def _promoted(self, rung: float, climbing: dict[int, Candidate], arrived: dict[int, Evaluation]) -> set[int]:
        found = {number: self._losses(climbing[number], arrived[number]) for number in sorted(arrived)}
        if self._screen and rung == UNTRAINED:
            return self._screen.promoted(arrived, found)
        losses = {number: known for number, known in found.items() if known}
        return self._ladder.promoted(rung, losses) if self._ladder else set()

    def _without_score(self, evaluation: Evaluation) -> Evaluation:
        return self._screen.without_score(evaluation) if self._screen else evaluation

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
            parent=self._start(candidate.proposal),
        )

    def _start(self, proposal: Proposal) -> bytes:
        """Return the tensors that the algorithm gives, or those recorded of the first parent that was trained.

        Empty where nothing is inherited.
        """
        if proposal.weights is not None:
            return save_tensors({name: tensor.contiguous() for name, tensor in proposal.weights.items()})
        parents = proposal.parents if self._study.budget.inherits else ()
        for entry in map(self._archive.first, parents):
            if entry and entry.ranked:
                evaluation = recorded_evaluation(self._database, self._study.name, entry.number)
                if evaluation.weights:
                    return evaluation.weights
        return b""

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
