"""A search drops thousands of networks: nothing of them may stay."""

import gc
import itertools
import weakref

import numpy as np
import pytest
import torch

from spikefront.evaluate import evaluate
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

DOCUMENT = {
    "study": {"name": "memory", "seed": 3, "objectives": ["accuracy", "parameters", "energy"]},
    "task": {"use": "digits", "train": 32, "validation": 20},
    "network": {"use": {"choice": ["conv", "recurrent"]}, "channels": [3, 4], "hidden": [6]},
    "neuron": {"use": {"choice": ["lif", "plif", "alif", "izhikevich"]}},
    "encoding": {
        "use": "genetic",
        "genes": {"low": 1, "high": 3},
        "variant": {"choice": ["per-tap", "unfold"]},
        "gain": {"choice": ["none", "layer"]},
    },
    "coder": {"use": "poisson", "steps": 2},
    "trainer": {"epochs": 1, "batch": 32},
    "search": {"generations": 1},
}


def parametrized_classes():
    return sum(isinstance(thing, type) and thing.__name__.startswith("Parametrized") for thing in gc.get_objects())


@pytest.fixture
def built(monkeypatch):
    """References to every module that is made during the test."""
    references = []
    make = torch.nn.Module.__init__

    def remembered(self, *arguments, **options):
        make(self, *arguments, **options)
        references.append(weakref.ref(self))

    monkeypatch.setattr(torch.nn.Module, "__init__", remembered)
    return references


def test_twenty_candidates_leave_nothing(built):
    registry = load()
    study = Specification.from_document(DOCUMENT, registry)
    rng = np.random.default_rng(0)
    gc.collect()
    before = parametrized_classes()
    seen = 0
    for _ in range(20):
        genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
        assert evaluate(Job(study.to_json(), genome), registry).failure is None
        seen = max(seen, parametrized_classes())
    made = len(built)
    gc.collect()
    assert made > 20 * 5
    assert [reference() for reference in built if reference() is not None] == []
    assert parametrized_classes() == before < seen


def test_failed_candidates_leave_nothing(built):
    registry = load()
    study = Specification.from_document(DOCUMENT | {"trainer": {"learning_rate": 1e38, "optimizer": "sgd"}}, registry)
    rng = np.random.default_rng(0)
    for _ in range(5):
        genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
        evaluate(Job(study.to_json(), genome), registry)
    gc.collect()
    assert list(itertools.filterfalse(lambda reference: reference() is None, built)) == []
