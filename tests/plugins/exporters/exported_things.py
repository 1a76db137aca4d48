"""Studies and candidates for the tests of exporters."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikefront.components import Candidate, EvaluationRecord, StudyObjective, StudyRecord
from spikefront.evaluate import evaluate
from spikefront.exported import candidate_of
from spikefront.genome import Genome
from spikefront.job import Failure, Job, Measurement
from spikefront.plugins import load
from spikefront.space import Choice, Gene, Integer, Real, Space
from spikefront.space import Tensor as Array
from spikefront.specification import Specification

DOCUMENT: dict[str, Any] = {
    "study": {"name": "exported", "seed": 3, "objectives": ["accuracy", "parameters"]},
    "task": {"use": "digits", "train": 64, "validation": 20},
    "network": {"use": "mlp", "hidden": [12, 9]},
    "neuron": {"v_threshold": 0.05},
    "coder": {"steps": 6},
    "trainer": {"epochs": 1},
    "search": {"generations": 1},
}


def candidate(**sections: Any) -> Candidate:
    """Return a trained candidate of a small study with some sections changed, among a budget: 0 leaves it untrained."""
    budget = sections.pop("budget", 1.0)
    study = Specification.from_document(copy.deepcopy(DOCUMENT | sections), load())
    rng = np.random.default_rng(1)
    genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
    evaluation = evaluate(Job(study.to_json(), genome, budget=budget), load())
    assert evaluation.failure is None, evaluation.failure
    return candidate_of(study, 5, genome, {"accuracy": 0.5}, evaluation.weights)


def inputs(network: nn.Module, samples: int = 40) -> Tensor:
    """Return a coded sequence (T, B, 1, 8, 8) for a network."""
    data = torch.rand(samples, 1, 8, 8, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        return network.coder(data).contiguous()  # type: ignore[operator, union-attr]


SPACE = Space(
    {
        "network.hidden": Gene(Choice(([16], [16, 8]))),
        "neuron.tau": Gene(Real(1.2, 4.0, log=True)),
        "coder.steps": Gene(Integer(2, 7, 2)),
        "trainer.batch": Gene(Integer(4, 64, 4, log=True)),
        "encoding.use": Gene(Choice(("genetic", "direct"))),
        "encoding.genes": Gene(Integer(4, 16, 4), "encoding.use", frozenset({"genetic"})),
        "encoding.interactions": Gene(Array((2, 3), 1.0), "encoding.use", frozenset({"genetic"})),
        "mixed.a": Gene(Choice((1, 1.0, True, "1", None, [1]))),
        "mixed.b": Gene(Choice((True, False))),
    }
)
OBJECTIVES = (StudyObjective("accuracy", "maximize"), StudyObjective("energy", "minimize", "J"))
MOMENT = datetime(2026, 3, 29, 1, 30, 15, 123456, tzinfo=UTC)


def record(evaluations: int = 12) -> StudyRecord:
    """Return a study with a failed, an untrained, a reused and an incomplete evaluation among others."""
    rng = np.random.default_rng(5)
    return StudyRecord("things", {"study": {"name": "things"}}, OBJECTIVES, {}, SPACE, _rows(rng, evaluations))


def _rows(rng: np.random.Generator, number: int) -> tuple[EvaluationRecord, ...]:
    rows: list[EvaluationRecord] = []
    for n in range(number):
        point = {path: gene.domain.sample(rng) for path, gene in SPACE.items()}
        genome = SPACE.genome(point | {"mixed.a": SPACE["mixed.a"].domain.values[n % 6]})  # type: ignore[union-attr]
        failed = n == 2
        values: dict[str, Measurement] = {
            "accuracy": Measurement((float(rng.random()), float(rng.random()))),
            "energy": Measurement((None if n == 5 else float(rng.random()) * 1e-7,)),
            "spikes": Measurement((float(rng.integers(1000)),)),
        }
        rows.append(
            EvaluationRecord(
                number=n,
                generation=n // 4,
                genome=genome,
                measurements={} if failed else values,
                failure=Failure("not-finite", 'loss is nan, "really"\nin step 3') if failed else None,
                on_front=n in {0, 7},
                parents=tuple(row.genome.hash for row in rows[-2:]) if n >= 4 else (),
                operators=("sbx", "polynomial") if n >= 4 else (),
                budget=0.0 if n == 3 else 1.0,
                reused=n == 6,
                seconds=1.25 + n,
                finished_at=MOMENT,
            )
        )
    return tuple(rows)


def genes_of(genome: Genome) -> set[str]:
    """Return the paths of a genome's genes that are no arrays."""
    return set(genome) - set(genome.arrays)
