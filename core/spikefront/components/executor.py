"""Contract of executors: where evaluations run, and which failures are tried again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spikefront.components.base import Component
from spikefront.job import Evaluation, FailureKind, Job
from spikefront.sources import Sources


class Retries(BaseModel):
    """How often a candidate is tried again after a failure of each kind.

    What depends on the candidate alone fails again, and costs its time again. A worker may also die of something else.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=lambda name: name.replace("_", "-"),
        serialize_by_alias=True,
    )

    exception: int = Field(0, ge=0, description="it raised an error")
    not_finite: int = Field(0, ge=0, description="a loss or a measurement became NaN or infinite")
    out_of_memory: int = Field(0, ge=0, description="it asked for more memory than there is, or than it may take")
    time_out: int = Field(0, ge=0, description="it took longer than `timeout`")
    worker_died: int = Field(1, ge=0, description="its process or its machine ended")
    plugin: int = Field(0, ge=0, description="a component broke its contract, or is missing where it runs")

    def after(self, kind: FailureKind) -> int:
        """Return how often a candidate is tried again after failures of a kind."""
        times: int = getattr(self, kind.replace("-", "_"))
        return times


class Pool(ABC):
    """Running workers. A future of a pool always ends in an `Evaluation`: a failure is a value."""

    @abstractmethod
    def submit(self, job: Job) -> Future[Evaluation]:
        """Queue a job. Jobs start in the order of their submission."""

    @abstractmethod
    def close(self) -> None:
        """Give up what has not ended, stop the workers and wait until they are gone."""


class Executor(Component, ABC):
    """A way to run jobs.

    A worker calls `spikefront.evaluate.evaluate(job, registry)` with the registry that `load(sources)` gives. A worker
    that dies ends its own job only.
    """

    kind: ClassVar[str] = "executor"

    workers: int = Field(2, ge=1, description="evaluations that run at the same time")
    threads: int = Field(1, ge=1, description="torch threads of each worker")
    timeout: float | None = Field(None, gt=0, description="time after which an evaluation is given up: 90, '20m'")
    retries: Retries = Field(Retries(), description="how often a candidate is tried again, by kind of failure")

    @field_validator("timeout", mode="before")
    @classmethod
    def _seconds(cls, value: Any) -> Any:
        """Read '90s', '20m', '1h30m' as seconds."""
        if not isinstance(value, str):
            return value
        import pandas as pd

        try:
            return float(pd.Timedelta(value).total_seconds())
        except ValueError:
            raise ValueError("should be a number of seconds or a time like '20m'") from None

    @field_validator("retries", mode="before")
    @classmethod
    def _all_kinds(cls, value: Any) -> Any:
        """Let a number stand for every kind."""
        if isinstance(value, int) and not isinstance(value, bool):
            return dict.fromkeys(get_args(FailureKind), value)
        return value

    @abstractmethod
    def open(self, sources: Sources) -> Pool:
        """Start workers that know the plugins of `sources`.

        Raises:
            InputError: The workers cannot be had.
        """
