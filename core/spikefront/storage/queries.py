"""Questions to a database, each answered from one moment and with a few SQL queries, however large the study."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from sqlalchemy import select

from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Failure, FailureKind
from spikefront.storage import schema
from spikefront.storage.blobs import checked_weights
from spikefront.storage.database import Database
from spikefront.storage.leases import now
from spikefront.storage.loading import (
    chunks,
    evaluation_rows,
    find_evaluation,
    find_study,
    front_rows,
    load_genomes,
    study_rows,
)
from spikefront.storage.rows import (
    Archive,
    AskRow,
    AttemptRow,
    EvaluationDetail,
    EvaluationRow,
    Holder,
    Purpose,
    StudyRow,
)


def studies(database: Database) -> list[StudyRow]:
    """Return all studies, oldest first."""
    with database.read() as session:
        return study_rows(session)


def study(database: Database, name: str) -> StudyRow:
    """Return a study.

    Raises:
        StorageError: There is no such study; the hint has the closest name.
    """
    with database.read() as session:
        return study_rows(session, schema.Study.id == find_study(session, name).id)[0]


def holder(database: Database, study: str) -> Holder | None:
    """Return the process that searches a study, or did so last; None where none ever did.

    Raises:
        StorageError: There is no such study.
    """
    with database.read() as session:
        lease = session.get(schema.Lease, find_study(session, study).id)
        if lease is None:
            return None
        alive = not lease.released and now(session) < lease.expires_at
        return Holder(lease.host, lease.process, lease.acquired_at, lease.renewed_at, alive)


def asks(database: Database, study: str) -> list[AskRow]:
    """Return all that the algorithm asked for, in order.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Ask
    with database.read() as session:
        mine = table.study_id == find_study(session, study).id
        return [
            AskRow(row.number, row.generation, row.genome_hash, tuple(row.parents), tuple(row.operators), row.told)
            for row in session.scalars(select(table).where(mine).order_by(table.number))
        ]


def attempts(database: Database, study: str) -> list[AttemptRow]:
    """Return the tries that failed and that may have been tried again, in the order of their recording.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Attempt
    with database.read() as session:
        mine = table.study_id == find_study(session, study).id
        return [
            AttemptRow(
                number=row.number,
                genome_hash=row.genome_hash,
                failure=Failure(cast("FailureKind", row.kind), row.message, row.traceback),
                worker=row.worker,
                peak_memory=row.peak_memory,
                seconds=row.seconds,
                at=row.at,
            )
            for row in session.scalars(select(table).where(mine).order_by(table.id))
        ]


def evaluations(database: Database, study: str, purpose: Purpose = "search") -> list[EvaluationRow]:
    """Return a study's evaluations of one purpose in the order of their numbers.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Evaluation
    with database.read() as session:
        mine = table.study_id == find_study(session, study).id
        return evaluation_rows(session, mine, table.purpose == purpose)


def retrainings(database: Database, study: str, candidate: int) -> list[EvaluationRow]:
    """Return all that came of training a candidate again, in order.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Evaluation
    with database.read() as session:
        mine = table.study_id == find_study(session, study).id
        return evaluation_rows(session, mine, table.purpose == "retrain", table.candidate == candidate)


def failures(database: Database, study: str) -> list[EvaluationRow]:
    """Return a study's failed evaluations of every purpose.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Evaluation
    with database.read() as session:
        mine = table.study_id == find_study(session, study).id
        return evaluation_rows(session, mine, table.failure_kind.is_not(None))


def evaluation(database: Database, study: str, number: int, purpose: Purpose = "search") -> EvaluationDetail:
    """Return one evaluation with all but its weights.

    Raises:
        StorageError: There is no such evaluation, or its genome is damaged.
    """
    with database.read() as session:
        found = find_evaluation(session, study, number, purpose)
        row = evaluation_rows(session, schema.Evaluation.id == found.id)[0]
        genome = load_genomes(session, [found.genome_hash])[found.genome_hash]
        return EvaluationDetail(**vars(row), genome=genome, history=tuple(found.history), recording=found.recording)


