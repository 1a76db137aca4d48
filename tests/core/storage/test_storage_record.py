"""What is recorded comes back as it was."""

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from safetensors.numpy import load, save
from sqlalchemy import func, select

from spikefront.components.algorithm import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, Measurement
from spikefront.storage import AskRow, Database, StudyObjective, StudyStore, queries, schema
from spikefront.storage import store as store_module


def count(database, table):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_study_comes_back_as_it_was_given(database, new_study):
    before = datetime.now(UTC)
    new_study(database)
    row = queries.study(database, "first")
    assert (row.name, row.seed, row.state) == ("first", 2**63 - 1, "running")
    assert row.specification == '{"study":{"name":"first"}}'
    assert row.specification_hash == "5" * 64
    assert row.objectives == (StudyObjective("accuracy", "maximize", "1"), StudyObjective("energy", "minimize", "pJ"))
    assert [dataclasses.astuple(plugin) for plugin in row.plugins] == [("neuron", "lif", "spikefront", "0.1.0", "", "")]
    assert row.reference is None
    assert (row.evaluations, row.failed, row.reused) == (0, 0, 0)
    assert row.created_at.utcoffset() == timedelta(0)
    assert before <= row.created_at == row.updated_at <= datetime.now(UTC)
    assert row.spikefront_version


def test_state_and_time_of_the_last_change_move_on(database, store):
    made = queries.study(database, "first").updated_at
    store.set_state("interrupted")
    row = queries.study(database, "first")
    assert row.state == "interrupted"
    assert row.updated_at > made == row.created_at


def test_the_reference_is_fixed_once(database, store):
    reference = {"accuracy": (1.0, 0.1), "energy": (0.0, 1e9)}
    store.set_reference(reference)
    store.set_reference(reference)
    with pytest.raises(StorageError, match="is fixed at"):
        store.set_reference({**reference, "energy": (0.0, 2e9)})
    assert queries.study(database, "first").reference == reference


def test_names_are_unique(database, store, new_study):
    with pytest.raises(StorageError, match="there is a study 'first' already") as caught:
        new_study(database, "first")
    assert "another name" in caught.value.hint
    assert [row.name for row in queries.studies(database)] == ["first"]


@pytest.mark.parametrize("name", ["../up", "a'; DROP TABLE studies; --", 'say "hi"', "100%", "ä\n", "?", ":name", ""])
def test_names_are_data(database, new_study, evaluated, name, tmp_path):
    store = new_study(database, name)
    store.record(evaluated(worker=name), generation=0)
    assert queries.study(database, name).name == name
    assert queries.evaluations(database, name)[0].worker == name
    assert {file.name.split("-")[0] for file in tmp_path.iterdir()} <= {"studies.db"}


def test_an_unknown_study_is_named_with_the_closest_known_one(database, store):
    for question in (queries.study, queries.asks, queries.evaluations, queries.failures, queries.front):
        with pytest.raises(StorageError, match="no study 'frist'") as caught:
            question(database, "frist")
        assert caught.value.hint == "Did you mean 'first'? Allowed: first."
    with pytest.raises(StorageError, match="no study 'frist'"):
        StudyStore.open(database, "frist")


def test_asks_come_back_in_order_with_their_parents(database, store):
    a, b, c = (Genome({"tau": value}) for value in (1.0, 2.0, 3.0))
    assert store.record_asks(0, [Proposal(b), Proposal(a), Proposal(b)]) == [0, 1, 2]
    assert store.record_asks(1, []) == []
    assert StudyStore.open(database, "first").record_asks(1, [Proposal(c, (a.hash, b.hash), ("sbx", "gaussian"))]) == [
        3
    ]
    assert queries.asks(database, "first") == [
        AskRow(0, 0, b.hash, (), ()),
        AskRow(1, 0, a.hash, (), ()),
        AskRow(2, 0, b.hash, (), ()),
        AskRow(3, 1, c.hash, (a.hash, b.hash), ("sbx", "gaussian")),
    ]
    assert queries.genomes(database, {a.hash, c.hash, "0" * 64}) == {a.hash: a, c.hash: c}


