"""One evaluation: a pure function of its job, whose failures are values and whose weights come back bit for bit."""

import dataclasses
import errno
import hashlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors

from spikefront import Task, Trainer
from spikefront.errors import InputError
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification

ODD = Sources(folders=(str(Path(__file__).with_name("odd_plugins")),))
TARGET = {
    "study": {"name": "target", "seed": 3, "objectives": ["distance"], "columns": ["noise"]},
    "task": {"use": "target"},
    "trainer": {"use": "none"},
    "search": {"generations": 1},
}
DIGITS = {
    "study": {"name": "digits", "seed": 3, "objectives": ["accuracy", "parameters", "energy"]},
    "task": {"use": "digits", "train": 100, "validation": 30},
    "network": {"use": "mlp", "hidden": [12]},
    "neuron": {"v_threshold": 0.3},
    "trainer": {"epochs": 2, "learning_rate": 0.01},
    "search": {"generations": 1},
}
PER_TAP = {"use": "genetic", "genes": 2, "gain": "layer"}
UNFOLD = {"use": "genetic", "genes": 2, "variant": "unfold"}
CONV = {"use": "conv", "channels": [4, 6]}
NETWORKS = {
    "direct": {},
    "conv": {"network": CONV},
    "poisson": {"coder": {"use": "poisson"}},
    "plif": {"neuron": {"use": "plif", "v_threshold": 0.3}},
    "recurrent": {"network": {"use": "recurrent", "hidden": [9]}},
    "resnet": {"network": {"use": "resnet", "blocks": [1, 1], "width": 4}},
    "recurrent, genetic": {"network": {"use": "recurrent", "hidden": [9]}, "encoding": PER_TAP},
    "searched genes": {"network": CONV, "encoding": PER_TAP | {"genes": {"low": 1, "high": 3}}},
} | {
    f"{encoding.get('variant', 'per-tap')}, {origin}": {
        "network": {"use": "resnet", "blocks": [1, 1], "width": 4},
        "encoding": encoding | {"origin": origin},
    }
    for encoding in (PER_TAP, UNFOLD)
    for origin in ("evolved", "trained", "both")
}


def study_of(document, **sections):
    return Specification.from_document(document | sections, load(ODD))


def job_of(study, seed=0, **options):
    rng = np.random.default_rng(seed)
    genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
    return Job(study.to_json(), genome, **options)


def run(document, seed=0, replicates=(0,), budget=1.0, elites=None, threads=1, purpose="search", **sections):
    job = job_of(
        study_of(document, **sections),
        seed,
        replicates=replicates,
        budget=budget,
        elites=elites or {},
        threads=threads,
        purpose=purpose,
    )
    return evaluate(job, load(ODD))


def outcome(evaluation):
    """Return what an evaluation found, without when and where."""
    return dataclasses.replace(evaluation, seconds=0.0, peak_memory=0, worker="")


def test_a_network_is_trained_and_measured():
    result = run(DIGITS)
    assert result.failure is None
    assert set(result.measurements) == {"accuracy", "parameters", "energy"}
    assert result.measurements["parameters"].mean == 64 * 12 + 12 + 12 * 10 + 10
    assert 0 <= result.measurements["accuracy"].mean <= 1
    assert result.measurements["energy"].mean > 0
    assert [(row["replicate"], row["epoch"]) for row in result.history] == [(0, 0), (0, 1)]
    assert result.samples == 2 * 64
    assert result.recording["samples"] == 30
    assert len(result.recording["synapses"]) == 2
    assert result.seconds > 0
    assert result.peak_memory > 10_000_000
    assert result.worker.endswith(f":{os.getpid()}")
    json.dumps([result.recording, result.history])


@pytest.mark.parametrize("case", NETWORKS)
def test_the_same_job_gives_the_same_and_its_weights_come_back(case):
    study = study_of(DIGITS, **NETWORKS[case])
    job = job_of(study)
    first, second = (evaluate(job, load(ODD)) for _ in range(2))
    assert first.failure is None
    assert outcome(first) == outcome(second)
    assert outcome(first) != outcome(evaluate(dataclasses.replace(job, replicates=(1,)), load(ODD)))
    resolved, streams = study.resolve(job.genome), streams_of(study, job.genome, 0)
    network = phenotype_of(resolved, first.weights, streams)
    scores = resolved.task.score(network, "validation", streams)
    assert scores["accuracy"] == first.measurements["accuracy"].mean
    stored = load_tensors(first.weights)
    state = network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in stored.items())
    assert {tensor.data_ptr() for tensor in state.values()} == {state[name].data_ptr() for name in stored}