def archive(database: Database, study: str, numbers: Collection[int] | None = None) -> Archive:
    """Return a study with all evaluations of its search, from one moment also while the search runs.

    Args:
        database: Where it is recorded.
        study: Its name.
        numbers: Leave out all evaluations but these; the front stays that of the whole study.

    Raises:
        StorageError: There is no such study, or a genome is damaged.
    """
    table = schema.Evaluation
    with database.read() as session:
        found = find_study(session, study)
        mine = (table.study_id == found.id, table.purpose == "search")
        parts = [[]] if numbers is None else [[table.number.in_(chunk)] for chunk in chunks(sorted(numbers))]
        rows = [row for part in parts for row in evaluation_rows(session, *mine, *part)]
        ask = schema.Ask
        asks = [[]] if numbers is None else [[ask.number.in_(chunk)] for chunk in chunks(sorted(numbers))]
        asked = [
            row
            for part in asks
            for row in session.execute(
                select(ask.number, ask.parents, ask.operators).where(ask.study_id == found.id, *part)
            )
        ]
        return Archive(
            study=study_rows(session, schema.Study.id == found.id)[0],
            evaluations=tuple(rows),
            genomes=load_genomes(session, {row.genome_hash for row in rows}),
            origins={number: (tuple(parents), tuple(operators)) for number, parents, operators in asked},
            front=frozenset(row.number for row in front_rows(session, found)),
        )


def genomes(database: Database, hashes: Collection[str]) -> dict[str, Genome]:
    """Return genomes with their arrays, by hash; a hash that is not known is left out.

    Raises:
        StorageError: A genome is damaged.
    """
    with database.read() as session:
        return load_genomes(session, hashes)


def weights(database: Database, study: str, number: int, purpose: Purpose = "search") -> bytes:
    """Return the trained tensors of an evaluation's first replicate, as safetensors.

    Raises:
        StorageError: There is no such evaluation, it has no weights, or they are damaged.
    """
    with database.read() as session:
        found = find_evaluation(session, study, number, purpose)
        artifact = session.get(schema.Artifact, (found.id, "weights"))
        if artifact is None:
            raise StorageError(
                f"candidate {number} of study '{study}' has no stored weights",
                'Only the front\'s are kept, unless [study] has keep = "all"; `spikefront retrain` makes new ones.',
            )
        return checked_weights(artifact.sha256, artifact.content, study, number)


def checkpoint(database: Database, study: str, number: int) -> bytes:
    """Return where a candidate's training stopped at a rung, by the number of the rung's evaluation; empty if gone.

    Raises:
        StorageError: There is no such evaluation, or the checkpoint is damaged.
    """
    with database.read() as session:
        found = find_evaluation(session, study, number, "rung")
        artifact = session.get(schema.Artifact, (found.id, "checkpoint"))
        return checked_weights(artifact.sha256, artifact.content, study, found.candidate) if artifact else b""


def cached(database: Database, key: str) -> tuple[str, int] | None:
    """Return study and number of the first successful evaluation that was left under a key, or None."""
    table = schema.Evaluation
    with database.read() as session:
        row = session.execute(
            select(schema.Study.name, table.number)
            .join(table, table.study_id == schema.Study.id)
            .where(table.cache_key == key, table.purpose == "search", table.failure_kind.is_(None))
            .order_by(table.id)
            .limit(1)
        ).first()
    return None if row is None else (row[0], row[1])


def front(database: Database, study: str) -> list[EvaluationRow]:
    """Return the successful evaluations of the search that no other dominates, by pure objectives.

    A genome appears once, with its first evaluation. The best in the first objective comes first.

    Raises:
        StorageError: There is no such study.
    """
    with database.read() as session:
        return front_rows(session, find_study(session, study))
