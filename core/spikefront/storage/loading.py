"""Tables turned into the rows that leave the storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from sqlalchemy import ColumnElement, RowMapping, case, exists, func, select
from sqlalchemy.orm import Session

from spikefront.components.algorithm import StudyObjective
from spikefront.errors import StorageError, did_you_mean
from spikefront.genome import Genome
from spikefront.job import Failure, Measurement
from spikefront.measure.hypervolume import nondominated
from spikefront.storage import schema
from spikefront.storage.blobs import unpack_genome
from spikefront.storage.rows import EvaluationRow, Provenance, Purpose, Restart, Role, State, StudyRow

Item = TypeVar("Item")

_CHUNK = 10_000
"""Values in one statement; databases allow about three times as many."""


def find_study(session: Session, name: str) -> schema.Study:
    """Return the record of a study.

    Raises:
        StorageError: There is no such study; the hint has the closest name.
    """
    found = session.scalar(select(schema.Study).where(schema.Study.name == name))
    if found is None:
        known = session.scalars(select(schema.Study.name)).all()
        raise StorageError(f"there is no study '{name}'", did_you_mean(name, known))
    return found


def find_evaluation(session: Session, study: str, number: int, purpose: Purpose) -> schema.Evaluation:
    """Return the record of an evaluation.

    Raises:
        StorageError: There is no such study or evaluation.
    """
    table = schema.Evaluation
    mine = (table.study_id == find_study(session, study).id, table.purpose == purpose)
    found = session.scalar(select(table).where(*mine, table.number == number))
    if found is None:
        last = session.scalar(select(func.max(table.number)).where(*mine))
        hint = "It has none yet." if last is None else f"The last one is {last}."
        what = "candidate" if purpose == "search" else f"{purpose} evaluation"
        raise StorageError(f"there is no {what} {number} in study '{study}'", hint)
    return found


def study_rows(session: Session, *conditions: ColumnElement[bool]) -> list[StudyRow]:
    """Return the studies that fulfil the conditions, oldest first."""
    table = schema.Evaluation
    counts = (
        select(table.study_id, func.count(), func.count(table.failure_kind), func.count(case((table.reused, 1))))
        .where(table.purpose == "search")
        .group_by(table.study_id)
    )
    by_study = {study_id: (total, failed, reused) for study_id, total, failed, reused in session.execute(counts)}
    found = session.scalars(select(schema.Study).where(*conditions).order_by(schema.Study.id))
    return [_study_row(row, *by_study.get(row.id, (0, 0, 0))) for row in found]


def _study_row(row: schema.Study, evaluations: int, failed: int, reused: int) -> StudyRow:
    return StudyRow(
        name=row.name,
        specification=row.specification,
        specification_hash=row.specification_hash,
        seed=row.seed,
        state=cast("State", row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        spikefront_version=row.spikefront_version,
        objectives=study_objectives(row),
        reference=None if row.reference is None else {name: (a, b) for name, (a, b) in row.reference.items()},
        plugins=tuple(Provenance(**plugin) for plugin in row.plugins),
        evaluations=evaluations,
        failed=failed,
        reused=reused,
        extension=row.extension,
        restarts=tuple(Restart(**restart) for restart in row.restarts),
    )


def study_objectives(row: schema.Study) -> tuple[StudyObjective, ...]:
    """Return a study's objectives in order."""
    return tuple(StudyObjective(**cast("dict[str, Any]", objective)) for objective in row.objectives)


