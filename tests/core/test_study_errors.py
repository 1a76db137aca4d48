"""Wrong studies: one clear sentence for each thing that can be wrong, with place, value and what is allowed."""

import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_documents import GONE, RANGE, changed, genome_of, study

from spikefront.errors import DataError, InputError, StudyFileError
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification

WRONG: list[tuple[str, Any, list[str]]] = [
    # sections
    ("stdy", {}, ["[stdy]: no such section", "Did you mean 'study'?"]),
    ("study", GONE, ["[study]: the section is missing"]),
    ("task", GONE, ["[task]: the section is missing"]),
    ("search", GONE, ["[search]: the section is missing"]),
    ("study", 3, ["study = 3: should be a table", "[study]"]),
    ("task", 3, ["task = 3: should be a table"]),
    ("execution", [], ["execution = []: should be a table"]),
    ("coder", [{"use": "direct"}], ["coder = [", "should be a table"]),
    ("neuron", [], ["neuron = []: should be a table"]),
    ("neuron", ["lif", 3], ["neuron.1 = 3: should be a table"]),
    ("neuron", [{"use": "lif"}, {"use": "lfi"}], ["neuron.1.use", "'lfi'", "Did you mean 'lif'?"]),
    # components
    ("task.use", GONE, ["task.use: is missing", "digits, fashion-mnist"]),
    ("neuron.use", "lfi", ["neuron.use: unknown neuron 'lfi'", "Did you mean 'lif'?", "izhikevich"]),
    ("neuron.use", 3, ["neuron.use = 3: should name a neuron", "lif"]),
    ("neuron.use", "a/b", ["unknown neuron 'a/b'"]),
    ("neuron.use", "../lif", ["unknown neuron '../lif'"]),
    ("neuron.use", "x" * 10**6, ["unknown neuron 'xxxx", "Allowed: alif"]),
    ("neuron.use", {"choice": []}, ["neuron.use = {'choice': []}", "Allowed: alif"]),
    ("neuron.use", {"choice": ["lif", 3]}, ["neuron.use", "3", "should name a neuron, or a choice"]),
    ("neuron.use", {"choice": ["lif", "lif"]}, ["neuron.use", "named twice"]),
    ("neuron.use", {"choice": ["lif", "lfi"]}, ["neuron.use: unknown neuron 'lfi'", "Did you mean 'lif'?"]),
    ("neuron.use", RANGE, ["neuron.use", "should name a neuron, or a choice"]),
    # keys and values
    ("neuron.tua", 2.0, ["neuron.tua: neuron 'lif' has no such parameter", "Did you mean 'tau'?"]),
    ("encoding.gnes", 2, ["encoding.gnes: encoding 'genetic' or 'direct' has no", "Did you mean 'genes'?"]),
    ("neuron.tau", "2.0", ["neuron.tau = '2.0': should be a number", "above 1", "default 2.0"]),
    ("neuron.tau", True, ["neuron.tau = True: should be a number"]),
    ("neuron.tau", 1.0, ["neuron.tau = 1.0: should be greater than 1"]),
    ("neuron.tau", math.nan, ["neuron.tau = nan: is not finite"]),
    ("neuron.tau", -math.inf, ["neuron.tau = -inf: is not finite"]),
    ("neuron.tau", datetime.date(2026, 1, 1), ["neuron.tau", "date"]),
    ("neuron.tau", {}, ["neuron.tau = {}: should be a number"]),
    ("neuron.reset", "hrad", ["neuron.reset = 'hrad'", "'hard' or 'soft'"]),
    ("neuron.detach_reset", 1, ["neuron.detach_reset = 1: should be true or false"]),
    ("coder.steps", 0, ["coder.steps = 0", "at least 1", "default 4"]),
    ("coder.steps", 2.0, ["coder.steps = 2.0: should be a whole number"]),
    ("coder.steps", 2.5, ["coder.steps = 2.5: should be a whole number"]),
    ("coder.steps", True, ["coder.steps = True: should be a whole number"]),
    ("coder.steps", "3", ["coder.steps = '3': should be a whole number"]),
    ("coder.steps", 10**30, ["coder.steps = 1000", "too large"]),
    ("network.hidden", 16, ["network.hidden = 16: should be a list"]),
    ("network.hidden", [16, 0], ["network.hidden.1 = 0: should be greater than 0"]),
    ("network.hidden", [16, True], ["network.hidden.1 = True: should be a whole number"]),
    ("network", {"use": "conv", "kernel": 4}, ["network: kernel = 4 has to be odd", "Keys: channels, kernel"]),
    # domains
    ("neuron.tau", {"low": 3.0, "high": 2.0}, ["neuron.tau = {'low': 3.0, 'high': 2.0}: low is above high"]),
    ("neuron.tau", {"low": 0.0, "high": 2.0, "log": True}, ["neuron.tau", "logarithmic range cannot touch 0"]),
    ("neuron.tau", {"low": 2.0}, ["neuron.tau.high: is missing"]),
    ("neuron.tau", {"hihg": 2.0, "low": 2.0}, ["neuron.tau.hihg", "Did you mean 'high'?"]),
    ("neuron.tau", {"low": "1", "high": 2.0}, ["neuron.tau.low = '1': should be a number"]),
    ("neuron.tau", {"low": True, "high": 2.0}, ["neuron.tau.low = True: should be a number"]),
    ("neuron.tau", {"low": 1.2, "high": math.inf}, ["neuron.tau.high = inf: is not finite"]),
    ("neuron.tau", {"low": 1.2, "high": 2.0, "log": 1}, ["neuron.tau.log = 1: should be true or false"]),
    ("neuron.tau", {"low": 1.2, "high": 2.0, "step": 0.1}, ["neuron.tau", "only whole numbers have a step"]),
    ("neuron.tau", {"low": 0.5, "high": 2.0}, ["neuron.tau = 0.5: should be greater than 1"]),
    ("neuron.tau", {"choice": []}, ["neuron.tau.choice = []: is empty"]),
    ("neuron.tau", {"choice": 2.0}, ["neuron.tau.choice = 2.0: is empty or no list"]),
    ("neuron.tau", {"choice": [2.0, "x"]}, ["neuron.tau = 'x': should be a number"]),
    ("neuron.tau", {"choice": [2.0, 3.0, 2.0]}, ["neuron.tau.choice: 2.0 is listed twice"]),
    ("neuron.tau", {"choice": [2.0], "low": 1.0}, ["neuron.tau", "'choice' stands alone"]),
    ("neuron.reset", RANGE, ["neuron.reset", "this parameter has no range", "choice"]),
    ("coder.steps", {"low": 0, "high": 4}, ["coder.steps = 0: should be greater than or equal to 1"]),
    ("coder.steps", {"low": 1, "high": 4, "step": 0}, ["coder.steps.step = 0: should be above 0"]),
    ("coder.steps", {"low": 1.0, "high": 4}, ["coder.steps.low = 1.0: should be a whole number"]),
    ("network", {"use": "conv", "kernel": {"low": 1, "high": 5}}, ["network: kernel = 2 has to be odd"]),
    # [study]
    ("study.name", GONE, ["study.name: is missing"]),
    ("study.name", "a/b", ["study.name = 'a/b'", "letters, digits"]),
    ("study.name", "..", ["study.name = '..'", "letters, digits"]),
    ("study.name", "", ["study.name = ''"]),
    ("study.name", "x" * 10**5, ["study.name = 'xxx", "too long", "at most 100"]),
    ("study.name", 3, ["study.name = 3: should be a string"]),
    ("study.sede", 3, ["study.sede: no such key", "Did you mean 'seed'?"]),
    ("study.seed", -1, ["study.seed = -1", "at least 0"]),
    ("study.seed", 1.0, ["study.seed = 1.0: should be a whole number"]),
    ("study.seed", True, ["study.seed = True: should be a whole number"]),
    ("study.seed", RANGE, ["study.seed", "cannot be searched"]),
    ("study.keep", "some", ["study.keep = 'some'", "'front', 'all' or 'none'"]),
    ("study.replicates", 0, ["study.replicates = 0", "at least 1"]),
    ("study.objectives", GONE, ["study.objectives: is missing", "fitness terms"]),
    ("study.objectives", [], ["study.objectives = []: is too short"]),
    ("study.objectives", "accuracy", ["study.objectives = 'accuracy': should be a list"]),
    ("study.objectives", ["acuracy"], ["study.objectives.0.use: unknown fitness", "Did you mean 'accuracy'?"]),
    ("study.objectives", ["accuracy", 3], ["study.objectives.1 = 3: should be a table"]),
    ("study.objectives", ["accuracy", "accuracy"], ["study.objectives.1 = 'accuracy': is there already"]),
    ("study.objectives", [{"use": {"choice": ["accuracy"]}}, {"use": {"choice": ["spikes", "energy"]}}], ["searched"]),
    ("study.objectives", [{"use": "energy", "mdel": "x"}], ["study.objectives.0.mdel", "Did you mean 'model'?"]),
    ("study.columns", ["energy"], ["study.columns.0 = 'energy': is there already"]),
    ("study.columns", ["nothing"], ["study.columns.0.use: unknown fitness 'nothing'"]),
    # [search]
    ("search.population", 1, ["search.population = 1", "at least 2"]),
    ("search.population", 4.0, ["search.population = 4.0: should be a whole number"]),
    ("search.population", RANGE, ["search.population", "cannot be searched"]),
    ("search.generations", GONE, ["search: needs either generations or evaluations"]),
    ("search.generations", 0, ["search.generations = 0", "at least 1"]),
    ("search.evaluations", 12, ["search: has generations = 3 and evaluations = 12; give only one"]),
    ("search.generatoins", 3, ["search.generatoins", "Did you mean 'generations'?"]),
    ("search.use", "nsga2", ["search.use", "algorithm"]),
    ("search.algorithm", "nsga22", ["search.algorithm: unknown algorithm 'nsga22'", "Did you mean 'nsga2'?"]),
    ("search.algorithm", {"choice": ["nsga2", "random"]}, ["search.algorithm: cannot be searched"]),
    ("search", {"algorithm": "tpe", "startup": RANGE, "generations": 2}, ["search.startup", "cannot be searched"]),
    ("search.operators", "sbx", ["search.operators = 'sbx': should be a list"]),
    ("search.operators", ["sxb"], ["search.operators.0.use: unknown operator 'sxb'", "Did you mean 'sbx'?"]),
    ("search.operators", [{"use": "sbx", "eta": RANGE}], ["search.operators.0.eta", "cannot be searched"]),
    ("search.reference", {"enrgy": [0.0, 1.0]}, ["search.reference.enrgy: is no objective", "'energy'?"]),
    ("search.reference", {"energy": [1.0, 1.0]}, ["search.reference.energy", "both 1.0"]),
    ("search.screening", 3, ["search.screening = 3: should be a table"]),
    ("search.screening", {"keep": 0.5}, ["search.screening.use: is missing", "spike-pattern, synflow"]),
    ("search.screening", "synflw", ["search.screening.use: unknown predictor", "Did you mean 'synflow'?"]),
    ("search.screening", {"use": "synflow", "kep": 0.5}, ["search.screening.kep", "Did you mean 'keep'?"]),
    ("search.screening", {"use": "synflow", "keep": 1.0}, ["search.screening.keep = 1.0", "below 1", "default 0.5"]),
    ("search.screening", {"use": "synflow", "after": RANGE}, ["search.screening.after", "cannot be searched"]),
    ("search.screening", {"use": "spike-pattern", "seeds": RANGE}, ["search.screening.seeds", "cannot be searched"]),
    ("search.screening", {"use": "spike-pattern", "batch": 1}, ["search.screening.batch = 1", "at least 2"]),
    (
        "search.screening",
        {"use": "synflow", "objective": "enrgy"},
        ["search.screening.objective = 'enrgy': is no objective of this study", "Did you mean 'energy'?"],
    ),
    ("search.reference", {"energy": [1.0]}, ["search.reference.energy", "[ideal, reference]"]),
    ("search.reference", {"energy": [0.0, math.inf]}, ["search.reference.energy.1 = inf"]),
    # [execution]
    ("execution.use", "inlin", ["execution.use: unknown executor 'inlin'", "Did you mean 'inline'?"]),
    ("execution.workers", 0, ["execution.workers = 0", "at least 1"]),
    ("execution.workers", RANGE, ["execution.workers", "cannot be searched"]),
    ("execution.timeout", "soon", ["execution.timeout = 'soon'", "'20m'"]),
    ("execution.timeout", math.nan, ["execution.timeout = nan"]),
    ("execution.retries", -1, ["execution.retries.exception = -1", "at least 0"]),
    ("execution.retries", "never", ["execution.retries = 'never'"]),
    ("execution.retries", {"time-out": 0.5}, ["execution.retries.time-out = 0.5", "whole number"]),
    ("execution.retries", {"timeout": 1}, ["execution.retries.timeout: no such key", "Did you mean 'time-out'?"]),
    ("search.early_stop", {"rung": [0.5]}, ["search.early_stop.rung: no such key", "Did you mean 'rungs'?"]),
    # [[regularisers]]
    ("regularisers", {"use": "latency", "on": "accuracy"}, ["should be a list of tables", "[[regularisers]]"]),
    ("regularisers.0", 3, ["regularisers.0 = 3: should be a table"]),
    ("regularisers.0.use", GONE, ["regularisers.0.use: is missing"]),
    ("regularisers.0.use", "gene-entrpy", ["regularisers.0.use: unknown fitness", "'gene-entropy'?"]),
    ("regularisers.0.use", "spikes", ["regularisers.0.use = 'spikes': is there already"]),
    ("regularisers.0.use", "energy", ["regularisers.0.use = 'energy': is there already"]),
    ("regularisers.0.on", GONE, ["regularisers.0.on: is missing"]),
    ("regularisers.0.on", "acuracy", ["regularisers.0.on = 'acuracy': is no objective", "Did you mean 'accuracy'?"]),
    ("regularisers.0.on", ["accuracy"], ["regularisers.0.on = ['accuracy']: is no objective"]),
    ("regularisers.0.wieght", 0.1, ["regularisers.0.wieght", "Did you mean 'weight'?"]),
    ("regularisers.0.weight", GONE, ["regularisers.0.weight: is missing"]),
    ("regularisers.0.weight", "0.1", ["regularisers.0.weight = '0.1': should be a number or a schedule"]),
    ("regularisers.0.weight", True, ["regularisers.0.weight = True: should be a number or a schedule"]),
    ("regularisers.0.weight", RANGE, ["regularisers.0.weight", "cannot be searched"]),
    ("regularisers.0.weight", {"start": 0.1}, ["regularisers.0.weight.end: is missing"]),
    ("regularisers.0.weight", {"strat": 0.1, "end": 0.1}, ["regularisers.0.weight.strat", "Did you mean 'start'?"]),
    ("regularisers.0.weight.until", 0, ["regularisers.0.weight.until = 0", "above 0"]),
    ("regularisers.0.weight.until", 1.5, ["regularisers.0.weight.until = 1.5", "at most 1"]),
]


