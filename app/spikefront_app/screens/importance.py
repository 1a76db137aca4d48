"""Page: which genes matter for which objective."""

import streamlit as st

from spikefront_app.figures.importance import figure_effect, figure_importance, figure_interaction, thin
from spikefront_app.importance import logarithmic_genes, read_importance
from spikefront_app.reading import read_evaluations, read_genes
from spikefront_app.widgets import choose, choose_study, heading, how_to_read

METHODS = {
    "ped-anova": "How differently a gene is distributed among the best tenth of the candidates and among all; also "
    "for genes that only some candidates have.",
    "fanova": "Share of the variance that a random forest ascribes to a gene alone.",
    "mdi": "Mean decrease in impurity of a random forest; it favours genes with many values.",
}
FEW = 100
SHOWN = 6
SEEN = 10_000
"""Candidates whose genes are read for the figures, evenly spaced over the study: genes take memory."""

heading("Importance", "Which genes matter for which objective.")
study = choose_study()
units = {objective.name: objective.unit for objective in study.objectives}
directions = {objective.name: objective.direction for objective in study.objectives}
left, right = st.columns(2)
with left:
    objective = choose("Objective", list(units), "objective")
with right:
    method = choose("Method", list(METHODS), "method", hint="PED-ANOVA, fANOVA, or mean decrease in impurity.")

with st.spinner("Looking at the evaluations ..."):
    importance = read_importance(study, method)
mine = importance[(importance["objective"] == objective) & importance["importance"].notna()]
looked_at = int(importance["evaluations"].iloc[0])
if mine.empty:
    st.info("All genes depend on others, and this method cannot tell of them. Choose ped-anova.")
    st.stop()

if mine["importance"].sum() == 0:
    st.info(f"{objective} is the same for all candidates: no gene matters for it.")
    st.stop()
st.plotly_chart(figure_importance(importance, objective), width="stretch", key="bars")
missing = importance.loc[(importance["objective"] == objective) & importance["importance"].isna(), "gene"]
how_to_read(
    f"The longer the bar, the more {objective} hangs on the gene; all bars together make 1. {METHODS[method]} "
    f"Estimated from {looked_at:,} of {study.evaluations:,} evaluations."
    + (f" Left out, because only some candidates have them: {', '.join(missing)}." if len(missing) else "")
)
if looked_at < FEW:
    st.warning(f"{looked_at} evaluations mean little here: below {FEW}, another seed may well give another order.")

table = thin(read_evaluations(study)[["id", objective]].dropna(), SEEN)
table = table.join(read_genes(study, table["id"]), on="id")
logarithmic = logarithmic_genes(study)
genes = [str(gene) for gene in mine["gene"].head(SHOWN)]
st.subheader(f"{objective} over the genes that matter most")
for place, gene in enumerate(genes):
    if place % 3 == 0:
        columns = st.columns(3)
    figure = figure_effect(table, gene, objective, units[objective], gene in logarithmic)
    columns[place % 3].plotly_chart(figure, width="stretch", key=f"effect {gene}")
better = "lower" if directions[objective] == "minimize" else "higher"
how_to_read(
    f"Each dot is a candidate, {better} is better; orange is the median of the candidates around. A flat line: no "
    "effect alone."
)

if len(genes) > 1:
    st.subheader("Two genes together")
    first, second = st.columns(2)
    with first:
        x = choose("Horizontal", genes, "gene-x", genes[0])
    with second:
        y = choose("Vertical", [gene for gene in genes if gene != x], "gene-y", genes[1])
    figure = figure_interaction(table, (x, y), objective, units[objective], logarithmic)
    st.plotly_chart(figure, width="stretch", key="interaction")
    how_to_read(
        f"The colour is the median of {objective}; empty: no candidate was there. Where the colours of a row change "
        "otherwise than those of the next, the two genes act together."
    )
