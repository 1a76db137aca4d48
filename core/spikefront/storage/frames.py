"""Whole studies as tables, column by column: for looking at tens of thousands of evaluations at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from spikefront.measure.hypervolume import nondominated
from spikefront.storage import schema
from spikefront.storage.database import Database
from spikefront.storage.loading import find_study, study_objectives

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and whoever writes needs no table

Keys = npt.NDArray[np.int64]
Measured = dict[str, npt.NDArray[np.float64]]
"""A number for each evaluation, by the name of a fitness term; not a number where it has none."""

_TOGETHER = 1000
"""Genomes that are read at once."""

FACTS = ("id", "generation", "failure", "front", "reused", "budget", "samples", "seconds", "worker", "finished_at")


def evaluations(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each evaluation of a search, in the order of their numbers.

    Columns: those of `FACTS` ("failure" is its kind or missing, "front" whether no other candidate dominates it by pure
    objectives, of equal genomes the first), then the mean of each fitness term by its name, objectives first, with
    " s.e." behind it the standard error where there is one.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table = schema.Evaluation
    with database.read() as session:
        row = find_study(session, study)
        objectives = study_objectives(row)
        mine = (table.study_id == row.id, table.purpose == "search")
        facts = _columns(
            session,
            select(
                table.id,
                table.number,
                table.generation,
                table.failure_kind,
                table.genome_hash,
                table.reused,
                table.budget,
                table.samples,
                table.seconds,
                table.worker,
                table.finished_at,
            )
            .where(*mine)
            .order_by(table.number),
        )
        means, errors = _measured(session, mine, np.array(facts[0], dtype=np.int64))
    frame = pd.DataFrame(dict(zip(["key", "id", "generation", "failure", "genome", *FACTS[4:]], facts, strict=True)))
    frame["reused"] = frame["reused"].astype(bool)
    frame["finished_at"] = pd.to_datetime(frame["finished_at"], utc=True, format="ISO8601")
    nothing = np.full(len(frame), np.nan)
    first = [objective.name for objective in objectives]
    both = {}
    for name in [*first, *sorted(set(means).difference(first))]:
        both[name] = means.get(name, nothing)
        if name in errors:
            both[f"{name} s.e."] = errors[name]
    signs = [1.0 if objective.direction == "minimize" else -1.0 for objective in objectives]
    losses = np.column_stack([both[name] for name in first]) * signs
    usable = frame["failure"].isna() & (frame["budget"] > 0) & np.asarray(~np.isnan(losses).any(1))
    usable &= ~frame["genome"].where(usable).duplicated()
    frame.insert(4, "front", np.zeros(len(frame), dtype=bool))
    frame.loc[usable, "front"] = nondominated(losses[usable.to_numpy()])
    return pd.concat([frame.drop(columns=["key", "genome"]), pd.DataFrame(both, index=frame.index)], axis=1)


def genes(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each evaluation of a search, in the order of their numbers, with a column for each gene.

    The index is the candidates' numbers. Arrays are left out; a gene that a candidate does not have is missing.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table, genome = schema.Evaluation, schema.Genome
    with database.read() as session:
        mine = (table.study_id == find_study(session, study).id, table.purpose == "search")
        numbers, texts = _columns(
            session,
            select(table.number, genome.json)
            .join(genome, genome.hash == table.genome_hash)
            .where(*mine)
            .order_by(table.number),
        )
    columns: dict[str, list[Any]] = defaultdict(lambda: [None] * len(numbers))
    for start in range(0, len(numbers), _TOGETHER):
        for path, column in _by_path(texts[start : start + _TOGETHER]).items():
            columns[path][start : start + len(column)] = column
    return pd.DataFrame(dict(columns), index=pd.Index(numbers, name="id", dtype=np.int64))


def _columns(session: Session, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return what a query finds, column by column and as the driver has it: rows as objects take three times as long.

    So a truth value may be 0 or 1, and a time a text.
    """
    cursor = session.connection().execute(query).cursor
    rows = cursor.fetchall() if cursor else []
    return list(zip(*rows, strict=True)) if rows else [() for _ in query.selected_columns]


def _measured(session: Session, mine: Iterable[ColumnElement[bool]], keys: Keys) -> tuple[Measured, Measured]:
    """Return mean and standard error of each fitness term, a number for each of the evaluations `keys`.

    A term without any standard error is not among the second.
    """
    table, measured = schema.Evaluation, schema.Measurement
    found, names, means, errors = _columns(
        session,
        select(measured.evaluation_id, measured.name, measured.mean, measured.standard_error)
        .join(table, table.id == measured.evaluation_id)
        .where(*mine, measured.role != "regularised"),
    )
    order = np.argsort(keys)
    places = order[np.searchsorted(keys, np.array(found, dtype=np.int64), sorter=order)]
    terms = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.fromiter(map(terms.__getitem__, names), np.int64, len(names))
    tables = []
    for column in (means, errors):
        grid = np.full((len(terms), len(keys)), np.nan)
        grid[codes, places] = np.array(column, dtype=np.float64)
        tables.append({name: grid[number] for name, number in terms.items()})
    return tables[0], {name: column for name, column in tables[1].items() if not np.isnan(column).all()}