@pytest.mark.parametrize(("path", "value", "fragments"), WRONG, ids=[f"{p}={str(v)[:30]}" for p, v, _ in WRONG])
def test_wrong_documents(path, value, fragments):
    with pytest.raises(InputError) as caught:
        study((path, value))
    text = str(caught.value)
    assert all(fragment in text for fragment in fragments), text
    assert len(text) < 600
    assert caught.value.hint


def test_a_file_is_named_in_its_errors(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[study]\nname = "x"\nobjectives = ["accuracy"]\n[task]\nuse = "digit"\n[search]\ngenerations = 1\n'
    )
    with pytest.raises(StudyFileError) as caught:
        Specification.from_file(path, load())
    assert caught.value.message == f"{path}: task.use: unknown task 'digit'"
    assert Specification.from_file(path, load(), ["task.use=digits", "search.population=2"]).budget.total == 2


def test_a_plugin_that_was_set_aside_is_named(tmp_path):
    (tmp_path / "mine.py").write_text("import nothing_of_this_name")
    with pytest.raises(InputError, match=r"set aside: .*mine\.py \(ModuleNotFoundError"):
        Specification.from_document(changed(("neuron.use", "mine")), load(Sources((str(tmp_path),))))


def test_a_section_that_the_task_does_not_read():
    registry = load(Sources(modules=("benchmarks.trivial",)))
    base = {
        "study": {"name": "t", "objectives": ["first"]},
        "task": {"use": "trivial", "a": {"low": 0.0, "high": 1.0}},
        "trainer": "none",
        "search": {"generations": 1},
    }
    made = Specification.from_document(base, registry)
    made.check()
    assert set(made.resolved_document(genome_of(made))) == {"study", "task", "trainer", "search"}
    with pytest.raises(InputError, match=r"\[neuron\]: task 'trivial' does not read this section"):
        Specification.from_document({**base, "neuron": "lif"}, registry)
    with pytest.raises(InputError, match=r"\[neuron\]: task 'trivial' does not read"):
        Specification.from_document(
            {**base, "neuron": "lif", "task": {"use": {"choice": ["digits", "trivial"]}}}, registry
        )