def test_an_evaluation_comes_back_as_it_was(database, store):
    genome = Genome(
        {
            "network.channels": [16, 32],
            "neuron.use": "lif",
            "neuron.tau": 0.1 + 0.2,
            "encoding.genes": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
            "encoding.empty": np.zeros((0, 3), dtype=np.float32),
        }
    )
    evaluation = Evaluation(
        genome,
        {
            "accuracy": Measurement((0.5, None, 0.7)),
            "energy": Measurement((1e-300, 2e300, 1 / 3)),
            "gene-entropy": Measurement((2.0, 2.0, 2.5)),
            "latency": Measurement((None, None, None)),
        },
        history=({"replicate": 0, "loss": 0.25}, {"replicate": 0, "loss": float("inf")}),
        recording={"synapses": [{"name": "0", "analog": True, "effective": 0.1}], "steps": 4},
        samples=2**40,
        seconds=12.5,
        peak_memory=2**35,
        worker="host:12",
        weights=save({"0.weight": np.ones((2, 2), dtype=np.float32)}),
    )
    (ask,) = store.record_asks(3, [Proposal(genome)])
    number = store.record(
        evaluation,
        generation=3,
        ask=ask,
        number=41,
        replicates=range(3),
        budget=0.25,
        regularised={"accuracy": 0.625, "energy": None},
        regularisers=["gene-entropy"],
    )
    row = queries.evaluation(database, "first", 41)
    assert number == row.number == row.candidate == 41
    assert (row.purpose, row.ask, row.generation, row.budget, row.replicates) == ("search", 0, 3, 0.25, (0, 1, 2))
    assert row.genome == genome
    for path, array in genome.arrays.items():
        assert np.array_equal(row.genome[path], array)
        assert row.genome[path].dtype == np.float32
    assert row.measurements == evaluation.measurements
    assert row.roles == {
        "accuracy": "objective",
        "energy": "objective",
        "gene-entropy": "regulariser",
        "latency": "column",
    }
    assert row.regularised == {"accuracy": 0.625, "energy": None}
    assert row.history == ({"replicate": 0, "loss": 0.25}, {"replicate": 0, "loss": None})
    assert row.recording == evaluation.recording
    assert (row.samples, row.seconds, row.peak_memory, row.worker) == (2**40, 12.5, 2**35, "host:12")
    assert row.failure is None
    assert not row.reused
    assert row.has_weights
    assert abs(datetime.now(UTC) - row.finished_at) < timedelta(minutes=1)
    assert queries.weights(database, "first", 41) == evaluation.weights
    assert load(queries.weights(database, "first", 41))["0.weight"].tolist() == [[1, 1], [1, 1]]
    (listed,) = queries.evaluations(database, "first")
    assert vars(row).items() >= vars(listed).items()
    assert listed.genes["encoding.genes"] == {"$array": [2, 3]}
    assert listed.mean("accuracy") == pytest.approx(0.6)
    assert listed.mean("latency") is None is listed.mean("nothing")


def test_mean_and_standard_error_are_stored_beside_the_values(database, store):
    store.record(Evaluation(Genome({}), {"energy": Measurement((1.0, 3.0, None))}), generation=0)
    with database.read() as session:
        row = session.scalars(select(schema.Measurement)).one()
        assert (row.mean, row.standard_error, row.values) == (2.0, 1.0, [1.0, 3.0, None])


def test_numbers_that_are_not_finite_mean_nothing(database, store):
    values = (float("nan"), 4.0, float("-inf"))
    evaluation = Evaluation(Genome({}), {"energy": Measurement(values)}, recording={"a": [float("nan"), {"b": 1.5}]})
    row = queries.evaluation(database, "first", store.record(evaluation, generation=0))
    assert row.measurements["energy"] == Measurement((None, 4.0, None))
    assert row.recording == {"a": [None, {"b": 1.5}]}


def test_failures_come_back_with_their_reason(database, store, evaluated):
    failure = Failure("worker-died", "killed \udcff\0", "Traceback\n  äöü")
    store.record(evaluated(), generation=0)
    store.record(Evaluation(Genome({"tau": 2}), failure=failure), generation=0)
    store.record(Evaluation(Genome({"tau": 3}), failure=Failure("time-out", "20 min")), generation=0, purpose="retrain")
    store.record(evaluated(), generation=1, reused=True)
    first, second = sorted(queries.failures(database, "first"), key=lambda row: row.purpose, reverse=True)
    assert first.failure == Failure("worker-died", "killed ??", "Traceback\n  äöü")
    assert (first.number, first.measurements) == (1, {})
    assert second.failure == Failure("time-out", "20 min")
    row = queries.study(database, "first")
    assert (row.evaluations, row.failed, row.reused) == (3, 1, 1)
    assert queries.evaluation(database, "first", 2).reused


def test_each_purpose_has_numbers_of_its_own(database, store, evaluated):
    for gene in (1, 2):
        store.record(evaluated(gene), generation=0)
    for purpose, candidate in (("retrain", 1), ("test", 1), ("retrain", 0), ("retrain", 1)):
        store.record(evaluated(2, accuracy=0.9, weights=b"w"), generation=0, purpose=purpose, candidate=candidate)
    assert [row.number for row in queries.evaluations(database, "first")] == [0, 1]
    assert [row.number for row in queries.evaluations(database, "first", "retrain")] == [0, 1, 2]
    assert [row.number for row in queries.retrainings(database, "first", 1)] == [0, 2]
    assert {row.candidate for row in queries.retrainings(database, "first", 1)} == {1}
    assert [row.candidate for row in queries.evaluations(database, "first", "test")] == [1]
    assert queries.evaluation(database, "first", 1, "retrain").candidate == 0
    assert queries.weights(database, "first", 0, "retrain") == b"w"
    assert queries.study(database, "first").evaluations == 2


def test_order_is_that_of_the_numbers_and_not_of_the_recording(database, store, evaluated):
    for number in (2, 0, 1):
        store.record(evaluated(number), generation=0, number=number)
    assert [row.genes["neuron.tau"] for row in queries.evaluations(database, "first")] == [0, 1, 2]
    assert store.record(evaluated(7), generation=1) == 3


