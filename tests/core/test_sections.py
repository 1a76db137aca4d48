"""Sections: domains, choices between components, conditional genes, ends of domains."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from spikefront import Encoding
from spikefront.components import Ranges
from spikefront.domains import MANY, ends, every, is_domain, parse_domain
from spikefront.errors import InputError, StudyFileError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.sections import Section, parse_section
from spikefront.space import Choice, Gene, Integer, ListOf, Real, Tensor


class Base(Encoding):
    """An encoding that does nothing."""

    def apply(self, network, arrays, generator):
        raise NotImplementedError


class Block(BaseModel):
    """A table of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int = Field(ge=1, le=64)
    skip: bool = False
    rate: float = 1.0


class First(Base):
    """Parameters of every type, and an array whose shape is a parameter's largest value."""

    name: ClassVar[str] = "first"
    count: int = Field(2, ge=1, le=10_000)
    maybe: Annotated[int, Field(ge=1)] | None = None
    rate: float = Field(0.5, ge=0)
    both: int = Field(1, ge=0)
    word: Literal["a", "b"] = "a"
    sizes: tuple[int, ...] = (1, 2)
    blocks: tuple[Block, ...] = Field((Block(size=1),), max_length=9)

    @classmethod
    def evolved_arrays(cls, ranges):
        return {"array": Tensor((ranges.largest("count"), 2), 1.0)}


class Second(Base):
    """Shares `rate` and `both` with the first, the latter as another type."""

    name: ClassVar[str] = "second"
    rate: float = 0.5
    both: float = 1.0
    own: float = 0.0
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _order(self):
        if self.low > self.high:
            raise ValueError(f"low = {self.low} is above high = {self.high}")
        return self


class Needy(Base):
    """Has a parameter without a default."""

    name: ClassVar[str] = "needy"
    must: int


class Shelf:
    """A registry of three encodings."""

    known: ClassVar[dict[str, Any]] = {cls.name: cls for cls in (First, Second, Needy)}

    def components(self, kind):
        return self.known

    def get(self, contract, name):
        return self.known[name]

    def default(self, kind):
        return "first"


def parsed(**table: Any) -> Section:
    return parse_section("encoding", "encoding", table, Shelf())


@pytest.mark.parametrize(
    ("key", "table", "domain"),
    [
        ("rate", {"low": 1, "high": 2}, Real(1.0, 2.0)),
        ("rate", {"low": 0.5, "high": 0.5}, Real(0.5, 0.5)),
        ("rate", {"low": 0.1, "high": 2.0, "log": True}, Real(0.1, 2.0, log=True)),
        ("count", {"low": 2, "high": 8}, Integer(2, 8)),
        ("count", {"low": 2, "high": 9, "step": 3}, Integer(2, 9, 3)),
        ("count", {"low": 1, "high": 64, "log": True}, Integer(1, 64, log=True)),
        ("maybe", {"low": 2, "high": 8}, Integer(2, 8)),
        ("both", {"low": 2, "high": 8}, Integer(2, 8)),
        ("word", {"choice": ["a", "b"]}, Choice(("a", "b"))),
        ("rate", {"choice": [1, 0.5]}, Choice((1.0, 0.5))),
        ("maybe", {"choice": [None, 3]}, Choice((None, 3))),
        ("sizes", {"choice": [[], [3], [3, 4]]}, Choice(([], [3], [3, 4]))),
        ("blocks", {"low": 0, "high": 3, "each": {"size": 4}}, ListOf({"size": Choice((4,))}, 0, 3)),
        (
            "blocks",
            {"low": 1, "high": 9, "each": {"size": {"low": 2, "high": 8, "step": 2}, "rate": {"low": 1, "high": 2}}},
            ListOf({"rate": Real(1.0, 2.0), "size": Integer(2, 8, 2)}, 1, 9),
        ),
    ],
)
def test_domains(key, table, domain):
    genes = dict(parsed(**{key: table}).genes())
    assert genes[f"encoding.{key}"] == Gene(domain)
    assert list(genes) == [f"encoding.{key}", "encoding.array"]


def test_a_section_may_be_a_name_or_empty():
    registry = load()
    assert parse_section("neuron", "neuron", "plif", registry) == parse_section(
        "neuron", "neuron", {"use": "plif"}, registry
    )
    assert parse_section("neuron", "neuron", {}, registry).resolve({}).name == "lif"


