"""Running a suite without pytest: one outcome for each check."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal
from unittest import SkipTest

from spikefront.components import Component
from spikefront.testing._contract import ComponentContract, one_line


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        check: Name of the check, without `test_`.
        purpose: What it makes sure of, in a sentence.
        state: Whether the component passed it, failed it, or has nothing that could be checked.
        message: Why it failed or was skipped; empty where it passed.
    """

    check: str
    purpose: str
    state: Literal["passed", "failed", "skipped"]
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the component does not keep its contract."""
        return self.state == "failed"


def checks_of(suite: type[ComponentContract[Any]]) -> list[str]:
    """Return the names of a suite's checks, without `test_`: those of every component first."""
    names = (name for cls in reversed(suite.__mro__) for name in vars(cls) if name.startswith("test_"))
    return [name.removeprefix("test_") for name in dict.fromkeys(names)]


def run_check(suite: type[ComponentContract[Any]], check: str, component: Component) -> Outcome:
    """Run one check on a component; a failure is an outcome."""
    method = getattr(suite(), f"test_{check}")
    purpose = (inspect.getdoc(method) or check.replace("_", " ")).split("\n\n")[0]
    try:
        method(component)
    except SkipTest as reason:
        return Outcome(check, " ".join(purpose.split()), "skipped", one_line(reason))
    except AssertionError as failure:
        return Outcome(check, " ".join(purpose.split()), "failed", one_line(failure))
    return Outcome(check, " ".join(purpose.split()), "passed")


def run_checks(component: Component, suite: type[ComponentContract[Any]] | None = None) -> list[Outcome]:
    """Run all checks of a suite on a component.

    Args:
        component: An instance; its parameters may matter.
        suite: The suite; by default that of the component's kind.
    """
    from spikefront.testing import CONTRACTS

    chosen = CONTRACTS[component.kind] if suite is None else suite
    return [run_check(chosen, check, component) for check in checks_of(chosen)]
