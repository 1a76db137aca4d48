"""Inheritance: what children start from, in every way that a search may go."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

GENE = {"low": 0.0, "high": 1.0}

PLUGIN = '''
from typing import ClassVar
import torch
from torch import nn
from spikefront import Algorithm, Predictor, Trainer, hookimpl
from spikefront.components import Engine, Fitted, Proposal
from spikefront.genome import Genome
from benchmarks.trivial import Trivial

class Line(Trivial):
    """A network of one weight, the training that it and its ancestors had; it fails where a is above 0.9."""
    name: ClassVar[str] = "line"

    def build(self, parts, streams):
        network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(network.weight)
        return network

    def score(self, phenotype, split, streams):
        if self.a > 0.9:
            raise ValueError("no luck")
        trained = phenotype.weight.item()
        return {name: value + 0.01 * trained for name, value in super().score(None, split, streams).items()}

class Grow(Trainer):
    """Adds the share of the training to the weight."""
    name: ClassVar[str] = "grow"

    def fit(self, phenotype, task, session):
        done = 0.0
        if session.checkpoint:
            done = float(session.checkpoint["done"])
            phenotype.load_state_dict({"weight": session.checkpoint["weight"]})
        row = {"start": phenotype.weight.item()}
        with torch.no_grad():
            phenotype.weight += session.budget - done
        checkpoint = {"done": torch.tensor(session.budget, dtype=torch.float64), **phenotype.state_dict()}
        return Fitted(phenotype, [row], round(1000 * (session.budget - done)), checkpoint)

class Oracle(Predictor):
    """Knows the first metric."""
    name: ClassVar[str] = "oracle"

    def probe(self, context, streams):
        return [-context.metrics["first"]]

class Chosen(Algorithm):
    """Asks for three candidates of which the first fails, then for children of theirs."""
    name: ClassVar[str] = "chosen"

    def start(self, problem):
        return ChosenEngine()

class ChosenEngine(Engine):
    def __init__(self):
        self.first = [Genome({"task.a": a, "task.b": 0.5, "task.c": 0.5}) for a in (0.95, 0.5, 0.25)]
        self.asked = 0

    def ask(self):
        self.asked += 1
        if self.asked == 1:
            return [Proposal(genome) for genome in self.first]
        failed, good, other = (genome.hash for genome in self.first)
        genomes = [Genome({"task.a": 0.1 * n, "task.b": 0.5, "task.c": 0.5}) for n in (6, 7, 8)]
        families = [("unknown", failed, good, other), (failed,), ()]
        return [Proposal(genome, parents) for genome, parents in zip(genomes, families)]

    def tell(self, results):
        pass

class Doubled(Algorithm):
    """Its children start from what three others had learnt, the last one first, times 1, 2 and 3."""
    name: ClassVar[str] = "doubled"
    wants_weights: ClassVar[bool] = True

    def start(self, problem):
        return DoubledEngine()

class DoubledEngine(Engine):
    def __init__(self):
        self.learnt, self.asked = [], 0

    def ask(self):
        self.asked += 3
        numbers = range(self.asked - 3, self.asked)
        genomes = [Genome({"task.a": 0.01 * n, "task.b": 0.5, "task.c": 0.5}) for n in numbers]
        learnt = [{"weight": n * one["weight"]} for n, one in enumerate(reversed(self.learnt), 1)] or [None] * 3
        return [Proposal(genome, weights=weights) for genome, weights in zip(genomes, learnt)]

    def tell(self, results):
        self.learnt = [told.weights for told in results]

@hookimpl
def spikefront_tasks():
    return [Line]

@hookimpl
def spikefront_trainers():
    return [Grow]

@hookimpl
def spikefront_predictors():
    return [Oracle]

@hookimpl
def spikefront_algorithms():
    return [Chosen, Doubled]
'''

EARLY_STOP = {"early_stop": {"rungs": [0.25, 0.5], "keep": 0.5}}
SCREENING = {"screening": {"use": "oracle", "objective": "first", "after": 8, "unscreened": 0.2}}


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "line.py").write_text(PLUGIN)
    return Sources(folders=(str(folder),), modules=("benchmarks.trivial",))


def document(name: str = "line", keep: str = "all", **search: Any) -> dict[str, Any]:
    return {
        "study": {"name": name, "seed": 1, "objectives": ["first", "second", "third"], "keep": keep},
        "task": {"use": "line", "a": GENE, "b": GENE, "c": GENE},
        "trainer": {"use": "grow"},
        "search": {"population": 8, "generations": 4, "inheritance": "lamarck", **search},
        "execution": {"use": "inline"},
    }


def run(
    database: Database, whole: dict[str, Any], sources: Sources, watch: Callable[[Progress], None] = lambda _: None
) -> str:
    registry = load(sources)
    return Search(Specification.from_document(whole, registry), database, watch).run()


def told(database: Database, name: str = "line", weights: bool = True) -> list[tuple[Any, ...]]:
    return [
        (r.number, r.genome_hash, r.budget, r.measurements, r.failure and r.failure.message)
        + ((queries.weights(database, name, r.number) if r.has_weights else b"",) if weights else ())
        for r in queries.evaluations(database, name)
    ]


def starts(database: Database, name: str = "line") -> dict[int, float | None]:
    """Return the weight with which the training of each candidate began, by number."""
    numbers = [row.number for row in queries.evaluations(database, name) if row.failure is None and row.budget > 0]
    return {number: queries.evaluation(database, name, number).history[0]["start"] for number in numbers}


def expected_starts(database: Database, name: str = "line") -> dict[int, float | None]:
    """Return the same by the record: where the first parent that was trained ended."""
    rows = {row.number: row for row in queries.evaluations(database, name)}
    begun, ended, found = starts(database, name), dict[str, float](), dict[int, float | None]()
    for ask in queries.asks(database, name):
        start, row = begun.get(ask.number), rows[ask.number]
        if start is not None:
            found[ask.number] = next((ended[parent] for parent in ask.parents if parent in ended), 0.0)
            ended[ask.genome_hash] = start + row.budget
    return found


def interrupt_at(done: int) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.done == done:
            raise KeyboardInterrupt

    return watch


def test_without_the_key_every_candidate_starts_afresh(database: Database, sources: Sources) -> None:
    whole = document()
    del whole["search"]["inheritance"]
    run(database, whole, sources)
    assert set(starts(database).values()) == {0.0}


def test_only_the_two_kinds_of_inheritance_are_known(sources: Sources) -> None:
    with pytest.raises(InputError, match=r"search.inheritance = 'darwin'"):
        Specification.from_document(document(inheritance="darwin"), load(sources))


@pytest.mark.parametrize("search", [{}, EARLY_STOP, SCREENING, EARLY_STOP | SCREENING])
def test_children_start_where_their_first_trained_parent_ended(
    database: Database, sources: Sources, search: dict[str, Any]
) -> None:
    assert run(database, document(**search), sources) == "finished"
    found = starts(database)
    generations = {ask.number: ask.generation for ask in queries.asks(database, "line")}
    assert all(start == 0 for number, start in found.items() if generations[number] == 0)
    assert all(start for number, start in found.items() if generations[number] > 0)
    assert max(start or 0.0 for start in found.values()) > 1
    assert found == pytest.approx(expected_starts(database))


def test_a_parent_is_passed_on_once_and_then_training_goes_on(database: Database, sources: Sources) -> None:
    run(database, document(**EARLY_STOP), sources)
    climbed = [row.number for row in queries.evaluations(database, "line") if row.budget == 1 and row.generation > 0]
    assert climbed
    for number in climbed:
        start, *later = [line["start"] for line in queries.evaluation(database, "line", number).history]
        assert start is not None
        assert later == pytest.approx([start + 0.25, start + 0.5])


def test_a_parent_that_failed_or_is_not_known_is_passed_over(database: Database, sources: Sources) -> None:
    assert run(database, document(algorithm="chosen", population=3, generations=2), sources) == "finished"
    assert starts(database) == {1: 0.0, 2: 0.0, 3: 1.0, 4: 0.0, 5: 0.0}


def test_what_is_kept_does_not_decide_what_is_inherited(tmp_path: Path, sources: Sources) -> None:
    found = []
    for keep in ("all", "front", "none"):
        with Database.open(tmp_path / f"{keep}.db", create=True) as database:
            run(database, document(keep=keep), sources)
            found.append(told(database, weights=False))
            kept = {row.number for row in queries.evaluations(database, "line") if row.has_weights}
            front = {row.number for row in queries.front(database, "line")}
            trained = {row.number for row in queries.evaluations(database, "line") if row.failure is None}
            assert kept == {"all": trained, "front": front, "none": set()}[keep]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("keep", ["all", "front"])
@pytest.mark.parametrize("search", [{}, EARLY_STOP, SCREENING], ids=["plain", "early stop", "screening"])
@pytest.mark.parametrize("done", [4, 8, 13, 20])
def test_an_interrupted_search_inherits_as_if_nothing_had_happened(
    tmp_path: Path, sources: Sources, keep: str, search: dict[str, Any], done: int
) -> None:
    whole = document(keep=keep, **search)
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, whole, sources)
        expected = told(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert run(database, whole, sources, interrupt_at(done)) == "interrupted"
        assert run(database, whole, sources) == "finished"
        assert told(database) == expected


def test_the_number_of_workers_decides_nothing(tmp_path: Path, sources: Sources) -> None:
    found = []
    for workers in (1, 2):
        whole = {**document(generations=3), "execution": {"use": "local", "workers": workers}}
        with Database.open(tmp_path / f"{workers}.db", create=True) as database:
            assert run(database, whole, sources) == "finished"
            found.append(told(database))
    assert found[0] == found[1]


@pytest.mark.parametrize("inheritance", ["baldwin", "lamarck"])
def test_running_a_study_again_drops_no_weights(database: Database, sources: Sources, inheritance: str) -> None:
    whole = document(keep="front", inheritance=inheritance)
    run(database, whole, sources)
    expected = told(database)
    assert {row.generation for row in queries.front(database, "line")} > {0}
    run(database, whole, sources)
    assert told(database) == expected


@pytest.mark.parametrize("search", [{}, EARLY_STOP])
def test_another_study_takes_only_what_has_the_same_parents(
    database: Database, sources: Sources, search: dict[str, Any]
) -> None:
    run(database, document("first", cache=True, **search), sources)
    run(database, document("second", cache=True, **search), sources)
    run(database, document("fresh", cache=True, inheritance="baldwin", **search), sources)
    whole = [row for row in queries.evaluations(database, "first") if row.budget == 1 and row.failure is None]
    assert queries.study(database, "second").reused == len(whole)
    assert told(database, "first") == told(database, "second")
    assert queries.study(database, "fresh").reused == sum(row.generation == 0 for row in whole)


def test_what_comes_of_a_study_does_not_depend_on_weights_that_another_dropped(
    database: Database, sources: Sources
) -> None:
    run(database, document("first", keep="front", cache=True), sources)
    run(database, document("second", cache=True), sources)
    assert 0 < queries.study(database, "second").reused < len(told(database, "first"))
    assert told(database, "first", weights=False) == told(database, "second", weights=False)


@pytest.mark.parametrize("keep", ["all", "front", "none"])
def test_an_algorithm_may_say_what_training_starts_from(tmp_path: Path, sources: Sources, keep: str) -> None:
    whole = document(keep=keep, algorithm="doubled", population=3, generations=3, inheritance="baldwin")
    with Database.open(tmp_path / "whole.db", create=True) as database:
        assert run(database, whole, sources) == "finished"
        assert starts(database) == {0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 6, 8: 6}
        expected = told(database)
    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert run(database, whole, sources, interrupt_at(5)) == "interrupted"
        assert run(database, whole, sources) == "finished"
        assert told(database) == expected


@pytest.mark.parametrize(("encoding", "share"), [("direct", 0.9), ({"use": "genetic", "genes": 4}, 1.0)])
def test_on_digits_children_begin_with_a_lower_loss_than_without_inheritance(
    database: Database, encoding: Any, share: float
) -> None:
    losses = {}
    for inheritance in ("baldwin", "lamarck"):
        whole = {
            "study": {"name": inheritance, "seed": 1, "objectives": ["accuracy", "energy"]},
            "task": {"use": "digits", "train": 300, "validation": 100},
            "network": {"use": "mlp", "hidden": [24]},
            "neuron": {"use": "lif", "v_threshold": 0.3, "tau": {"low": 1.5, "high": 3.0}},
            "encoding": encoding,
            "trainer": {"epochs": 3, "learning_rate": 0.01},
            "search": {"algorithm": "nsga2", "population": 6, "generations": 3, "inheritance": inheritance},
            "execution": {"use": "inline"},
        }
        assert run(database, whole, Sources()) == "finished"
        rows = [row.number for row in queries.evaluations(database, inheritance) if row.generation > 0]
        first = [queries.evaluation(database, inheritance, number).history[0]["loss"] for number in rows]
        losses[inheritance] = statistics.median(loss for loss in first if loss is not None)
    assert losses["lamarck"] < share * losses["baldwin"]