def test_genes_of_a_choice_are_conditional_unless_all_have_them():
    section = parsed(
        use={"choice": ["first", "second"]},
        rate={"low": 0.0, "high": 1.0},
        count={"low": 2, "high": 8, "step": 4},
        own={"choice": [1.0, 2.0]},
        word="b",
    )
    first, second = frozenset({"first"}), frozenset({"second"})
    assert dict(section.genes()) == {
        "encoding.use": Gene(Choice(("first", "second"))),
        "encoding.count": Gene(Integer(2, 8, 4), "encoding.use", first),
        "encoding.own": Gene(Choice((1.0, 2.0)), "encoding.use", second),
        "encoding.rate": Gene(Real(0.0, 1.0)),
        "encoding.array": Gene(Tensor((8, 2), 1.0), "encoding.use", first),
    }
    genome = {"encoding.use": "first", "encoding.rate": 0.25, "encoding.count": 6, "encoding.own": 1.0}
    assert section.resolve(genome) == First(rate=0.25, count=6, word="b")
    assert section.resolve({**genome, "encoding.use": "second"}) == Second(rate=0.25, own=1.0)


def test_the_order_of_keys_decides_nothing():
    a, b = {"rate": {"low": 0.0, "high": 1.0}, "count": {"low": 1, "high": 2}}, {}
    for key in reversed(a):
        b[key] = a[key]
    assert [path for path, _ in parsed(**a).genes()] == [path for path, _ in parsed(**b).genes()]


@pytest.mark.parametrize("count", [7, {"choice": [3, 7, 5]}, {"low": 3, "high": 7}, {"low": 3, "high": 7, "step": 2}])
def test_an_evolved_array_is_as_large_as_it_may_become(count):
    assert dict(parsed(count=count).genes())["encoding.array"].domain.shape == (7, 2)


def test_arrays_are_found_by_the_section_that_owns_them():
    one, ten = (Section(f"neuron.{n}", {"first": First}) for n in (1, 10))
    genome = Genome({"neuron.1.array": np.ones(2), "neuron.10.array": np.zeros(3), "neuron.1.rate": 0.5})
    assert {name: array.tolist() for name, array in one.arrays(genome).items()} == {"array": [1, 1]}
    assert {name: array.tolist() for name, array in ten.arrays(genome).items()} == {"array": [0, 0, 0]}


def test_variants_are_all_combinations_of_ends():
    section = parsed(
        rate={"low": 0.0, "high": 1.0}, word={"choice": ["a", "b"]}, count={"low": 1, "high": 6, "step": 4}
    )
    found = [(v.rate, v.word, v.count) for v in section.variants()]
    assert sorted(found) == sorted((r, w, c) for r in (0.0, 1.0) for w in "ab" for c in (1, 5))


def test_where_ends_are_too_many_each_is_still_tried():
    section = parsed(
        rate={"choice": [n / 100 for n in range(100)]}, word={"choice": ["a", "b"]}, both={"low": 0, "high": 9}
    )
    found = list(section.variants(most=50))
    assert {v.rate for v in found} == {n / 100 for n in range(100)}
    assert {(v.word, v.both) for v in found} >= {("a", 0), ("b", 0), ("a", 9), ("b", 9)}
    assert len(found) == 2 * (100 + 2 + 2)


@pytest.mark.parametrize(
    ("table", "fragments"),
    [
        ({"use": "needy"}, ["encoding.must: is missing"]),
        ({"use": {"choice": ["first", "needy"]}}, ["encoding.must: is missing"]),
        ({"use": "second", "low": {"low": 0.0, "high": 2.0}}, ["low = 2.0 is above high = 1.0", "Keys: rate, both"]),
        (
            {"use": "second", "low": {"low": 0.0, "high": 0.6}, "high": {"choice": [0.5, 0.7]}},
            ["low = 0.6 is above high = 0.5"],
        ),
        ({"use": {"choice": ["first", "second"]}, "both": 0.5}, ["encoding.both = 0.5", "whole number"]),
        ({"maybe": {"low": 0, "high": 3}}, ["encoding.maybe = 0", "greater than or equal to 1"]),
        ({"sizes": {"choice": [[1], [1.5]]}}, ["encoding.sizes.0 = 1.5", "whole number"]),
        ({"sizes": [{"low": 1, "high": 2}]}, ["encoding.sizes.0", "cannot be searched"]),
        ({"rate": {"choice": [1, 1.0]}}, ["encoding.rate.choice: 1.0 is listed twice"]),
        ({"rate": {"low": -1.0, "high": 1.0}}, ["encoding.rate = -1.0", "greater than or equal to 0"]),
        ({"use": "second", "rate": {"low": -1e308, "high": 1e308}}, ["encoding.rate", "too wide"]),
        ({"rate": {"low": 0.0, "high": 1.0, "choice": [1.0]}}, ["'choice' stands alone"]),
    ],
)
def test_refusals(table, fragments):
    with pytest.raises(StudyFileError) as caught:
        parsed(**table)
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


