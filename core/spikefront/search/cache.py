"""The cache across studies: a candidate that another study of the database evaluated is not trained again.

Two evaluations are the same when all that decides them is: the components of the candidate with their values, the
genome and the seed, replicates and budget, the tensors that are inherited, what is measured, the source of each
component, and the data.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from typing import Any

from spikefront.components import Component, Task
from spikefront.genome import Genome
from spikefront.job import Evaluation, Job
from spikefront.search.record import recorded_evaluation
from spikefront.source_hash import source_hash
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront.study_parts import COMPONENT_SECTIONS


class Cache:
    """Finds evaluations by key.

    Args:
        study: Whose candidates are looked up.
        database: Where this and other studies are recorded.
    """

    def __init__(self, study: Specification, database: Database) -> None:
        self._study, self._database = study, database
        self._sources = [self._source(component) for component in study.components() if component.kind != "predictor"]
        terms = (*study.objectives, *study.columns, *(regulariser.term for regulariser in study.regularisers))
        self._terms = [{"use": term.name, **term.model_dump(mode="json")} for term in terms]
        self._looks_back = any(regulariser.term.uses_elite for regulariser in study.regularisers)

    def key(self, job: Job) -> str:
        """Return the SHA-256 of all that decides a job's outcome."""
        resolved = self._study.resolved_document(job.genome)
        elites = {name: elite.hash for name, elite in job.elites.items()} if self._looks_back else {}
        content: dict[str, Any] = {
            "sections": {name: resolved[name] for name in COMPONENT_SECTIONS if name in resolved},
            "genome": job.genome.hash,
            "seed": self._study.settings.seed,
            "replicates": list(job.replicates),
            "purpose": job.purpose,
            "budget": job.budget,
            "threads": job.threads,
            "terms": self._terms,
            "elites": elites,
            "sources": self._sources,
            "data": _fingerprint(self._study.resolve(job.genome).task),
        }
        if job.parent:
            content["parent"] = hashlib.sha256(job.parent).hexdigest()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def find(self, key: str, genome: Genome) -> Evaluation | None:
        """Return the evaluation left under a key, as one that cost nothing, or None.

        Where children inherit, one whose weights were dropped is none: what comes of a study must not depend on that.
        """
        found = queries.cached(self._database, key)
        if found is None:
            return None
        evaluation = recorded_evaluation(self._database, *found)
        if self._study.hands_on_weights and not evaluation.weights:
            return None
        return dataclasses.replace(evaluation, genome=genome, samples=0, seconds=0.0)

    def _source(self, component: type[Component]) -> list[str]:
        plugin = self._study.registry.provider(component.kind, component.name)
        return [component.kind, component.name, plugin.version, source_hash(component)]


@functools.lru_cache(maxsize=16)
def _fingerprint(task: Task) -> str:
    return task.fingerprint()
