"""The exporter `optuna`: Optuna opens what was written, with the same values, and works with it."""

from __future__ import annotations

from datetime import UTC, timedelta

import optuna
import pytest
from exported_things import SPACE, record
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from spikefront_plugins.exporters.optuna import DATABASE, OptunaStudy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("optuna")
    assert OptunaStudy().export(record(), path) == [path / DATABASE]
    return path


@pytest.fixture
def loaded(folder):
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / DATABASE}")
    yield optuna.load_study(study_name="things", storage=storage)
    storage.remove_session()
    storage.engine.dispose()


def test_one_file_and_nothing_else(folder):
    assert [path.name for path in folder.iterdir()] == [DATABASE]


def test_directions_names_and_units(loaded):
    assert [direction.name.lower() for direction in loaded.directions] == ["maximize", "minimize"]
    assert loaded.metric_names == ["accuracy", "energy"]
    assert loaded.user_attrs["units"] == {"accuracy": "1", "energy": "J"}


def test_trials_have_the_recorded_values(loaded):
    trials, study = loaded.get_trials(), record()
    assert len(trials) == len(study.evaluations)
    for trial, row in zip(trials, study.evaluations, strict=True):
        assert trial.number == row.number
        if trial.state == TrialState.COMPLETE:
            assert trial.values == [row.mean("accuracy"), row.mean("energy")]
        else:
            assert trial.values is None
        if row.measurements:
            assert trial.user_attrs["measurements.spikes"] == row.mean("spikes")
            assert trial.user_attrs["standard_errors.accuracy"] == row.measurements["accuracy"].standard_error
        assert trial.user_attrs["generation"] == row.generation
        assert tuple(trial.user_attrs["parents"]) == row.parents
        assert trial.datetime_complete.astimezone(UTC) == row.finished_at
        assert trial.duration == timedelta(seconds=row.seconds)


def test_states(loaded):
    states = {trial.number: trial.state for trial in loaded.get_trials()}
    assert states.pop(2) == TrialState.FAIL
    assert states.pop(3) == TrialState.PRUNED
    assert states.pop(5) == TrialState.FAIL, "an objective has no value"
    assert set(states.values()) == {TrialState.COMPLETE}
    failed = loaded.get_trials()[2]
    assert failed.user_attrs["failure"] == "not-finite"
    assert failed.user_attrs["failure_message"].startswith("loss is nan")
    assert loaded.get_trials()[5].user_attrs["measurements.energy"] is None


def test_genes_are_parameters_where_they_are_active(loaded):
    for trial, row in zip(loaded.get_trials(), record().evaluations, strict=True):
        assert set(trial.params) == set(row.genome) - {"encoding.interactions"}
        same = ["neuron.tau", "coder.steps", "trainer.batch", "encoding.use", "mixed.b"]
        same += ["encoding.genes"] if "encoding.genes" in row.genome else []
        assert all(trial.params[path] == row.genome[path] for path in same)
    assert {"encoding.genes" in trial.params for trial in loaded.get_trials()} == {True, False}


def test_distributions_are_the_domains(loaded):
    found = {}
    for trial in loaded.get_trials():
        found |= trial.distributions
    assert found == {
        "network.hidden": CategoricalDistribution(["[16]", "[16, 8]"]),
        "neuron.tau": FloatDistribution(1.2, 4.0, log=True),
        "coder.steps": IntDistribution(2, 6, step=2),
        "trainer.batch": IntDistribution(4, 64, log=True),
        "encoding.use": CategoricalDistribution(["genetic", "direct"]),
        "encoding.genes": IntDistribution(4, 16, step=4),
        "mixed.a": CategoricalDistribution(["1", "1.0", "true", '"1"', "null", "[1]"]),
        "mixed.b": CategoricalDistribution([True, False]),
    }
    assert set(SPACE) - set(found) == {"encoding.interactions"}


def test_values_of_a_choice_that_python_thinks_equal_stay_apart(loaded):
    assert [trial.params["mixed.a"] for trial in loaded.get_trials()[:6]] == ["1", "1.0", "true", '"1"', "null", "[1]"]


def test_optuna_sees_the_front_of_the_values(loaded):
    complete = [trial for trial in loaded.get_trials() if trial.state == TrialState.COMPLETE]
    points = {trial.number: (-trial.values[0], trial.values[1]) for trial in complete}
    best = {
        number
        for number, (a, b) in points.items()
        if not any((c <= a and d <= b) and (c, d) != (a, b) for c, d in points.values())
    }
    assert {trial.number for trial in loaded.best_trials} == best


def test_optuna_draws_it(loaded):
    figure = optuna.visualization.plot_pareto_front(loaded)
    shown = sum(len(trace.x) for trace in figure.data)
    assert shown == 9
    assert figure.layout.xaxis.title.text == "accuracy"
    first = {"target": lambda trial: trial.values[0], "target_name": "accuracy"}
    optuna.visualization.plot_parallel_coordinate(loaded, params=["neuron.tau", "encoding.use"], **first)
    optuna.visualization.plot_slice(loaded, params=["network.hidden", "coder.steps"], **first)


def test_a_sampler_goes_on_from_it(folder):
    import shutil

    copy = shutil.copy(folder / DATABASE, folder.parent / "copy.db")
    storage = optuna.storages.RDBStorage(f"sqlite:///{copy}")
    study = optuna.load_study(study_name="things", storage=storage, sampler=optuna.samplers.TPESampler(seed=0))
    trial = study.ask({"neuron.tau": FloatDistribution(1.2, 4.0, log=True)})
    study.tell(trial, [0.5, 1e-8])
    assert len(study.get_trials()) == 13
    storage.remove_session()
    storage.engine.dispose()
