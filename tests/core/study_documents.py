"""A study as a document, changes of it, and genomes, for the tests of studies."""

import copy
from typing import Any

import numpy as np

from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.specification import Specification

WHOLE: dict[str, Any] = {
    "study": {"name": "whole", "seed": 3, "objectives": ["accuracy", "energy"], "columns": ["spikes"]},
    "task": {"use": "digits", "train": 200},
    "network": {"use": "mlp", "hidden": {"choice": [[16], [16, 8]]}},
    "neuron": {"use": "lif", "tau": {"low": 1.2, "high": 4.0, "log": True}},
    "coder": {"steps": {"low": 2, "high": 6}},
    "encoding": {"use": {"choice": ["genetic", "direct"]}, "genes": {"low": 4, "high": 16, "step": 4}},
    "regularisers": [{"use": "gene-entropy", "on": "accuracy", "weight": {"start": 0.1, "end": 0.0}}],
    "search": {"algorithm": "nsga2", "population": 4, "generations": 3},
    "execution": {"use": "inline"},
}
GONE = ...  # stands for a key that is not there
RANGE = {"low": 1, "high": 2}


def changed(*changes: tuple[str, Any], base: dict[str, Any] = WHOLE) -> dict[str, Any]:
    """Return a document with some paths set to values, or `GONE`."""
    document = copy.deepcopy(base)
    for path, value in changes:
        *parents, last = path.split(".")
        target: Any = document
        for key in parents:
            target = target[int(key)] if isinstance(target, list) else target.setdefault(key, {})
        if value is GONE:
            del target[last]
        else:
            target[int(last) if isinstance(target, list) else last] = value
    return document


def study(*changes: tuple[str, Any]) -> Specification:
    """Return the study of `changed`."""
    return Specification.from_document(changed(*changes), load())


def genome_of(a_study: Specification, seed: int = 0, **fixed: Any) -> Genome:
    """Return a random genome with some genes fixed; `encoding__use` stands for encoding.use."""
    rng = np.random.default_rng(seed)
    values = {path: gene.domain.sample(rng) for path, gene in a_study.space.items()}
    return a_study.space.genome({**values, **{path.replace("__", "."): value for path, value in fixed.items()}})