def test_a_number_or_an_ask_that_cannot_be_is_refused(database, store, evaluated):
    store.record(evaluated(), generation=0, number=0)
    with pytest.raises(StorageError, match=r"UNIQUE constraint failed|duplicate key") as caught:
        store.record(evaluated(2), generation=0, number=0)
    assert "one program at a time" in caught.value.hint
    with pytest.raises(StorageError, match=r"FOREIGN KEY constraint failed|violates foreign key"):
        store.record(evaluated(2), generation=0, ask=12)
    assert len(queries.evaluations(database, "first")) == count(database, schema.Genome) == 1


@pytest.mark.parametrize("last", [schema.Measurement, schema.Artifact])
def test_an_evaluation_is_recorded_whole_or_not_at_all(database, store, evaluated, monkeypatch, last):
    def fail(session, table, rows, **owner):
        if table is last:
            raise RuntimeError("pulled the plug")
        add(session, table, rows, **owner)

    add = store_module._add
    before = queries.study(database, "first")
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_add", fail)
        with pytest.raises(RuntimeError, match="plug"):
            store.record(evaluated(weights=b"w"), generation=0)
    tables = (schema.Genome, schema.Artifact, schema.Evaluation, schema.Measurement)
    assert [count(database, table) for table in tables] == [0, 0, 0, 0]
    assert queries.study(database, "first") == before
    store.record(evaluated(weights=b"w"), generation=0)
    assert [count(database, table) for table in tables] == [1, 1, 1, 2]


def test_a_generation_is_recorded_whole_or_not_at_all(database, store, monkeypatch):
    proposals = [Proposal(Genome({"tau": value})) for value in range(3)]

    def fail(*args, **owner):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_add", fail)
        with pytest.raises(KeyboardInterrupt):
            store.record_asks(0, proposals)
    assert count(database, schema.Ask) == count(database, schema.Genome) == 0
    assert store.record_asks(0, proposals) == [0, 1, 2]


def test_studies_share_genomes_but_not_weights(database, store, new_study, evaluated):
    other = new_study(database, "second")
    for study in (store, other):
        study.record(evaluated(weights=b"same"), generation=0)
    assert (count(database, schema.Genome), count(database, schema.Artifact)) == (1, 2)
    store.prune_weights([], before=1)
    assert queries.weights(database, "second", 0) == b"same"
    other.prune_weights([], before=1)
    assert count(database, schema.Artifact) == 0


def test_pruning_drops_what_is_not_kept_and_no_more(database, store, evaluated):
    for gene in range(5):
        store.record(evaluated(gene, weights=b"%d" % min(gene, 2)), generation=0)
    store.record(evaluated(0, weights=b"again"), generation=0, purpose="retrain", candidate=0)
    store.prune_weights([1, 3], before=4)
    assert [row.has_weights for row in queries.evaluations(database, "first")] == [False, True, False, True, True]
    assert queries.weights(database, "first", 3) == b"2"
    assert queries.weights(database, "first", 0, "retrain") == b"again"
    assert count(database, schema.Artifact) == 4
    with pytest.raises(StorageError, match="candidate 0 of study 'first' has no stored weights") as caught:
        queries.weights(database, "first", 0)
    assert "spikefront retrain" in caught.value.hint


def test_an_unknown_candidate_is_refused(database, store, evaluated):
    with pytest.raises(StorageError, match="no candidate 0") as caught:
        queries.evaluation(database, "first", 0)
    assert "none yet" in caught.value.hint
    store.record(evaluated(), generation=0)
    with pytest.raises(StorageError, match="no candidate 1") as caught:
        queries.weights(database, "first", 1)
    assert caught.value.hint == "The last one is 0."


def change(database: Database, table, **values):
    with database.write() as session:
        row = session.scalars(select(table)).one()
        for name, value in values.items():
            setattr(row, name, value)


def test_damaged_weights_are_refused(database, store, evaluated):
    store.record(evaluated(weights=b"\1\2\3"), generation=0)
    change(database, schema.Artifact, content=b"\1\2\4")
    with pytest.raises(StorageError, match="weights of candidate 0 of study 'first' are damaged") as caught:
        queries.weights(database, "first", 0)
    assert "spikefront retrain" in caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        {"arrays": b"\1\2"},
        {"arrays": None},
        {"arrays": save({"encoding.genes": np.full(3, 2, dtype=np.float32)})},
        {"arrays": save({"encoding.genes": np.ones(4, dtype=np.float32)})},
        {"json": '{"encoding.genes":{"$array":[3]},"x":1}'},
        {"json": "{"},
    ],
)
def test_a_damaged_genome_is_refused(database, store, damage):
    genome = Genome({"encoding.genes": np.ones(3, dtype=np.float32)})
    store.record(Evaluation(genome), generation=0)
    change(database, schema.Genome, **damage)
    with pytest.raises(StorageError, match=f"genome {genome.hash[:12]} is damaged"):
        queries.genomes(database, [genome.hash])
    with pytest.raises(StorageError, match="Restore the database"):
        queries.evaluation(database, "first", 0)
