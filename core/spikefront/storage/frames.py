"""Whole studies as tables, column by column: for looking at tens of thousands of evaluations at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from spikefront.measure.hypervolume import nondominated
from spikefront.storage import schema
from spikefront.storage.database import Database
from spikefront.storage.loading import find_study, study_objectives

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and whoever writes needs no table

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

    table, measured = schema.Evaluation, schema.Measurement
    with database.read() as session:
        row = find_study(session, study)
        objectives = study_objectives(row)
        mine = (table.study_id == row.id, table.purpose == "search")
        facts = session.execute(
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
            .order_by(table.number)
        ).all()
        values = session.execute(
            select(measured.evaluation_id, measured.name, measured.mean, measured.standard_error)
            .join(table, table.id == measured.evaluation_id)
            .where(*mine, measured.role != "regularised")
        ).all()
    names = ["key", "id", "generation", "failure", "genome", *FACTS[4:]]
    frame = pd.DataFrame(facts, columns=names).set_index("key")
    found = pd.DataFrame(values, columns=["key", "name", "mean", "s.e."])
    means = found.pivot(index="key", columns="name", values="mean").astype(float)
    errors = found.pivot(index="key", columns="name", values="s.e.").astype(float).dropna(axis=1, how="all")
    first = [objective.name for objective in objectives]
    order = [*first, *sorted(set(means.columns).difference(first))]
    means = means.reindex(frame.index).reindex(columns=order)
    errors = errors.reindex(frame.index).rename(columns=lambda name: f"{name} s.e.")
    columns = [column for name in order for column in (name, f"{name} s.e.")]
    both = pd.concat([means, errors], axis=1).reindex(columns=[c for c in columns if c in {*means, *errors}])
    losses = means[first].to_numpy() * [1.0 if o.direction == "minimize" else -1.0 for o in objectives]
    usable = frame["failure"].isna() & (frame["budget"] > 0) & ~np.isnan(losses).any(1)
    usable &= ~frame["genome"].where(usable).duplicated()
    frame.insert(3, "front", np.zeros(len(frame), dtype=bool))
    frame.loc[usable, "front"] = nondominated(losses[usable.to_numpy()])
    return pd.concat([frame.drop(columns="genome"), both], axis=1).reset_index(drop=True)


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
        found = session.execute(
            select(table.number, genome.json)
            .join(genome, genome.hash == table.genome_hash)
            .where(*mine)
            .order_by(table.number)
        ).all()
    rows = [json.loads(text) for _, text in found]
    paths = {path: None for row in rows for path, value in row.items() if not isinstance(value, dict)}
    columns = {path: [row.get(path) for row in rows] for path in paths}
    return pd.DataFrame(columns, index=pd.Index([number for number, _ in found], name="id"))


def left_front(database: Database, study: str) -> pd.Series[float]:
    """Return the generation after which each candidate of a search was no longer on the front, by its number.

    The front after generation g holds the candidates of the generations up to g whose value is above g, or NaN: on
    the front still. A candidate that never was on it has its own generation.


def asks(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each genome that the algorithm of a search asked for, in order.

    Columns: "ask", its number; "generation"; "genome", its hash; "parents", hashes; "operators", names; "id", the
    candidate's number, missing as long as there is no evaluation; "failure", its kind, missing where there is none;
    "attempts", how many tries failed and were made again.


def work(database: Database, study: str) -> pd.DataFrame:
    """Return a row for each time that a worker was busy with a candidate of a search, in the order of their ends.

    Columns: "candidate", "kind" ("search", "rung" or "attempt", a try that failed and was made again), "worker",
    "seconds" and "finished_at", the moment of the recording. What a candidate needed on earlier rungs is not in the
    seconds of later ones, and what took no time is left out.

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
    usable = found["failure"].isna() & (found["budget"] > 0) & ~np.isnan(losses).any(1)
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
    ends = pd.DataFrame(
        [tuple(row) for row in ended], columns=["candidate", "kind", "worker", "seconds", "finished_at"]
    )
    before = ends.groupby("candidate")["seconds"].shift().fillna(0.0)
    ends["seconds"] = (ends["seconds"] - before).clip(lower=0.0)
    tries = pd.DataFrame(
        [(number, "attempt", *rest) for number, *rest in tried],
        columns=["candidate", "kind", "worker", "seconds", "finished_at"],
    )
    both = pd.concat([part for part in (ends, tries) if len(part)] or [ends])
    busy = both[(both["seconds"].astype(float) > 0) & (both["worker"] != "")]
    return busy.sort_values("finished_at", kind="stable").reset_index(drop=True)
