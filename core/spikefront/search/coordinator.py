"""The coordinator: asks the algorithm, has candidates evaluated, records, tells; the record is its state."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Literal

from spikefront.components import Pool, Problem, Proposal, Told
from spikefront.errors import SpikefrontError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.plugins import Registry
from spikefront.randomness import Streams
from spikefront.search.archive import Archive, Entry
from spikefront.search.progress import Progress, Watcher
from spikefront.search.record import open_store, recorded_entries
from spikefront.sources import Sources
from spikefront.storage import Database, queries
from spikefront.study import Study

Outcome = Literal["finished", "interrupted", "failed"]
"""How a run ended; "failed" where no candidate gave anything usable."""


class ReplayError(SpikefrontError):
    """The algorithm asks for something else than it did when the record was made."""


@dataclass(frozen=True)
class _Candidate:
    """A proposal with its number in the study."""

    number: int
    generation: int
    proposal: Proposal

    @property
    def genome(self) -> Genome:
        return self.proposal.genome


class Search:
    """One run of a study: from the beginning, or on from what is recorded.

    Args:
        study: What to search.
        database: Open for writing.
        registry: The plugins of the study.
        sources: Where workers find the same plugins.
        watch: Called with every change.
    """

    def __init__(
        self,
        study: Study,
        database: Database,
        registry: Registry,
        sources: Sources,
        watch: Watcher = lambda progress: None,
    ) -> None:
        self._study = study
        self._store = open_store(study, database, registry)
        self._sources = sources
        self._watch = watch
        self._archive = Archive(study)
        self._recorded = recorded_entries(database, study, self._archive)
        self._asked = queries.asks(database, study.name)
        self._by_genome: dict[str, Entry] = {}
        self._reference = queries.study(database, study.name).reference
        self._started = time.monotonic()
        self._trained = 0
        self._told = Progress(0, study.budget.last_generation, study.budget.total)

    def run(self) -> Outcome:
        """Search until the budget is spent, the algorithm has no more to ask, or the user interrupts.

        Raises:
            InputError: The algorithm cannot search this space; nothing was tried.
            ReplayError: The record was made by an algorithm that behaves otherwise.
        """
        outcome: Outcome = "interrupted"
        pool = self._study.executor.open(self._sources)
        try:
            self._store.set_state("running")
            self._generations(pool)
            outcome = "finished" if self._archive.front else "failed"
        except KeyboardInterrupt:
            pass
        finally:
            pool.close()
            self._store.set_state(outcome)
        return outcome

    def _generations(self, pool: Pool) -> None:
        budget, engine = self._study.budget, self._study.algorithm.start(_problem(self._study))
        asked = 0
        for generation in range(budget.last_generation):
            proposals = engine.ask()[: budget.total - asked]
            if not proposals:
                return
            candidates = self._record_asks(generation, asked, proposals)
            asked += len(proposals)
            self._evaluate(pool, candidates)
            told = self._archive.entries[-len(candidates) :]
            self._close_generation(told)
            self._report(generation, {})
            if len(candidates) == len(proposals) and asked < budget.total:
                engine.tell([Told(entry.genome, self._archive.losses(entry)) for entry in told])

    def _record_asks(self, generation: int, first: int, proposals: Sequence[Proposal]) -> list[_Candidate]:
        """Record what is new; make sure that the rest is what was asked for before."""
        known = self._asked[first : first + len(proposals)]
        for number, (row, proposal) in enumerate(zip(known, proposals, strict=False), first):
            if row.genome_hash != proposal.genome.hash:
                raise ReplayError(
                    f"study '{self._study.name}': candidate {number} was {row.genome_hash[:12]} when it was recorded, "
                    f"and the algorithm now asks for {proposal.genome.hash[:12]}",
                    "A plugin or a library has changed since; use the versions of then, or start a new study.",
                )
        if not known:
            self._store.record_asks(generation, proposals)
        return [_Candidate(first + n, generation, proposal) for n, proposal in enumerate(proposals)]

    def _evaluate(self, pool: Pool, candidates: Sequence[_Candidate]) -> None:
        """Fill the archive with a generation, in the order asked."""
        entries: dict[int, Entry] = {}
        fresh: deque[_Candidate] = deque()
        twins: list[_Candidate] = []
        for candidate in candidates:
            if candidate.number in self._recorded:
                entries[candidate.number] = self._recorded[candidate.number]
            elif candidate.genome.hash in self._by_genome or any(candidate.genome == c.genome for c in fresh):
                twins.append(candidate)
            else:
                fresh.append(candidate)
        self._report(candidates[0].generation, entries)
        for candidate, evaluation in self._trained_in(pool, fresh):
            entries[candidate.number] = self._record(candidate, evaluation, reused=False)
            self._report(candidate.generation, entries)
        self._by_genome |= {entry.genome.hash: entry for entry in entries.values()}
        for candidate in twins:
            entries[candidate.number] = self._reuse(candidate)
        self._archive.add([entries[candidate.number] for candidate in candidates])

    def _trained_in(self, pool: Pool, fresh: deque[_Candidate]) -> Iterator[tuple[_Candidate, Evaluation]]:
        """Yield evaluations as they end; a few jobs wait at the workers, the rest here."""
        running: dict[Future[Evaluation], tuple[_Candidate, int]] = {}
        elites = self._archive.elites(fresh[0].generation - 1) if fresh else {}
        waiting = deque((candidate, 0) for candidate in fresh)
        while waiting or running:
            while waiting and len(running) < 2 * self._study.executor.workers:
                candidate, tries = waiting.popleft()
                running[pool.submit(self._job(candidate.genome, elites))] = (candidate, tries)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                candidate, tries = running.pop(future)
                evaluation = future.result()
                if evaluation.failure and tries < self._study.executor.retries:
                    waiting.append((candidate, tries + 1))
                    continue
                self._trained += 1
                yield candidate, evaluation

    def _job(self, genome: Genome, elites: dict[str, Genome]) -> Job:
        return Job(
            study=self._study.to_json(),
            genome=genome,
            replicates=tuple(range(self._study.settings.replicates)),
            elites=elites,
            threads=self._study.executor.threads,
        )

    def _record(self, candidate: _Candidate, evaluation: Evaluation, reused: bool) -> Entry:
        measurements = {} if evaluation.failure else evaluation.measurements
        regularised = self._archive.regularised(measurements, candidate.generation)
        if self._study.settings.keep == "none":
            evaluation = dataclasses.replace(evaluation, weights=b"")
        self._store.record(
            evaluation,
            number=candidate.number,
            ask=candidate.number,
            generation=candidate.generation,
            replicates=range(self._study.settings.replicates),
            regularised=regularised,
            regularisers=[regulariser.term.name for regulariser in self._study.regularisers],
            reused=reused,
        )
        return Entry(candidate.number, candidate.generation, candidate.genome, measurements, regularised, reused)

    def _reuse(self, candidate: _Candidate) -> Entry:
        """Answer from the record what was tried before."""
        twin = self._by_genome[candidate.genome.hash]
        return self._record(candidate, Evaluation(candidate.genome, twin.measurements), reused=True)

    def _close_generation(self, generation: Sequence[Entry]) -> None:
        """Fix the reference point once something is there, and drop weights that nobody will ask for."""
        if self._reference is None:
            self._reference = self._archive.reference()
            if self._reference is not None:
                self._store.set_reference(self._reference)
        if self._study.settings.keep == "front":
            self._store.prune_weights([entry.number for entry in self._archive.front])
        self._told = dataclasses.replace(
            self._told,
            failed=self._told.failed + sum(entry.failed for entry in generation),
            reused=self._told.reused + sum(entry.reused for entry in generation),
            best=self._archive.best(),
            hypervolume=None if self._reference is None else self._archive.hypervolume(self._reference),
        )

    def _report(self, generation: int, current: dict[int, Entry]) -> None:
        entries, seconds = current.values(), time.monotonic() - self._started
        done = len(self._archive.entries) + len(current)
        left = self._study.budget.total - done
        self._watch(
            dataclasses.replace(
                self._told,
                generation=generation,
                done=done,
                failed=self._told.failed + sum(entry.failed for entry in entries),
                reused=self._told.reused + sum(entry.reused for entry in entries),
                seconds=seconds,
                remaining=seconds / self._trained * left if self._trained else None,
            )
        )


def _problem(study: Study) -> Problem:
    return Problem(
        space=study.space,
        objectives=study.problem_objectives,
        population=study.budget.population,
        operators=study.operators,
        streams=Streams(study.settings.seed).child("algorithm"),
    )
