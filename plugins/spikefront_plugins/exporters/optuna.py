"""Exporter `optuna`: a whole study as a study of Optuna."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from spikefront import StudyExporter, hookimpl
from spikefront.components import EvaluationRecord, StudyRecord
from spikefront_plugins._optuna import Distributions, distributions_of, parameters

DATABASE = "optuna.db"


class OptunaStudy(StudyExporter):
    """`optuna.db`, an SQLite file that `optuna.load_study` opens and Optuna's dashboard shows.

    One trial for each evaluation, of the same number. Its parameters are the genes that were active; arrays and lists
    that evolve are left out, a list or a table in a choice is its JSON, and a whole-number range that is both
    logarithmic and stepped loses its step. Its values are the objectives' means. A failed evaluation, or one without a
    value for some objective, is a failed trial; one that screening left untrained is a pruned one. Everything else is
    in the user attributes: other measurements, standard errors, generation, parents, operators, failure. Start times
    are the recorded end less the recorded duration; Optuna keeps local time.
    """

    name: ClassVar[str] = "optuna"

    def export(self, study: StudyRecord, folder: Path) -> list[Path]:
        import optuna

        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces each new study
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder / DATABASE}")
        try:
            directions = [objective.direction for objective in study.objectives]
            target = optuna.create_study(storage=storage, study_name=study.name, directions=directions)
            _describe(target, study)
            distributions = distributions_of(study.space)
            target.add_trials([_trial(study, row, distributions) for row in study.evaluations])
        finally:
            optuna.logging.set_verbosity(verbosity)
            storage.remove_session()
            storage.engine.dispose()
        return [folder / DATABASE]


def _describe(target: Any, study: StudyRecord) -> None:
    import optuna

    with warnings.catch_warnings():  # naming the values is marked as experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        target.set_metric_names([objective.name for objective in study.objectives])
    target.set_user_attr("units", {objective.name: objective.unit for objective in study.objectives})
    target.set_user_attr("spikefront", study.document)


def _trial(study: StudyRecord, row: EvaluationRecord, distributions: Distributions) -> Any:
    from optuna.trial import TrialState, create_trial

    values = [row.mean(objective.name) for objective in study.objectives]
    if row.failure or None in values:
        state = TrialState.FAIL
    else:
        state = TrialState.COMPLETE if row.budget > 0 else TrialState.PRUNED
    known = parameters(row.genome, distributions)
    trial = create_trial(
        state=state,
        values=[value for value in values if value is not None] if state == TrialState.COMPLETE else None,
        params=known,
        distributions={path: distributions[path][0] for path in known},
        user_attrs=_attributes(study, row, state == TrialState.COMPLETE),
    )
    trial.datetime_complete = _local(row.finished_at)
    trial.datetime_start = _local(row.finished_at - timedelta(seconds=row.seconds))
    return trial


def _attributes(study: StudyRecord, row: EvaluationRecord, complete: bool) -> dict[str, Any]:
    """Return what a trial has no other place for; an objective is here only where the trial has no values."""
    told = {objective.name for objective in study.objectives} if complete else set()
    attributes: dict[str, Any] = {
        "generation": row.generation,
        "genome_hash": row.genome.hash,
        "parents": list(row.parents),
        "operators": list(row.operators),
        "on_front": row.on_front,
        "budget": row.budget,
        "reused": row.reused,
    }
    if row.failure:
        attributes |= {"failure": row.failure.kind, "failure_message": row.failure.message}
    for name, measurement in row.measurements.items():
        if name not in told:
            attributes[f"measurements.{name}"] = measurement.mean
        if measurement.standard_error is not None:
            attributes[f"standard_errors.{name}"] = measurement.standard_error
    return attributes


def _local(moment: datetime) -> datetime:
    return moment.astimezone().replace(tzinfo=None)


@hookimpl
def spikefront_exporters() -> list[type[StudyExporter]]:
    """Return the exporter to Optuna."""
    return [OptunaStudy]
