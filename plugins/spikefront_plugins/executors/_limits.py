"""What executors with worker processes of their own have in common: limits of memory and of jobs."""

from __future__ import annotations

import re
import resource
import sys
from typing import Any

from pydantic import Field, field_validator

from spikefront import Executor
from spikefront.job import Evaluation

GIB = 2**30
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(MiB|GiB|MB|GB)\s*")
_UNITS = {"MiB": 2**20, "GiB": 2**30, "MB": 10**6, "GB": 10**9}


class Limited(Executor):
    """Settings of executors that can bound what a worker takes."""

    memory: float | None = Field(
        None, ge=0.5, description="most memory of a worker in GiB, its libraries included: 1.5, '1536MiB'"
    )
    jobs: int | None = Field(None, ge=1, description="evaluations after which a worker is replaced by a fresh one")

    @field_validator("memory", mode="before")
    @classmethod
    def _gibibytes(cls, value: Any) -> Any:
        """Read '1GiB', '800 MB' as GiB."""
        if value is not None and sys.platform != "linux":
            raise ValueError("can be limited on Linux only")
        if not isinstance(value, str):
            return value
        match = _SIZE.fullmatch(value)
        if match is None:
            raise ValueError("should be a number of GiB or a size like '1GiB' or '800MB'")
        return float(match[1]) * _UNITS[match[2]] / GIB


def is_spoilt(evaluation: Evaluation, memory: float | None) -> bool:
    """Tell whether a worker with a limit should go, as it may be full of what a candidate left.

    Memory that was freed is not always given back, and the next candidate would find less.
    """
    return bool(memory and evaluation.failure and evaluation.failure.kind == "out-of-memory")


def limit_memory(gibibytes: float) -> None:
    """Let this process have at most so much writable memory of its own.

    Beyond it the operating system refuses memory, which Python, NumPy and torch report as an error. It bounds heap and
    anonymous maps, touched or not (RLIMIT_DATA); not the code of libraries, nor what processes share.
    """
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = int(gibibytes * GIB)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
