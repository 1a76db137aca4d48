"""A study in Python: run it, look at its front, take a network home.

from spikefront import Study

study = Study.from_file("studies/quickstart.toml")
study.run()
print(study.front())
network = study.load(3)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spikefront.checks import validated
from spikefront.components import Analysis, Candidate, EvaluationRecord, StudyRecord
from spikefront.errors import InputError
from spikefront.exported import candidate_of
from spikefront.plugins import Registry, load
from spikefront.search.coordinator import Outcome, Search
from spikefront.search.progress import Progress, Watcher
from spikefront.search.record import candidate_row, changes_since, recorded_specification
from spikefront.settings import Budget
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import DEFAULT_DATABASE, Database, EvaluationRow, queries

if TYPE_CHECKING:
    import pandas as pd

Plugins = Iterable[ModuleType | str | Path]
"""Modules that are plugins, and folders of single-file plugins."""


class Study:
    """A study, and the database that records it.

    Nothing is kept open between calls, so several may look at a study while one runs it.

    Attributes:
        specification: What the study says, checked.
        db: File or URL of the database.
    """

    def __init__(
        self, what: Mapping[str, Any] | Specification, *, db: str | Path = DEFAULT_DATABASE, plugins: Plugins = ()
    ) -> None:
        """Describe a study; nothing is written before `run`.

        Args:
            what: The sections of a study file as nested plain values.
            db: File or URL of the database.
            plugins: Modules that are plugins, and folders of single-file plugins, beside the installed ones. Workers
                import a module by its name.

        Raises:
            StudyFileError: The description is wrong; the message has path, value, and what is allowed.
            PluginError: It needs a component that no plugin has.
        """
        if not isinstance(what, Specification):
            what = Specification.from_document(what, registry_with(plugins))
        self.specification: Specification = what
        self.db = str(db)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        changes: Iterable[str] = (),
        *,
        db: str | Path = DEFAULT_DATABASE,
        plugins: Plugins = (),
    ) -> Study:
        """Read a study file; arguments and errors beside these are those of the class.

        Args:
            path: A TOML file.
            changes: Assignments `path=value` on top of it, as `--set` takes them.
            db: File or URL of the database.
            plugins: See the class.
        """
        return cls(Specification.from_file(Path(path), registry_with(plugins), changes), db=db)

    @classmethod
    def open(
        cls,
        name: str,
        *,
        db: str | Path = DEFAULT_DATABASE,
        plugins: Plugins = (),
        execution: Mapping[str, Any] | None = None,
    ) -> Study:
        """Return a recorded study.

        Args:
            name: Name of the study.
            db: File or URL of the database.
            plugins: See the class.
            execution: Keys to change in its section [execution].

        Raises:
            StorageError: There is no such database or study.
            PluginError: It needs a plugin that is not here; the message says how to get it.
        """
        with Database.read_only(str(db)) as database:
            row = queries.study(database, name)
        return cls(recorded_specification(row, registry_with(plugins), execution), db=db)

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.specification.name

    def run(
        self,
        *,
        generations: int | None = None,
        evaluations: int | None = None,
        fresh_algorithm: bool = False,
        watch: Watcher | None = None,
        stop: Event | None = None,
    ) -> Outcome:
        """Search, from the beginning or on from what is recorded, until the budget is spent.

        Args:
            generations: A longer budget than the study's, what is done included.
            evaluations: The same, in candidates.
            fresh_algorithm: Start the algorithm anew behind the record, with what was found, in place of replaying it.
            watch: Called with every change.
            stop: Set by whoever wants the search to stop; what has ended by then is recorded.

        Returns:
            "finished", "interrupted", or "failed" where no candidate gave anything usable.

        Raises:
            InputError: Data are missing, a network does not fit its input, or the budget is no longer than it was.
            StorageError: The database cannot be written, or holds another study of this name.
            LeaseError: Another process searches the study.
            ReplayError: The record was made by an algorithm that behaves otherwise.
        """
        self.specification.check()
        with Database.open(self.db, create=True) as database:
            extension = self._extension(database, generations, evaluations)
            search = Search(self.specification, database, watch or _ignore, stop, extension, fresh_algorithm)
            return search.run()

    def front(self) -> pd.DataFrame:
        """Return the candidates that no other dominates, by their pure objective values; see `evaluations`."""
        table = self.evaluations()
        best = table[table["front"]].drop(columns=["front", "failure"])
        return best.sort_values(self.specification.objectives[0].name).reset_index(drop=True)

    def evaluations(self) -> pd.DataFrame:
        """Return a row for each evaluation of the search: see `spikefront.components.StudyRecord.table`."""
        return self.record().table()

    def analyse(self, analysis: str, **parameters: Any) -> pd.DataFrame:
        """Return the table that an analysis makes of the study.

        Args:
            analysis: Its name.
            parameters: Its parameters.

        Raises:
            PluginError: There is no such analysis.
            InputError: A parameter is wrong, or the study lacks something.
        """
        found = self.specification.registry.get(Analysis, analysis)
        return validated(found, parameters, analysis).table(self.record())

    def load(self, candidate: int) -> Any:
        """Return the trained phenotype of a candidate, a torch module in evaluation mode.

        Weights of its last retraining are taken where there are some, else those of the search.

        Raises:
            StorageError: There is no such candidate, or its weights were not kept.
            InputError: The candidate failed.
        """
        return self.candidate(candidate).phenotype()

    def candidate(self, candidate: int) -> Candidate:
        """Return what an exporter gets of a candidate; errors are those of `load`."""
        with Database.read_only(self.db) as database:
            row = candidate_row(database, self.name, candidate)
            again = [old for old in queries.retrainings(database, self.name, candidate) if old.has_weights]
            source: EvaluationRow = again[-1] if again else row
            means = {name: source.mean(name) for name in source.measurements}
            weights = queries.weights(database, self.name, source.number, source.purpose)
        return candidate_of(self.specification, candidate, row.genome, means, weights)

    def record(self, candidates: Collection[int] | None = None) -> StudyRecord:
        """Return what an exporter gets of the whole study.

        Args:
            candidates: IDs of the evaluations to be in it; all by default.

        Raises:
            StorageError: It is not recorded.
        """
        with Database.read_only(self.db) as database:
            archive = queries.archive(database, self.name, candidates)
        return StudyRecord(
            name=self.name,
            document=self.specification.document,
            objectives=archive.study.objectives,
            reference=archive.study.reference or {},
            space=self.specification.space,
            evaluations=tuple(
                EvaluationRecord(
                    number=row.number,
                    generation=row.generation,
                    genome=archive.genomes[row.genome_hash],
                    measurements=row.measurements,
                    failure=row.failure,
                    on_front=row.number in archive.front,
                    parents=archive.origins[row.ask][0] if row.ask is not None else (),
                    operators=archive.origins[row.ask][1] if row.ask is not None else (),
                    budget=row.budget,
                    reused=row.reused,
                    seconds=row.seconds,
                    finished_at=row.finished_at,
                )
                for row in archive.evaluations
            ),
        )

    def changes(self) -> list[str]:
        """Return what has changed since the study was recorded: plugins, their code, Spikefront; a sentence each."""
        with Database.read_only(self.db) as database:
            return changes_since(queries.study(database, self.name), self.specification)

    def _extension(self, database: Database, generations: int | None, evaluations: int | None) -> dict[str, int] | None:
        """Return a longer budget, or None where none was asked for."""
        if generations and evaluations:
            raise InputError("generations and evaluations are two ways to say one thing", "Give one of them.")
        if not generations and not evaluations:
            return None
        recorded = {row.name: row.extension for row in queries.studies(database)}
        budget: Budget = self.specification.budget.extended(recorded.get(self.name))
        total = evaluations or budget.population * (generations or 0)
        if total < budget.total:
            raise InputError(
                f"{total} candidates are fewer than the {budget.total} that the study asks for by now",
                "Give more: what has been recorded stays.",
            )
        return {"evaluations": evaluations} if evaluations else {"generations": generations or 0}


def registry_with(plugins: Plugins = ()) -> Registry:
    """Return the registry of the installed plugins, those that the environment names, and some more."""
    modules = [one.__name__ for one in plugins if isinstance(one, ModuleType)]
    folders = [one for one in plugins if not isinstance(one, ModuleType)]
    return load(Sources.here(folders, modules))


def _ignore(progress: Progress) -> None:
    """Watch without looking."""
