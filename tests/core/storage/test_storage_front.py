"""The front of a study, against a comparison of all with all."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.storage import Database, queries

value = st.one_of(st.none(), st.integers(0, 4).map(float), st.just(float("nan")))
entry = st.tuples(st.integers(0, 5), value, value, st.sampled_from(["search", "search", "retrain", "failed"]))


def brute_force(entries):
    """Return the numbers of the front, from a list of (number, gene, accuracy, energy) of complete evaluations."""
    firsts = {}
    for number, gene, accuracy, energy in entries:
        firsts.setdefault(gene, (number, accuracy, energy))
    points = list(firsts.values())
    front = [
        p for p in points if not any(q[1] >= p[1] and q[2] <= p[2] and (q[1] > p[1] or q[2] < p[2]) for q in points)
    ]
    return [number for number, _, _ in sorted(front, key=lambda p: (-p[1], p[2], p[0]))]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(entry, max_size=15))
def test_the_front_is_what_no_other_dominates(new_study, entries):
    complete, number = [], 0
    with tempfile.TemporaryDirectory() as folder, Database.open(Path(folder) / "a.db", create=True) as database:
        store = new_study(database)
        for gene, accuracy, energy, kind in entries:
            measured = {"accuracy": Measurement((accuracy,)), "energy": Measurement((energy,))}
            evaluation = Evaluation(
                Genome({"gene": gene}), measured, failure=Failure("not-finite", "") if kind == "failed" else None
            )
            if kind == "retrain":
                store.record(evaluation, generation=0, purpose="retrain", candidate=0)
                continue
            store.record(evaluation, generation=0, regularised={"accuracy": 9.0 - gene})
            if kind == "search" and accuracy in range(5) and energy in range(5):
                complete.append((number, gene, accuracy, energy))
            number += 1
        assert [row.number for row in queries.front(database, "first")] == brute_force(complete)


def test_a_study_without_success_has_no_front(database, store):
    assert queries.front(database, "first") == []
    store.record(Evaluation(Genome({}), failure=Failure("exception", "no")), generation=0)
    assert queries.front(database, "first") == []


def test_the_rows_of_the_front_are_whole(database, store, evaluated):
    store.record(evaluated(1, 0.5, 10.0, weights=b"w"), generation=0)
    store.record(evaluated(2, 0.6, 20.0), generation=1, regularised={"accuracy": 0.1})
    best, cheapest = queries.front(database, "first")
    assert [best, cheapest] == queries.evaluations(database, "first")[::-1]
    assert (best.mean("accuracy"), best.regularised, cheapest.has_weights) == (0.6, {"accuracy": 0.1}, True)


def test_a_genome_appears_once_with_its_first_evaluation(database, store, evaluated):
    store.record(Evaluation(Genome({"neuron.tau": 1}), failure=Failure("time-out", "")), generation=0)
    store.record(evaluated(1, None), generation=0)
    store.record(evaluated(1, 0.5, 10.0), generation=0)
    store.record(evaluated(1, 0.5, 10.0), generation=1, reused=True)
    store.record(evaluated(1, 0.9, 10.0), generation=2)
    store.record(evaluated(2, 0.5, 10.0), generation=2)
    assert [row.number for row in queries.front(database, "first")] == [2, 5]