ARRAYS = '''
from spikefront import Encoding, hookimpl
from spikefront.space import Tensor

class One(Encoding):
    """Evolves an array."""
    name = "one"
    def apply(self, network, arrays, generator): pass
    @classmethod
    def evolved_arrays(cls, ranges): return {"interactions": Tensor((2,), 1.0)}

@hookimpl
def spikefront_encodings(): return [One]
'''


def test_two_arrays_of_one_name(tmp_path):
    (tmp_path / "arrays.py").write_text(ARRAYS)
    registry = load(Sources((str(tmp_path),)))
    document = changed(("encoding", {"use": {"choice": ["genetic", "one"]}}))
    with pytest.raises(InputError, match=r"encoding\.interactions: an evolved array has the name of another gene"):
        Specification.from_document(document, registry)


CHECKS: list[tuple[list[tuple[str, Any]], type[InputError], list[str]]] = [
    *(
        ([("task", {"use": name, "train": 200})], DataError, [name, "SPIKEFRONT_DATA", "task.download=true"])
        for name in ("mnist", "fashion-mnist", "cifar10")
    ),
    ([("network", {"use": "conv", "channels": [4] * 4})], InputError, ["[4, 4, 4, 4]", "8x8 is too small"]),
    (
        [("network", {"use": "conv", "channels": {"choice": [[4], [4] * 4]}})],
        InputError,
        ["[4, 4, 4, 4]", "8x8 is too small"],
    ),
    (
        [("network", {"use": {"choice": ["mlp", "conv"]}, "channels": [4] * 4, "pool_every": RANGE})],
        InputError,
        ["pool_every = 1", "8x8 is too small"],
    ),
    (
        [("task", {"use": "interval"})],
        InputError,
        ["coder 'direct'", "sequences of 64 frames", "coder 'frames', with steps = 64"],
    ),
    ([("coder", {"use": "frames", "steps": 64})], InputError, ["coder 'frames'", "no frames", "'direct'"]),
    (
        [("task", {"use": "interval"}), ("coder", {"use": "frames", "steps": {"low": 8, "high": 64}})],
        InputError,
        ["steps = 8", "64 frames", "Set coder.steps to 64"],
    ),
    ([("task.train", 1400)], DataError, ["1400 training and 360 validation samples", "1437"]),
    ([("search.operators", [{"use": "sbx", "genes": "neuron.tua"}])], InputError, ["neuron.tua", "'neuron.tau'?"]),
]


@pytest.mark.parametrize(("changes", "error", "fragments"), CHECKS, ids=[f"{c[0]}"[:60] for c, _, _ in CHECKS])
def test_what_is_found_before_a_study_starts(changes, error, fragments, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_DATA", str(tmp_path))
    made = study(*changes)
    with pytest.raises(error) as caught:
        made.check()
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists))
@settings(deadline=None, max_examples=50)
@pytest.mark.parametrize(
    "path", ["neuron.tau", "network.hidden", "study.objectives", "search.population", "execution", "neuron", "task.use"]
)
def test_whatever_stands_there_is_accepted_or_refused(path, value):
    try:
        made = study((path, value))
    except InputError as error:
        assert error.message  # noqa: PT017
    else:
        assert Specification.from_document(json.loads(made.to_json()), load()) == made
