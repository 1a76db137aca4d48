"""Checking what is recorded: is it whole, counted once, in order, and as it was written?"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from spikefront.errors import StorageError
from spikefront.storage import schema
from spikefront.storage.blobs import sha256, unpack_genome
from spikefront.storage.database import Database
from spikefront.storage.loading import find_study, front_rows
from spikefront.storage.rows import EvaluationRow

_SHOWN = 5
"""Numbers that one line names."""


def check_file(database: Database) -> list[str]:
    """Return what is wrong with a database as a whole; a server looks after its own."""
    if database.path is None:
        return []
    with database.read() as session:
        damage = [line for line in session.scalars(text("PRAGMA integrity_check")) if line != "ok"]
        orphans = Counter(row[0] for row in session.execute(text("PRAGMA foreign_key_check")))
    found = [f"the file is damaged: {line}" for line in damage]
    return found + [f"table {table}: {count} rows belong to nothing" for table, count in orphans.items()]


def check_study(database: Database, name: str) -> list[str]:
    """Return what is wrong with a study, one line each; nothing is changed, and a search may go on meanwhile.

    Checked are the order of the asks, that each evaluation answers one ask and none is counted twice, what the
    algorithm was told, that each point of the front has genome, seed, plugin versions and what it left, and every
    checksum.

    Raises:
        StorageError: There is no such study, or the database cannot be read.
    """
    with database.read() as session:
        study = find_study(session, name)
        return [
            *_specification(study),
            *_asks(session, study),
            *_evaluations(session, study),
            *_tells(session, study),
            *_front(study, front_rows(session, study)),
            *_genomes(session, study),
            *_artifacts(session, study),
        ]


def _specification(study: schema.Study) -> Iterator[str]:
    try:
        seed = json.loads(study.specification)["study"].get("seed", study.seed)
    except (ValueError, TypeError, KeyError, AttributeError):
        yield "the specification cannot be read"
        return
    if seed != study.seed:
        yield f"the seed is {study.seed}, and {seed} in the specification"
    if not study.plugins:
        yield "no plugin is named that gave its components"
    for plugin in study.plugins:
        if not plugin.get("plugin") or plugin.get("version") is None:  # that of a file is empty
            yield f"{plugin.get('kind')} {plugin.get('name')}: its plugin, or the version of that, is missing"


def _asks(session: Session, study: schema.Study) -> Iterator[str]:
    ask = schema.Ask
    rows = session.execute(
        select(ask.number, ask.generation).where(ask.study_id == study.id).order_by(ask.number)
    ).all()
    numbers = {number for number, _ in rows}
    yield from _line("asks are missing", set(range(max(numbers, default=-1) + 1)) - numbers)
    back = [number for (_, before), (number, now) in itertools.pairwise(rows) if now < before]
    yield from _line("asks are of an earlier generation than the one before", back)
    late = [restart["ask"] for restart in study.restarts if restart["ask"] > max(numbers, default=-1) + 1]
    yield from _line("the algorithm was started anew at asks that are missing", late)


def _evaluations(session: Session, study: schema.Study) -> Iterator[str]:
    table, ask = schema.Evaluation, schema.Ask
    search = (table.study_id == study.id, table.purpose == "search")
    stray = select(table.number).where(*search, table.ask.is_(None) | (table.ask != table.number))
    yield from _line("evaluations answer another ask than their own", session.scalars(stray))
    twice = select(table.ask).where(*search, table.ask.is_not(None)).group_by(table.ask).having(func.count() > 1)
    yield from _line("asks are counted twice", session.scalars(twice))
    rungs = (
        select(table.candidate)
        .where(table.study_id == study.id, table.purpose == "rung")
        .group_by(table.candidate, table.budget)
        .having(func.count() > 1)
    )
    yield from _line("candidates are on a rung twice", session.scalars(rungs))
    answered = select(table.number).join(ask, (ask.study_id == table.study_id) & (ask.number == table.ask))
    wrong = answered.where(*search, (ask.genome_hash != table.genome_hash) | (ask.generation != table.generation))
    yield from _line("evaluations are of another genome or generation than what was asked", session.scalars(wrong))
    yield from _line("evaluations have neither a failure nor all objectives", _incomplete(session, study))
    if study.state == "finished":
        yield from _line("asks of the finished study have no evaluation", _unanswered(session, study))


def _incomplete(session: Session, study: schema.Study) -> list[int]:
    """Return the evaluations that were trained and have no row of an objective; its value may be none."""
    table, measured = schema.Evaluation, schema.Measurement
    done = (table.study_id == study.id, table.purpose == "search", table.failure_kind.is_(None), table.budget > 0)
    known = select(measured.name).where(measured.evaluation_id == table.id, measured.role == "objective")
    names = [objective["name"] for objective in study.objectives]
    lacking = or_(*(~known.where(measured.name == name).exists() for name in names))
    return list(session.scalars(select(table.number).where(*done, table.reused.is_(False), lacking)))


def _tells(session: Session, study: schema.Study) -> Iterator[str]:
    ask = schema.Ask
    told = set(session.scalars(select(ask.told).where(ask.study_id == study.id, ask.told.is_not(None))))
    last = max((number for number in told if number is not None), default=-1)
    if not study.restarts:  # an algorithm that ends before its study hears nothing of its last candidates
        yield from _line("tells are missing", set(range(last + 1)) - told)
    early = _unanswered(session, study, ask.told.is_not(None))
    yield from _line("asks were told that have no evaluation", early)


def _unanswered(session: Session, study: schema.Study, *conditions: ColumnElement[bool]) -> list[int]:
    """Return the asks without an evaluation."""
    table, ask = schema.Evaluation, schema.Ask
    answer = select(table.id).where(table.study_id == ask.study_id, table.ask == ask.number, table.purpose == "search")
    return list(session.scalars(select(ask.number).where(ask.study_id == study.id, *conditions, ~answer.exists())))


def _front(study: schema.Study, front: Iterable[EvaluationRow]) -> Iterator[str]:
    """Look at what each point of the front left: tensors where it was trained, unless the study keeps none."""
    try:
        keep = json.loads(study.specification)["study"].get("keep", "front")
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # told already
    if keep != "none":
        lost = [row.number for row in front if row.samples and not row.reused and not row.has_weights]
        yield from _line("candidates on the front have lost their weights", lost)


def _genomes(session: Session, study: schema.Study) -> Iterator[str]:
    genome = schema.Genome
    mine = [
        select(table.genome_hash).where(table.study_id == study.id)
        for table in (schema.Ask, schema.Evaluation, schema.Attempt)
    ]
    wanted = genome.hash.in_(mine[0].union(*mine[1:]))
    for key, content, arrays in session.execute(select(genome.hash, genome.json, genome.arrays).where(wanted)):
        try:
            unpack_genome(key, content, arrays)
        except StorageError as error:
            yield error.message


def _artifacts(session: Session, study: schema.Study) -> Iterator[str]:
    artifact, table = schema.Artifact, schema.Evaluation
    rows = session.execute(
        select(table.purpose, table.number, artifact.kind, artifact.sha256, artifact.size, artifact.content)
        .join(artifact, artifact.evaluation_id == table.id)
        .where(table.study_id == study.id)
        .order_by(table.id),
        execution_options={"yield_per": 10},
    )
    for purpose, number, kind, expected, size, content in rows:
        if len(content) != size or sha256(content) != expected:
            yield f"{purpose} evaluation {number}: the {kind} are damaged: their checksum does not match"


def _line(what: str, numbers: Iterable[int | None]) -> Iterator[str]:
    """Yield one line that says what is wrong with which numbers, if there are any."""
    found: Collection[int] = sorted(number for number in numbers if number is not None)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield f"{what}: {', '.join(map(str, list(found)[:_SHOWN]))}{more}"
