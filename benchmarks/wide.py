"""A study of any size that nobody ran: 20 genes, three objectives, written into a database within seconds.

    python -m benchmarks.wide FILE [--evaluations 50000]

Everything is as a search would have left it, and passes `spikefront db check`; only the numbers are made up, by smooth
functions of the genes with some noise, better from generation to generation.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from spikefront.genome import Genome, Value
from spikefront.plugins import load
from spikefront.search.record import open_store
from spikefront.sources import Sources
from spikefront.space import Choice, Integer, Real, Space
from spikefront.specification import Specification
from spikefront.storage import Database, schema

GENERATION = 50
FAILED = 0.01
START = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = {"low": 0.0, "high": 1.0}
DOCUMENT: dict[str, Any] = {
    "study": {"name": "wide", "seed": 1, "objectives": ["accuracy", "parameters", "energy"], "keep": "none"},
    "task": {"use": "digits"},
    "network": {
        "use": "mlp",
        "hidden": {"choice": [[48], [96], [192], [64, 64], [128, 64]]},
        "batch_norm": {"choice": [True, False]},
    },
    "neuron": {
        "use": {"choice": ["lif", "plif"]},
        "tau": {"low": 1.2, "high": 4.0, "log": True},
        "v_threshold": {"low": 0.4, "high": 1.2},
        "decay_input": {"choice": [True, False]},
    },
    "surrogate": {"use": "atan", "alpha": {"low": 0.5, "high": 4.0}},
    "coder": {"use": "direct", "steps": {"low": 2, "high": 8}},
    "encoding": {
        "use": {"choice": ["genetic", "direct"]},
        "variant": "unfold",
        "origin": "trained",
        "genes": {"low": 4, "high": 64, "step": 4},
        "dropout": {"low": 0.0, "high": 0.5},
        "gene_rate": {"low": 0.3, "high": 3.0, "log": True},
        "interaction_rate": {"low": 0.3, "high": 3.0, "log": True},
    },
    "trainer": {
        "use": "surrogate-gradient",
        "epochs": {"low": 4, "high": 32},
        "batch": {"choice": [32, 64, 128]},
        "optimizer": {"choice": ["adamw", "sgd"]},
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
        "momentum": {"low": 0.5, "high": 0.99},
        "schedule": {"choice": ["constant", "cosine"]},
    },
}
"""The study: 20 genes, of which those of the genetic encoding are conditional."""

Numbers = npt.NDArray[np.float64]


def specification(evaluations: int, document: Mapping[str, Any] = DOCUMENT) -> Specification:
    """Return a study of so many evaluations, checked."""
    search = {"population": GENERATION, "evaluations": evaluations}
    return Specification.from_document({**document, "search": search}, load(Sources()))


def write(url: str, evaluations: int) -> str:
    """Record the study in a database, which is made where it is not there, and return its name."""
    study = specification(evaluations)
    with Database.open(url, create=True) as database:
        store = open_store(study, database)
        fill(database, study, evaluations)
        store.set_reference({"accuracy": (1.0, 0.0), "parameters": (1e3, 1e6), "energy": (1e2, 1e6)})
        store.set_state("finished")
    return study.name


def fill(database: Database, study: Specification, evaluations: int) -> None:
    """Write all rows of the study in one transaction, each table at once."""
    rng = np.random.default_rng(study.settings.seed)
    points = sample(study.space, evaluations, rng)
    genomes = [study.space.genome({path: column[n] for path, column in points.items()}) for n in range(evaluations)]
    values = measured(points, rng)
    failed = rng.random(evaluations) < FAILED
    with database.write() as session:
        mine = session.scalars(select(schema.Study.id).where(schema.Study.name == study.name)).one()
        first = (session.scalar(select(func.max(schema.Evaluation.id))) or 0) + 1
        unique = {genome.hash: genome for genome in genomes}
        rows: list[tuple[type[schema.Base], Sequence[Mapping[str, Any]]]] = [
            (schema.Genome, [{"hash": key, "json": one.to_json(), "arrays": None} for key, one in unique.items()]),
            (schema.Ask, [_ask(mine, n, genomes) for n in range(evaluations)]),
            (schema.Evaluation, [_evaluation(mine, first, n, genomes[n], bool(failed[n])) for n in range(evaluations)]),
            (schema.Measurement, [
                {"evaluation_id": first + n, "name": name, "role": "objective", "mean": float(column[n]),
                 "standard_error": None, "values": [float(column[n])]}
                for name, column in values.items() for n in np.flatnonzero(~failed).tolist()
            ]),
        ]  # fmt: skip
        for table, content in rows:
            session.execute(schema.Base.metadata.tables[table.__tablename__].insert(), content)


def sample(space: Space, count: int, rng: np.random.Generator) -> dict[str, list[Value]]:
    """Return a column of values for each gene, active or not; later ones lie closer to the middle of a range."""
    near = 1 - 0.7 * np.linspace(0, 1, count)
    columns: dict[str, list[Value]] = {}
    for path, gene in space.items():
        share = 0.5 + (rng.random(count) - 0.5) * near
        match gene.domain:
            case Real(low, high, log):
                ends = np.log([low, high]) if log else np.array([low, high])
                drawn = ends[0] + share * (ends[1] - ends[0])
                columns[path] = np.clip(np.exp(drawn) if log else drawn, low, high).tolist()
            case Integer(low, high) as domain:
                columns[path] = [domain.project(one) for one in (low + share * (high - low)).tolist()]
            case Choice(values):
                columns[path] = [values[n] for n in rng.integers(len(values), size=count).tolist()]
            case _:
                raise TypeError(f"{path}: arrays are not written")
    return columns


def measured(points: Mapping[str, Sequence[Value]], rng: np.random.Generator) -> dict[str, Numbers]:
    """Return the objectives: accuracy grows with size and falls away from a learning rate of 0.003."""
    count = len(points["neuron.tau"])
    numbers = {name: np.asarray(points[name], dtype=float) for name in
               ("encoding.genes", "coder.steps", "trainer.learning_rate", "trainer.epochs", "neuron.tau")}  # fmt: skip
    widths = np.array([float(sum(hidden)) for hidden in points["network.hidden"]])
    genetic = np.array([use == "genetic" for use in points["encoding.use"]])
    parameters = np.where(genetic, 4 * numbers["encoding.genes"] * (74 + widths), 74 * widths).round()
    off = np.log10(numbers["trainer.learning_rate"] / 3e-3)
    odds = 0.6 * np.log10(parameters) + 0.25 * numbers["coder.steps"] - off**2 + 0.03 * numbers["trainer.epochs"] - 1.5
    energy = 4.6 * widths * 64 / 1e3 + 0.9 * widths * numbers["coder.steps"] ** 1.5 / numbers["neuron.tau"]
    return {
        "accuracy": np.round(1 / (1 + np.exp(-odds - 0.2 * rng.normal(size=count))), 4),
        "parameters": parameters,
        "energy": np.round(energy * np.exp(0.1 * rng.normal(size=count)), 3),
    }


def _ask(study: int, number: int, genomes: Sequence[Genome]) -> dict[str, Any]:
    generation = number // GENERATION
    before = GENERATION * (generation - 1)
    parents = [genomes[before + (number * step) % GENERATION].hash for step in (7, 11)] if generation else []
    return {
        "study_id": study,
        "number": number,
        "generation": generation,
        "genome_hash": genomes[number].hash,
        "parents": parents,
        "operators": ["uniform", "gaussian"] if parents else [],
        "told": generation,
    }


def _evaluation(study: int, first: int, number: int, genome: Genome, failed: bool) -> dict[str, Any]:
    return {
        "id": first + number,
        "study_id": study,
        "purpose": "search",
        "number": number,
        "candidate": number,
        "ask": number,
        "generation": number // GENERATION,
        "genome_hash": genome.hash,
        "cache_key": None,
        "replicates": [0],
        "budget": 1.0,
        "failure_kind": "not-finite" if failed else None,
        "failure_message": "the loss is not finite" if failed else None,
        "failure_traceback": "" if failed else None,
        "reused": False,
        "samples": 8000,
        "seconds": 1.5 + 0.5 * (number % 3),
        "peak_memory": 300 << 20,
        "worker": f"worker-{number % 2}",
        "finished_at": START + timedelta(seconds=number),
        "history": [{"replicate": 0.0, "epoch": float(n), "loss": 1 / (n + 1)} for n in range(4)],
        "recording": {},
    }


def main() -> None:
    """Write the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--evaluations", type=int, default=50_000)
    arguments = parser.parse_args()
    print(write(arguments.file, arguments.evaluations))


if __name__ == "__main__":
    main()
