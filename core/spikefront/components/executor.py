"""Contract of executors: where evaluations run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future
from typing import Any, ClassVar

from pydantic import Field, field_validator

from spikefront.components.base import Component
from spikefront.job import Evaluation, Job
from spikefront.sources import Sources


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

    A worker calls `spikefront.evaluate.evaluate(job, registry)` with the registry that `load(sources)` gives.
    """

    kind: ClassVar[str] = "executor"

    workers: int = Field(2, ge=1, description="evaluations that run at the same time")
    threads: int = Field(1, ge=1, description="torch threads of each worker")
    timeout: float | None = Field(None, gt=0, description="time after which an evaluation is given up: 90, '20m'")
    retries: int = Field(0, ge=0, description="how often a failed evaluation is tried again")

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

    @abstractmethod
    def open(self, sources: Sources) -> Pool:
        """Start workers that know the plugins of `sources`."""
