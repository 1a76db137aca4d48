"""The genome: one point of a search space, content-hashed, as JSON plus arrays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikefront.errors import InputError

Value = Any
"""What a gene may hold: a bool, int, float, string, list or table of these, or a float32 array."""

_ARRAY_MARK = "$array"


class Genome(Mapping[str, Value]):
    """An immutable map from the path of a parameter to its value.

    Two genomes are equal when their content is: same paths, same values, whatever the order.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = {path: _plain(path, values[path]) for path in sorted(values)}

    def __getitem__(self, path: str) -> Value:
        return self._values[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Genome) and self.hash == other.hash

    def __hash__(self) -> int:
        return int(self.hash[:15], 16)

    def __repr__(self) -> str:
        return f"Genome({self.hash[:12]}: {self.to_json()})"

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON and of each array's shape and bytes, in hexadecimal."""
        digest = hashlib.sha256(self.to_json().encode())
        for array in self.arrays.values():
            digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
        return digest.hexdigest()

    @property
    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """The genes that are arrays, by path."""
        return {path: value for path, value in self.items() if isinstance(value, np.ndarray)}

    def to_json(self) -> str:
        """Return canonical JSON in which an array is replaced by a mark with its shape."""
        values = {
            path: {_ARRAY_MARK: list(value.shape)} if isinstance(value, np.ndarray) else value
            for path, value in self.items()
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str, arrays: Mapping[str, npt.NDArray[np.float32]]) -> Genome:
        """Put a genome together again from `to_json` and `arrays`.

        Raises:
            InputError: An array is missing or has another shape than the JSON says.
        """
        values = json.loads(text)
        for path, value in values.items():
            if isinstance(value, dict) and _ARRAY_MARK in value:
                shape = tuple(value[_ARRAY_MARK])
                if path not in arrays or arrays[path].shape != shape:
                    found = arrays[path].shape if path in arrays else "nothing"
                    raise InputError(f"genome: array '{path}' should have shape {shape}, found {found}")
                values[path] = arrays[path]
        return cls(values)


def same(a: Value, b: Value) -> bool:
    """Tell whether two values of a gene are the same; lists, tuples and tables are, if their items are."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


def _plain(path: str, value: Value) -> Value:
    """Return `value` as plain Python, or as a read-only float32 array."""
    match value:
        case np.ndarray():
            with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
                array = np.array(value, dtype=np.float32, order="C")
            array += 0  # -0.0 becomes 0.0
            if not np.isfinite(array).all():
                raise InputError(f"genome: array '{path}' has entries that are not finite")
            array.setflags(write=False)
            return array
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            if not math.isfinite(value):
                raise InputError(f"genome: '{path}' = {value} is not finite")
            return float(value) + 0.0  # -0.0 becomes 0.0
        case str() | None:
            return value
        case list() | tuple() if not _holds_array(value):
            return [_plain(path, item) for item in value]
        case dict() if not _holds_array(value.values()) and _ARRAY_MARK not in value:
            return {str(key): _plain(path, item) for key, item in value.items()}
    raise InputError(f"genome: '{path}' has a {type(value).__name__}; allowed are numbers, strings, lists, arrays")


def _holds_array(items: Iterable[Value]) -> bool:
    return any(isinstance(item, np.ndarray) for item in items)
