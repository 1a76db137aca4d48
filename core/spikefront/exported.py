"""Networks outside of a database: the folder that an export writes, and loading it again."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from spikefront.components import Candidate
from spikefront.errors import InputError
from spikefront.evaluate import phenotype_of
from spikefront.genome import Genome
from spikefront.plugins import Registry, load
from spikefront.randomness import Streams
from spikefront.specification import Specification

WEIGHTS, ARRAYS, GENOME, STUDY, MEASURED = (
    "weights.safetensors",
    "genome.safetensors",
    "genome.json",
    "study.json",
    "measurements.json",
)


def trained(study: Specification, genome: Genome, weights: bytes) -> Any:
    """Return a candidate's trained phenotype, a network in evaluation mode.

    Raises:
        InputError: The weights are damaged, or belong to another candidate.
    """
    phenotype = phenotype_of(study.resolve(genome), weights, Streams(study.settings.seed))
    return phenotype.eval() if hasattr(phenotype, "eval") else phenotype


def candidate_of(
    study: Specification, number: int, genome: Genome, measurements: Mapping[str, float | None], weights: bytes
) -> Candidate:
    """Return what an exporter gets of a candidate.

    Args:
        study: The study that it is of.
        number: Its number there.
        genome: The candidate.
        measurements: Mean of each fitness term, by name.
        weights: The trained tensors as safetensors.
    """
    return Candidate(
        study=study.settings.name,
        evaluation=number,
        resolved=study.resolved_document(genome),
        genome=genome,
        measurements=measurements,
        weights=weights,
        task=study.resolve(genome).task,
        phenotype=functools.partial(trained, study, genome, weights),
    )


def write_candidate(candidate: Candidate, folder: Path) -> list[Path]:
    """Write a candidate's weights, genome, resolved study and measurements below an existing folder."""
    contents = {
        WEIGHTS: candidate.weights,
        ARRAYS: save_arrays(dict(candidate.genome.arrays)),
        GENOME: json.dumps(json.loads(candidate.genome.to_json()), indent=2).encode(),
        STUDY: json.dumps(candidate.resolved, indent=2).encode(),
        MEASURED: json.dumps(
            {"study": candidate.study, "id": candidate.evaluation, "measurements": candidate.measurements}, indent=2
        ).encode(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def load_network(folder: str | Path, registry: Registry | None = None) -> Any:
    """Return the trained network of an exported folder, in evaluation mode; no database is needed.

    Args:
        folder: What `spikefront export NAME ID --to DIR` wrote.
        registry: Known components; by default all installed plugins.

    Raises:
        InputError: A file is missing or does not fit the others.
    """
    path = Path(folder)
    try:
        document = dict(json.loads((path / STUDY).read_bytes()))
        genome = Genome.from_json((path / GENOME).read_text(), load_arrays((path / ARRAYS).read_bytes()))
        weights = (path / WEIGHTS).read_bytes()
    except (OSError, ValueError, TypeError, AttributeError, SafetensorError, InputError) as error:
        hint = "Give a folder that `spikefront export` wrote."
        raise InputError(f"{path}: no exported network: {error}", hint) from error
    study = Specification.from_document(document, registry or load())
    return trained(study, genome, weights)
