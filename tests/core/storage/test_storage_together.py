"""Many writers, many evaluations."""

import itertools
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import event, text

from spikefront.components.algorithm import Proposal
from spikefront.errors import StorageError
from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, StudyStore, integrity, migration, postgresql, queries, sqlite

WRITER = """
import sys
from spikefront.components.algorithm import Proposal
from spikefront.genome import Genome
from spikefront.job import Evaluation, Measurement
from spikefront.storage import Database, StudyObjective, StudyStore

path, name = sys.argv[1:]
with Database.open(path, create=True) as database:
    objectives = [StudyObjective("accuracy", "maximize")]
    store = StudyStore.create(
        database, name, specification="{}", specification_hash="", seed=0, objectives=objectives
    )
    for generation in range(5):
        genomes = [Genome({"gene": 10 * generation + n}) for n in range(10)]
        asks = store.record_asks(generation, [Proposal(genome) for genome in genomes])
        for ask, genome in zip(asks, genomes):
            evaluation = Evaluation(genome, {"accuracy": Measurement((0.5,))}, weights=b"%d" % ask)
            store.record(evaluation, generation=generation, ask=ask)
        store.prune_weights(asks[:1], before=asks[-1] + 1)
"""


def test_processes_write_into_one_file_from_its_first_moment(path):
    def write(name):
        command = [sys.executable, "-W", "error::ResourceWarning", "-c", WRITER, str(path), name]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(write, "abcd"))
    assert [(process.returncode, process.stderr) for process in ended] == [(0, "")] * 4
    with Database.read_only(path) as database:
        assert {row.name: row.evaluations for row in queries.studies(database)} == dict.fromkeys("abcd", 50)
        for name in "abcd":
            rows = queries.evaluations(database, name)
            assert [row.ask for row in rows] == [row.number for row in rows] == list(range(50))
            assert [row.number for row in rows if row.has_weights] == [40]
        assert queries.weights(database, "a", 40) == queries.weights(database, "d", 40) == b"40"


def test_all_queries_of_a_reader_see_the_same_moment(where, database, store):
    with Database.read_only(where) as reader, reader.read() as session:
        seen = text("SELECT state FROM studies")
        assert session.scalar(seen) == "running"
        store.set_state("finished")
        assert session.scalar(seen) == "running"
    with Database.read_only(where) as reader:
        assert queries.study(reader, "first").state == "finished"


def test_a_reader_works_while_a_writer_holds_a_transaction(where, database, store):
    with Database.read_only(where) as reader, database.write() as session:
        session.execute(text("UPDATE studies SET state = 'failed'"))
        assert queries.study(reader, "first").state == "running"
    with Database.read_only(where) as reader:
        assert queries.study(reader, "first").state == "failed"


def test_a_study_that_stays_locked_is_named(where, database, store, monkeypatch):
    for backend in (sqlite, postgresql):
        monkeypatch.setattr(backend, "BUSY_SECONDS", 0.05)
    with Database.open(where) as second, database.write() as session:
        session.execute(text("UPDATE studies SET state = 'failed'"))
        with pytest.raises(StorageError, match=r"database is locked|lock timeout") as caught:
            StudyStore.open(second, "first").set_state("finished")
    assert "Another program" in caught.value.hint
    assert queries.study(database, "first").state == "failed"


def test_programs_that_train_the_same_candidate_again_number_their_results(where, database, store, evaluated):
    store.record(evaluated(), generation=0)

    def retrain(accuracy):
        with Database.open(where) as mine:
            opened = StudyStore.open(mine, "first")
            return [
                opened.record(evaluated(accuracy=accuracy), generation=0, purpose="retrain", candidate=0)
                for _ in range(10)
            ]

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(retrain, (0.1, 0.2, 0.3, 0.4)))
    assert sorted(itertools.chain(*numbers)) == list(range(40))


def test_a_search_leaves_the_same_record_on_each_backend(where, tmp_path):
    sources = Sources(modules=("benchmarks.trivial",))
    registry, gene = load(sources), {"low": 0.0, "high": 1.0}
    document = {
        "study": {"name": "trivial", "seed": 1, "objectives": ["first", "second", "third"]},
        "task": {"use": "trivial", "a": gene, "b": gene, "c": gene},
        "trainer": {"use": "none"},
        "search": {"population": 8, "generations": 3},
        "execution": {"use": "inline"},
    }
    found = []
    for place in (where, tmp_path / "other.db"):
        with Database.open(place, create=True) as database:
            assert Search(Specification.from_document(document, registry), database).run() == "finished"
            assert integrity.check_study(database, "trivial") == []
            front = [row.number for row in queries.front(database, "trivial")]
            rows = queries.evaluations(database, "trivial")
            found.append((front, [(row.number, row.genome_hash, row.measurements) for row in rows]))
    assert found[0] == found[1]


def test_migrations_make_the_tables_of_the_models(database):
    with database.tables() as connection:
        command.check(migration.configuration(connection))


def test_large_studies_are_read_with_few_queries(database, store, evaluated):
    for gene in range(30):
        store.record(evaluated(gene, accuracy=gene / 30, energy=gene), generation=0)
    statements = []
    event.listen(database._reading, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(queries.evaluations(database, "first")) == len(queries.front(database, "first")) == 30
    assert len(statements) <= 10


@pytest.mark.slow
def test_recording_5000_evaluations_is_quick(database, store):
    measured = {name: Measurement((0.5,)) for name in ("accuracy", "energy", "parameters", "spikes")}
    history = tuple({"loss": 1.0, "samples": 100.0} for _ in range(8))
    genomes = [Genome({"neuron.tau": number / 7, "neuron.use": "lif"}) for number in range(5000)]
    store.record_asks(0, [Proposal(genome) for genome in genomes])
    start = time.perf_counter()
    for number, genome in enumerate(genomes):
        store.record(Evaluation(genome, measured, history=history), generation=0, ask=number)
    recorded = time.perf_counter()
    rows = queries.evaluations(database, "first")
    read = time.perf_counter()
    print(f"{(recorded - start) / 5:.2f} ms to record an evaluation, {(read - recorded) / 5:.3f} ms to read one")  # noqa: T201
    assert len(rows) == 5000
    assert (recorded - start) / 5000 < 0.02
    assert (read - recorded) / 5000 < 0.002
