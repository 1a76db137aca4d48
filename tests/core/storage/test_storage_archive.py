"""A whole study read at one moment: evaluations, genomes, parents and front belong together."""

import numpy as np

from spikefront.components import Proposal
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.storage import queries


def test_the_archive_is_what_the_single_questions_answer(database, store):
    first, second = Genome({"a.b": 1, "a.c": np.ones((2, 3))}), Genome({"a.b": 2})
    store.record_asks(0, [Proposal(first), Proposal(second, (first.hash,), ("sbx",))])
    measured = {"accuracy": Measurement((0.5, 0.7)), "energy": Measurement((3.0,))}
    store.record(Evaluation(first, measured), generation=0, ask=0)
    store.record(Evaluation(second, failure=Failure("exception", "no")), generation=0, ask=1)
    store.record(Evaluation(first, measured), purpose="retrain", candidate=0, generation=0, replicates=(0, 1))
    archive = queries.archive(database, "first")
    assert list(archive.evaluations) == queries.evaluations(database, "first")
    assert archive.study == queries.study(database, "first")
    assert archive.genomes == {first.hash: first, second.hash: second}
    assert {number: parents for number, (parents, _) in archive.origins.items()} == {0: (), 1: (first.hash,)}
    assert archive.front == {0}
