"""The contract of every component, and what the checks of all kinds are made with."""

from __future__ import annotations

import functools
import json
import random
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from unittest import SkipTest

import numpy as np
import torch

from spikefront.components import KINDS, Component, Ranges
from spikefront.space import Tensor

C = TypeVar("C", bound=Component)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PREFIX = "test_"
_HERE = str(Path(__file__).parent)
_OURS = {cls for contract in KINDS.values() for cls in contract.__mro__}


class ComponentContract(Generic[C]):
    """What holds for a component of any kind; the suite of each kind adds what its contract promises.

    A plugin's tests derive a class from the suite of its kind, with a fixture `component` that returns an instance.
    Each method `test_...` is one check. It needs nothing of pytest: `run_checks` runs the same checks.

    Attributes:
        kind: Kind of component that the suite is for; "" for any.
    """

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _explain_errors(cls)

    def exercise(self, component: C) -> None:
        """Use a component once in the way that is usual for its kind."""

    def test_kind_and_name_are_valid(self, component: C) -> None:
        """The kind is one that Spikefront knows, and the name is lower-case words joined by hyphens."""
        cls = type(component)
        kind = getattr(cls, "kind", None)
        contract = KINDS.get(str(kind))
        require(
            contract is not None and isinstance(component, contract),
            f"{cls.__name__}: kind is {kind!r}; derive the class from the contract of its kind",
        )
        require(
            not self.kind or kind == self.kind,
            f"{cls.__name__}: kind is {kind!r}, and this suite is for '{self.kind}'; use `CONTRACTS[{kind!r}]`",
        )
        name = getattr(cls, "name", None)
        require(
            isinstance(name, str) and _NAME.fullmatch(name) is not None,
            f"{cls.__name__}: name is {name!r}; it has to be lower-case words joined by hyphens",
        )

    def test_docstring_says_what_it_is(self, component: C) -> None:
        """The class has a docstring of its own: lists, the app and the docs show it."""
        text = vars(type(component)).get("__doc__") or ""
        inherited = {" ".join((base.__doc__ or "").split()) for base in type(component).__mro__[1:]}
        require(
            len(text.split()) >= 3 and " ".join(text.split()) not in inherited,
            f"{type(component).__name__} has no docstring of its own; say in it what it does, with equation and source",
        )

    def test_parameters_are_described(self, component: C) -> None:
        """Every parameter has a description, which messages and the app show."""
        fields = type(component).model_fields
        silent = [name for name, info in fields.items() if not (info.description or "").strip()]
        require(not silent, f"{told(component)}: no description of {', '.join(silent)}; give Field(description=...)")

    def test_is_frozen(self, component: C) -> None:
        """An instance cannot be changed, and unknown parameters are refused."""
        for name in type(component).model_fields:
            require(
                _refuses(functools.partial(setattr, component, name, getattr(component, name))),
                f"{told(component)}: the parameter '{name}' can be set; leave frozen=True in its model_config",
            )
        values = dict(_values(component), no_such_parameter=1)
        require(
            _refuses(lambda: type(component).model_validate(values)),
            f"{told(component)} takes parameters that it does not have; leave extra='forbid' in its model_config",
        )

    def test_is_a_value(self, component: C) -> None:
        """It is hashable, and equal to itself after a way through JSON, as studies store it."""
        text = component.model_dump_json(by_alias=True)
        try:
            again = type(component).model_validate_json(text, strict=True)
        except ValueError as error:
            raise AssertionError(
                f"{told(component)} cannot be read again from its own JSON {text}: {one_line(error)}; "
                "use parameters of types that JSON holds"
            ) from error
        require(again == component, f"{told(component)} is not equal to its copy that was read from JSON: {again!r}")
        try:
            same = hash(again) == hash(component)
        except TypeError as error:
            raise AssertionError(
                f"{told(component)} cannot be hashed: {error}; use tuples for lists, or define __hash__"
            ) from error
        require(same, f"{told(component)}: equal instances have different hashes; look at __hash__ and __eq__")

    def test_defaults_are_allowed(self, component: C) -> None:
        """The defaults are within their own limits."""
        values = dict(_values(component))
        for name, info in type(component).model_fields.items():
            if not info.is_required():
                values[info.alias or name] = info.get_default(call_default_factory=True)
        try:
            type(component).model_validate(values)
        except ValueError as error:
            raise AssertionError(f"{told(component)} refuses its own defaults: {one_line(error)}") from error

    def test_evolved_arrays_are_domains(self, component: C) -> None:
        """The evolved arrays depend on the ranges alone, and are declared as `spikefront.space.Tensor`."""
        ranges = Ranges({name: getattr(component, name) for name in type(component).model_fields})
        arrays = type(component).evolved_arrays(ranges)
        require(
            isinstance(arrays, dict) and all(isinstance(domain, Tensor) for domain in arrays.values()),
            f"{told(component)}: evolved_arrays returned {arrays!r}; it has to be name -> spikefront.space.Tensor",
        )
        again = type(component).evolved_arrays(ranges)
        require(again == arrays, f"{told(component)}: evolved_arrays gave {arrays}, and then {again}")

    def test_global_randomness_is_left_alone(self, component: C) -> None:
        """Nothing is drawn from the generators that a process shares: torch's, numpy's, and that of `random`."""
        before = _global_states()
        self.exercise(component)
        for name, state in _global_states().items():
            require(
                state == before[name],
                f"{told(component)} drew from {name}; draw from the generator that is passed in, and from no other",
            )

    def test_use_does_not_change_it(self, component: C) -> None:
        """It is the same value after use: what has to be remembered belongs into what a method returns."""
        before, attributes = component.model_dump_json(), _class_state(component)
        self.exercise(component)
        require(
            component.model_dump_json() == before,
            f"{told(component)}: use changed its parameters, which were {before}",
        )
        changed = sorted(key for key, value in _class_state(component).items() if attributes.get(key) != value)
        require(
            not changed,
            f"{told(component)}: use changed its class, in {', '.join(changed)}; all instances and studies share it",
        )