@pytest.mark.parametrize(
    ("genome", "fragment"),
    [
        ({}, "encoding.use is missing"),
        ({"encoding.use": "first"}, "encoding.rate is missing"),
        ({"encoding.use": "frist", "encoding.rate": 0.5}, "Did you mean 'first'?"),
        ({"encoding.use": "first", "encoding.rate": -1.0}, "encoding.rate = -1.0"),
    ],
)
def test_genomes_that_do_not_fit(genome, fragment):
    section = parsed(use={"choice": ["first", "second"]}, rate={"low": 0.0, "high": 1.0})
    with pytest.raises(InputError) as caught:
        section.resolve(genome)
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("domain", "few", "all_of_it"),
    [
        (Integer(1, 9, 3), [1, 7], [1, 4, 7]),
        (Integer(0, MANY), [0, MANY], [0, MANY]),
        (Real(0.5, 2.0), [0.5, 2.0], [0.5, 2.0]),
        (Choice((3, 1, 2)), [3, 1, 2], [3, 1, 2]),
        (
            ListOf({"a": Choice((1, 2)), "b": Integer(0, 9)}, 0, 2),
            [[{"a": 1, "b": 0}], [{"a": 2, "b": 0}], [{"a": 1, "b": 0}], [{"a": 1, "b": 9}], [{"a": 1, "b": 9}] * 2],
            [[{"a": 1, "b": 0}], [{"a": 2, "b": 0}], [{"a": 1, "b": 0}], [{"a": 1, "b": 9}], [{"a": 1, "b": 9}] * 2],
        ),
    ],
)
def test_ends_and_all_values(domain, few, all_of_it):
    assert ends(domain) == few
    assert every(domain) == all_of_it


@given(low=st.integers(-100, 100), width=st.integers(0, 500), step=st.integers(1, 60))
@settings(deadline=None, max_examples=50)
def test_all_values_lie_in_the_domain_and_begin_and_end_with_its_ends(low, width, step):
    domain = parse_domain("x", {"low": low, "high": low + width, "step": step}, True)
    values = every(domain)
    assert all(domain.contains(value) for value in values)
    assert (values[0], values[-1]) == tuple(ends(domain))


@pytest.mark.parametrize(("value", "meant"), [({"low": 1}, True), ({"choice": []}, True), ({}, False), ([1], False)])
def test_what_is_meant_as_a_domain(value, meant):
    assert is_domain(value) is meant


SIZE = {"size": {"low": 1, "high": 4}}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"low": 1, "high": 3}, ["encoding.blocks", "describes no list", "each = {"]),
        ({"low": 1, "high": 3, "each": {}}, ["describes no list"]),
        ({"low": 1, "high": 3, "each": [1]}, ["describes no list"]),
        ({"low": 1, "high": 3, "step": 2, "each": SIZE}, ["describes no list"]),
        ({"low": 1, "each": SIZE}, ["describes no list"]),
        ({"low": 3, "high": 1, "each": SIZE}, ["low is above high"]),
        ({"low": -1, "high": 1, "each": SIZE}, ["low is below 0"]),
        ({"low": 0.5, "high": 1, "each": SIZE}, ["encoding.blocks.low", "whole number"]),
        ({"low": 1, "high": 3, "eech": SIZE}, ["encoding.blocks.eech", "Did you mean 'each'?"]),
        ({"low": 1, "high": 3, "each": {"sise": 1}}, ["encoding.blocks.each.sise", "Did you mean 'size'?"]),
        ({"low": 1, "high": 3, "each": {"size": {"low": 1}}}, ["encoding.blocks.each.size.high: is missing"]),
        ({"low": 1, "high": 3, "each": {"size": {"low": 0.5, "high": 2}}}, ["encoding.blocks.each.size.low = 0.5"]),
        ({"low": 1, "high": 3, "each": {"size": {"low": 0, "high": 4}}}, ["encoding.blocks.0.size = 0", "at least 1"]),
        ({"low": 1, "high": 3, "each": {**SIZE, "skip": {"low": 0, "high": 1}}}, ["each.skip", "has no range"]),
        (
            {"low": 1, "high": 3, "each": {"size": {"low": 1, "high": 2, "each": SIZE}}},
            ["each.size", "no list of tables"],
        ),
        ({"low": 1, "high": 10, "each": SIZE}, ["encoding.blocks"]),
        ({"low": 1, "high": 3, "each": {"rate": 1.0}}, ["encoding.blocks.0.size: is missing"]),
    ],
)
def test_a_list_that_cannot_be_searched_is_refused(table, words):
    with pytest.raises(StudyFileError) as caught:
        parsed(blocks=table)
    told = f"{caught.value.message} {caught.value.hint}"
    assert all(word in told for word in words), told


def test_a_list_for_a_parameter_that_holds_none_is_refused():
    with pytest.raises(StudyFileError, match=r"encoding\.sizes = .*this parameter is no list of tables"):
        parsed(sizes={"low": 1, "high": 3, "each": {"k": 1}})


def test_a_list_has_no_largest_value():
    ranges = Ranges({"blocks": ListOf({"size": Integer(1, 4)}, 1, 2)})
    assert ranges.may_be("blocks", [{"size": 3}])
    assert not ranges.may_be("blocks", [])
    with pytest.raises(TypeError, match="'blocks' is a list"):
        ranges.largest("blocks")
