"""Screening before training: who is trained, when a score is followed, record and replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from spikefront.components import Guess
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.search.progress import Progress
from spikefront.search.screening import Worth, kendall_tau, recorded_standing, recorded_standings
from spikefront.settings import Screening as Settings
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

GENE = {"low": 0.0, "high": 1.0}

PLUGIN = '''
from typing import ClassVar, Literal
import numpy as np
import torch
from pydantic import Field
from spikefront import Fitness, Predictor, Trainer, hookimpl
from spikefront.components import Fitted, Guess
from benchmarks.trivial import Trivial

FITS = []

class Early(Trivial):
    """A task whose metrics get better with training."""
    name: ClassVar[str] = "early"

    def build(self, parts, streams):
        return {"trained": 0.0}

    def score(self, phenotype, split, streams):
        metrics = super().score(None, split, streams)
        return {name: value * (2 - phenotype["trained"]) for name, value in metrics.items()}

class Better(Early):
    """A task whose metrics get worse with training."""
    name: ClassVar[str] = "late"

    def score(self, phenotype, split, streams):
        metrics = Trivial.score(self, None, split, streams)
        return {name: value * (1 + phenotype["trained"]) for name, value in metrics.items()}

class Steps(Trainer):
    """Refuses to do nothing."""
    name: ClassVar[str] = "steps"

    def fit(self, phenotype, task, session):
        if not 0 < session.budget <= 1:
            raise ValueError("asked for no training")
        start = float(session.checkpoint["done"]) if session.checkpoint else 0.0
        phenotype["trained"] = session.budget
        samples = round(1000 * (session.budget - start))
        return Fitted(phenotype, [], samples, {"done": torch.tensor(session.budget, dtype=torch.float64)})

class Oracle(Predictor):
    """Knows the first metric, or says so."""
    name: ClassVar[str] = "oracle"
    tells: Literal["truth", "lies", "nothing", "features", "broken"] = Field("truth", description="what it tells")

    at: float = Field(0.0, description="share of the training that candidates have had")
    enough: int = Field(1, description="candidates that it learns from")

    def probe(self, context):
        if context.phenotype["trained"] != self.at or not context.metrics:
            raise ValueError("trained otherwise")
        first = context.metrics["first"]
        task = context.task
        match self.tells:
            case "truth": return [-first]
            case "lies": return [first]
            case "nothing": return [float("-inf")]
            case "features": return [task.a, task.b, task.c]
        raise ValueError("out of order")

    def fit(self, probes, values):
        FITS.append(len(values))
        def nearest(probe):
            value = float(values[((probes - probe) ** 2).sum(1).argmin()])
            return Guess(2 * value, value + 0.25)
        return nearest if len(values) >= self.enough else None

class Late(Fitness):
    """Means nothing before training."""
    name: ClassVar[str] = "late"
    direction: ClassVar[str] = "minimize"

    def measure(self, context):
        return context.metrics["second"] if context.phenotype["trained"] else None

class Namesake(Late):
    """Has the name of a predictor."""
    name: ClassVar[str] = "oracle"

@hookimpl
def spikefront_tasks():
    return [Early, Better]

@hookimpl
def spikefront_trainers():
    return [Steps]

@hookimpl
def spikefront_fitness():
    return [Late, Namesake]

@hookimpl
def spikefront_predictors():
    return [Oracle]
'''


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "early.py").write_text(PLUGIN)
    return Sources(folders=(str(folder),), modules=("benchmarks.trivial",))


def document(tells: str = "truth", early_stop: Any = None, **screening: Any) -> dict[str, Any]:
    given = {"use": "oracle", "tells": tells, "objective": "first", "after": 8, "unscreened": 0.0, **screening}
    search = {"population": 8, "generations": 4, "screening": given}
    return {
        "study": {"name": "early", "seed": 1, "objectives": ["first", "second", "third"], "replicates": 2},
        "task": {"use": "early", "a": GENE, "b": GENE, "c": GENE},
        "trainer": {"use": "steps"},
        "search": search if early_stop is None else {**search, "early_stop": early_stop},
        "execution": {"use": "inline"},
    }


def run(
    database: Database, whole: dict[str, Any], sources: Sources, watch: Callable[[Progress], None] = lambda _: None
) -> str:
    registry = load(sources)
    return Search(Specification.from_document(whole, registry), database, watch).run()


def told(database: Database) -> list[tuple[Any, ...]]:
    rows = queries.evaluations(database, "early")
    return [(r.number, r.genome_hash, r.budget, r.samples, tuple(r.measurements.items())) for r in rows]


def guesses(scores: dict[int, float]) -> dict[int, Guess | None]:
    return {number: Guess(score) for number, score in scores.items()}


def trained(database: Database) -> list[int]:
    """Return how many candidates of each generation were trained to the end."""
    rows = queries.evaluations(database, "early")
    return [sum(row.budget == 1 for row in rows if row.generation == g) for g in range(4)]


def standing(database: Database) -> str:
    return str(recorded_standing(database, "early"))


def test_a_score_that_has_shown_its_worth_decides_who_is_trained(database: Database, sources: Sources) -> None:
    assert run(database, document(), sources) == "finished"
    first, *others = trained(database)
    assert first == 8
    assert 0 < sum(others) < 24
    assert standing(database) == "oracle: Kendall tau 1.00 with first over 8 candidates, on"
    rungs = {row.candidate: row for row in queries.evaluations(database, "early", "rung")}
    rows = queries.evaluations(database, "early")
    assert [row.number for row in rows] == list(range(32))
    for row in rows:
        assert row.samples == (2000 if row.budget == 1 else 0)
        assert (rungs[row.number].budget, rungs[row.number].samples) == (0.0, 0)
        first_metric = rungs[row.number].measurements["first"]
        assert rungs[row.number].measurements["oracle"].values == tuple(-value for value in first_metric.values)
        assert set(row.measurements) == {"first", "second", "third"}
        if row.budget == 0:
            assert row.mean("first") == first_metric.mean


def test_who_is_trained_is_the_better_share_of_all_seen(database: Database, sources: Sources) -> None:
    """The score takes the place of one objective; the others are as measured before training."""
    run(database, document(keep=0.25), sources)
    rungs = sorted(queries.evaluations(database, "early", "rung"), key=lambda row: row.candidate)
    losses = np.array([[row.mean(name) for name in ("first", "second", "third")] for row in rungs[:16]])
    budgets = {row.number: row.budget for row in queries.evaluations(database, "early")}
    better = [(other <= own).all() and (other < own).any() for own in losses for other in losses]
    dominated = np.array(better).reshape(16, 16).sum(1)
    stopped = [int(n) for n in range(8, 16) if budgets[n] == 0]
    went_on = [int(n) for n in range(8, 16) if budgets[n] == 1]
    assert stopped
    assert all(dominated[n] == 0 for n in went_on) or all(dominated[n] > 0 for n in stopped)


@pytest.mark.parametrize(
    ("tells", "options", "expected"),
    [
        ("lies", {}, "oracle: Kendall tau -1.00 with first over 32 candidates, off"),
        ("nothing", {}, "oracle: Kendall tau unknown with first over 32 candidates, off"),
        ("truth", {"after": 33}, "oracle: Kendall tau 1.00 with first over 32 candidates, off"),
        ("lies", {"bound": -1.0, "objective": "third"}, None),
    ],
)
def test_a_score_below_the_bound_screens_nobody(
    database: Database, sources: Sources, tells: str, options: dict[str, Any], expected: str | None
) -> None:
    assert run(database, document(tells, **options), sources) == "finished"
    if expected:
        assert trained(database) == [8] * 4
        assert standing(database) == expected
    else:
        assert sum(trained(database)) < 32


def test_some_are_trained_whatever_their_score_and_only_those_count(database: Database, sources: Sources) -> None:
    run(database, document(keep=0.2, unscreened=0.6), sources)
    rows = [row for row in queries.evaluations(database, "early") if row.generation > 0]
    drawn = {row.number for row in rows if int(row.genome_hash[:8], 16) < 0.6 * 2**32}
    assert all(row.budget == 1 for row in rows if row.number in drawn)
    assert any(row.budget == 0 for row in rows)
    assert f"over {8 + len(drawn)} candidates, on" in standing(database)


def test_the_tau_of_chosen_candidates_would_be_too_small() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000)
    values = scores + rng.normal(size=4000)
    hashes = [f"{int(number):08x}" for number in rng.integers(2**32, size=4000)]
    worth = Worth(Settings(after=2, bound=0.0, unscreened=0.2))
    worth.draw(guesses({0: 0.0, 1: 1.0}), {0: "0" * 8, 1: "f" * 8})
    worth.learn({0: 0.0, 1: 1.0})
    assert worth.on
    drawn = worth.draw(guesses(dict(enumerate(scores, 2))), dict(enumerate(hashes, 2)))
    chosen = {n for n, score in enumerate(scores, 2) if score > np.median(scores)}
    worth.learn({n: values[n - 2] for n in drawn | chosen})
    everybody = kendalltau(scores, values).statistic
    kept = sorted(chosen)
    assert worth.tau == pytest.approx(everybody, abs=0.05)
    assert kendalltau([scores[n - 2] for n in kept], [values[n - 2] for n in kept]).statistic < everybody - 0.1


def test_a_score_that_loses_its_worth_is_switched_off_and_on_again() -> None:
    worth = Worth(Settings(after=2, bound=0.5, unscreened=0.5))
    low, high = "0" * 8, "f" * 8
    assert worth.draw(guesses({0: 0.0, 1: 1.0}), {0: low, 1: high}) == {0, 1}
    worth.learn({0: 0.0, 1: 1.0})
    assert worth.on
    assert worth.draw(guesses({2: 2.0, 3: 3.0}), {2: low, 3: high}) == {2}
    worth.learn({2: -1.0, 3: 9.0})
    assert (worth.on, worth.candidates) == (False, 3)
    assert worth.draw(guesses({4: 4.0, 5: 5.0}), {4: low, 5: high}) == {4, 5}
    worth.learn({4: 4.0, 5: 5.0})
    assert worth.on


def test_missing_scores_rank_last() -> None:
    assert kendall_tau([(-np.inf, 0.0), (0.0, 1.0), (1.0, 2.0)]) == pytest.approx(1)
    assert kendall_tau([(1.0, 2.0)]) is None
    assert kendall_tau([(1.0, 2.0), (1.0, 3.0)]) is None


def test_features_become_scores_by_what_was_trained(database: Database, sources: Sources) -> None:
    whole = document("features", after=8, bound=-1.0)
    run(database, whole, sources)
    rungs = queries.evaluations(database, "early", "rung")
    ends = {row.number: row for row in queries.evaluations(database, "early")}
    assert all({"oracle.0", "oracle.1", "oracle.2"} <= set(row.measurements) for row in rungs)
    assert all(set(row.measurements) == {"first", "second", "third"} for row in ends.values())
    assert {row.generation for row in rungs if "oracle" in row.measurements} == {1, 2, 3}
    assert all(("oracle" in row.measurements) == ("oracle.expected" in row.measurements) for row in rungs)
    for row in rungs:
        known = [other for other in rungs if other.generation < row.generation and ends[other.candidate].budget == 1]
        probe, probes = (
            np.array([[one.mean(f"oracle.{n}") for n in range(3)] for one in group]) for group in ([row], known)
        )
        if known:
            nearest = known[int(((probes - probe) ** 2).sum(1).argmin())]
            value = ends[nearest.candidate].mean("first") or 0.0
            assert row.mean("oracle") == -2 * value
            assert row.mean("oracle.expected") == pytest.approx(value - 0.25), "in the objective's own sign"


def test_what_was_expected_is_compared_with_what_came(database: Database, sources: Sources) -> None:
    run(database, document("features", after=33), sources)
    rungs = [row for row in queries.evaluations(database, "early", "rung") if row.generation > 0]
    ends = {row.number: row.mean("first") or 0.0 for row in queries.evaluations(database, "early")}
    errors = [abs((row.mean("oracle.expected") or 0.0) - ends[row.candidate or 0]) for row in rungs]
    standings = recorded_standings(database, "early")
    assert [one.candidates for one in standings] == [0, 0, 8, 16, 24]
    assert standings[1].error is None
    assert standings[-1].error == pytest.approx(np.mean(errors))
    assert f"over 24 candidates, mean absolute error {np.mean(errors):.3g}, off" in standing(database)


def test_too_few_candidates_to_learn_from_give_no_score(database: Database, sources: Sources) -> None:
    run(database, document("features", enough=16, bound=-1.0, after=2), sources)
    rungs = queries.evaluations(database, "early", "rung")
    assert {row.generation for row in rungs if "oracle" in row.measurements} == {2, 3}
    assert trained(database)[:2] == [8, 8]


def test_a_score_after_a_short_training(database: Database, sources: Sources) -> None:
    """Who goes on does so from where it stopped; the others keep what they measured by then."""
    run(database, document(budget=0.25, at=0.25, keep=0.25), sources)
    rows = queries.evaluations(database, "early")
    assert {row.budget for row in rows} == {0.25, 1.0}
    assert all(row.samples == round(2000 * row.budget) for row in rows)
    rungs = {row.candidate: row for row in queries.evaluations(database, "early", "rung")}
    assert {row.budget for row in rungs.values()} == {0.25}
    assert all(set(row.measurements) == {"first", "second", "third"} for row in rows)
    assert standing(database) == "oracle: Kendall tau 1.00 with first over 8 candidates, on"


def test_screening_comes_before_the_ladder_of_early_stopping(sources: Sources) -> None:
    with pytest.raises(InputError, match=r"search\.screening\.budget = 0\.5: the first rung of early_stop is 0\.5"):
        Specification.from_document(document(early_stop={"rungs": [0.5]}, budget=0.5), load(sources))


@pytest.mark.parametrize("early_stop", [None, {"rungs": [0.5], "keep": 0.5}])
@pytest.mark.parametrize(("tells", "budget"), [("truth", 0.0), ("features", 0.0), ("features", 0.25)])
@pytest.mark.parametrize("done", [1, 8, 11, 14, 20])
def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, sources: Sources, early_stop: Any, tells: str, budget: float, done: int
) -> None:
    whole = document(tells, early_stop, bound=-1.0, after=2, unscreened=0.2, keep=0.2, budget=budget, at=budget)
    with Database.open(tmp_path / "whole.db", create=True) as database:
        run(database, whole, sources)
        expected, at_last = told(database), standing(database)
        assert {budget, 1.0} <= {row[2] for row in expected}

    def interrupt(progress: Progress) -> None:
        if progress.done == done:
            raise KeyboardInterrupt

    with Database.open(tmp_path / "parts.db", create=True) as database:
        assert run(database, whole, sources, interrupt) == "interrupted"
        assert run(database, whole, sources) == "finished"
        assert told(database) == expected
        assert standing(database) == at_last


def test_untrained_candidates_are_neither_on_the_front_nor_parents(database: Database, sources: Sources) -> None:
    """The metrics of the task are turned: without training they are better."""
    whole = document(keep=0.2)
    whole["task"]["use"] = "late"
    volumes: list[float | None] = []
    run(database, whole, sources, lambda progress: volumes.append(progress.hypervolume))
    rows = queries.evaluations(database, "early")
    left_out = {row.genome_hash for row in rows if row.budget == 0}
    assert left_out
    front = queries.front(database, "early")
    assert front
    assert all(row.budget == 1 for row in front)
    assert not any(left_out & set(ask.parents) for ask in queries.asks(database, "early"))
    assert queries.study(database, "early").failed == 0


def test_screening_stands_below_the_ladder_of_early_stopping(database: Database, sources: Sources) -> None:
    run(database, document(early_stop={"rungs": [0.25, 0.5], "keep": 0.5}, after=2, unscreened=0.2), sources)
    rows = queries.evaluations(database, "early")
    assert {row.budget for row in rows} == {0.0, 0.25, 0.5, 1.0}
    assert all(row.samples == round(2000 * row.budget) for row in rows)


def test_the_progress_tells_how_the_score_stands(database: Database, sources: Sources) -> None:
    seen: list[str] = []
    run(database, document(), sources, lambda progress: seen.append(progress.screening))
    assert seen[0] == ""
    assert seen[-1] == standing(database)


def test_a_term_that_means_nothing_before_training_ends_no_candidate(database: Database, sources: Sources) -> None:
    whole = document("lies")
    whole["study"]["objectives"] = ["first", "late"]
    run(database, whole, sources)
    assert trained(database) == [8] * 4


def test_a_predictor_out_of_order_is_a_failure_of_each_candidate(database: Database, sources: Sources) -> None:
    assert run(database, document("broken"), sources) == "failed"
    assert {row.failure.message for row in queries.failures(database, "early") if row.failure} == {
        "ValueError: out of order"
    }


def test_a_predictor_with_the_name_of_a_term_is_refused(sources: Sources) -> None:
    whole = document()
    whole["study"]["columns"] = ["oracle"]
    with pytest.raises(InputError, match=r"search\.screening\.use = 'oracle': is the name of a fitness term"):
        Specification.from_document(whole, load(sources))


def digits(name: str, **search: Any) -> dict[str, Any]:
    return {
        "study": {"name": name, "seed": 1, "objectives": ["accuracy", "energy"], "keep": "all"},
        "task": {"use": "digits", "train": 200, "validation": 100},
        "network": {"use": "mlp", "hidden": {"choice": [[8], [16], [32]]}},
        "trainer": {"epochs": 2, "learning_rate": {"low": 1e-3, "high": 1e-2}},
        "search": {"population": 4, "generations": 1, "cache": True, **search},
        "execution": {"use": "inline"},
    }


def test_who_is_trained_is_trained_as_without_screening(database: Database) -> None:
    run(database, digits("with", screening="synflow"), Sources())
    found = {row.number: row for row in queries.evaluations(database, "with")}
    run(database, digits("without"), Sources())
    for row in queries.evaluations(database, "without"):
        assert row.reused, "the cache knows it, because a score decides nothing about it"
    without = digits("alone")
    without["search"]["cache"] = False
    run(database, without, Sources())
    for row in queries.evaluations(database, "alone"):
        assert row.measurements == found[row.number].measurements
        assert queries.weights(database, "alone", row.number) == queries.weights(database, "with", row.number)