def _by_path(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return a column for each gene that is no array; genomes of the same genes are put into them at once."""
    rows = json.loads(f"[{','.join(texts)}]")
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[tuple(row)].append(number)
    columns: dict[str, npt.NDArray[np.object_]] = {}
    for paths, members in groups.items():
        values = zip(*(rows[number].values() for number in members), strict=True)
        for path, column in zip(paths, values, strict=True):
            if not isinstance(column[0], dict):
                whole = columns.setdefault(path, np.full(len(rows), None, dtype=object))
                whole[members] = np.fromiter(column, dtype=object, count=len(column))
    return {path: column.tolist() for path, column in columns.items()}


def left_front(database: Database, study: str) -> pd.Series[float]:
    """Return the generation after which each candidate of a search was no longer on the front, by its number.

    The front after generation g holds the candidates of the generations up to g whose value is above g, or NaN: on
    the front still. A candidate that never was on it has its own generation.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table, found = schema.Evaluation, evaluations(database, study).set_index("id")
    with database.read() as session:
        row = find_study(session, study)
        signs = {o.name: 1.0 if o.direction == "minimize" else -1.0 for o in study_objectives(row)}
        mine = (table.study_id == row.id, table.purpose == "search")
        hashes = dict(session.execute(select(table.number, table.genome_hash).where(*mine)).all())
    losses = (found[list(signs)] * pd.Series(signs)).to_numpy()
    usable = found["failure"].isna() & (found["budget"] > 0) & np.asarray(~np.isnan(losses).any(1))
    usable &= ~pd.Series(found.index.map(hashes), index=found.index).where(usable).duplicated()
    left = found["generation"].astype(float)
    places = np.flatnonzero(usable.to_numpy())
    generations = found["generation"].to_numpy()[places]
    front = np.zeros(0, dtype=int)
    for generation in np.unique(generations):
        rivals = np.concatenate([front, places[generations == generation]])
        stays = nondominated(losses[rivals])
        left.iloc[rivals[~stays]] = float(generation)
        front = rivals[stays]
    left.iloc[front] = np.nan
    return left.rename("left front")


def work(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each time that a worker was busy with a candidate of a search, in the order of their ends.

    Columns: "candidate", "kind" ("search", "rung" or "attempt", a try that failed and was made again), "worker",
    "seconds" and "finished_at", the moment of the recording. What a candidate needed on earlier rungs is not in the
    seconds of later ones, and what took no time is left out.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table, attempt = schema.Evaluation, schema.Attempt
    with database.read() as session:
        key = find_study(session, study).id
        ended = session.execute(
            select(table.candidate, table.purpose, table.worker, table.seconds, table.finished_at)
            .where(table.study_id == key, table.purpose.in_(("search", "rung")))
            .order_by(table.id)
        ).all()
        tried = session.execute(
            select(attempt.number, attempt.worker, attempt.seconds, attempt.at)
            .where(attempt.study_id == key)
            .order_by(attempt.id)
        ).all()
    ends = pd.DataFrame(ended, columns=["candidate", "kind", "worker", "seconds", "finished_at"])
    before = ends.groupby("candidate")["seconds"].shift().fillna(0.0)
    ends["seconds"] = (ends["seconds"] - before).clip(lower=0.0)
    tries = pd.DataFrame(
        [(number, "attempt", *rest) for number, *rest in tried],
        columns=["candidate", "kind", "worker", "seconds", "finished_at"],
    )
    both = pd.concat([part for part in (ends, tries) if len(part)] or [ends])
    busy = both[(both["seconds"].astype(float) > 0) & (both["worker"] != "")]
    return busy.sort_values("finished_at", kind="stable").reset_index(drop=True)


def asks(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each genome that the algorithm of a search asked for, in order.

    Columns: "ask", its number; "generation"; "genome", its hash; "parents", hashes; "operators", names; "id", the
    candidate's number, missing as long as there is no evaluation; "failure", its kind, missing where there is none;
    "attempts", how many tries failed and were made again.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table, evaluation, attempt = schema.Ask, schema.Evaluation, schema.Attempt
    with database.read() as session:
        key = find_study(session, study).id
        found = session.execute(
            select(
                table.number,
                table.generation,
                table.genome_hash,
                table.parents,
                table.operators,
                evaluation.number.label("id"),
                evaluation.failure_kind,
            )
            .outerjoin(
                evaluation,
                (evaluation.study_id == key) & (evaluation.ask == table.number) & (evaluation.purpose == "search"),
            )
            .where(table.study_id == key)
            .order_by(table.number)
        ).all()
        tried = session.execute(
            select(attempt.number, func.count()).where(attempt.study_id == key).group_by(attempt.number)
        ).all()
    frame = pd.DataFrame(found, columns=["ask", "generation", "genome", "parents", "operators", "id", "failure"])
    counts = pd.Series([n for _, n in tried], [ask for ask, _ in tried], dtype="int64")
    frame["id"] = frame["id"].astype("Int64")
    frame["attempts"] = frame["ask"].map(counts).fillna(0).astype("int64")
    return frame
