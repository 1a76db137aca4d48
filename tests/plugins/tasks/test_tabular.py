"""The tables of scikit-learn: splits that hold all rows once, scales of the training split, honest regression."""

import numpy as np
import pytest
import torch
from sklearn import datasets, linear_model, metrics
from torch import nn

from spikefront import Task
from spikefront.evaluate import evaluate
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.specification import Specification
from spikefront_plugins.tasks.tabular import Tabular

SHAPES = {"iris": (150, 4, 3), "wine": (178, 13, 3), "breast-cancer": (569, 30, 2), "digits": (1797, 64, 10),
          "diabetes": (442, 10, 1)}  # fmt: skip
every_table = pytest.mark.parametrize("table", SHAPES)
SPLITS = ("train", "validation", "test")


def raw(table):
    return getattr(datasets, f"load_{table.replace('-', '_')}")(return_X_y=True)


def least_squares(known, wanted):
    """Return the columns of `wanted` as linear functions of those of `known`, fitted on the same rows."""
    return linear_model.LinearRegression().fit(known, wanted).predict(known)


@every_table
def test_tables_have_the_published_sizes(table):
    task = Tabular(table=table)
    rows, columns, outputs = SHAPES[table]
    assert sum(len(task.data(split).targets) for split in SPLITS) == rows
    assert (task.input_shape, task.outputs) == ((columns,), outputs)
    assert len(task.data("test").targets) == round(0.2 * rows)
    assert len(task.data("validation").targets) == round(0.25 * (rows - round(0.2 * rows)))


@every_table
@pytest.mark.parametrize("scaling", ["range", "standard"])
def test_splits_together_are_the_table_in_other_units(table, scaling):
    """Undoing the scale, which is linear in each column, gives the multiset of rows and their targets back."""
    task = Tabular(table=table, scaling=scaling)
    columns, targets = raw(table)
    inputs, found = (torch.cat([task.data(split)[part] for split in SPLITS]).double().numpy() for part in (0, 1))
    train = task.data("train")
    if table == "diabetes":
        order = np.argsort(found, kind="stable"), np.argsort(targets, kind="stable")
        assert np.corrcoef(found[order[0]], targets[order[1]])[0, 1] == pytest.approx(1)
        assert float(train.targets.mean()) == pytest.approx(0, abs=1e-5)
        assert float(train.targets.std(correction=0)) == pytest.approx(1, abs=1e-5)
    else:
        assert (np.bincount(found.astype(int)) == np.bincount(targets)).all()
    for number in range(columns.shape[1]):
        mine, theirs = np.sort(inputs[:, number]), np.sort(columns[:, number])
        np.testing.assert_allclose(least_squares(theirs[:, None], mine), mine, atol=1e-4)


@pytest.mark.parametrize("scaling", ["range", "standard"])
def test_scales_are_those_of_the_training_split_alone(scaling):
    task = Tabular(table="wine", scaling=scaling)
    train, test = task.data("train").inputs, task.data("test").inputs
    if scaling == "range":
        assert (train.amin(0) + 1).abs().max() < 1e-5
        assert (train.amax(0) - 1).abs().max() < 1e-5
        assert test.abs().max() > 1
    else:
        assert train.mean(0).abs().max() < 1e-5
        assert (train.std(0, correction=0) - 1).abs().max() < 1e-5
        assert test.mean(0).abs().max() > 1e-3


def test_a_column_without_variation_is_zero_in_training():
    inputs = Tabular(table="digits").data("train").inputs
    assert bool((inputs[:, 0] == 0).all())
    assert bool(inputs.isfinite().all())


def test_the_split_seed_moves_validation_and_never_the_test_rows():
    """Rows are told apart by their targets and the order of each column, which no scale changes."""
    first, second = (Tabular(table="diabetes", split_seed=seed) for seed in (0, 1))
    ranks = [np.argsort(task.data("test").targets.numpy(), kind="stable") for task in (first, second)]
    assert (ranks[0] == ranks[1]).all()
    assert len(first.data("train").inputs) == len(second.data("train").inputs)
    assert not np.allclose(first.data("validation").inputs[:, 1], second.data("validation").inputs[:, 1])


@every_table
def test_classes_are_in_proportion_in_every_split(table):
    task = Tabular(table=table)
    if task.regression:
        pytest.skip("no classes")
    whole = np.bincount(raw(table)[1]) / SHAPES[table][0]
    for split in SPLITS:
        targets = task.data(split).targets.numpy()
        assert np.abs(np.bincount(targets) - whole * len(targets)).max() <= 2


class Constant(nn.Module):
    """Says the same for every sample, at both of two steps."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        values = self.function(x)
        return torch.stack([values - 1, values + 1])


@pytest.mark.parametrize("function", [lambda x: x[:, 2:3], lambda x: 0 * x[:, :1], lambda x: x.sum(1, keepdim=True)])
def test_r2_is_that_of_scikit_learn(function):
    task = Tabular(table="diabetes", split_seed=2)
    inputs, targets = task.data("test")
    scores = task.score(Constant(function), "test", Streams(0))
    assert scores["r2"] == pytest.approx(metrics.r2_score(targets, function(inputs).squeeze(1)), abs=1e-5)
    assert scores["loss"] == pytest.approx(metrics.mean_squared_error(targets, function(inputs).squeeze(1)), rel=1e-5)
    assert "accuracy" not in scores


def test_a_regression_trains_towards_its_targets_and_has_no_accuracy():
    changes = {"task": {"use": "tabular", "table": "diabetes"}, "network": {"hidden": [32], "batch_norm": True},
               "trainer": {"epochs": 15, "batch": 32, "learning_rate": 5e-3}, "search": {"generations": 1}}  # fmt: skip
    for objective, failed in (("r2", False), ("accuracy", True)):
        study = {"name": "one", "seed": 1, "objectives": [objective]}
        specification = Specification.from_document({"study": study, **changes}, load())
        evaluation = evaluate(Job(specification.to_json(), Genome({})), load())
        assert bool(evaluation.failure) == failed
        if failed:
            assert "has no metric 'accuracy'" in evaluation.failure.message
        else:
            assert evaluation.measurements["r2"].mean > 0.25


def test_it_comes_through_the_hook():
    assert load().get(Task, "tabular") is Tabular
