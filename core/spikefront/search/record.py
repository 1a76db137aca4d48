"""What a search finds in the database when it starts: the study's record, new or there already."""

from __future__ import annotations

from importlib.metadata import version

from spikefront.errors import StorageError
from spikefront.job import Evaluation
from spikefront.plugins import Registry
from spikefront.search.archive import Archive, Entry
from spikefront.specification import Specification
from spikefront.storage import Database, Provenance, Purpose, StudyObjective, StudyRow, StudyStore, queries


def open_store(study: Specification, database: Database, registry: Registry) -> StudyStore:
    """Return the study's record: the one that is there, if it is of the same study, or a new one."""
    known = {row.name: row for row in queries.studies(database)}
    if study.name not in known:
        return StudyStore.create(
            database,
            study.name,
            specification=study.to_json(),
            specification_hash=study.specification_hash,
            seed=study.settings.seed,
            objectives=[StudyObjective(term.name, term.direction, term.unit) for term in study.objectives],
            plugins=[_provenance(component.kind, component.name, registry) for component in study.components()],
        )
    if known[study.name].specification_hash != study.specification_hash:
        raise StorageError(
            f"study '{study.name}' is recorded already, with another specification",
            "Give this one another name (--set study.name=...), use another database (--db), "
            "or go back to the specification that is recorded to continue it.",
        )
    return StudyStore.open(database, study.name)


def _provenance(kind: str, name: str, registry: Registry) -> Provenance:
    plugin = registry.provider(kind, name)
    return Provenance(kind, name, plugin.name, plugin.version)


def changes_since(row: StudyRow, study: Specification, registry: Registry) -> str:
    """Return what differs between the versions of today and those that a study was recorded with."""
    then = {(one.kind, one.name): one for one in row.plugins}
    found = []
    for component in study.components():
        now = _provenance(component.kind, component.name, registry)
        old = then.get((now.kind, now.name))
        if old and old != now:
            found.append(
                f"{now.kind} '{now.name}' was of {old.plugin} {old.version}, now of {now.plugin} {now.version}"
            )
    if (today := version("spikefront")) != row.spikefront_version:
        found.append(f"Spikefront was {row.spikefront_version}, now {today}")
    return "; ".join(dict.fromkeys(found)) or "no version of a plugin has changed, so a library or an edited plugin has"


def recorded_entries(database: Database, study: Specification, archive: Archive) -> dict[int, Entry]:
    """Return what earlier runs recorded, by number."""
    rows = queries.evaluations(database, study.name, "search")
    genomes = queries.genomes(database, {row.genome_hash for row in rows})
    return {
        row.number: Entry(
            row.number,
            row.generation,
            genomes[row.genome_hash],
            row.measurements,
            archive.regularised(row.measurements, row.generation),
            row.reused,
            row.budget,
        )
        for row in rows
    }


def recorded_evaluation(database: Database, study: str, number: int, purpose: Purpose = "search") -> Evaluation:
    """Return a recorded evaluation as it came from its worker; without weights where they were dropped."""
    row = queries.evaluation(database, study, number, purpose)
    return Evaluation(
        row.genome,
        measurements=row.measurements,
        failure=row.failure,
        history=tuple({key: value for key, value in line.items() if value is not None} for line in row.history),
        recording=row.recording,
        samples=row.samples,
        seconds=row.seconds,
        peak_memory=row.peak_memory,
        worker=row.worker,
        weights=queries.weights(database, study, number, purpose) if row.has_weights else b"",
    )
