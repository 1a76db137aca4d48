"""Studies: what files of all shapes mean."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_documents import GONE, WHOLE, changed, genome_of, study

from spikefront.plugins import load
from spikefront.settings import Budget, Schedule
from spikefront.space import Integer, Tensor
from spikefront.specification import Specification

FILES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


def test_a_sound_study_passes_its_check():
    study(("search.operators", [{"use": "gaussian", "genes": "neuron.*"}])).check()


def test_what_a_study_is_made_of():
    made = study()
    assert [term.name for term in made.objectives] == ["accuracy", "energy"]
    assert [(o.name, o.direction) for o in made.problem_objectives] == [
        ("accuracy", "maximize"),
        ("energy", "minimize"),
    ]
    assert [term.name for term in made.columns] == ["spikes"]
    assert (made.algorithm.name, made.executor.name, made.name) == ("nsga2", "inline", "whole")
    assert [(r.term.name, r.on, r.weight) for r in made.regularisers] == [
        ("gene-entropy", "accuracy", Schedule(start=0.1, end=0.0))
    ]
    names = {(cls.kind, cls.name) for cls in made.components()}
    assert {("encoding", "genetic"), ("encoding", "direct"), ("surrogate", "atan"), ("fitness", "spikes")} <= names
    assert {kind for kind, _ in names} >= {"task", "trainer", "algorithm", "executor", "operator"}


def test_genes_of_the_component_that_was_not_chosen_are_not_in_the_genome():
    made = study()
    assert made.space["encoding.interactions"].domain == Tensor((1, 4, 16, 16), 1 / 16)
    assert made.space["encoding.genes"].domain == Integer(4, 16, 4)
    direct, genetic = genome_of(made, encoding__use="direct"), genome_of(made, encoding__use="genetic")
    asleep = {"encoding.genes", "encoding.interactions"}
    assert set(genetic) == set(made.space)
    assert set(direct) == set(made.space) - asleep
    parts = made.resolve(genetic).parts
    assert (parts.encoding.name, parts.encoding.genes) == ("genetic", genetic["encoding.genes"])
    assert np.array_equal(parts.arrays["encoding"]["interactions"], genetic["encoding.interactions"])
    assert made.resolve(direct).parts.encoding.name == "direct"
    assert made.resolve(direct).parts.arrays["encoding"] == {}


def test_a_parameter_that_all_components_of_a_choice_have_is_always_active():
    tau, rest = {"low": 2.0, "high": 3.0}, {"decay_input": True}
    made = study(("neuron", {"use": {"choice": ["lif", "plif"]}, "tau": tau, **rest}))
    assert made.space["neuron.tau"].selector == ""
    conditional = study(("neuron", {"use": {"choice": ["lif", "if"]}, "tau": tau}))
    assert (conditional.space["neuron.tau"].selector, conditional.space["neuron.tau"].components) == (
        "neuron.use",
        {"lif"},
    )


def test_an_entry_for_each_layer_that_fires():
    made = study(("neuron", [{"use": {"choice": ["lif", "if"]}, "tau": {"low": 2.0, "high": 3.0}}, "izhikevich", {}]))
    assert {path for path in made.space if path.startswith("neuron")} == {"neuron.0.use", "neuron.0.tau"}
    neurons = made.resolve(genome_of(made, neuron__0__use="if")).parts.neurons
    assert [neuron.name for neuron in neurons] == ["if", "izhikevich", "lif"]


def test_only_what_is_needed():
    base = {"study": {"name": "s", "objectives": ["accuracy"]}, "task": "digits", "search": {"evaluations": 5}}
    made = Specification.from_document(base, load())
    parts = made.resolve(genome_of(made)).parts
    assert [parts.network.name, parts.neurons[0].name, parts.coder.name, parts.encoding.name] == [
        *("mlp", "lif", "direct", "direct")
    ]
    assert made.regularisers == ()
    assert not made.space
    assert made.operators


def test_operators_of_a_study_go_first():
    names = [operator.name for operator in study(("search.operators", ["gaussian"])).operators]
    assert names == ["gaussian", *load().defaults("operator")]


def test_a_number_is_a_constant_schedule():
    assert study(("regularisers.0.weight", 1)).regularisers[0].weight == Schedule(start=1.0, end=1.0)


@pytest.mark.parametrize(
    ("schedule", "generations", "weights"),
    [
        ({"start": 1.0, "end": 0.0}, 5, [1.0, 0.75, 0.5, 0.25, 0.0]),
        ({"start": 1.0, "end": 0.0, "until": 0.5}, 5, [1.0, 0.5, 0.0, 0.0, 0.0]),
        ({"start": 0.0, "end": 2.0}, 1, [0.0]),
        ({"start": 0.0, "end": 2.0}, 2, [0.0, 2.0]),
        ({"start": 0.25, "end": 0.25}, 3, [0.25, 0.25, 0.25]),
    ],
)
def test_schedules(schedule, generations, weights):
    made = Schedule(**schedule)
    assert [made.at(generation, generations) for generation in range(generations)] == pytest.approx(weights)
    assert made.at(10 * generations, generations) == made.end


@pytest.mark.parametrize(
    ("budget", "total", "last"),
    [
        ({"population": 10, "generations": 3}, 30, 3),
        ({"population": 10, "evaluations": 30}, 30, 3),
        ({"population": 10, "evaluations": 31}, 31, 4),
        ({"population": 10, "evaluations": 3}, 3, 1),
    ],
)
def test_budgets(budget, total, last):
    made = Budget(**budget)
    assert (made.total, made.last_generation) == (total, last)


def test_where_it_runs_does_not_decide_what_comes_out():
    hashes = {
        study(*changes).specification_hash
        for changes in ([], [("execution", GONE)], [("execution", {"use": "local", "workers": 7, "timeout": "1h"})])
    }
    assert hashes == {study().specification_hash}
    for change in (("study.seed", 4), ("search.population", 6), ("neuron.tau.high", 5.0), ("study.columns", [])):
        assert study(change).specification_hash not in hashes


def test_the_order_of_keys_changes_neither_hash_nor_space():
    def backwards(value: Any) -> Any:
        return {k: backwards(value[k]) for k in reversed(value)} if isinstance(value, dict) else value

    one, other = study(), Specification.from_document(backwards(WHOLE), load())
    assert one.specification_hash == other.specification_hash
    assert one.to_json() == other.to_json()
    assert list(one.space.items()) == list(other.space.items())


def test_a_study_comes_back_from_its_json_and_is_a_copy():
    document = changed()
    made = Specification.from_document(document, load())
    document["neuron"]["tau"] = 2.0
    again = Specification.from_document(json.loads(made.to_json()), load())
    assert again == made
    assert again.specification_hash == made.specification_hash
    assert list(again.space) == list(made.space)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_every_genome_of_the_studies_resolves(file, seed):
    made = Specification.from_file(file, load())
    genome = genome_of(made, seed)
    resolved = made.resolve(genome)
    document = json.loads(json.dumps(made.resolved_document(genome), allow_nan=False))
    again = Specification.from_document(document, load())
    assert all(isinstance(gene.domain, Tensor) for gene in again.space.values())
    found = again.resolve(genome)
    assert (found.task, found.trainer) == (resolved.task, resolved.trainer)
    for part in ("network", "neurons", "surrogate", "synapse", "coder", "encoding"):
        assert getattr(found.parts, part) == getattr(resolved.parts, part)


def test_a_resolved_list_of_neurons_stays_a_list():
    made = study(("neuron", [{"use": {"choice": ["lif", "if"]}}, {"tau": {"low": 2.0, "high": 3.0}}]))
    genome = genome_of(made, neuron__0__use="if")
    again = Specification.from_document(made.resolved_document(genome), load())
    assert again.resolve(genome).parts.neurons == made.resolve(genome).parts.neurons
    assert not [path for path in again.space if path.startswith("neuron")]
