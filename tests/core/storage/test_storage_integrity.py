"""What the check of a study finds, and what it leaves in peace."""

import json
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import delete, select, text, update

from spikefront.components import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure
from spikefront.storage import Database, Provenance, integrity, queries, schema

ASK, EVALUATION, STUDY = schema.Ask, schema.Evaluation, schema.Study


@pytest.fixture
def whole(database, new_study, evaluated):
    """Return the store of a finished study: two generations of three, one failed, all on the front with weights."""
    store = new_study(database)
    for generation in range(2):
        genes = range(3 * generation, 3 * generation + 3)
        asks = store.record_asks(generation, [Proposal(Genome({"neuron.tau": gene})) for gene in genes])
        for ask in asks:
            values = {"accuracy": ask / 10, "energy": float(ask), "weights": b"w%d" % ask, "samples": 8}
            store.record(evaluated(ask, **values), generation=generation, ask=ask, number=ask)
        store.record_tell(generation, asks)
    (ask,) = store.record_asks(2, [Proposal(Genome({"neuron.tau": 0}))])
    store.record(Evaluation(Genome({"neuron.tau": 0}), failure=Failure("time-out", "20 min")), generation=2, ask=ask)
    store.set_state("finished")
    return store


def change(database, *statements):
    with database.write() as session:
        for statement in statements:
            session.execute(statement, execution_options={"synchronize_session": False})


def test_a_study_in_order_has_no_findings(database, whole):
    assert integrity.check_study(database, "first") == []
    assert integrity.check_file(database) == []
    assert len(queries.front(database, "first")) == 6


def test_an_unfinished_study_is_in_order_too(database, store, evaluated):
    assert integrity.check_study(database, "first") == []
    asks = store.record_asks(0, [Proposal(Genome({"neuron.tau": gene})) for gene in range(4)])
    store.record(evaluated(2), generation=0, ask=asks[2], number=2)
    assert integrity.check_study(database, "first") == []


def test_what_a_study_does_not_keep_is_not_missing(database, new_study, evaluated):
    """One that keeps no weights, points taken from another study, and a task without training."""
    specification = json.dumps({"study": {"name": "first", "keep": "none"}})
    for name, changes, values in (
        ("none", {"specification": specification}, {"samples": 8}),
        ("reused", {}, {"samples": 8}),
        ("untrained", {}, {}),
    ):
        store = new_study(database, name, **changes)
        (ask,) = store.record_asks(0, [Proposal(Genome({"neuron.tau": 1}))])
        store.record(evaluated(**values), generation=0, ask=ask, reused=name == "reused")
        assert integrity.check_study(database, name) == []


@pytest.mark.parametrize(
    ("statements", "finding"),
    [
        ([delete(EVALUATION).where(EVALUATION.ask == 6), delete(ASK).where(ASK.number == 6)], None),
        ([update(EVALUATION).where(EVALUATION.ask == 6).values(ask=None), delete(ASK).where(ASK.number == 6)],
         "evaluations answer another ask than their own: 6"),
        ([update(ASK).where(ASK.number == 3).values(generation=0)],
         "evaluations are of another genome or generation than what was asked: 3"),
        ([update(ASK).where(ASK.number == 4).values(genome_hash=Genome({"neuron.tau": 0}).hash)],
         "evaluations are of another genome or generation than what was asked: 4"),
        ([update(ASK).where(ASK.number == 2).values(generation=5)],
         "asks are of an earlier generation than the one before: 3"),
        ([update(EVALUATION).where(EVALUATION.number == 1).values(ask=0)], "asks are counted twice: 0"),
        ([update(EVALUATION).where(EVALUATION.number.in_([4, 5])).values(purpose="rung", candidate=4)],
         "candidates are on a rung twice: 4"),
        ([update(EVALUATION).where(EVALUATION.number == 1).values(purpose="rung")],
         "asks of the finished study have no evaluation: 1"),
        ([update(EVALUATION).where(EVALUATION.number == 1).values(purpose="rung")],
         "asks were told that have no evaluation: 1"),
        ([update(EVALUATION).where(EVALUATION.number == 6).values(failure_kind=None)],
         "evaluations have neither a failure nor all objectives: 6"),
        ([update(ASK).where(ASK.told == 1).values(told=2)], "tells are missing: 1"),
        ([update(ASK).where(ASK.told == 1).values(told=2),
          update(STUDY).values(restarts=[{"ask": 3, "seed": 1, "reason": ""}])], None),
        ([update(STUDY).values(restarts=[{"ask": 8, "seed": 1, "reason": ""}])],
         "the algorithm was started anew at asks that are missing: 8"),
        ([update(STUDY).values(seed=7)], "the seed is 7, and 3 in the specification"),
        ([update(STUDY).values(specification="{")], "the specification cannot be read"),
        ([update(STUDY).values(specification="{}")], "the specification cannot be read"),
        ([update(STUDY).values(plugins=[])], "no plugin is named that gave its components"),
        ([update(STUDY).values(plugins=[{"kind": "neuron", "name": "lif", "plugin": "x"}])],
         "neuron lif: its plugin, or the version of that, is missing"),
        ([delete(schema.Artifact)], "candidates on the front have lost their weights: 0, 1, 2, 3, 4 and 1 more"),
        ([update(schema.Artifact).where(schema.Artifact.size == 2).values(content=b"ww")],
         "search evaluation 3: the weights are damaged: their checksum does not match"),
        ([update(schema.Genome).where(schema.Genome.hash == Genome({"neuron.tau": 2}).hash).values(json="{}")],
         f"genome {Genome({'neuron.tau': 2}).hash[:12]} is damaged: its content does not match its hash"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(database, new_study, whole, statements, finding):
    change(database, update(STUDY).values(specification='{"study":{"seed":3}}', seed=3), *statements)
    found = integrity.check_study(database, "first")
    assert (finding in found) if finding else (found == [])


def test_asks_that_are_missing_are_named(database, store):
    store.record_asks(0, [Proposal(Genome({"neuron.tau": gene})) for gene in range(9)])
    change(database, delete(ASK).where(ASK.number < 7))
    assert integrity.check_study(database, "first") == ["asks are missing: 0, 1, 2, 3, 4 and 2 more"]


def test_a_study_is_not_charged_with_what_is_wrong_with_another(database, whole, new_study):
    new_study(database, "second", plugins=[Provenance("neuron", "lif", "", "1.0")])
    assert integrity.check_study(database, "first") == []
    assert len(integrity.check_study(database, "second")) == 1


def test_only_a_recorded_study_is_checked(database, whole):
    with pytest.raises(StorageError, match="no study 'frist'"):
        integrity.check_study(database, "frist")


def test_a_file_is_checked_as_a_whole(tmp_path, new_study, evaluated):
    path = tmp_path / "studies.db"
    with Database.open(path, create=True) as database:
        new_study(database).record(evaluated(), generation=0)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DELETE FROM studies")
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("DELETE FROM sqlite_master WHERE name = 'ix_evaluations_cache_key'")
        raw.commit()
    with Database.read_only(path) as database:
        found = integrity.check_file(database)
        with database.read() as session:
            assert session.scalars(select(STUDY)).all() == []
    assert "table evaluations: 1 rows belong to nothing" in found
    assert found[0].startswith("the file is damaged: ")


def test_a_check_writes_nothing_and_keeps_nobody_waiting(where, database, whole):
    with Database.read_only(where) as reader, database.write() as session:
        session.execute(text("UPDATE studies SET state = 'running'"))
        assert integrity.check_study(reader, "first") == []
