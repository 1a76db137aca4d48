"""The coordinator: asks the algorithm, has candidates evaluated, records, tells; the record is its state."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from threading import Event
from typing import Literal

from safetensors.torch import load as load_tensors

from spikefront.components import Pool, Problem, Proposal, Told
from spikefront.errors import SpikefrontError
from spikefront.genome import Genome
from spikefront.job import Evaluation
from spikefront.randomness import Streams
from spikefront.search.archive import Archive, Entry
from spikefront.search.cache import Cache
from spikefront.search.failures import recorded_failures
from spikefront.search.lease import Lease
from spikefront.search.progress import Progress, Watcher
from spikefront.search.record import changes_since, open_store, recorded_entries, recorded_evaluation
from spikefront.search.runner import Runner, Stopped
from spikefront.search.training import Candidate, Trained, Training
from spikefront.specification import Specification
from spikefront.storage import Database, StudyRow, queries

Outcome = Literal["finished", "interrupted", "failed"]
"""How a run ended; "failed" where no candidate gave anything usable."""


class ReplayError(SpikefrontError):
    """The algorithm asks for something else than it did when the record was made."""


class Search:
    """One run of a study: from the beginning, or on from what is recorded.

    Args:
        study: What to search.
        database: Open for writing.
        watch: Called with every change.
        stop: Set by whoever wants the search to stop; what has ended by then is recorded.
        extension: A longer budget than that of the specification: generations or evaluations; it is recorded.
        fresh_algorithm: Start the algorithm anew behind the record, with what was found, in place of replaying it.
    """

    def __init__(
        self,
        study: Specification,
        database: Database,
        watch: Watcher = lambda progress: None,
        stop: Event | None = None,
        extension: Mapping[str, int] | None = None,
        fresh_algorithm: bool = False,
    ) -> None:
        self._study = study
        self._store = open_store(study, database)
        self._database = database
        self._cache = Cache(study, database) if study.budget.cache else None
        self._watch = watch
        self._stop = stop or Event()
        self._extension = extension
        self._fresh_algorithm = fresh_algorithm
        self._archive = Archive(study)
        self._by_genome: dict[str, Entry] = {}
        self._open: dict[int, Candidate] = {}
        self._waiting: list[Candidate] = []
        self._arrived: dict[int, Entry] = {}
        self._started = time.monotonic()
        self._trained = 0

    def run(self) -> Outcome:
        """Search until the budget is spent, the algorithm has no more to ask, or somebody asks to stop.

        Raises:
            InputError: The algorithm cannot search this space; nothing was tried.
            ReplayError: The record was made by an algorithm that behaves otherwise.
            LeaseError: Another process searches the study, or has taken it over after this one was silent for too long.
        """
        outcome: Outcome = "interrupted"
        with Lease(self._store) as lease:
            self._recall()
            try:
                with closing(self._study.executor.open(self._study.registry.usable_sources)) as pool:
                    outcome = self._run_in(pool)
            except (KeyboardInterrupt, Stopped):
                pass
            finally:
                if not lease.lost:
                    self._store.set_state(outcome)
        return outcome

    def _run_in(self, pool: Pool) -> Outcome:
        self._store.set_state("running")
        failures = recorded_failures(self._database, self._study.name)
        runner = Runner(pool, self._study.executor, failures, self._store.record_attempt, self._stop)
        training = Training(self._study, self._database, self._store, self._archive, runner, self._cache)
        self._search(training)
        self._prune_weights()
        return "finished" if self._archive.front else "failed"

    def _recall(self) -> None:
        """Read the record, after recording what this run is to do otherwise."""
        database, name = self._database, self._study.name
        self._asked = queries.asks(database, name)
        if self._extension:
            self._store.extend(self._extension)
        if self._fresh_algorithm and self._asked:
            row = queries.study(database, name)
            reason = _differences(row, self._study)
            self._store.record_restart(len(self._asked), len(row.restarts) + 1, reason)
        self._recorded = recorded_entries(database, self._study, self._archive)
        self._known_tells = {row.number: row.told for row in self._asked if row.told is not None}
        row = queries.study(database, name)
        self._restart = row.restarts[-1] if row.restarts else None
        self._reference = row.reference
        self._budget = self._study.budget.extended(row.extension)
        self._told = Progress(0, self._budget.last_generation, self._budget.total)

    def _search(self, training: Training) -> None:
        generation, asked = self._load(training)
        engine, cut = self._study.algorithm.start(self._problem()), False
        while True:
            left = self._budget.total - asked
            wanted = engine.ask() if left and not cut else []
            proposals = wanted[:left]
            if not proposals and not self._open:
                return
            cut = len(proposals) < len(wanted)  # the budget ends within a generation: nothing more is told
            self._record_asks(generation, asked, proposals)
            asked += len(proposals)
            more = len(proposals) == self._budget.population and asked < self._budget.total
            told = self._evaluate(training, generation, self._leave if more else 0)
            if asked < self._budget.total:
                if new := [entry.number for entry in told if entry.number not in self._known_tells]:
                    self._store.record_tell(generation, new)
                engine.tell([self._told_of(entry) for entry in told])
            generation += 1

    def _told_of(self, entry: Entry) -> Told:
        """Return what the algorithm is told of an evaluation."""
        losses = self._archive.losses(entry)
        if losses is None or not self._study.algorithm.wants_weights:
            return Told(entry.genome, losses)
        weights = recorded_evaluation(self._database, self._study.name, entry.number).weights
        return Told(entry.genome, losses, load_tensors(weights) if weights else None)

    @property
    def _leave(self) -> int:
        """How many candidates may be open when the algorithm is asked for more."""
        return math.floor((1 - self._budget.wait) * self._budget.population)

    def _load(self, training: Training) -> tuple[int, int]:
        """Take over what earlier algorithms asked for; return the next numbers of a generation and of an ask."""
        known = self._asked[: self._restart.ask] if self._restart else []
        genomes = queries.genomes(self._database, {row.genome_hash for row in known})
        generation = 0
        for row in known:
            if row.generation > generation:
                self._evaluate(training, generation, 0)
                generation = row.generation
            proposal = Proposal(genomes[row.genome_hash], row.parents, row.operators)
            self._ask(Candidate(row.number, row.generation, proposal))
        if known:
            self._evaluate(training, generation, 0)
            generation += 1
        return generation, len(known)

    def _problem(self) -> Problem:
        """Return what the algorithm gets to know; one that starts behind a record also what was found before."""
        streams, initial = Streams(self._study.settings.seed).child("algorithm"), tuple[Genome, ...]()
        if self._restart:
            streams = streams.child(str(self._restart.seed))
            initial = self._archive.spread(self._budget.population)
        return Problem(
            space=self._study.space,
            objectives=self._study.problem_objectives,
            population=self._budget.population,
            operators=self._study.operators,
            streams=streams,
            initial=initial,
        )

    def _record_asks(self, generation: int, first: int, proposals: Sequence[Proposal]) -> None:
        """Record what is new; make sure that the rest is what was asked for before."""
        known = self._asked[first : first + len(proposals)]
        for number, (row, proposal) in enumerate(zip(known, proposals, strict=False), first):
            if row.genome_hash != proposal.genome.hash:
                raise ReplayError(
                    f"study '{self._study.name}': candidate {number} was {row.genome_hash[:12]} when it was recorded, "
                    f"and the algorithm now asks for {proposal.genome.hash[:12]}: "
                    + _differences(queries.study(self._database, self._study.name), self._study),
                    "Use the versions of then, or go on with a fresh algorithm, which starts from what was found: "
                    f"spikefront resume {self._study.name} --fresh-algorithm",
                )
        if len(known) < len(proposals):
            self._store.record_asks(generation, proposals[len(known) :])
        for number, proposal in enumerate(proposals, first):
            self._ask(Candidate(number, generation, proposal))

    def _ask(self, candidate: Candidate) -> None:
        self._open[candidate.number] = candidate
        self._waiting.append(candidate)
        if candidate.number in self._recorded:
            self._arrived[candidate.number] = self._recorded[candidate.number]

    def _evaluate(self, training: Training, generation: int, leave: int) -> list[Entry]:
        """Return what the algorithm is told next, in the order asked, and add it to the archive.

        These are the candidates that it was told of when the record was made; or all that have ended once no more than
        `leave` are open.
        """
        numbers = sorted(number for number, tell in self._known_tells.items() if tell == generation)
        if leave == 0 or not numbers:
            self._wait(training, generation, leave)
            numbers = sorted(self._arrived)
        told = [self._arrived.pop(number) for number in numbers]
        for number in numbers:
            del self._open[number]
        self._archive.add(told)
        training.close_generation(generation)
        self._close_generation(told, training)
        self._report(generation)
        return told

    def _wait(self, training: Training, generation: int, leave: int) -> None:
        """Let candidates be trained until no more than `leave` are open."""
        self._by_genome |= {self._open[number].genome.hash: entry for number, entry in self._arrived.items()
                            if self._open[number].genome.hash not in self._by_genome}  # fmt: skip
        own: dict[str, Candidate] = {}
        for candidate in self._waiting:
            entry = self._by_genome.get(candidate.genome.hash)
            if candidate.number in self._open and (entry is None or entry.number == candidate.number):
                own.setdefault(candidate.genome.hash, candidate)
        self._waiting = []
        self._report(generation)
        for trained in training.run(list(own.values()), set(self._arrived), leave):
            entry = self._record(trained)
            self._arrived[entry.number] = self._by_genome[entry.genome.hash] = entry
            self._trained += not trained.reused
            self._report(generation)
        for candidate in self._open.values():
            if candidate.number not in self._arrived and candidate.genome.hash in self._by_genome:
                self._arrived[candidate.number] = self._reuse(candidate)

    def _record(self, trained: Trained) -> Entry:
        candidate, evaluation = trained.candidate, trained.evaluation
        measurements = {} if evaluation.failure else evaluation.measurements
        regularised = self._archive.regularised(measurements, candidate.generation)
        unwanted = self._study.settings.keep == "none" and not self._study.hands_on_weights
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
        is_new = any(entry.number not in self._recorded for entry in generation)
        if is_new and not self._study.hands_on_weights:
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
            before = min(self._open, default=len(self._archive.entries))
            self._store.prune_weights([entry.number for entry in front], before)

    def _report(self, generation: int) -> None:
        entries, seconds = self._arrived.values(), time.monotonic() - self._started
        done = len(self._archive.entries) + len(entries)
        left = self._budget.total - done
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


def _differences(row: StudyRow, study: Specification) -> str:
    """Return why an algorithm may behave otherwise than when its study was recorded."""
    return "; ".join(changes_since(row, study)) or "no plugin has changed since, so a library has"
