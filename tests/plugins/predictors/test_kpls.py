"""KPLS: expected improvement by its integral, the correlation by its product, vectors of behaviour, a whole search."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kendalltau

from spikefront.components.predictor import Guess
from spikefront.errors import InputError
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.screening import recorded_standings
from spikefront.specification import Specification
from spikefront.storage import Database, queries
from spikefront_plugins.predictors.kpls import KPLS, expected_improvement, kriging


@pytest.mark.parametrize(
    ("best", "mean", "deviation", "expected"),
    [(0.2, 0.25, 0.1, 0.019780), (0.2, 0.1, 0.05, 0.100425), (0.2, 0.2, 0.1, 0.039894)],
)
def test_expected_improvement_is_the_mean_of_what_lies_below_the_best(best, mean, deviation, expected):
    def below(y: float) -> float:
        density = np.exp(-0.5 * ((y - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
        return (best - y) * density

    assert expected_improvement(best, mean, deviation) == pytest.approx(expected, abs=5e-7)
    assert expected_improvement(best, mean, deviation) == pytest.approx(quad(below, mean - 2, best)[0], rel=1e-6)
    assert expected_improvement(best, mean, 0.0) == 0.0


def known(n: int = 40, d: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors that three numbers say all of, and values that hang on these."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3))
    vectors = np.tanh(hidden @ np.random.default_rng(1).normal(size=(3, d)) / 3)
    return vectors, hidden[:, 0] + 0.3 * hidden[:, 1] ** 2


def test_the_library_correlates_as_the_formula_says():
    """Its prediction is that of Kriging with the product of the docstring, its thetas, and rotations of its scaling."""
    vectors, values = known(20, 6)
    model = kriging(vectors, values, 2)
    shift, scale = vectors.mean(0), vectors.std(0, ddof=1)
    z, rotations = (vectors - shift) / scale, model.coeff_pls
    theta, noise = model.optimal_theta, float(model.optimal_noise)

    def correlation(a: np.ndarray, b: np.ndarray) -> float:
        product = 1.0
        for k in range(2):
            for one in range(6):
                product *= np.exp(-theta[k] * (rotations[one, k] * a[one] - rotations[one, k] * b[one]) ** 2)
        return product

    matrix = np.array([[correlation(a, b) for b in z] for a in z])
    assert np.allclose(np.diag(matrix), 1)
    assert np.allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix + 1e-10 * np.eye(20)).min() > 0
    inverse = np.linalg.inv(matrix + noise * np.eye(20))
    ones = np.ones(20)
    y = (values - values.mean()) / values.std(ddof=1)
    trend = ones @ inverse @ y / (ones @ inverse @ ones)
    new, _ = known(1, 6, seed=5)
    r = np.array([correlation((new[0] - shift) / scale, one) for one in z])
    expected = values.mean() + values.std(ddof=1) * (trend + r @ inverse @ (y - trend))
    assert model.predict_values(new)[0, 0] == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("criterion", ["mean", "expected-improvement"])
def test_it_orders_what_it_has_not_seen(criterion):
    vectors, values = known(60)
    guess = KPLS(criterion=criterion).fit(vectors[:40], values[:40])
    assert guess is not None
    guesses = [guess(vector) for vector in vectors[40:]]
    assert kendalltau([one.expected for one in guesses], values[40:]).statistic > 0.7
    assert np.mean([abs(one.expected - value) for one, value in zip(guesses, values[40:], strict=True)]) < 0.3
    if criterion == "mean":
        assert [one.score for one in guesses] == [one.expected for one in guesses]
    else:
        assert all(one.score >= 0 for one in guesses)
        assert kendalltau([one.score for one in guesses], values[40:]).statistic > 0.4


def test_it_learns_the_same_again_and_equal_vectors_count_once():
    vectors, values = known(20)
    first, again, doubled = (
        KPLS().fit(*rows)
        for rows in ((vectors, values), (vectors, values), (np.tile(vectors, (2, 1)), np.tile(values, 2)))
    )
    assert first is not None
    assert again is not None
    assert doubled is not None
    new, _ = known(1, seed=3)
    assert first(new[0]) == again(new[0]) == doubled(new[0])


def test_too_little_to_learn_from():
    vectors, values = known(20)
    few = KPLS(components=3)
    assert few.fit(vectors[:8], values[:8]) is None
    assert few.fit(np.tile(vectors[:3], (5, 1)), values[:15]) is None, "three different candidates"
    assert few.fit(vectors, np.ones(20)) is None
    broken = vectors.copy()
    broken[:12, 0] = np.nan
    assert few.fit(broken, values) is None
    guess = few.fit(vectors, values)
    assert guess is not None
    assert guess(np.full(30, np.nan)) == Guess(-np.inf)


def test_without_its_library_it_is_refused_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "smt", None)
    monkeypatch.setattr("spikefront_plugins.predictors.kpls.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'spikefront\[kpls\]'"):
        study()


EACH = {
    "op": {"choice": ["dense", "skip-add", "concat", "neuron"]},
    **{key: {"low": 0, "high": 2} for key in ("to", "x", "y")},
    "width": {"choice": [4, 8]},
}


def study(**screening: Any) -> Specification:
    given = {"use": "kpls", "components": 2, "batch": 5, "budget": 0.5, "after": 4, "criterion": "mean", **screening}
    document = {
        "study": {"name": "lgp", "seed": 3, "objectives": ["accuracy", "energy"]},
        "task": {"use": "digits", "train": 60, "validation": 40},
        "network": {"use": "linear-genetic-program", "program": {"low": 3, "high": 8, "each": EACH}},
        "coder": {"steps": 2},
        "trainer": {"epochs": 2},
        "search": {"population": 6, "generations": 4, "screening": given},
        "execution": {"use": "inline"},
    }
    return Specification.from_document(document, load())


def test_the_vector_holds_class_scores_on_the_first_training_images():
    specification = study(budget=0.0)
    genome = Genome({"network.program": [{"op": "dense", "to": 0, "x": 0, "y": 0, "width": 8}] * 3})
    evaluation = evaluate(Job(specification.to_json(), genome, budget=0.0), load())
    assert evaluation.failure is None
    z = [evaluation.measurements[f"kpls.{number}"].mean for number in range(50)]
    assert "kpls.50" not in evaluation.measurements
    resolved = specification.resolve(genome)
    network = phenotype_of(resolved, evaluation.weights, streams_of(specification, genome, 0)).eval()
    images = resolved.task.data("train").inputs[:5]
    with torch.no_grad():
        alone = [network(image[None])[:, 0].double().mean(0) for image in images]  # no image sees another
    expected = [np.exp(one) / np.exp(one).sum() for one in np.array([score.numpy() for score in alone])]
    np.testing.assert_allclose(z, np.concatenate(expected), rtol=1e-5)


def test_a_search_with_it_records_no_guess_as_a_measurement(tmp_path: Path):
    with Database.open(tmp_path / "lgp.db", create=True) as database:
        assert Search(study(bound=-1.0, keep=0.3), database).run() == "finished"
        rows = queries.evaluations(database, "lgp")
        assert {row.budget for row in rows} == {0.5, 1.0}
        assert all(set(row.measurements) == {"accuracy", "energy"} for row in rows)
        standings = recorded_standings(database, "lgp")
        assert [one.candidates for one in standings][:3] == [0, 0, 6]
        assert standings[-1].error is not None
