"""Candidates of a front that deserve a look: its knee, its ends, the best of a region. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spikefront.components.algorithm import StudyObjective
from spikefront.measure.hypervolume import nondominated

FEWEST = 3
"""Points that a front needs to have a knee."""


@dataclass(frozen=True)
class Pick:
    """A candidate, and why it was picked.

    Attributes:
        name: What it is.
        number: The candidate.
        why: How it was found.
        marked: Whether a figure marks it.
    """

    name: str
    number: int
    why: str
    marked: bool = True


def picks_of(
    front: pd.DataFrame,
    objectives: Sequence[StudyObjective],
    shown: Sequence[StudyObjective],
    logs: Sequence[bool],
    limits: Mapping[str, float],
) -> list[Pick]:
    """Return all picks: the best within the limits, the knee, the ends.

    Args:
        front: The front.
        objectives: All objectives of the study.
        shown: Those on the axes; there is a knee where these are two.
        logs: Whether the axes are logarithmic.
        limits: Worst acceptable value by objective.
    """
    if front.empty:
        return []
    two = len(shown) == 2 and shown[0] != shown[1]
    found = [compromise(front, objectives, limits) if limits else None, knee(front, shown, logs) if two else None]
    return [pick for pick in found if pick] + (ends(front, objectives) if len(objectives) > 1 else [])


def staircase(front: pd.DataFrame, objectives: Sequence[StudyObjective]) -> pd.DataFrame:
    """Return those of a front that no other beats in two objectives alone, in the order of the first one."""
    losses = np.column_stack([_losses(front, objective) for objective in objectives])
    return front[nondominated(losses)].sort_values(objectives[0].name, kind="stable") if len(front) else front


def knee(front: pd.DataFrame, objectives: Sequence[StudyObjective], logs: Sequence[bool]) -> Pick | None:
    """Return the knee of a front in two objectives: the point farthest from the line through the front's ends.

    Both objectives are scaled so that the ends are at 0 and 1, after the logarithm where the axis is logarithmic. A
    front of fewer than three points, or one that bulges the other way everywhere, has none.

    Source: Das, On characterizing the "knee" of the Pareto curve based on normal-boundary intersection, Structural
    Optimization 18 (1999).
    """
    stairs = staircase(front, objectives)
    for objective, log in zip(objectives, logs, strict=True):
        stairs = stairs[stairs[objective.name] > 0] if log else stairs
    if len(stairs) < FEWEST:
        return None
    scaled = sum(_scaled(_losses(stairs, o, log)) for o, log in zip(objectives, logs, strict=True))
    distances = (1.0 - np.asarray(scaled)) / np.sqrt(2.0)
    best = int(np.argmax(distances))
    if not distances[best] > 0:
        return None
    why = f"farthest, {distances[best]:.2f}, from the line through the front's two ends, both axes scaled to 0 to 1"
    return Pick("knee", int(stairs["id"].iloc[best]), why)


def ends(front: pd.DataFrame, objectives: Sequence[StudyObjective]) -> list[Pick]:
    """Return the best of a front in each objective."""
    if front.empty:
        return []
    word = {"minimize": "lowest", "maximize": "highest"}
    return [
        Pick(
            f"best {o.name}",
            int(front["id"].iloc[int(np.argmin(_losses(front, o)))]),
            f"{word[o.direction]} {o.name} of the front",
            marked=False,
        )
        for o in objectives
    ]


def within(front: pd.DataFrame, objectives: Sequence[StudyObjective], limits: Mapping[str, float]) -> pd.DataFrame:
    """Return those of a front that are no worse than some limits, by objective."""
    for objective in objectives:
        if objective.name in limits:
            limit = limits[objective.name]
            front = front[_losses(front, objective) <= objective.loss(limit)]
    return front


def compromise(front: pd.DataFrame, objectives: Sequence[StudyObjective], limits: Mapping[str, float]) -> Pick | None:
    """Return, of a front within limits, the candidate nearest to the best values there, each objective scaled.

    Objectives are scaled to 0 to 1 over the whole front, so that the limits move no scale.
    """
    inside = within(front, objectives, limits)
    if inside.empty:
        return None
    places = np.column_stack([_scaled(_losses(front, o)) for o in objectives])[front["id"].isin(inside["id"])]
    distances = np.linalg.norm(places - places.min(0), axis=1)
    best = int(np.argmin(distances))
    why = f"within your limits, nearest ({distances[best]:.2f}) to the best values there, objectives scaled to 0 to 1"
    return Pick("pick of the region", int(inside["id"].iloc[best]), why)


def _losses(front: pd.DataFrame, objective: StudyObjective, log: bool = False) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = np.array(front[objective.name], dtype=np.float64)
    if log:
        values = np.log10(values)
    return values if objective.direction == "minimize" else -values


def _scaled(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    span = float(np.ptp(losses))
    return np.asarray((losses - losses.min()) / (span or 1.0), dtype=np.float64)
