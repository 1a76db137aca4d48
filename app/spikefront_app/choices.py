"""What the page of the front is asked: axes, colour, generation, limits, other studies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from spikefront.components.algorithm import StudyObjective
from spikefront.storage import StudyRow
from spikefront_app.candidates import drawable, measured
from spikefront_app.figures.front import Axis
from spikefront_app.reading import read_evaluations, read_units, specification
from spikefront_app.theme import with_unit
from spikefront_app.widgets import choose, choose_studies, switch

NONE = "none"
_FACTS = ("generation", "seconds")
_WIDE = 10.0
"""From this ratio of largest to smallest on, an axis starts as logarithmic."""


@dataclass(frozen=True)
class View:
    """What is chosen.

    Attributes:
        axes: Two or three axes.
        colour: Column that colours the front.
        titles: Title with unit of each measurement.
        generation: The last generation that counts; None for all.
        bars: Whether standard errors are drawn.
        reference: Whether the reference point is drawn.
        limits: Worst acceptable value by objective.
        others: Studies that are laid over.
    """

    axes: Sequence[Axis]
    colour: str
    titles: Mapping[str, str]
    generation: int | None
    bars: bool
    reference: bool
    limits: Mapping[str, float]
    others: Sequence[StudyRow]

    @property
    def columns(self) -> list[str]:
        """Columns of the axes."""
        return [axis.column for axis in self.axes]

    @property
    def measured(self) -> list[str]:
        """Names of all that was measured, objectives first."""
        return [name for name in self.titles if name not in _FACTS]

    @property
    def objectives(self) -> list[StudyObjective]:
        """The objectives on the axes."""
        return [axis.objective for axis in self.axes if axis.objective]

    @property
    def logs(self) -> list[str]:
        """Columns on a logarithmic axis."""
        return [axis.column for axis in self.axes if axis.log]


def choose_view(study: StudyRow, table: pd.DataFrame, genes: Sequence[str]) -> View:
    """Return what is chosen, by widgets above the figure.

    Args:
        study: The study shown.
        table: Its evaluations.
        genes: Paths of its genes.
    """
    objectives = [objective.name for objective in study.objectives]
    values = list(dict.fromkeys([*objectives, *measured(table), *_FACTS]))
    units = read_units(study)
    titles = {name: with_unit(name, units.get(name, "1")) for name in values}
    second = objectives[1] if len(objectives) > 1 else "generation"
    coloured = [*genes, *values]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        y = choose("Vertical", values, "y", width=155)
        x = choose("Horizontal", values, "x", second, width=155)
        z = choose("Depth", [NONE, *values], "z", width=155, hint="A third axis makes the figure three-dimensional.")
        colour = choose("Colour", coloured, "colour", _first_of(coloured, ("encoding.use", *genes)), width=155)
        with st.popover("More", icon=":material/tune:"):
            st.markdown("**Logarithmic axes**")
            columns = dict.fromkeys([x, y, *([] if z == NONE else [z])])
            logs = [c for c in columns if switch(f"Logarithmic {c}", f"log.{c}", _is_wide(table, c))]
            st.markdown("**Show**")
            bars = switch("Standard errors over replicates", "bars", value=True)
            reference = switch("Reference point of the hypervolume", "reference")
            others = _choose_others(study)
            limits = _choose_limits(study, titles)
    axes = [
        Axis(c, titles[c], c in logs, next((o for o in study.objectives if o.name == c), None))
        for c in [x, y, *([] if z == NONE else [z])]
    ]
    generation = _choose_generation(study, table)
    return View(axes, colour, titles, generation, bars, reference, limits, others)


def how_to_read_front(view: View, table: pd.DataFrame) -> str:
    """Return the line under the figure.

    Args:
        view: What is chosen.
        table: The evaluations that are drawn.
    """
    when = "" if view.generation is None else f" after generation {view.generation}"
    parts = [f"Coloured: the front{when}, which no candidate beats in every objective. Grey: dominated."]
    if len(view.axes) == len(view.objectives) == 2:
        parts.append("Line: the front in these two objectives alone.")
    if view.bars and any(f"{column} s.e." in table for column in view.columns):
        parts.append("Bars: one standard error over replicates.")
    if hidden := sum(int((table[column] <= 0).sum()) for column in view.logs):
        parts.append(f"{hidden} at or below 0 have no place on a logarithmic axis.")
    flat = "Click a point to select it, with Shift to add; box and lasso are in the bar above the figure."
    return " ".join([*parts, flat if len(view.axes) == 2 else _in_space(view)])


def _in_space(view: View) -> str:
    """Return what is to be said of a figure in space, whose axes are too short for it."""
    better = [f"{o.name} {'lower' if o.direction == 'minimize' else 'higher'}" for o in view.objectives]
    return (
        (f"Better is {', '.join(better)}. " if better else "")
        + "Drag to turn it. Nothing can be selected in a figure in space: drag a box in the scatter matrix or the "
        "parallel coordinates below, or tick rows of the table; here, pink rings mark what is selected."
    )


def fronts_over(view: View) -> dict[str, pd.DataFrame]:
    """Return the fronts of the studies laid over, by name; what does not fit or compare is told."""
    found = {}
    for other in view.others:
        table = read_evaluations(other)
        lacking = [column for column in view.columns if column not in table]
        if lacking:
            st.warning(f"'{other.name}' is left out: it did not measure {lacking[0]}.")
            continue
        rows = drawable(table, view.columns)
        found[other.name] = rows[rows["front"]]
    return found


def measured_otherwise(studies: Sequence[StudyRow], columns: Sequence[str]) -> list[str]:
    """Return the columns whose values of several studies do not compare: another task, or other parameters."""
    found = []
    for column in columns:
        ways = set()
        for study in studies:
            document = specification(study)
            terms = [*document["study"]["objectives"], *document["study"].get("columns", [])]
            named = [term for term in terms if (term.get("use") if isinstance(term, dict) else term) == column]
            task = document["task"]
            name = task if isinstance(task, str) else task.get("use")
            ways.add(json.dumps([named if any(isinstance(t, dict) for t in named) else [], name], sort_keys=True))
        if len(ways) > 1:
            found.append(column)
    return found


def _choose_others(study: StudyRow) -> list[StudyRow]:
    return [row for row in choose_studies("Lay over the fronts of", "over") if row.name != study.name]


def _choose_limits(study: StudyRow, titles: Mapping[str, str]) -> dict[str, float]:
    st.markdown("**Region of interest**: the worst that you accept")
    limits = {}
    for objective in study.objectives:
        word = "at most" if objective.direction == "minimize" else "at least"
        limit = st.number_input(
            f"{titles[objective.name]}, {word}",
            value=None,
            format="%g",
            key=f"limit.{objective.name}",
            bind="query-params",
            placeholder="no limit",
        )
        if limit is not None:
            limits[objective.name] = float(limit)
    return limits


def _choose_generation(study: StudyRow, table: pd.DataFrame) -> int | None:
    """Return the generation whose front is shown; None for that of now, which grows while the study runs."""
    last = int(table["generation"].max())
    if last < 1:
        return None
    if not switch("Replay the search", "replay", help="Show the front as it was after a generation."):
        return None
    key = "after"
    if st.session_state.get(key, 0) > last:
        st.session_state[key] = last
    chosen = int(st.slider("Front after generation", 0, last, last, key=key, bind="query-params"))
    return None if chosen == last else chosen


def _is_wide(table: pd.DataFrame, column: str) -> bool:
    values = table.loc[table["failure"].isna() & (table["budget"] > 0), column].dropna()
    if column in _FACTS or values.empty or not values.min() > 0:
        return False
    return bool(values.max() / values.min() >= _WIDE)


def _first_of(names: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in names), "generation")
