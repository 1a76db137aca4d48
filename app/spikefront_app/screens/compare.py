"""Page: studies, or groups of studies that differ in the seed, side by side."""

import streamlit as st

from spikefront_app import comparing
from spikefront_app.choosing import choose_groups
from spikefront_app.course import AXES, BEST, HYPERVOLUME, unit_of
from spikefront_app.figures.compare import figure_curves, figure_fronts
from spikefront_app.reading import read_course, read_final
from spikefront_app.set_ups import common_objectives, differing_tasks, named
from spikefront_app.theme import with_unit
from spikefront_app.widgets import choose, heading, how_to_read, require_studies, switch

heading("Compare", "Studies, or groups of studies that differ in the seed only, side by side.")
every = require_studies()
groups = choose_groups(every)
if waiting := [study.name for group in groups.values() for study in group if not study.evaluations]:
    st.info(f"Without an evaluation yet, and left out: {', '.join(waiting)}.")
groups = named([[study for study in group if study.evaluations] for group in groups.values()])
chosen = [study for group in groups.values() for study in group]
if not chosen:
    st.info("Choose the studies to compare.")
    st.stop()

objectives, obstacles = common_objectives(chosen)
if tasks := differing_tasks(chosen):
    obstacles.append(f"The studies solve different tasks ({', '.join(tasks)}): equal values do not mean equally good.")
for obstacle in obstacles:
    st.warning(obstacle)
if not objectives:
    st.info("Nothing is left that could be compared. Choose studies that search for the same.")
    st.stop()
ended = {study.name: read_final(study, tuple(objectives)) for study in chosen}
box = comparing.common_box(chosen, list(ended.values()), objectives)
finals = {
    name: [comparing.in_box(ended[study.name], objectives, box) for study in group] for name, group in groups.items()
}

st.subheader("Hypervolume")
if box:
    first, second = st.columns([3, 1], vertical_alignment="bottom")
    with first:
        axis = choose("Over", AXES, "compare_over", AXES[0])
    with second:
        log = switch("Log", "compare_log", help="A logarithmic horizontal axis.")
    curves = {
        name: comparing.curves([read_course(study, HYPERVOLUME, tuple(objectives), box) for study in group], axis)
        for name, group in groups.items()
    }
    title = with_unit(HYPERVOLUME, unit_of(HYPERVOLUME, objectives))
    st.plotly_chart(figure_curves(curves, axis, title, log), width="stretch", key="curves")
    how_to_read(
        "Line: median of a group; band: its quartiles; each as far as the shortest study of the group goes. Higher is "
        "better. " + comparing.explained(box, objectives)
    )
else:
    st.info("No candidate of these studies has a value of each objective, so there is no hypervolume.")

st.subheader("Fronts")
names = {objective.name: objective for objective in objectives}
if len(names) > 1 and any(len(one.front) for group in finals.values() for one in group):
    first, second, third = st.columns([2, 2, 1], vertical_alignment="bottom")
    with first:
        y = choose("Vertical", list(names), "compare_y")
    with second:
        others = [name for name in names if name != y]
        x = choose("Horizontal", others, "compare_x")
    with third:
        log_x = switch("Log", "compare_log_x", help="A logarithmic horizontal axis.")
    fronts = {
        name: {study.name: one.front for study, one in zip(group, finals[name], strict=True)}
        for name, group in groups.items()
    }
    st.plotly_chart(figure_fronts(fronts, names[x], names[y], log_x), width="stretch", key="fronts")
    better = " and ".join(f"{name} {'lower' if names[name].direction == 'minimize' else 'higher'}" for name in (x, y))
    how_to_read(
        f"Better is {better}. Points: the fronts of all studies, over all objectives in common. Lines: what half of a "
        "group's studies reach, or better it (the 50 % attainment surface); a group of one study reaches its front."
    )
else:
    st.info("Fronts need two objectives in common, and a candidate with values of both.")

st.subheader("Final values")
measures = {name: unit_of(name, objectives) for name in ([HYPERVOLUME] if box else []) + [BEST + n for n in names]}
digits = st.column_config.NumberColumn(format="%.4g")
quartiles = dict.fromkeys(("median", "lower quartile", "upper quartile"), digits)
st.dataframe(comparing.summary(finals, measures), hide_index=True, width="stretch", column_config=quartiles)
how_to_read("Median and quartiles over the studies of a group, of what each ended with, or has by now.")

st.subheader("Tests")
for sentence in comparing.warnings(finals):
    st.caption(sentence)
table = comparing.side_by_side(finals, objectives)
if table.empty:
    st.info("A comparison needs two groups.")
else:
    decimals = {name: st.column_config.NumberColumn(format="%.3g") for name in ("p", "p (Holm)", "A12")}
    st.dataframe(table, hide_index=True, width="stretch", column_config=decimals)
    how_to_read(comparing.TESTS)
