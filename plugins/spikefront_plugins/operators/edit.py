"""Mutation of lists."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from spikefront import Mutation, hookimpl
from spikefront.components import Operator
from spikefront.genome import same
from spikefront.space import Choice, Domain, ListOf
from spikefront_plugins.operators._domains import expect

ROUNDS = 20
"""How often a value is drawn again that is the present one."""


class Edit(Mutation):
    """Inserts a table, deletes one, or draws one value of one table anew; what the bounds of the length forbid changes.

    For programs these are the macro mutations, and the micro mutation of an operation, a register or a constant, of
    Brameier and Banzhaf, Linear Genetic Programming (2007), chapter 6, each with a chance of its own.
    """

    name: ClassVar[str] = "edit"
    domains: ClassVar[tuple[type[Any], ...]] = (ListOf,)

    insert: float = Field(0.25, ge=0, le=1, description="chance that a table is inserted")
    delete: float = Field(0.25, ge=0, le=1, description="chance that a table is deleted")
    edits: int = Field(1, ge=1, le=100, description="how many such changes are made one after the other")

    @model_validator(mode="after")
    def _chances(self) -> Self:
        if self.insert + self.delete > 1:
            raise ValueError(f"insert + delete = {self.insert + self.delete:g} has to be at most 1")
        return self

    def mutate(self, domain: Domain, value: Any, rng: np.random.Generator) -> Any:
        bounds = expect(domain, ListOf)
        for _ in range(self.edits):
            value = self._edited(bounds, value, rng)
        return value

    def _edited(self, bounds: ListOf, value: Any, rng: np.random.Generator) -> Any:
        drawn = rng.random()
        if len(value) < bounds.high and (drawn < self.insert or not value):
            place = int(rng.integers(len(value) + 1))
            return [*value[:place], bounds.sample_one(rng), *value[place:]]
        place = int(rng.integers(len(value)))
        if len(value) > bounds.low and drawn >= 1 - self.delete:
            return [*value[:place], *value[place + 1 :]]
        return [*value[:place], _changed(bounds, value[place], rng), *value[place + 1 :]]


def _changed(bounds: ListOf, item: Any, rng: np.random.Generator) -> Any:
    """Return a table with another value at one of its keys, where one of them has another."""
    fixed = {key for key, domain in bounds.each.items() if isinstance(domain, Choice) and len(domain.values) == 1}
    keys = [key for key in bounds.each if key not in fixed] or list(bounds.each)
    key = keys[int(rng.integers(len(keys)))]
    for _ in range(ROUNDS):
        drawn = bounds.each[key].sample(rng)
        if not same(drawn, item[key]):
            break
    return {**item, key: drawn}


@hookimpl
def spikefront_operators() -> list[type[Operator]]:
    """Provide the mutation of lists."""
    return [Edit]