def test_a_fresh_process_gives_the_same():
    study = study_of(DIGITS, encoding={"use": "genetic", "genes": 2}, coder={"use": "poisson"})
    here = outcome(evaluate(job_of(study), load(ODD)))
    code = f"""
import sys, hashlib
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_evaluate as t
study = t.study_of(t.DIGITS, encoding={{"use": "genetic", "genes": 2}}, coder={{"use": "poisson"}})
result = t.evaluate(t.job_of(study), t.load(t.ODD))
print(result.genome.hash, {{n: m.values for n, m in sorted(result.measurements.items())}})
print(hashlib.sha256(result.weights).hexdigest())
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    values = {name: measurement.values for name, measurement in sorted(here.measurements.items())}
    assert there.stdout == f"{here.genome.hash} {values}\n{hashlib.sha256(here.weights).hexdigest()}\n"


def test_replicates_have_a_mean_and_a_standard_error():
    result = run(TARGET, replicates=(0, 1, 2))
    noise = result.measurements["noise"]
    assert len(set(noise.values)) == 3
    assert noise.mean == pytest.approx(sum(noise.values) / 3)
    assert noise.standard_error == pytest.approx(statistics.stdev(noise.values) / 3**0.5)
    assert noise.values[1:2] == run(TARGET, replicates=(1,)).measurements["noise"].values
    assert result.measurements["distance"].standard_error == 0


def test_replicates_of_a_network_start_anew():
    both = run(DIGITS, replicates=(0, 1))
    first, second = run(DIGITS, replicates=(0,)), run(DIGITS, replicates=(1,))
    assert both.weights == first.weights != second.weights
    assert [row["replicate"] for row in both.history] == [0, 0, 1, 1]
    assert both.samples == first.samples + second.samples


def test_a_retrain_has_other_seeds_than_a_search():
    searched, retrained = (run(TARGET, purpose=purpose).measurements["noise"] for purpose in ("search", "retrain"))
    assert searched != retrained


def test_the_budget_is_a_share_of_the_training():
    assert [row["epoch"] for row in run(DIGITS, budget=0.5).history] == [0]


def test_a_simulation_without_a_network():
    study = study_of(TARGET)
    job = job_of(study)
    result = evaluate(job, load(ODD))
    expected = np.abs(job.genome["task.place"] - np.array([1, 2, 3])).sum()
    assert result.measurements["distance"].values == (pytest.approx(float(expected)),)
    assert result.weights == b""
    assert result.history == ()
    assert result.recording["samples"] == 0
    place = phenotype_of(study.resolve(job.genome), result.weights, streams_of(study, job.genome, 0))
    assert place is not None
    assert place.tolist() == job.genome["task.place"].tolist()


def test_a_term_without_meaning_is_none():
    result = run(TARGET, study=TARGET["study"] | {"columns": ["novelty"]})
    assert result.measurements["novelty"].values == (None,)
    assert result.measurements["novelty"].mean is None


def test_regularisers_get_the_elite_of_their_objective_and_nobody_else():
    elite = Genome({"task.place": np.zeros(3)})
    sections = {
        "regularisers": [{"use": "novelty", "on": "distance", "weight": 1.0}],
    }
    result = run(TARGET, elites={"distance": elite}, **sections)
    expected = float(np.abs(result.genome["task.place"]).sum())
    assert result.measurements["novelty"].mean == pytest.approx(expected)
    assert run(TARGET, elites={"noise": elite}, **sections).measurements["novelty"].mean is None
    column = run(TARGET, elites={"distance": elite}, study=TARGET["study"] | {"columns": ["novelty"]})
    assert column.measurements["novelty"].mean is None


@pytest.mark.parametrize(
    ("behaviour", "kind", "message"),
    [
        ("raise", "exception", "ValueError: this candidate is odd"),
        ("system-exit", "exception", "SystemExit: 1"),
        ("diverge", "not-finite", "it diverged"),
        ("nan", "not-finite", "fitness 'distance' is nan"),
        ("memory", "out-of-memory", "MemoryError"),
        ("allocate", "out-of-memory", "allocate"),
        ("text", "plugin", "fitness 'distance' measured 'near'"),
        ("nothing", "plugin", "task 'target' scored None"),
    ],
)
def test_failures_are_values(behaviour, kind, message):
    result = run(TARGET, task={"use": "target", "behaviour": behaviour})
    assert result.failure.kind == kind
    assert message in result.failure.message
    assert dict(result.measurements) == {}
    assert result.weights == b""
    assert result.seconds > 0
    assert "evaluate.py" in result.failure.traceback


def test_a_failure_has_the_line_that_failed():
    result = run(TARGET, task={"use": "target", "behaviour": "raise"})
    assert 'raise ValueError("this candidate is odd")' in result.failure.traceback


def test_training_that_diverges_is_not_finite():
    result = run(DIGITS, trainer={"optimizer": "sgd", "learning_rate": 1e38, "schedule": "constant"})
    assert result.failure.kind == "not-finite"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out-of-memory"),
        (OSError(errno.ENOENT, "No such file"), "exception"),
        (RuntimeError("std::bad_alloc"), "out-of-memory"),
        (ImportError("libx.so: failed to map segment: Cannot allocate memory"), "out-of-memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out-of-memory"),
    ],
)
def test_a_lack_of_memory_is_known_in_every_guise(monkeypatch, error, kind):
    def build(*_):
        raise error

    monkeypatch.setattr(load(ODD).get(Task, "target"), "build", build)
    assert run(TARGET).failure.kind == kind


def test_a_trainer_that_returns_something_else_breaks_its_contract(monkeypatch):
    monkeypatch.setattr(load(ODD).get(Trainer, "none"), "fit", lambda *_: None)
    result = run(TARGET)
    assert (result.failure.kind, "trainer 'none' returned None" in result.failure.message) == ("plugin", True)


def test_a_worker_without_the_plugin_says_so():
    result = evaluate(job_of(study_of(TARGET)), load())
    assert result.failure.kind == "plugin"
    assert "target" in result.failure.message


def test_an_interrupt_is_not_a_failure(monkeypatch):
    def interrupt(self, phenotype, split, streams):
        raise KeyboardInterrupt

    monkeypatch.setattr(load(ODD).get(Task, "target"), "score", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(TARGET)


@pytest.mark.parametrize("behaviour", ["well", "raise"])
def test_the_number_of_threads_is_put_back(behaviour):
    before = torch.get_num_threads()
    run(TARGET, task={"use": "target", "behaviour": behaviour}, threads=before + 1)
    assert torch.get_num_threads() == before


def test_an_evaluation_leaves_global_generators_alone():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    run(DIGITS, coder={"use": "poisson"}, encoding={"use": "genetic", "genes": 2})
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()  # noqa: NPY002


def test_only_training_and_validation_are_read(monkeypatch):
    from spikefront_plugins.tasks.digits import Digits

    asked, data = [], Digits.data
    monkeypatch.setattr(Digits, "data", lambda self, split: (asked.append(split), data(self, split))[1])
    run(DIGITS)
    assert asked == ["train", "validation"]


@pytest.mark.parametrize("damage", ["empty", "cut", "other"])
def test_weights_that_do_not_fit_are_refused(damage):
    study = study_of(DIGITS)
    job = job_of(study)
    other = run(DIGITS, network={"use": "mlp", "hidden": [13]}).weights
    weights = {"empty": b"", "cut": evaluate(job, load(ODD)).weights[:-5], "other": other}[damage]
    with pytest.raises(InputError, match="weights"):
        phenotype_of(study.resolve(job.genome), weights, streams_of(study, job.genome, 0))


def test_weights_of_another_architecture_are_refused():
    study = study_of(DIGITS, network=CONV)
    weights = run(DIGITS).weights
    with pytest.raises(InputError, match="weights"):
        phenotype_of(study.resolve(Genome({})), weights, streams_of(study, Genome({}), 0))


def test_a_budget_of_nothing_measures_the_network_as_it_was_built():
    study = Specification.from_document({**DIGITS, "search": {"generations": 1, "screening": "synflow"}}, load())
    genome = study.space.genome({})
    found = evaluate(Job(study.to_json(), genome, budget=0.0), load())
    assert found.failure is None
    assert set(found.measurements) == {"accuracy", "parameters", "energy", "synflow"}
    assert (found.samples, found.history, found.checkpoint) == (0, (), b"")
    resolved = study.resolve(genome)
    built = resolved.task.build(resolved.parts, streams_of(study, genome, 0)).state_dict()
    stored = load_tensors(found.weights)
    assert all(torch.equal(stored[name], built[name]) for name in built)
    assert "synflow" not in evaluate(Job(study.to_json(), genome, budget=0.5), load()).measurements


@pytest.mark.parametrize("case", [case for case in NETWORKS if "both" not in case])
def test_a_child_of_its_own_genome_is_its_parent_before_training(case):
    job = job_of(study_of(DIGITS, **NETWORKS[case]))
    parent = evaluate(job, load(ODD))
    child = evaluate(dataclasses.replace(job, budget=0.0, parent=parent.weights), load(ODD))
    assert child.failure is None
    assert child.weights == parent.weights
    assert child.measurements == parent.measurements
    assert child.samples == 0


def test_a_child_that_hardly_learns_is_as_good_as_its_parent():
    parent = run(DIGITS)
    job = job_of(study_of(DIGITS, trainer={"epochs": 1, "learning_rate": 1e-12}), replicates=(0, 1))
    fresh, child = (evaluate(dataclasses.replace(job, parent=given), load(ODD)) for given in (b"", parent.weights))
    accuracy = parent.measurements["accuracy"].mean
    assert child.measurements["accuracy"].values == (accuracy, accuracy)
    assert accuracy not in fresh.measurements["accuracy"].values
    assert child.history[0]["loss"] < fresh.history[0]["loss"]


def test_evolved_interactions_are_not_inherited():
    study = study_of(DIGITS, encoding=PER_TAP | {"origin": "both"})
    parent = evaluate(job_of(study, seed=1), load(ODD))
    job = job_of(study, seed=2, budget=0.0)
    fresh, child = (
        load_tensors(evaluate(dataclasses.replace(job, parent=given), load(ODD)).weights)
        for given in (b"", parent.weights)
    )
    (interactions,) = [name for name in child if "interactions" in name]
    assert torch.equal(child[interactions], fresh[interactions])
    learnt = load_tensors(parent.weights)
    assert {name for name in child if not torch.equal(child[name], learnt[name])} == {interactions}


def test_training_that_goes_on_inherits_nothing_more():
    job = job_of(study_of(DIGITS))
    parent, other = run(DIGITS).weights, run(DIGITS, trainer={"epochs": 1}).weights
    whole = evaluate(dataclasses.replace(job, parent=parent), load(ODD))
    half = evaluate(dataclasses.replace(job, parent=parent, budget=0.5), load(ODD))
    rest = evaluate(dataclasses.replace(job, parent=other, checkpoint=half.checkpoint), load(ODD))
    assert rest.weights == whole.weights
    assert outcome(rest.after(half)).history == whole.history


def test_what_is_no_network_inherits_nothing():
    job = job_of(study_of(TARGET))
    found = [evaluate(dataclasses.replace(job, parent=parent), load(ODD)) for parent in (b"", b"no tensors")]
    assert outcome(found[0]) == outcome(found[1])


@pytest.mark.parametrize("predictor", ["spike-pattern", "synflow"])
def test_a_predictor_says_which_tasks_it_cannot_work_with(predictor):
    screening = {"use": predictor, "objective": "distance"}
    study = Specification.from_document({**TARGET, "search": {"generations": 1, "screening": screening}}, load(ODD))
    failure = evaluate(job_of(study, budget=0.0), load(ODD)).failure
    assert failure is not None
    assert f"predictor: '{predictor}' needs a task with data, and 'target' has none" in failure.message


DRAWN = """
from spikefront import Fitness, hookimpl

class Drawn(Fitness):
    name = "drawn"
    direction = "maximize"

    def measure(self, context):
        return context.streams.numpy("drawn").random()

@hookimpl
def spikefront_fitness():
    return [Drawn]
"""


@pytest.mark.parametrize("purpose", ["search", "retrain"])
def test_a_term_draws_from_the_streams_of_its_replicate(purpose, tmp_path):
    (tmp_path / "drawn.py").write_text(DRAWN)
    registry = load(Sources(folders=(*ODD.folders, str(tmp_path))))
    document = TARGET | {"study": TARGET["study"] | {"columns": ["drawn"]}}
    study = Specification.from_document(document, registry)
    job = job_of(study, replicates=(0, 2), purpose=purpose)
    expected = [streams_of(study, job.genome, number, purpose).numpy("drawn").random() for number in (0, 2)]
    assert evaluate(job, registry).measurements["drawn"].values == tuple(expected)
    assert expected[0] != expected[1]
