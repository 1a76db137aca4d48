"""The tables of a study file that describe no component: [study], the budget in [search], schedules of weights."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Settings(_Table):
    """The [study] section."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        max_length=100,
        description="letters, digits, '_', '.' and '-', the first a letter or digit",
    )
    seed: int = Field(0, ge=0, description="what all random numbers come from")
    objectives: list[Any] = Field(min_length=1, description="fitness terms that are searched for, as a list of names")
    columns: list[Any] = Field(default_factory=list, description="fitness terms that are recorded only")
    replicates: int = Field(1, ge=1, le=1000, description="how often each candidate is trained, with other seeds")
    keep: Literal["front", "all", "none"] = Field("front", description="candidates whose weights are stored")
    plugins: list[str] = Field(
        default_factory=list, description="folders of single-file plugins, relative to the study file"
    )


class EarlyStop(_Table):
    """The [search.early_stop] section: multi-objective successive halving.

    After each rung, a share of the training, a candidate is compared with all that were seen at that rung; only the
    better share `keep` trains on, from where it stopped.
    """

    rungs: tuple[float, ...] = Field((0.125, 0.375), min_length=1, description="shares of the training, increasing")
    keep: float = Field(0.3, gt=0, lt=1, description="share of the candidates that goes on at each rung")

    @model_validator(mode="after")
    def _increasing(self) -> EarlyStop:
        if not all(low < high for low, high in pairwise((0.0, *self.rungs, 1.0))):
            raise ValueError(f"rungs = {list(self.rungs)} should increase, above 0 and below 1")
        return self


class Screening(_Table):
    """The keys of the [search.screening] section that are not the predictor's.

    The score of each candidate is taken after the share `budget` of its training. Where the score has shown its worth,
    a candidate is trained to the end only if it belongs to the better share `keep` of all that were seen, with the
    score in place of the objective.
    """

    budget: float = Field(0.0, ge=0, lt=1, description="share of the training before the score is taken")

    keep: float = Field(0.5, gt=0, lt=1, description="share of the candidates that is trained")
    objective: str = Field("accuracy", description="the objective that the score stands for")
    bound: float = Field(0.3, ge=-1, le=1, description="smallest Kendall tau of score and objective")
    after: int = Field(20, ge=2, description="smallest number of candidates that Kendall's tau is taken over")
    unscreened: float = Field(0.1, ge=0, lt=1, description="share of the candidates trained whatever their score")


class Budget(_Table):
    """The part of the [search] section that is not the algorithm's."""

    population: int = Field(24, ge=2, description="candidates of a generation")
    generations: int | None = Field(None, ge=1, description="number of generations, the first included")
    evaluations: int | None = Field(None, ge=1, description="number of candidates, in place of generations")
    wait: float = Field(
        1.0, gt=0, le=1, description="share of a generation that has to end before the algorithm is asked for more"
    )
    operators: list[Any] = Field(default_factory=list, description="evolution operators that go before the usual ones")
    reference: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="objective -> [ideal, reference], the bounds of the hypervolume"
    )

    cache: bool = Field(False, description="take candidates from, and leave them to, other studies of the database")
    early_stop: EarlyStop | None = Field(None, description="stop candidates early that others leave behind")
    screening: Any = Field(None, description="a predictor of which candidates deserve training, with its keys")
    inheritance: Literal["baldwin", "lamarck"] = Field(
        "baldwin", description="start training from fresh values, or from what a parent learnt"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> Budget:
        if self.generations is None and self.evaluations is None:
            raise ValueError("needs either generations or evaluations")
        if self.generations is not None and self.evaluations is not None:
            raise ValueError(
                f"has generations = {self.generations} and evaluations = {self.evaluations}; give only one"
            )
        return self

    @model_validator(mode="after")
    def _whole_generations(self) -> Budget:
        if self.wait < 1 and (self.early_stop or self.screening):
            raise ValueError(
                f"wait = {self.wait:g} does not go with early_stop or screening, which compare whole generations; "
                "leave one of them out"
            )
        return self

    @property
    def inherits(self) -> bool:
        """Whether children start from what a parent learnt."""
        return self.inheritance == "lamarck"

    def extended(self, extension: Mapping[str, int] | None) -> Budget:
        """Return this budget with another number of generations or evaluations."""
        return self.model_copy(update={"generations": None, "evaluations": None, **extension}) if extension else self

    @property
    def total(self) -> int:
        """Number of candidates that the search asks for."""
        return self.evaluations or self.population * (self.generations or 0)

    @property
    def last_generation(self) -> int:
        """Number of generations, a partial last one included."""
        return -(-self.total // self.population)


class Schedule(_Table):
    """A weight that changes linearly from `start` to `end` during the first share `until` of the generations."""

    start: float = Field(description="weight in the first generation")
    end: float = Field(description="weight at last")
    until: float = Field(1.0, gt=0, le=1, description="share of the generations after which the weight stays")

    def at(self, generation: int, generations: int) -> float:
        """Return the weight of a generation, counted from 0."""
        span = self.until * max(generations - 1, 1)
        return self.start + (self.end - self.start) * min(generation / span, 1.0)