def evaluation_rows(session: Session, *conditions: ColumnElement[bool]) -> list[EvaluationRow]:
    """Return the evaluations that fulfil the conditions, in the order of their numbers, with two queries."""
    table, measured = schema.Evaluation, schema.Measurement
    columns = [column for column in table.__table__.columns if column.key not in {"study_id", "history", "recording"}]
    kept = exists().where(schema.Artifact.evaluation_id == table.id, schema.Artifact.kind == "weights")
    rows = session.execute(
        select(*columns, schema.Genome.json.label("genome_json"), kept.label("has_weights"))
        .join(schema.Genome, schema.Genome.hash == table.genome_hash)
        .where(*conditions)
        .order_by(table.number, table.id)
    ).mappings()
    values: dict[int, list[tuple[str, Role, Measurement]]] = defaultdict(list)
    for key, name, role, numbers in session.execute(
        select(measured.evaluation_id, measured.name, measured.role, measured.values)
        .join(table, table.id == measured.evaluation_id)
        .where(*conditions)
    ):
        values[key].append((name, cast("Role", role), Measurement(tuple(numbers))))
    return [_evaluation_row(row, values[row["id"]]) for row in rows]


def _evaluation_row(row: RowMapping, measured: Sequence[tuple[str, Role, Measurement]]) -> EvaluationRow:
    kind = row["failure_kind"]
    return EvaluationRow(
        purpose=row["purpose"],
        number=row["number"],
        candidate=row["candidate"],
        ask=row["ask"],
        generation=row["generation"],
        genome_hash=row["genome_hash"],
        genome_json=row["genome_json"],
        replicates=tuple(row["replicates"]),
        budget=row["budget"],
        failure=Failure(kind, row["failure_message"], row["failure_traceback"]) if kind else None,
        reused=row["reused"],
        samples=row["samples"],
        seconds=row["seconds"],
        peak_memory=row["peak_memory"],
        worker=row["worker"],
        finished_at=row["finished_at"],
        has_weights=row["has_weights"],
        measurements={name: values for name, role, values in measured if role != "regularised"},
        roles={name: role for name, role, _ in measured if role != "regularised"},
        regularised={name: values.mean for name, role, values in measured if role == "regularised"},
    )


def objective_means(session: Session, study_id: int) -> dict[int, tuple[str, dict[str, float]]]:
    """Return genome and pure objectives of the successful evaluations of a search, by number and in its order.

    Candidates that screening left untrained are not among them.
    """
    table, measured = schema.Evaluation, schema.Measurement
    found: dict[int, tuple[str, dict[str, float]]] = {}
    for number, genome, name, mean in session.execute(
        select(table.number, table.genome_hash, measured.name, measured.mean)
        .join(measured, measured.evaluation_id == table.id)
        .where(table.study_id == study_id, table.purpose == "search", table.failure_kind.is_(None))
        .where(measured.role == "objective", table.budget > 0)
        .order_by(table.number)
    ):
        if mean is not None:
            found.setdefault(number, (genome, {}))[1][name] = mean
    return found


def front_rows(session: Session, study: schema.Study) -> list[EvaluationRow]:
    """Return the successful evaluations of a search that no other dominates, by pure objectives, the best first.

    A genome appears once, with its first evaluation.
    """
    table, objectives = schema.Evaluation, study_objectives(study)
    first: dict[str, int] = {}
    losses: dict[int, tuple[float, ...]] = {}
    for number, (genome, means) in objective_means(session, study.id).items():
        if len(means) == len(objectives) and first.setdefault(genome, number) == number:
            losses[number] = tuple(objective.loss(means[objective.name]) for objective in objectives)
    keep = nondominated(np.array(list(losses.values()), dtype=np.float64))
    numbers = [number for number, kept in zip(losses, keep, strict=True) if kept]
    mine = (table.study_id == study.id, table.purpose == "search")
    rows = [row for chunk in chunks(numbers) for row in evaluation_rows(session, *mine, table.number.in_(chunk))]
    return sorted(rows, key=lambda row: (losses[row.number], row.number))


def load_genomes(session: Session, hashes: Collection[str]) -> dict[str, Genome]:
    """Return genomes with their arrays, by hash; a hash that is not known is left out.

    Raises:
        StorageError: A genome is damaged.
    """
    table = schema.Genome
    return {
        key: unpack_genome(key, text, arrays)
        for chunk in chunks(list(hashes))
        for key, text, arrays in session.execute(
            select(table.hash, table.json, table.arrays).where(table.hash.in_(chunk))
        )
    }


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut a sequence into pieces that fit into one statement."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
