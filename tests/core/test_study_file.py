"""Study files: reading TOML and changing single values, with a sentence for all that can be wrong."""

import re
import shlex
from pathlib import Path

import pytest

from spikefront.components import Executor, Retries
from spikefront.errors import InputError, StudyFileError
from spikefront.plugins import load
from spikefront.settings import Budget, EarlyStop, Schedule, Screening, Settings
from spikefront.specification import Specification
from spikefront.study_file import read_document

TEXT = """
[study]
objectives = ["accuracy", { use = "energy" }]
[task]
use = "digits"
[[neuron]]
use = "lif"
[[regularisers]]
weight = { start = 1.0, end = 0.0 }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("task.train=100", ("task", "train"), 100),
        ("task.train = 1_000", ("task", "train"), 1000),
        ("task.use=mnist", ("task", "use"), "mnist"),
        ("task.use='mnist'", ("task", "use"), "mnist"),
        ("task.flag=true", ("task", "flag"), True),
        ("task.rate=1e-3", ("task", "rate"), 0.001),
        ("execution.timeout=20m", ("execution", "timeout"), "20m"),
        ("execution.timeout=a=b", ("execution", "timeout"), "a=b"),
        ("coder.steps={low=2, high=4}", ("coder", "steps"), {"low": 2, "high": 4}),
        ("network.hidden=[16, 8]", ("network", "hidden"), [16, 8]),
        ("neuron.0.tau=3.0", ("neuron", 0, "tau"), 3.0),
        ("study.objectives.0=spikes", ("study", "objectives", 0), "spikes"),
        ("study.objectives.1.model=loihi", ("study", "objectives", 1, "model"), "loihi"),
        ("regularisers.0.weight.end=0.5", ("regularisers", 0, "weight", "end"), 0.5),
        ("task.note=1\nuse = 2", ("task", "note"), "1\nuse = 2"),
    ],
)
def test_changes(file, change, place, value):
    found = read_document(file, [change])
    for key in place:
        found = found[key]
    assert found == value
    assert type(found) is type(value)


def test_changes_are_made_in_order(file):
    assert read_document(file, ["task.train=1", "task.train=2"])["task"]["train"] == 2


def test_a_byte_order_mark_is_no_error(file):
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_document(file)["task"]["use"] == "digits"


@pytest.mark.parametrize(
    ("change", "fragments"),
    [
        ("task.train", ["--set task.train", "not an assignment", "--set search.population=12"]),
        ("=3", ["--set =3", "not an assignment"]),
        ("task..train=3", ["not an assignment"]),
        ("task.use.name=3", ["'use' is 'digits'", "no table"]),
        ("neuron.1.tau=3.0", ["'1' is no entry of a list of 1", "from 0"]),
        ("neuron.tau=3.0", ["'tau' is no entry"]),
        ("neuron.²=3", ["'²' is no entry"]),
        ("neuron.-1.tau=3.0", ["'-1' is no entry"]),
        ("task.train=", ["--set task.train=", "not a TOML value"]),
        ("network.hidden=[16,", ["--set network.hidden=[16,", "not a TOML value"]),
        ("network.hidden=" + "[" * 10_000, ["not a TOML value"]),
    ],
)
def test_wrong_changes(file, change, fragments):
    with pytest.raises(StudyFileError) as caught:
        read_document(file, [change])
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (b"[study]\nname = quickstart\n", ["study.toml", "not valid TOML", "line 2, column 8"]),
        (b"[study]\nseed = 1\nseed = 2\n", ["not valid TOML", "line 3"]),
        (b"[study\n", ["not valid TOML", "line 1, column 7"]),
        (b"seed = " + b"9" * 5000, ["not valid TOML"]),
        (b"seed = " + b"[" * 10_000, ["not valid TOML"]),
        (b"name = '\xff'", ["cannot be read", "utf-8"]),
    ],
    ids=["no-quotes", "twice", "bracket", "huge", "deep", "bytes"],
)
def test_broken_files(file, content, fragments):
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_document(file)
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("studi.toml", ["studi.toml: no such study file", "Did you mean 'study.toml'?"]),
        ("study", ["Did you mean 'study.toml'?"]),
        ("nowhere/study.toml", ["no such study file", "Give the path"]),
        (".", ["cannot be read", "Give the path"]),
        ("study.toml/x", ["cannot be read"]),
    ],
)
def test_missing_files(file, name, fragments):
    with pytest.raises(InputError) as caught:
        read_document(file.parent / name)
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


DOCS = (Path(__file__).parents[2] / "docs" / "study-files.md").read_text()
WHOLE, *FRAGMENTS = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize("line", re.findall(r"^    spikefront run study.toml (.*)$", DOCS, re.MULTILINE))
def test_changes_of_the_documentation(tmp_path, line):
    path = tmp_path / "study.toml"
    path.write_text(WHOLE + next(fragment for fragment in FRAGMENTS if "[[regularisers]]" in fragment))
    changes = [word for word in shlex.split(line) if word != "--set"]
    Specification.from_file(path, load(), changes)


def test_the_documentation_names_every_key_and_default():
    for model in (Settings, Budget, EarlyStop, Screening, Schedule, Executor):
        assert [key for key in model.model_fields if f"`{key}`" not in DOCS and f"{key}," not in DOCS] == []
    for name in load().components("executor"):
        executor = load().get(Executor, name)
        assert [key for key in executor.model_fields if f"| `{key}` |" not in DOCS] == []
    for info in Retries.model_fields.values():
        assert f"| `{info.alias}` | {info.default} |" in DOCS
    for kind in ("network", "neuron", "surrogate", "synapse", "coder", "encoding", "trainer"):
        assert re.search(rf"^\| `\[{kind}\].*default `{load().default(kind)}` \|$", DOCS, re.MULTILINE)


def test_the_message_of_the_documentation(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(WHOLE.replace("tau", "tua"))
    with pytest.raises(InputError) as caught:
        Specification.from_file(path, load())
    shown = re.search(r"    error: (.*)\n    (.*)\n", DOCS)
    assert (caught.value.message.replace(str(path), "small.toml"), caught.value.hint) == shown.groups()
