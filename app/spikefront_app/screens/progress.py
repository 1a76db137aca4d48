"""Page: how the search of one study goes, live while it runs."""

from datetime import UTC, datetime

import streamlit as st

from spikefront.storage import StudyRow
from spikefront_app import pace
from spikefront_app.course import AXES, HYPERVOLUME, in_words, indicators, meaning_of, needs_box, unit_of
from spikefront_app.failing import show_failures
from spikefront_app.figures.progress import figure_course, figure_throughput, figure_workers
from spikefront_app.holding import now_searching, show_standing
from spikefront_app.reading import (
    read_course,
    read_evaluations,
    read_failures,
    read_holder,
    read_standings,
    read_study,
    read_work,
    specification,
)
from spikefront_app.standing import standing_table
from spikefront_app.theme import with_unit
from spikefront_app.widgets import FIGURES_SECONDS, choose, choose_study, heading, how_to_read, live, switch

heading("Progress", "How the search went, and how it goes while it runs.")
study = choose_study()
first, second, third = st.columns([2, 2, 1], vertical_alignment="bottom")
with first:
    indicator = choose("Indicator", indicators(study.objectives), "progress_of", HYPERVOLUME)
with second:
    axis = choose("Over", AXES, "progress_over", AXES[0])
with third:
    log_x = switch("Log", "progress_log", help="A logarithmic horizontal axis.")


def show_numbers() -> None:
    """Show how far the study is; once it has ended, or has its first evaluation, the page as a whole is shown anew."""
    now = read_study(study.name)
    if now.state != study.state or bool(now.evaluations) != bool(study.evaluations):
        st.rerun()
    planned = pace.planned(specification(now), now.extension)
    show_standing(now, read_evaluations(now), read_holder(now), planned, datetime.now(UTC))


def show_figures() -> None:
    """Show all else that changes while the study runs."""
    now = read_study(study.name)
    table = read_evaluations(now)
    if standings := read_standings(now):
        st.caption(f"Screening by {standings[-1]}")
        with st.expander("How the score stood after each generation"):
            st.dataframe(standing_table(standings), hide_index=True)
    if table.empty:
        st.info(now_searching(now.state, "No candidate has been evaluated yet."))
    else:
        show_course(now, bool(table["front"].any()))
        left, right = st.columns(2)
        with left:
            st.subheader("Throughput")
            st.plotly_chart(figure_throughput(pace.throughput(table, now.created_at)), width="stretch", key="rates")
            how_to_read("Each bar is a stretch of time: evaluations recorded in it a minute, by what came of them.")
        with right:
            show_workers(now)
    show_failures(read_failures(now), now)


def show_course(now: StudyRow, usable: bool) -> None:
    """Show the chosen indicator; it needs a front that is not empty."""
    st.subheader(indicator.capitalize() if indicator.islower() else indicator)
    if not usable or (needs_box(indicator) and not now.reference):
        wait = "It comes with the first generation." if now.state == "running" else "No candidate has given any."
        st.info(f"The {indicator} needs candidates with a value of each objective. {wait}")
        return
    course = read_course(now, indicator)
    title = with_unit(indicator, unit_of(indicator, now.objectives))
    st.plotly_chart(figure_course(course, axis, title, log_x), width="stretch", key="course")
    box = f" The box: {in_words(now.reference, now.objectives)}." if needs_box(indicator) and now.reference else ""
    how_to_read(meaning_of(indicator, now.objectives) + box)


def show_workers(now: StudyRow) -> None:
    """Show when workers were busy."""
    st.subheader("Workers")
    work = read_work(now)
    if work.empty:
        st.info("No worker has needed any time yet.")
        return
    shares, mean = pace.busy_shares(work, now.created_at)
    st.plotly_chart(figure_workers(shares), width="stretch", key="workers")
    more = work["worker"].nunique() - len(shares)
    how_to_read(
        f"Blue is busy, grey is idle; a gap in all is a wait. Busy at a time, on average: {mean:.2g}. "
        f"{f'{more} more that did less are left out.' if more else ''}"
    )


live(show_numbers, study)
live(show_figures, study, FIGURES_SECONDS)