def require(condition: Any, message: str) -> None:
    """Fail a check, in one sentence, unless the condition holds; `assert` would be gone with `python -O`."""
    __tracebackhide__ = True
    if not condition:
        raise AssertionError(message)


def skip(reason: str) -> SkipTest:
    """Return what a check raises where it has nothing to say; unittest and pytest know it."""
    return SkipTest(reason)


def told(component: Component) -> str:
    """Return how messages call a component: its kind and name."""
    cls = type(component)
    return f"{getattr(cls, 'kind', 'component')} '{getattr(cls, 'name', cls.__name__)}'"


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split())


def _explain_errors(suite: type) -> None:
    """Let the checks of a class fail with a sentence where a component raises an error."""
    for name, check in list(vars(suite).items()):
        if name.startswith(_PREFIX) and callable(check):
            setattr(suite, name, _explained(check))


def _explained(check: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(check)
    def checked(self: Any, *arguments: Any, **named: Any) -> None:
        try:
            check(self, *arguments, **named)
        except (AssertionError, SkipTest):
            raise
        except Exception as error:
            component = next((one for one in (*arguments, *named.values()) if isinstance(one, Component)), None)
            who = told(component) if component is not None else "the component"
            place = _where(error, component)
            raise AssertionError(f"{who} raised {type(error).__name__}: {one_line(error)}{place}") from error

    return checked


def _where(error: BaseException, component: Component | None) -> str:
    """Return the innermost place of an error in the component's own files, or else outside of the suites."""
    frames = traceback.extract_tb(error.__traceback__)
    modules = [sys.modules.get(cls.__module__) for cls in type(component).__mro__ if cls not in _OURS]
    files = {getattr(module, "__file__", None) for module in modules}
    outside = [frame for frame in frames if not frame.filename.startswith(_HERE)]
    own = [frame for frame in outside if frame.filename in files] or outside
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno}, in {own[-1].name})" if own else ""


def _refuses(action: Callable[[], Any]) -> bool:
    try:
        action()
    except (ValueError, AttributeError, TypeError):
        return True
    return False


def _values(component: Component) -> dict[str, Any]:
    """Return the parameters of a component by the names that a study file uses."""
    fields = type(component).model_fields
    return {info.alias or name: getattr(component, name) for name, info in fields.items()}


def _global_states() -> dict[str, str]:
    numbers = np.random.get_state(legacy=False)  # noqa: NPY002 - whether somebody used it
    return {
        "torch's global generator": str(torch.random.get_rng_state().tolist()),
        "numpy's global generator": json.dumps(numbers, default=str) + str(numbers["state"]["key"].tobytes()),
        "the module random": str(random.getstate()),
    }


def _class_state(component: Component) -> dict[str, str]:
    """Return the attributes that the classes of a component hold as data, as text."""
    plain = (bool, int, float, str, list, tuple, dict, set, frozenset)
    return {
        f"{cls.__name__}.{name}": repr(value)
        for cls in type(component).__mro__
        if issubclass(cls, Component)
        for name, value in vars(cls).items()
        if isinstance(value, plain) and not name.startswith(("__", "model_", "_abc"))
    }


_explain_errors(ComponentContract)
