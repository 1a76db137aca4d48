"""What every component is: a frozen, validated set of parameters with a kind and a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from spikefront.space import Choice, Domain, Integer, ListOf, Real, Tensor


class Component(BaseModel):
    """A thing that a plugin provides. Its fields are its parameters; any of them may be searched.

    Instances are values: equal when their parameters are, hashable, without state. What has to be
    remembered while something runs belongs to the object that a method returns.

    Attributes:
        kind: The hook that the component comes through; set by the contract.
        name: What a study file calls it: lower case, words joined by hyphens, unique in its kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    name: ClassVar[str]

    @classmethod
    def evolved_arrays(cls, ranges: Ranges) -> dict[str, Tensor]:
        """Declare the arrays that evolve together with the parameters; none by default.

        Args:
            ranges: What each parameter of the component may become in the study at hand.

        Returns:
            Name of the array -> its domain. The values reach the component through `Parts.arrays`.
        """
        return {}


class Ranges(Mapping[str, Any]):
    """What each parameter of a component may become: a fixed value or a domain, by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def largest(self, name: str) -> Any:
        """Return the largest value that a parameter may take.

        Raises:
            TypeError: It is a searched list, of which none is the largest.
        """
        match self._values[name]:
            case Real(high=high) | Integer(high=high):
                return high
            case Choice(values):
                return max(values)
            case ListOf():
                raise TypeError(f"'{name}' is a list that is searched, and has no largest value")
            case fixed:
                return fixed

    def may_be(self, name: str, *values: Any) -> bool:
        """Tell whether a parameter may take one of the values."""
        match self._values[name]:
            case Real() | Integer() | Choice() | ListOf() as domain:
                return any(domain.contains(value) for value in values)
            case fixed:
                return fixed in values


def searched(value: Any) -> bool:
    """Tell whether an entry of `Ranges` is a domain and not a fixed value."""
    return isinstance(value, Domain)
