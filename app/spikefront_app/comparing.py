"""Studies side by side: their common box, curves, final values and tests. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spikefront.measure.comparison import FEWEST, Comparison, Values, compared, holm, size_of_effect
from spikefront.measure.hypervolume import hypervolume, nondominated
from spikefront.storage import StudyObjective, StudyRow
from spikefront_app.course import BEST, HYPERVOLUME, Box, corners, losses_of


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


def common_box(
    studies: Sequence[StudyRow], tables: Mapping[str, pd.DataFrame], objectives: Sequence[StudyObjective]
) -> Box:
    """Return a box for all studies: the smallest that holds the box of each, and the best values that any found.

    Empty where no study has a box yet.

    Args:
        studies: With one objective in common at least.
        tables: Their evaluations by the name of the study.
        objectives: Those in common.
    """
    boxed = [study for study in studies if study.reference]
    if not boxed:
        return {}
    box: dict[str, tuple[float, float]] = {}
    for place, objective in enumerate(objectives):
        ends = [
            [objective.loss(value) for value in study.reference[objective.name]] for study in boxed if study.reference
        ]
        found = [losses_of(tables[study.name], objectives)[:, place] for study in boxed]
        lowest = [float(values.min()) for values in (losses[~np.isnan(losses)] for losses in found) if len(values)]
        low, high = min([end[0] for end in ends] + lowest), max(end[1] for end in ends)
        box[objective.name] = objective.loss(low), objective.loss(high)
    return box


def final(study: StudyRow, table: pd.DataFrame, objectives: Sequence[StudyObjective], box: Box) -> Final:
    """Return what a study ended with, over the objectives in common."""
    losses = losses_of(table, objectives)
    known = np.flatnonzero(~np.isnan(losses).any(1))
    rows = known[nondominated(losses[known])]
    names = [objective.name for objective in objectives]
    values = {HYPERVOLUME: hypervolume(losses[rows], *corners(objectives, box))} if box else {}
    if len(rows):
        values |= {BEST + o.name: o.loss(float(losses[rows, n].min())) for n, o in enumerate(objectives)}
    return Final(study.seed, len(table), table.iloc[rows][["id", *names]], values)


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
    for measure in [HYPERVOLUME, *(BEST + objective.name for objective in objectives)]:
        sign = -1.0 if measure in worse_is_more else 1.0
        values = {name: _by_seed(finals, measure, sign) for name, finals in groups.items()}
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


def _by_seed(finals: Sequence[Final], measure: str, sign: float) -> Values:
    """Return a value of each study by its seed; by its place, below 0, where a seed occurs twice."""
    counts = Counter(one.seed for one in finals)
    twice = any(count > 1 for count in counts.values())
    known = [(-1 - place if twice else one.seed, one) for place, one in enumerate(finals) if measure in one.values]
    return {seed: sign * one.values[measure] for seed, one in known}


def warnings(groups: Mapping[str, Sequence[Final]]) -> list[str]:
    """Return sentences about what a comparison cannot say: groups that are too small, budgets that differ."""
    sentences = []
    few = [f"{name} ({len(finals)})" for name, finals in groups.items() if len(finals) < FEWEST]
    if few and len(groups) > 1:
        sentences.append(
            f"Too few studies for a test, which needs {FEWEST} of each group, with other seeds: {', '.join(few)}. "
            "The figures show what there is; a difference between so few may be chance."
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
    ends = [f"{o.name} from {box[o.name][0]:,.4g} to {box[o.name][1]:,.4g}" for o in objectives]
    return (
        f"It is a share of one box for all studies shown: {', '.join(ends)}. That is the smallest box that holds the "
        "one that each study fixed, and the best values that any of them found; with other studies it may be another."
    )


TESTS = (
    "Each pair of groups in each final value. Signed rank: Wilcoxon's test on pairs of studies with the same seed; "
    "rank sum: his test for groups with other seeds (Mann and Whitney's). p (Holm) is corrected for the number of "
    "tests in the table; below 0.05 a difference is hardly chance. A12 (Vargha and Delaney) is the chance that a study "
    "of the first group is better than one of the second: 0.5 is no difference, 1 always, 0 never."
)
