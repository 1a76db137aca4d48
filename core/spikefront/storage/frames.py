"""Whole studies as tables, column by column: for looking at tens of thousands of evaluations at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from spikefront.components.algorithm import StudyObjective
from spikefront.measure.hypervolume import nondominated
from spikefront.storage import schema
from spikefront.storage.database import Database
from spikefront.storage.loading import chunks, find_study, study_objectives

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and whoever writes needs no table

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

FACTS = (
    "id",
    "generation",
    "failure",
    "front",
    "reused",
    "budget",
    "samples",
    "seconds",
    "worker",
    "finished_at",
    "genome",
    "key",
)

_TYPES = {
    "key": "int64",
    "id": "int64",
    "generation": "int64",
    "failure": "str",
    "genome": "str",
    "reused": "bool",
    "budget": "float64",
    "samples": "int64",
    "seconds": "float64",
    "worker": "str",
}

_TOGETHER = 1000
"""Rows that are turned into columns at once; of all rows at once, that takes longer and twice the memory."""


def evaluations(database: Database, study: str, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a row for each evaluation of a search, in the order of their numbers.

    Columns: those of `FACTS` ("failure" is its kind or missing, "front" whether no other candidate dominates it by pure
    objectives, of equal genomes the first; "genome" is a hash, and "key" grows in the order of the recording), then the
    mean of each fitness term by its name, objectives first, with " s.e." behind it the standard error where there is
    one.

    Args:
        database: Where it is recorded.
        study: Its name.
        known: The same table from before, which is not changed: only what is new is read. If nothing is, it is
            returned itself.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    before = None if known is None or known.empty else known
    with database.read() as session:
        row = find_study(session, study)
        objectives = study_objectives(row)
        new = _recorded(session, row.id, -1 if before is None else int(before["key"].max()))
    if new.empty and known is not None:
        return known
    table = new if before is None else pd.concat([before.drop(columns="front"), new], ignore_index=True)
    if not table["id"].is_monotonic_increasing:
        table = table.sort_values("id", ignore_index=True)
    names = [objective.name for objective in objectives]
    terms = {str(name).removesuffix(" s.e.") for name in table if name not in FACTS}
    both = [column for term in [*names, *sorted(terms.difference(names))] for column in (term, f"{term} s.e.")]
    kept = [column for column in both if column in table or column in names]
    table = table.reindex(columns=[*(fact for fact in FACTS if fact != "front"), *kept])
    usable, losses = _usable(table, objectives)
    front = np.zeros(len(table), dtype=bool)
    front[usable] = nondominated(losses[usable])
    table.insert(FACTS.index("front"), "front", front)
    return table


def _recorded(session: Session, study: int, last: int) -> pd.DataFrame:
    """Return the evaluations of a search with a key above `last`: what `evaluations` returns, without the front."""
    import pandas as pd

    table = schema.Evaluation
    mine = (table.study_id == study, table.purpose == "search", table.id > last)
    columns = {
        "key": table.id,
        "id": table.number,
        "generation": table.generation,
        "failure": table.failure_kind,
        "genome": table.genome_hash,
        "reused": table.reused,
        "budget": table.budget,
        "samples": table.samples,
        "seconds": table.seconds,
        "worker": table.worker,
        "finished_at": table.finished_at,
    }
    found = _columns(session, select(*columns.values()).where(*mine).order_by(table.number))
    frame = pd.DataFrame(dict(zip(columns, found, strict=True))).astype(_TYPES)
    frame["finished_at"] = _moments(found[-1])
    measured = _measured(session, mine, frame["key"].to_numpy())
    return pd.concat([frame, pd.DataFrame(measured, index=frame.index)], axis=1)


def _usable(table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> tuple[Places, Numbers]:
    """Return the places of the evaluations that may be on a front, and the losses (n, m) of all."""
    signs = [1.0 if objective.direction == "minimize" else -1.0 for objective in objectives]
    losses = table[[objective.name for objective in objectives]].to_numpy(dtype=np.float64) * signs
    measured = table["failure"].isna() & (table["budget"] > 0) & np.asarray(~np.isnan(losses).any(1))
    places = np.flatnonzero(measured)
    return places[~table["genome"].iloc[places].duplicated().to_numpy()], losses


def genes(database: Database, study: str, numbers: Collection[int] | None = None) -> pd.DataFrame:
    """Return a row for each evaluation of a search, in the order of their numbers, with a column for each gene.

    The index is the candidates' numbers. Arrays are left out; a gene that a candidate does not have is missing.

    Args:
        database: Where it is recorded.
        study: Its name.
        numbers: Leave out all evaluations but these, and genes that none of them has.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    table, genome = schema.Evaluation, schema.Genome
    with database.read() as session:
        query = (
            select(table.number, genome.json)
            .join(genome, genome.hash == table.genome_hash)
            .where(table.study_id == find_study(session, study).id, table.purpose == "search")
            .order_by(table.number)
        )
        wanted = [None] if numbers is None else [table.number.in_(some) for some in chunks(sorted(numbers))]
        parts = [_columns(session, query if one is None else query.where(one)) for one in wanted]
    found = [number for part in parts for number in part[0]]
    texts = [text for part in parts for text in part[1]]
    columns: dict[str, npt.NDArray[np.object_]] = {}
    for start in range(0, len(found), _TOGETHER):
        some = texts[start : start + _TOGETHER]
        for paths, members, values in _by_genes(some):
            for path, column in zip(paths, values, strict=True):
                if isinstance(column[0], dict):
                    continue
                if path not in columns:
                    columns[path] = np.full(len(found), None, dtype=object)
                columns[path][members + start] = np.fromiter(column, dtype=object, count=len(column))
    index = pd.Index(found, name="id", dtype=np.int64)
    return pd.DataFrame({path: pd.Series(column.tolist(), index) for path, column in columns.items()}, index=index)


