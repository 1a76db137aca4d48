"""Jobs and evaluations: plain values that travel between processes."""

import pickle
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Job, Measurement


def genome():
    return Genome({"a": 1.5, "b": ["x", 2], "c": np.arange(6.0).reshape(2, 3)})


def travelled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301


def test_jobs_travel():
    job = Job('{"study": {}}', genome(), (0, 2), "retrain", 0.5, {"accuracy": genome()}, 3, b"stopped", b"parent")
    assert travelled(job) == job
    assert travelled(job).genome.hash == genome().hash


def test_evaluations_travel():
    evaluation = Evaluation(
        genome(),
        {"accuracy": Measurement((0.5, None))},
        Failure("exception", "no", "trace"),
        ({"epoch": 0, "loss": 1.0},),
        {"samples": 3},
        weights=b"123",
    )
    assert travelled(evaluation) == evaluation


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=6))
@settings(deadline=None, max_examples=50)
def test_mean_and_standard_error_are_of_the_known_values(values):
    measurement = Measurement(tuple(values))
    known = [value for value in values if value is not None]
    if not known:
        assert measurement.mean is None
    else:
        assert measurement.mean == pytest.approx(np.mean(known), abs=1e-9)
    if len(known) < 2:
        assert measurement.standard_error is None
    else:
        expected = np.sqrt(statistics.variance(known) / len(known))
        assert measurement.standard_error == pytest.approx(expected, abs=1e-6)
