"""The part of a page that chooses groups of studies."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from spikefront.storage import StudyRow
from spikefront_app.figures.compare import MOST_GROUPS
from spikefront_app.set_ups import grouped_by_set_up, named
from spikefront_app.widgets import choose, choose_several, choose_studies

WAYS = ("by set-up", "each study", "by hand")
_AT_FIRST = 30


def choose_groups(studies: Sequence[StudyRow]) -> dict[str, list[StudyRow]]:
    """Return the studies to compare, by the name of their group, at most as many as there are colours.

    Args:
        studies: All there are, the newest first, at least one.
    """
    way = choose(
        "Groups",
        WAYS,
        "compare_by",
        WAYS[0],
        hint="Studies of one set-up have equal specifications but for their names and seeds.",
    )
    groups = _by_hand() if way == WAYS[2] else _chosen(studies, way)
    if len(groups) > MOST_GROUPS:
        st.warning(f"{len(groups)} groups are more than can be told apart: the first {MOST_GROUPS} are shown.")
    return dict(list(groups.items())[:MOST_GROUPS])


def _chosen(studies: Sequence[StudyRow], way: str) -> dict[str, list[StudyRow]]:
    rows = {row.name: row for row in studies}
    names = [objective.name for objective in studies[0].objectives]
    alike = [row.name for row in studies if [objective.name for objective in row.objectives] == names]
    wanted = choose_several("Studies", list(rows), "compare", alike[:_AT_FIRST])
    chosen = [rows[name] for name in wanted]
    return grouped_by_set_up(chosen) if way == WAYS[0] else {row.name: [row] for row in chosen}


def _by_hand() -> dict[str, list[StudyRow]]:
    """Return groups as somebody puts them together; the next can be chosen as soon as one has a study."""
    groups: list[list[StudyRow]] = []
    while len(groups) < MOST_GROUPS and (not groups or groups[-1]):
        number = len(groups) + 1
        groups.append(choose_studies(f"Group {number}", f"compare_{number}"))
    return named(groups)