def _by_genes(texts: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Places, Iterator[tuple[Any, ...]]]]:
    """Yield genomes that have the same genes together: these genes, their places, and the values of each gene."""
    rows = json.loads(f"[{','.join(texts)}]")
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[tuple(row)].append(number)
    for paths, members in groups.items():
        yield paths, np.array(members), zip(*(rows[number].values() for number in members), strict=True)


def _columns(session: Session, query: Select[*tuple[Any, ...]]) -> list[list[Any]]:
    """Return what a query finds, column by column and as the driver has it: rows as objects take three times as long.

    So a truth value may be 0 or 1, and a time or JSON a text.
    """
    cursor = session.connection().execute(query).cursor
    columns: list[list[Any]] = [[] for _ in query.selected_columns]
    while cursor and (rows := cursor.fetchmany(_TOGETHER)):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    return columns


def _measured(session: Session, mine: Iterable[ColumnElement[bool]], keys: Places) -> dict[str, Numbers]:
    """Return mean and standard error (" s.e.") of each fitness term, a number for each of the evaluations `keys`.

    A number is NaN where there is none; a term without any standard error has no column of them.
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
    columns: dict[str, Numbers] = {}
    for suffix, column in (("", means), (" s.e.", errors)):
        grid = np.full((len(terms), len(keys)), np.nan)
        grid[codes, places] = np.array(column, dtype=np.float64)
        columns |= {f"{name}{suffix}": grid[number] for name, number in terms.items()}
    return {name: values for name, values in columns.items() if name in terms or not np.isnan(values).all()}


def left_front(table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> pd.Series[float]:
    """Return the generation after which each candidate of a search was no longer on the front, by its number.

    The front after generation g holds the candidates of the generations up to g whose value is above g, or NaN: on
    the front still. A candidate that never was on it has its own generation.

    Args:
        table: From `evaluations`.
        objectives: Those of the study.
    """
    places, losses = _usable(table, objectives)
    left = table.set_index("id")["generation"].astype(float).rename("left front")
    generations = table["generation"].to_numpy()[places]
    front = np.zeros(0, dtype=int)
    for generation in np.unique(generations):
        rivals = np.concatenate([front, places[generations == generation]])
        stays = nondominated(losses[rivals])
        left.iloc[rivals[~stays]] = float(generation)
        front = rivals[stays]
    left.iloc[front] = np.nan
    return left


def work(database: Database, study: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each time that a worker was busy with a candidate of a search, in the order of their ends.

    Columns: "candidate", "kind" ("search", "rung" or "attempt", a try that failed and was made again), "worker",
    "seconds" and "finished_at", the moment of the recording. What a candidate needed on earlier rungs is not in the
    seconds of later ones, and what took no time is left out.

    Args:
        database: Where it is recorded.
        study: Its name.
        table: From `evaluations`.

    Raises:
        StorageError: There is no such study.
    """
    import pandas as pd

    rung, attempt = schema.Evaluation, schema.Attempt
    rungs: tuple[Any, ...] = (rung.candidate, rung.worker, rung.seconds, rung.finished_at, rung.id)
    tries: tuple[Any, ...] = (attempt.number, attempt.worker, attempt.seconds, attempt.at, attempt.id)
    with database.read() as session:
        key = find_study(session, study).id
        parts = {
            "rung": _columns(session, select(*rungs).where(rung.study_id == key, rung.purpose == "rung")),
            "attempt": _columns(session, select(*tries).where(attempt.study_id == key).order_by(attempt.id)),
        }
    columns = ["candidate", "worker", "seconds", "finished_at", "key"]
    ends = table.rename(columns={"id": "candidate"})[columns].assign(kind="search")
    earlier, tried = (
        pd.DataFrame(dict(zip(columns, part, strict=True))).assign(kind=kind, finished_at=_moments(part[3]))
        for kind, part in parts.items()
    )
    if len(earlier):
        ends = pd.concat([ends, earlier]).sort_values("key")
        ends["seconds"] -= ends.groupby("candidate")["seconds"].shift().fillna(0.0)
    both = pd.concat([ends, tried]) if len(tried) else ends
    busy = both[(both["seconds"] > 0) & (both["worker"] != "")]
    busy = busy.sort_values("finished_at", kind="stable", ignore_index=True)
    return busy[["candidate", "kind", *columns[1:4]]]


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
    columns = {
        "ask": table.number,
        "generation": table.generation,
        "genome": table.genome_hash,
        "parents": table.parents,
        "operators": table.operators,
        "id": evaluation.number,
        "failure": evaluation.failure_kind,
    }
    with database.read() as session:
        key = find_study(session, study).id
        mine = (evaluation.study_id == key) & (evaluation.ask == table.number) & (evaluation.purpose == "search")
        query = select(*columns.values()).outerjoin(evaluation, mine).where(table.study_id == key)
        found = dict(zip(columns, _columns(session, query.order_by(table.number)), strict=True))
        tries = _columns(
            session, select(attempt.number, func.count()).where(attempt.study_id == key).group_by(attempt.number)
        )
    texts = {"parents": _parsed(found["parents"]), "operators": _parsed(found["operators"])}
    frame = pd.DataFrame({**found, **texts}).astype({"id": "Int64", "genome": "str", "failure": "str"})
    counts = pd.Series(tries[1], tries[0], dtype="int64")
    frame["attempts"] = frame["ask"].map(counts).fillna(0).astype("int64")
    return frame


def _parsed(column: list[Any]) -> list[Any]:
    """Return JSON as values; a driver may have read it already."""
    found: list[Any] = json.loads(f"[{','.join(column)}]") if column and isinstance(column[0], str) else column
    return found


def _moments(column: list[Any]) -> pd.Series[pd.Timestamp]:
    """Return moments, which may be texts, in UTC."""
    import pandas as pd

    return pd.to_datetime(pd.Series(column, dtype=object), utc=True, format="ISO8601")
