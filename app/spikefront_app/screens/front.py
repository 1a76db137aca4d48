"""Page: the Pareto front of one study."""

import streamlit as st

from spikefront_app.figures.front import figure_front
from spikefront_app.reading import read_evaluations, read_genes
from spikefront_app.theme import with_unit
from spikefront_app.widgets import choose, choose_study, heading, how_to_read, switch

heading("Front", "The candidates that no other beats in every objective.")
study = choose_study()
table = read_evaluations(study)
if table["failure"].isna().sum() == 0:
    st.info("No candidate has been evaluated yet.")
    st.stop()

objectives = [objective.name for objective in study.objectives]
labels = {objective.name: with_unit(objective.name, objective.unit) for objective in study.objectives}
genes = read_genes(study)
first, second, third, fourth = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
with first:
    y = choose("Vertical", objectives, "y")
with second:
    x = choose("Horizontal", objectives, "x", objectives[min(1, len(objectives) - 1)])
with third:
    colour = choose("Colour", [*genes.columns, "generation", *objectives], "colour", "encoding.use")
with fourth:
    log_x = switch("Log", "log", value=True)

whole = table.join(genes, on="id")
st.plotly_chart(figure_front(whole, x, y, colour, labels, log_x), width="stretch")
how_to_read(f"{int(table['front'].sum())} of {len(table)} candidates are on the front.")
