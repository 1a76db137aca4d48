"""Writing one study: each step is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from spikefront.components.algorithm import Proposal, StudyObjective
from spikefront.errors import LeaseError, StorageError
from spikefront.job import Evaluation
from spikefront.storage import leases, schema
from spikefront.storage.database import Database
from spikefront.storage.inserts import add_genomes, artifact_rows, evaluation_row, measurement_rows, printable
from spikefront.storage.loading import chunks, find_study
from spikefront.storage.rows import Provenance, Purpose, State

_PLAIN = {"synchronize_session": False}
"""Options of a statement that changes rows of which the session holds no objects."""


class StudyStore:
    """The record of one study, open for writing. One program at a time writes to a study.

    Attributes:
        name: Name of the study.
    """

    def __init__(self, database: Database, row: schema.Study) -> None:
        self.name = row.name
        self._database = database
        self._id = row.id
        self._objectives = frozenset(objective["name"] for objective in row.objectives)
        self._fence: int | None = None

    @classmethod
    def create(
        cls,
        database: Database,
        name: str,
        *,
        specification: str,
        specification_hash: str,
        seed: int,
        objectives: Sequence[StudyObjective],
        plugins: Sequence[Provenance] = (),
    ) -> StudyStore:
        """Record a new study, in state "running".

        Args:
            database: Open for writing.
            name: Must be new in this database.
            specification: The study as canonical JSON.
            specification_hash: SHA-256 of what decides the outcome.
            seed: The study's seed, below 2**63.
            objectives: What it searches for, in order.
            plugins: Where its components come from.

        Raises:
            StorageError: There is a study of this name already.
        """
        now = datetime.now(UTC)
        row = schema.Study(
            name=name,
            specification=specification,
            specification_hash=specification_hash,
            seed=seed,
            state="running",
            created_at=now,
            updated_at=now,
            spikefront_version=version("spikefront"),
            objectives=[asdict(objective) for objective in objectives],
            plugins=[asdict(plugin) for plugin in plugins],
        )
        with database.write() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError:
                hint = f"Give another name, or go on with the study: `spikefront resume {name}`."
                raise StorageError(f"{database.label}: there is a study '{name}' already", hint) from None
            return cls(database, row)

    @classmethod
    def open(cls, database: Database, name: str) -> StudyStore:
        """Go on with a recorded study.

        Raises:
            StorageError: There is no such study; the hint has the closest name.
        """
        with database.read() as session:
            return cls(database, find_study(session, name))

    def acquire(self, host: str, process: int, seconds: float = 30) -> int:
        """Become the one process that searches this study, and return its fencing number.

        From here on every write of this object is refused when another process has taken over. A lease that ran out
        or was released is taken over; the number grows with each holder.

        Args:
            host: Name of this machine.
            process: ID of this process on it.
            seconds: When the lease runs out unless `renew` is called.

        Raises:
            LeaseError: Another process holds the lease; the message says which and since when, the hint what to do.
        """
        with self._locked() as session:
            fence = leases.take(session, self._id, self.name, host, process, seconds)
        self._fence = fence
        return fence

    def renew(self, seconds: float = 30) -> None:
        """Let the lease run out `seconds` from now; one that ran out and that nobody took is renewed too.

        Raises:
            LeaseError: Another process has taken over.
        """
        with self._locked() as session:
            leases.renew(session, self._id, self.name, self._holder(), seconds)

    def release(self) -> None:
        """Let others acquire the lease at once, if it is still this object's; it cannot write any more."""
        with self._locked() as session:
            leases.release(session, self._id, self._holder())

    def record_asks(self, generation: int, proposals: Sequence[Proposal]) -> list[int]:
        """Record a whole generation before it is tried, and return the number of each ask."""
        with self._write() as session:
            last = select(func.max(schema.Ask.number)).where(schema.Ask.study_id == self._id)
            first = _after(session.scalar(last))
            add_genomes(session, [proposal.genome for proposal in proposals])
            rows = [
                {
                    "number": number,
                    "generation": generation,
                    "genome_hash": proposal.genome.hash,
                    "parents": list(proposal.parents),
                    "operators": list(proposal.operators),
                }
                for number, proposal in enumerate(proposals, first)
            ]
            _add(session, schema.Ask, rows, study_id=self._id)
        return list(range(first, first + len(rows)))

    def record_tell(self, tell: int, numbers: Collection[int]) -> None:
        """Record with which tell the algorithm hears of some asks.

        Args:
            tell: Number of the tell, from 0.
            numbers: The asks, recorded and not told before.

        Raises:
            StorageError: One of them was never asked for, or has been told.
        """
        ask, wanted = schema.Ask, set(numbers)
        with self._write() as session:
            changed = [
                session.scalars(
                    update(ask)
                    .where(ask.study_id == self._id, ask.number.in_(chunk), ask.told.is_(None))
                    .values(told=tell)
                    .returning(ask.number),
                    execution_options=_PLAIN,
                ).all()
                for chunk in chunks(sorted(wanted))
            ]
            wrong = sorted(wanted.difference(*changed))
            if wrong:
                raise StorageError(
                    f"study '{self.name}': ask {wrong[0]} was never recorded, or its result has been told already",
                    "Each ask is told once; go on from the record.",
                )

    def record_attempt(self, number: int, evaluation: Evaluation) -> None:
        """Record a try that failed and that is made again.

        Args:
            number: The ask that was tried.
            evaluation: What came out: a failure; nothing is recorded of one that did not fail.

        Raises:
            StorageError: There is no such ask.
        """
        failure = evaluation.failure
        if failure is None:
            return
        row = {
            "number": number,
            "genome_hash": evaluation.genome.hash,
            "kind": failure.kind,
            "message": printable(failure.message),
            "traceback": printable(failure.traceback),
            "worker": evaluation.worker,
            "peak_memory": evaluation.peak_memory,
            "seconds": evaluation.seconds,
            "at": datetime.now(UTC),
        }
        with self._write() as session:
            _add(session, schema.Attempt, [row], study_id=self._id)

    def record(
        self,
        evaluation: Evaluation,
        *,
        generation: int,
        ask: int | None = None,
        number: int | None = None,
        purpose: Purpose = "search",
        candidate: int | None = None,
        replicates: Sequence[int] = (0,),
        budget: float = 1.0,
        regularised: Mapping[str, float | None] | None = None,
        regularisers: Collection[str] = (),
        reused: bool = False,
        cache_key: str | None = None,
    ) -> int:
        """Record an evaluation with its genome, measurements and weights, and return its number.

        A number that is not finite means nothing and is kept as None.

        Args:
            evaluation: What came out.
            generation: Generation of the candidate, from 0.
            ask: The ask that it answers; None outside of a search.
            number: Place among the evaluations of this purpose, and in a search the candidate's ID; by default
                the next one.
            purpose: What it was made for.
            candidate: ID of the candidate that was trained again or tested; left out in a search.
            replicates: Numbers of the replicates, in the order of the values.
            budget: Share of the full training, in [0, 1].
            regularised: Objectives' values as the search saw them, where a regulariser moved them.
            regularisers: Names of the measurements that are regularisers and no objectives.
            reused: Whether it was answered from the record without training.
            cache_key: What other studies may find it by.

        Raises:
            StorageError: The number is taken, or there is no such ask.
        """
        row = {
            "study_id": self._id,
            "purpose": purpose,
            "ask": ask,
            "generation": generation,
            "replicates": list(replicates),
            "budget": budget,
            "reused": reused,
            "cache_key": cache_key,
            "finished_at": datetime.now(UTC),
            **evaluation_row(evaluation),
        }
        measured = measurement_rows(evaluation, self._objectives, regularisers, regularised or {})
        artifacts = artifact_rows(evaluation)
        with self._write() as session:  # others wait from here on, so all is prepared
            add_genomes(session, [evaluation.genome])
            number = self._next_number(session, purpose) if number is None else number
            row |= {"number": number, "candidate": number if candidate is None else candidate}
            key = session.scalars(_table(schema.Evaluation).insert().returning(schema.Evaluation.id), row).one()
            _add(session, schema.Measurement, measured, evaluation_id=key)
            _add(session, schema.Artifact, artifacts, evaluation_id=key)
            return number

    def set_state(self, state: State) -> None:
        """Record how the study stands."""
        with self._write(state=state):
            pass

    def extend(self, extension: Mapping[str, int]) -> None:
        """Record a longer budget than the specification's: `{"generations": n}` or `{"evaluations": n}`."""
        with self._write(extension=dict(extension)):
            pass

    def record_restart(self, ask: int, seed: int, reason: str) -> None:
        """Record that the search goes on with a fresh algorithm.

        Args:
            ask: Number of its first ask.
            seed: Its seed.
            reason: Why, in a sentence.
        """
        with self._write() as session:
            known = session.scalars(select(schema.Study.restarts).where(schema.Study.id == self._id)).one()
            self._update(session, restarts=[*known, {"ask": ask, "seed": seed, "reason": printable(reason)}])

    def set_reference(self, reference: Mapping[str, tuple[float, float]]) -> None:
        """Fix ideal and reference point of the hypervolume, by objective, for good.

        Raises:
            StorageError: Others have been fixed before.
        """
        wanted = {name: list(pair) for name, pair in reference.items()}
        with self._write() as session:
            known = session.scalar(select(schema.Study.reference).where(schema.Study.id == self._id))
            if known is not None and known != wanted:
                raise StorageError(
                    f"study '{self.name}': the reference is fixed at {known}",
                    "Hypervolumes would not compare; start another study for another reference.",
                )
            self._update(session, reference=wanted)

    def prune_weights(self, keep: Collection[int], before: int) -> None:
        """Drop the weights of this study's candidates but those with the numbers in `keep`; retrained ones stay.

        Args:
            keep: Numbers of candidates.
            before: Number of the first candidate that is not looked at: a search that goes on from its record knows
                nothing yet of those that come later.
        """
        evaluation, artifact = schema.Evaluation, schema.Artifact
        mine = (evaluation.study_id == self._id, evaluation.purpose == "search")
        dropped = select(evaluation.id).where(*mine, evaluation.number < before, evaluation.number.not_in(keep))
        with self._write() as session:
            session.execute(
                delete(artifact).where(artifact.kind == "weights", artifact.evaluation_id.in_(dropped)),
                execution_options=_PLAIN,
            )

    def prune_rungs(self, generation: int) -> None:
        """Drop weights and checkpoints of the rungs of a generation; what was measured there stays."""
        evaluation, artifact = schema.Evaluation, schema.Artifact
        mine = (evaluation.study_id == self._id, evaluation.purpose == "rung", evaluation.generation == generation)
        rungs = select(evaluation.id).where(*mine)
        with self._write() as session:
            session.execute(
                delete(artifact).where(artifact.evaluation_id.in_(rungs)),
                execution_options=_PLAIN,
            )

    @contextmanager
    def _write(self, **values: Any) -> Iterator[Session]:
        """Give a session that has the study to itself; not to a holder whose lease another has taken.

        Its first statement changes the study's row, at least the time of its last change, and so locks it.
        """
        with self._database.write() as session:
            self._update(session, **values)
            if self._fence is not None:
                leases.check(session, self._id, self.name, self._fence)
            yield session

    @contextmanager
    def _locked(self) -> Iterator[Session]:
        """Give a session that has the study to itself, and changes nothing of it."""
        with self._database.write() as session:
            session.execute(select(schema.Study.id).where(schema.Study.id == self._id).with_for_update(key_share=True))
            yield session

    def _holder(self) -> int:
        if self._fence is None:
            raise LeaseError(f"study '{self.name}': this process holds no lease", "Acquire it first.")
        return self._fence

    def _next_number(self, session: Session, purpose: Purpose) -> int:
        table = schema.Evaluation
        last = select(func.max(table.number)).where(table.study_id == self._id, table.purpose == purpose)
        return _after(session.scalar(last))

    def _update(self, session: Session, **values: Any) -> None:
        """Change the study's row; at least the time of its last change."""
        mine = update(schema.Study).where(schema.Study.id == self._id)
        session.execute(mine.values(updated_at=datetime.now(UTC), **values), execution_options=_PLAIN)


def _after(last: int | None) -> int:
    return 0 if last is None else last + 1


def _add(session: Session, table: type[schema.Base], rows: Sequence[dict[str, Any]], **owner: int) -> None:
    """Insert rows that belong to `owner`."""
    if rows:
        session.execute(_table(table).insert(), [{**owner, **row} for row in rows])


def _table(table: type[schema.Base]) -> Table:
    """Return a table as such: statements that make no objects take half the time."""
    return schema.Base.metadata.tables[table.__tablename__]
