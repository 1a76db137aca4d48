"""Commands about one candidate: train it again, test it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from spikefront.cli.options import (
    CandidateId,
    DatabaseOption,
    Format,
    FormatOption,
    PluginsOption,
    StudyName,
    registry_of,
)
from spikefront.cli.output import print_listing
from spikefront.components import SupervisedTask
from spikefront.errors import SpikefrontError
from spikefront.evaluate import phenotype_of, streams_of
from spikefront.job import Evaluation, Job, Measurement
from spikefront.plugins import Registry
from spikefront.search.record import candidate_row, recorded_specification
from spikefront.specification import Specification
from spikefront.storage import DEFAULT_DATABASE, Database, EvaluationDetail, StudyStore, queries


def retrain(
    name: StudyName,
    candidate: CandidateId,
    seeds: Annotated[int, typer.Option(min=1, help="Number of fresh seeds.")] = 1,
    db: DatabaseOption = DEFAULT_DATABASE,
    form: FormatOption = Format.table,
    plugins_dir: PluginsOption = None,
) -> None:
    """Train a candidate again with fresh seeds and the full budget, and record the result."""
    with Database.open(db) as database:
        study, row = _recorded(database, name, candidate, registry_of(plugins_dir))
        first = len(queries.retrainings(database, name, candidate))
        jobs = [
            Job(study.to_json(), row.genome, (n,), "retrain", threads=study.executor.threads)
            for n in range(first, first + seeds)
        ]
        pool = study.executor.open(study.registry.usable_sources)
        try:
            evaluations = [future.result() for future in [pool.submit(job) for job in jobs]]
        finally:
            pool.close()
        store = StudyStore.open(database, name)
        for job, evaluation in zip(jobs, evaluations, strict=True):
            store.record(
                evaluation,
                purpose="retrain",
                candidate=candidate,
                generation=row.generation,
                replicates=job.replicates,
                regularisers=[regulariser.term.name for regulariser in study.regularisers],
            )
    failed = [evaluation.failure for evaluation in evaluations if evaluation.failure]
    if len(failed) == len(evaluations):
        raise SpikefrontError(f"every retraining failed: {failed[0].message}", failed[0].traceback)
    print_listing([_summary(row, evaluations)], form, f"Candidate {candidate} of '{name}', retrained")


def test(
    name: StudyName,
    candidate: CandidateId,
    db: DatabaseOption = DEFAULT_DATABASE,
    form: FormatOption = Format.table,
    plugins_dir: PluginsOption = None,
) -> None:
    """Score a candidate's stored weights on the test split, and record the result.

    Retrained weights are taken where there are some, one score for each retraining; else those of the search.
    """
    with Database.open(db) as database:
        study, row = _recorded(database, name, candidate, registry_of(plugins_dir))
        resolved = study.resolve(row.genome)
        trained = [old for old in queries.retrainings(database, name, candidate) if old.has_weights]
        scores: list[dict[str, float]] = []
        for old in trained or [row]:
            streams = streams_of(study, row.genome, old.replicates[0], old.purpose)
            simulated = not old.has_weights and not isinstance(resolved.task, SupervisedTask)  # nothing is stored of it
            weights = b"" if simulated else queries.weights(database, name, old.number, old.purpose)
            phenotype = phenotype_of(resolved, weights, streams)
            scores.append(resolved.task.score(phenotype, "test", streams))
        measurements = {metric: Measurement(tuple(score[metric] for score in scores)) for metric in scores[0]}
        evaluation = Evaluation(row.genome, measurements)
        StudyStore.open(database, name).record(
            evaluation, purpose="test", candidate=candidate, generation=row.generation, replicates=range(len(scores))
        )
    print_listing([_summary(row, [evaluation])], form, f"Candidate {candidate} of '{name}' on the test split")


def _recorded(
    database: Database, name: str, candidate: int, registry: Registry
) -> tuple[Specification, EvaluationDetail]:
    study = recorded_specification(queries.study(database, name), registry)
    return study, candidate_row(database, name, candidate)


def _summary(row: EvaluationDetail, evaluations: list[Evaluation]) -> dict[str, Any]:
    """Return one line: mean and standard error over all seeds, beside what the search found."""
    summary: dict[str, Any] = {"id": row.number, "seeds": 0}
    names = dict.fromkeys(name for evaluation in evaluations for name in evaluation.measurements)
    for name in names:
        found = [e.measurements[name].values for e in evaluations if name in e.measurements]
        values = Measurement(tuple(value for part in found for value in part))
        summary["seeds"] = len(values.values)
        summary[name] = values.mean
        if values.standard_error is not None:
            summary[f"{name} s.e."] = values.standard_error
        if row.mean(name) is not None:
            summary[f"{name} in search"] = row.mean(name)
    return summary
