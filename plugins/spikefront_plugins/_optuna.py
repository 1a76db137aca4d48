"""Searched parameters in Optuna's words: what the exporter and the importance of genes share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spikefront.genome import Genome, Value
from spikefront.space import Choice, Domain, Integer, Real, Space

Distributions = Mapping[str, tuple[Any, Mapping[str, Any]]]
"""Path of a gene -> Optuna's distribution, and what each value of a choice is called there, by its JSON."""


def distributions_of(space: Space) -> Distributions:
    """Return Optuna's distribution of each gene that is no array."""
    found = {path: _distribution(gene.domain) for path, gene in space.items()}
    return {path: distribution for path, distribution in found.items() if distribution is not None}


def _distribution(domain: Domain) -> tuple[Any, Mapping[str, Any]] | None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match domain:
        case Real(low, high, log):
            return FloatDistribution(low, high, log=log), {}
        case Integer(low, high, step, log):
            return IntDistribution(low, domain.project(high), log=log, step=1 if log else step), {}
        case Choice(values):
            names = _names(values)
            return CategoricalDistribution(list(names.values())), names
    return None


def _names(values: tuple[Value, ...]) -> dict[str, Any]:
    """Return what each value of a choice is called in Optuna, by its JSON.

    Optuna knows no lists, and cannot tell 1 from 1.0 or true: where two names would be equal, all are JSON.
    """
    names = {
        json.dumps(value): json.dumps(value) if isinstance(value, list | tuple | dict) else value for value in values
    }
    return names if len(set(names.values())) == len(names) else {text: text for text in names}


def parameters(genome: Genome, distributions: Distributions) -> dict[str, Any]:
    """Return a genome as a trial's parameters, without its arrays."""
    return {path: _parameter(distributions[path], value) for path, value in genome.items() if path in distributions}


def _parameter(distribution: tuple[Any, Mapping[str, Any]], value: Value) -> Any:
    _, names = distribution
    return names[json.dumps(value)] if names else value
