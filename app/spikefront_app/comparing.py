"""Studies side by side: their common box, curves, final values and tests. Pure functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
import pandas as pd

from spikefront.measure.comparison import FEWEST, Comparison, Values, compared, holm, size_of_effect
from spikefront.measure.hypervolume import hypervolume, nondominated
from spikefront.storage import StudyObjective, StudyRow
from spikefront_app.course import BEST, HYPERVOLUME, Box, corners, front_losses, in_words, losses_of


@dataclass(frozen=True)
class Final:
    """What a study ended with, or has by now.

    Attributes:
        seed: The study's seed.
        evaluations: Recorded evaluations.
        front: Its front over the common objectives: a row each, "id" and the objectives in their own units.
        values: Hypervolume and best values, in their own units, by the name of the indicator.
    """

    seed: int
    evaluations: int
    front: pd.DataFrame
    values: Mapping[str, float]


def final(study: StudyRow, table: pd.DataFrame, objectives: Sequence[StudyObjective]) -> Final:
    """Return what a study ended with over the objectives in common, without its hypervolume."""
    losses = losses_of(table, objectives)
    known = np.flatnonzero(~np.isnan(losses).any(1))
    rows = known[nondominated(losses[known])]
    best = losses[rows].min(0) if len(rows) else ()
    values = {BEST + o.name: o.loss(float(loss)) for o, loss in zip(objectives, best, strict=False)}
    front = table.iloc[rows][["id", *(objective.name for objective in objectives)]].reset_index(drop=True)
    return Final(study.seed, len(table), front, values)


def in_box(one: Final, objectives: Sequence[StudyObjective], box: Box) -> Final:
    """Return what a study ended with, its hypervolume included; an empty box is none."""
    if not box:
        return one
    share = hypervolume(front_losses(one.front, objectives), *corners(objectives, box))
    return dataclasses.replace(one, values={HYPERVOLUME: share, **one.values})


def common_box(studies: Sequence[StudyRow], finals: Sequence[Final], objectives: Sequence[StudyObjective]) -> Box:
    """Return a box for all studies: the smallest that holds the box of each, and the best values that any found.

    Empty where no study has a box yet.

    Args:
        studies: With one objective in common at least.
        finals: What they ended with.
        objectives: Those in common.
    """
    known = [study.reference for study in studies if study.reference]
    box: dict[str, tuple[float, float]] = {}
    for objective in objectives if known else ():
        name = objective.name
        ends = [[objective.loss(value) for value in reference[name]] for reference in known]
        found = [objective.loss(one.values[BEST + name]) for one in finals if one.values]
        low, high = min([*(end[0] for end in ends), *found]), max(end[1] for end in ends)
        box[name] = objective.loss(low), objective.loss(high)
    return box


def curves(courses: Sequence[pd.DataFrame], axis: str, points: int = 200) -> pd.DataFrame:
    """Return median and quartiles of some courses, as far as the shortest goes: `axis`, "low", "median", "high".

    Args:
        courses: From `course_table`, none empty; before its first step a course is at 0.
        axis: Column that they go along.
        points: Largest number of places on the axis.
    """
    end = min(float(course[axis].iloc[-1]) for course in courses)
    begin = min(end, *(float(course[axis].iloc[0]) for course in courses))
    own = np.unique(np.concatenate([course[axis].to_numpy() for course in courses]))
    own = own[own <= end]
    grid = own if len(own) <= points else np.linspace(begin, end, points)
    values = np.array([_at(course, axis, grid) for course in courses])
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return pd.DataFrame({axis: grid, "low": low, "median": median, "high": high})


def _at(course: pd.DataFrame, axis: str, grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    last = np.searchsorted(course[axis].to_numpy(), grid, side="right") - 1
    return np.where(last >= 0, course["value"].to_numpy()[np.maximum(last, 0)], 0.0)


def summary(groups: Mapping[str, Sequence[Final]], units: Mapping[str, str]) -> pd.DataFrame:
    """Return median and quartiles of the final values: a row for each value and group."""
    rows = []
    for measure, unit in units.items():
        for name, finals in groups.items():
            values = [one.values[measure] for one in finals if measure in one.values]
            low, median, high = np.quantile(values, (0.25, 0.5, 0.75)) if values else (np.nan,) * 3
            rows.append(
                {
                    "value": measure if unit == "1" else f"{measure} [{unit}]",
                    "group": name,
                    "studies": len(values),
                    "median": median,
                    "lower quartile": low,
                    "upper quartile": high,
                }
            )
    return pd.DataFrame(rows)


def side_by_side(groups: Mapping[str, Sequence[Final]], objectives: Sequence[StudyObjective]) -> pd.DataFrame:
    """Return each pair of groups side by side in each final value; p-values are corrected over the whole table."""
    worse_is_more = {BEST + o.name for o in objectives if o.direction == "minimize"}
    found: list[tuple[str, Comparison]] = []
    others = count(1)
    for measure in [HYPERVOLUME, *(BEST + objective.name for objective in objectives)]:
        sign = -1.0 if measure in worse_is_more else 1.0
        values = {name: _by_seed(finals, measure, sign, others) for name, finals in groups.items()}
        found += [(measure, one) for one in compared(values)]
    tested = [one.p for _, one in found if one.p is not None]
    corrected = iter(holm(tested))
    rows = [
        {
            "value": measure,
            "first": one.first,
            "second": one.second,
            "test": one.test,
            "studies": f"{one.numbers[0]}, {one.numbers[1]}",
            "p": one.p,
            "p (Holm)": next(corrected) if one.p is not None else None,
            "A12": one.effect,
            "effect": size_of_effect(one.effect),
        }
        for measure, one in found
    ]
    return pd.DataFrame(rows).astype({"p": float, "p (Holm)": float}) if rows else pd.DataFrame()


def _by_seed(finals: Sequence[Final], measure: str, sign: float, others: Iterator[int]) -> Values:
    """Return a value of each study by its seed; where a seed occurs twice, by numbers that no other group has."""
    twice = len({one.seed for one in finals}) < len(finals)
    known = [one for one in finals if measure in one.values]
    return {-next(others) if twice else one.seed: sign * one.values[measure] for one in known}


def warnings(groups: Mapping[str, Sequence[Final]]) -> list[str]:
    """Return sentences about what a comparison cannot say: groups that are too small, budgets that differ."""
    sentences = []
    few = [f"{name} ({len(finals)})" for name, finals in groups.items() if len(finals) < FEWEST]
    if few and len(groups) > 1:
        sentences.append(
            f"A test needs {FEWEST} studies of each group, which differ in the seed. Too few: {', '.join(few)}. "
            "What differs between so few may be chance."
        )
    numbers = [one.evaluations for finals in groups.values() for one in finals]
    if numbers and min(numbers) < max(numbers):
        sentences.append(
            f"The studies have from {min(numbers):,} to {max(numbers):,} evaluations: their final values "
            "compare unlike budgets; the curves compare like with like."
        )
    return sentences


def explained(box: Box, objectives: Sequence[StudyObjective]) -> str:
    """Return sentences that say which box a hypervolume is a share of."""
    return (
        f"It is a share of one box for all studies shown: {in_words(box, objectives)}. That is the smallest box that "
        "holds the one that each study fixed, and the best values that any of them found; with other studies it may be "
        "another."
    )


TESTS = (
    "Each pair of groups in each final value. Signed rank: Wilcoxon's test on pairs of studies with the same seed; "
    "rank sum: his test for groups with other seeds (Mann and Whitney's). p (Holm) is corrected for the number of "
    "tests in the table; below 0.05 a difference is hardly chance. A12 (Vargha and Delaney) is the chance that a study "
    "of the first group is better than one of the second: 0.5 is no difference, 1 always, 0 never."
)
