"""Parameters in words: what the documentation and the command line say of a component."""

from __future__ import annotations

import tomllib
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from spikefront import Coder
from spikefront.components import KINDS, Component, Retries
from spikefront.describe import Parameter, parameters, summary, type_in_words, written
from spikefront.plugins import load


class Odd(Coder):
    """A coder with parameters of many types.

    It is never used.
    """

    name: ClassVar[str] = "odd"

    rate: float = Field(gt=0, le=0.5, description="spikes per step")
    form: Literal["a", "b"] = Field("a", description="shape")
    widths: tuple[Annotated[int, Field(gt=0)], ...] = Field((3, 4), min_length=1, description="neurons")
    most: int | None = Field(None, ge=2, description="limit")


def test_own_parameters_come_first_and_are_in_words():
    assert parameters(Odd) == [
        Parameter("rate", "number", "needed", "above 0, at most 0.5", "spikes per step", True),
        Parameter("form", 'one of "a", "b"', '"a"', "", "shape", True),
        Parameter("widths", "list of whole numbers", "[3, 4]", "length at least 1; each above 0", "neurons", True),
        Parameter("most", "whole number", "none", "at least 2", "limit", True),
        Parameter("steps", "whole number", "4", "at least 1, at most 10000", "number of time steps T", True),
    ]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"),
        (float | None, "number"),
        (int | str, "whole number or string"),
        (dict[str, float], "table of numbers"),
        (list[bool], "list of values, each true or false"),
        (Retries, "table"),
        (object, "any value"),
    ],
)
def test_types_in_words(annotation, words):
    assert type_in_words(annotation) == words


@pytest.mark.parametrize("value", [1.5, 1e-5, 3, True, 'a "b"', [1, [2]], {"a": {"b": [1]}}, {}, ("x",)])
def test_values_are_written_as_toml(value):
    back = tomllib.loads(f"x = {written(value)}")["x"]
    assert back == (list(value) if isinstance(value, tuple) else value)


def test_tables_are_written_by_the_keys_of_a_study_file():
    assert tomllib.loads(f"x = {written(Retries())}")["x"]["worker-died"] == 1


def test_a_summary_is_the_first_paragraph():
    assert summary(Odd) == "A coder with parameters of many types."


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_says_what_it_is_and_what_its_parameters_mean(kind: str) -> None:
    for name, component in load().components(kind).items():
        assert summary(component), f"{kind} '{name}' has no docstring"
        assert summary(component) != summary(Component), f"{kind} '{name}' has the docstring of all components"
        assert component.__doc__ != KINDS[kind].__doc__, f"{kind} '{name}' has the docstring of its contract"
        for parameter in parameters(component):
            assert parameter.description, f"{kind} '{name}': parameter '{parameter.name}' has no description"
            assert parameter.type != "any value", f"{kind} '{name}': parameter '{parameter.name}' has no type in words"


def test_only_what_describes_a_candidate_is_searchable():
    assert all(parameter.searchable for parameter in parameters(load().components("neuron")["lif"]))
    assert not any(parameter.searchable for parameter in parameters(load().components("fitness")["energy"]))
