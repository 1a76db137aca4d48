"""Values of the platform turned into rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.storage import schema
from spikefront.storage.blobs import pack_arrays, sha256

_Insert = sqlite.Insert | postgresql.Insert
_INSERT: dict[str, Callable[[type[schema.Base]], _Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def add_genomes(session: Session, genomes: Iterable[Genome]) -> None:
    """Add the genomes that the database does not have yet.

    In the order of their hashes: two transactions that add the same ones wait for each other, but never in a ring.
    """
    wanted = {genome.hash: genome for genome in genomes}
    for key in session.scalars(select(schema.Genome.hash).where(schema.Genome.hash.in_(wanted))):
        del wanted[key]
    rows = [{"hash": key, "json": new.to_json(), "arrays": pack_arrays(new)} for key, new in sorted(wanted.items())]
    if rows:
        insert = _INSERT[session.get_bind().dialect.name](schema.Genome)
        session.execute(insert.on_conflict_do_nothing(), rows)  # another study may add the same at this moment


def evaluation_row(evaluation: Evaluation) -> dict[str, Any]:
    """Return the columns that an evaluation itself knows, without its weights."""
    failure = evaluation.failure
    return {
        "genome_hash": evaluation.genome.hash,
        "failure_kind": failure and failure.kind,
        "failure_message": failure and printable(failure.message),
        "failure_traceback": failure and printable(failure.traceback),
        "samples": evaluation.samples,
        "seconds": evaluation.seconds,
        "peak_memory": evaluation.peak_memory,
        "worker": evaluation.worker,
        "history": finite(evaluation.history),
        "recording": finite(evaluation.recording),
    }


def artifact_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a row for the weights and one for the checkpoint, where they are."""
    contents = {"weights": evaluation.weights, "checkpoint": evaluation.checkpoint}
    return [
        {"kind": kind, "sha256": sha256(content), "size": len(content), "content": content}
        for kind, content in contents.items()
        if content
    ]


def measurement_rows(
    evaluation: Evaluation,
    objectives: Collection[str],
    regularisers: Collection[str],
    regularised: Mapping[str, float | None],
) -> list[dict[str, Any]]:
    """Return a row for each measurement and for each objective's value that a regulariser moved."""
    rows = []
    for name, measurement in evaluation.measurements.items():
        role = "objective" if name in objectives else "regulariser" if name in regularisers else "column"
        rows.append(_measurement(name, role, measurement.values))
    rows += [_measurement(name, "regularised", (value,)) for name, value in regularised.items()]
    return rows


def finite(value: Any) -> Any:
    """Return plain JSON with None in place of numbers that are not finite."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: finite(item) for key, item in value.items()}
        case list() | tuple():
            return [finite(item) for item in value]
    return value


def printable(text: str) -> str:
    """Return `text` without what databases refuse: halves of surrogate pairs and NUL."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _measurement(name: str, role: str, values: Sequence[float | None]) -> dict[str, Any]:
    kept = Measurement(tuple(finite(values)))
    return {
        "name": name,
        "role": role,
        "mean": kept.mean,
        "standard_error": kept.standard_error,
        "values": list(kept.values),
    }
