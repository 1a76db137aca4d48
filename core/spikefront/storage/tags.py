"""Tags: words that people give to candidates, like "shortlist". They stand beside the record."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import delete, select

from spikefront.errors import InputError
from spikefront.storage import schema
from spikefront.storage.database import Database
from spikefront.storage.loading import find_study

SHORTLIST = "shortlist"


def tagged(database: Database, study: str, name: str = SHORTLIST) -> list[int]:
    """Return the candidates of a study that have a tag, by number.

    Raises:
        StorageError: There is no such study.
    """
    table = schema.Tag
    with database.read() as session:
        mine = (table.study_id == find_study(session, study).id, table.name == name)
        return list(session.scalars(select(table.number).where(*mine).order_by(table.number)))


def set_tagged(database: Database, study: str, numbers: Collection[int], name: str = SHORTLIST) -> None:
    """Let exactly these candidates of a study have a tag. It needs no lease, and hinders no search.

    Raises:
        StorageError: There is no such study, or the database cannot be written.
        InputError: There is no such candidate.
    """
    table, evaluation = schema.Tag, schema.Evaluation
    with database.write() as session:
        key = find_study(session, study).id
        known = select(evaluation.number).where(evaluation.study_id == key, evaluation.purpose == "search")
        missing = sorted(set(numbers).difference(session.scalars(known)))
        if missing:
            raise InputError(
                f"study '{study}' has no candidate {missing[0]}", "See `spikefront front` for those it has."
            )
        session.execute(delete(table).where(table.study_id == key, table.name == name))
        moment = datetime.now(UTC)
        session.add_all(
            schema.Tag(study_id=key, number=number, name=name, at=moment) for number in sorted(set(numbers))
        )
