"""The coordinator: asks the algorithm, has candidates evaluated, records, tells; the record is its state."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Literal

from spikefront.components import Problem, Proposal, Told
from spikefront.errors import SpikefrontError
from spikefront.job import Evaluation
from spikefront.plugins import Registry
from spikefront.randomness import Streams
from spikefront.search.archive import Archive, Entry
from spikefront.search.cache import Cache
from spikefront.search.failures import recorded_failures
from spikefront.search.progress import Progress, Watcher
from spikefront.search.record import open_store, recorded_entries
from spikefront.search.runner import Runner
from spikefront.search.training import Candidate, Trained, Training
from spikefront.sources import Sources
from spikefront.storage import Database, queries
from spikefront.study import Study

Outcome = Literal["finished", "interrupted", "failed"]
"""How a run ended; "failed" where no candidate gave anything usable."""


class ReplayError(SpikefrontError):
    """The algorithm asks for something else than it did when the record was made."""


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
        self._database = database
        self._cache = Cache(study, database, registry) if study.budget.cache else None
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
            failures = recorded_failures(self._database, self._study.name)
            runner = Runner(pool, self._study.executor, failures, self._record_attempt)
            training = Training(self._study, self._database, self._store, self._archive, runner, self._cache)
            self._generations(training)
            self._prune_weights()
            outcome = "finished" if self._archive.front else "failed"
        except KeyboardInterrupt:
            pass
        finally:
            pool.close()
            self._store.set_state(outcome)
        return outcome

    def _generations(self, training: Training) -> None:
        budget, engine = self._study.budget, self._study.algorithm.start(_problem(self._study))
        asked = 0
        for generation in range(budget.last_generation):
            proposals = engine.ask()[: budget.total - asked]
            if not proposals:
                return
            candidates = self._record_asks(generation, asked, proposals)
            asked += len(proposals)
            self._evaluate(training, candidates)
            told = self._archive.entries[-len(candidates) :]
            self._close_generation(told, training)
            self._report(generation, {})
            if len(candidates) == len(proposals) and asked < budget.total:
                engine.tell([Told(entry.genome, self._archive.losses(entry)) for entry in told])

    def _record_asks(self, generation: int, first: int, proposals: Sequence[Proposal]) -> list[Candidate]:
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
        return [Candidate(first + n, generation, proposal) for n, proposal in enumerate(proposals)]

    def _evaluate(self, training: Training, candidates: Sequence[Candidate]) -> None:
        """Fill the archive with a generation, in the order asked."""
        own: dict[str, Candidate] = {}
        for candidate in candidates:
            if candidate.genome.hash not in self._by_genome:
                own.setdefault(candidate.genome.hash, candidate)
        entries = {c.number: self._recorded[c.number] for c in candidates if c.number in self._recorded}
        self._report(candidates[0].generation, entries)
        for trained in training.run(list(own.values()), set(entries)):
            entries[trained.candidate.number] = self._record(trained)
            self._trained += not trained.reused
            self._report(trained.candidate.generation, entries)
        self._by_genome |= {genome: entries[candidate.number] for genome, candidate in own.items()}
        for candidate in candidates:
            if candidate.number not in entries:
                entries[candidate.number] = self._reuse(candidate)
        self._archive.add([entries[candidate.number] for candidate in candidates])
        training.close_generation(candidates[0].generation)

    def _record(self, trained: Trained) -> Entry:
        candidate, evaluation = trained.candidate, trained.evaluation
        measurements = {} if evaluation.failure else evaluation.measurements
        regularised = self._archive.regularised(measurements, candidate.generation)
        unwanted = self._study.settings.keep == "none" and not self._study.budget.inherits
        weights = b"" if unwanted else evaluation.weights
        self._store.record(
            dataclasses.replace(evaluation, weights=weights, checkpoint=b""),
            number=candidate.number,
            ask=candidate.number,
            generation=candidate.generation,
            replicates=range(self._study.settings.replicates),
            budget=trained.budget,
            regularised=regularised,
            regularisers=[regulariser.term.name for regulariser in self._study.regularisers],
            reused=trained.reused,
            cache_key=trained.cache_key,
        )
        number, generation = candidate.number, candidate.generation
        return Entry(number, generation, candidate.genome, measurements, regularised, trained.reused, trained.budget)

    def _record_attempt(self, number: int, evaluation: Evaluation) -> None:
        """Record a failure of a candidate that is tried again."""
        failure, genome = evaluation.failure, evaluation.genome.hash
        if failure:
            known = {key: getattr(evaluation, key) for key in ("worker", "peak_memory", "seconds")}
            self._store.record_attempt(number, genome, failure, **known)

    def _reuse(self, candidate: Candidate) -> Entry:
        """Answer from the record what was tried before."""
        twin = self._by_genome[candidate.genome.hash]
        evaluation = Evaluation(candidate.genome, twin.measurements)
        return self._record(Trained(candidate, evaluation, twin.budget, reused=True))

    def _close_generation(self, generation: Sequence[Entry], training: Training) -> None:
        """Fix the reference point once something is there, and drop weights that nobody will ask for.

        Where children inherit, any candidate may become a parent until the search ends.
        """
        if self._reference is None:
            self._reference = self._archive.reference()
            if self._reference is not None:
                self._store.set_reference(self._reference)
        if not self._study.budget.inherits:
            self._prune_weights()
        self._told = dataclasses.replace(
            self._told,
            failed=self._told.failed + sum(entry.failed for entry in generation),
            reused=self._told.reused + sum(entry.reused for entry in generation),
            best=self._archive.best(),
            screening=str(training.screening or ""),
            hypervolume=None if self._reference is None else self._archive.hypervolume(self._reference),
        )

    def _prune_weights(self) -> None:
        """Drop the weights that the study does not keep, of the candidates told so far; later ones may be recorded."""
        keep = self._study.settings.keep
        if keep != "all":
            front = self._archive.front if keep == "front" else []
            self._store.prune_weights([entry.number for entry in front], before=len(self._archive.entries))

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
