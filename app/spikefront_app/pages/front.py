"""Page: the Pareto front of one study."""

import streamlit as st

from spikefront_app.figures import figure_front, figure_parallel
from spikefront_app.tables import database_url, gene_columns, read_evaluations, read_studies

studies = read_studies()

st.title("Front")
if not studies:
    st.info(f"There is no study in {database_url()} yet. Run one: `spikefront run studies/quickstart.toml`.")
    st.stop()

names = [row.name for row in studies]
wanted = st.query_params.get("study")
chosen = st.selectbox("Study", names, index=names.index(wanted) if wanted in names else 0)
study = studies[names.index(chosen)]
st.query_params["study"] = chosen
table = read_evaluations(study)
if table.empty:
    st.info("No candidate has been evaluated yet.")
    st.stop()

objectives = [objective.name for objective in study.objectives]
labels = {o.name: f"{o.name} [{o.unit}]" if o.unit != "1" else o.name for o in study.objectives}
first, second, third, fourth = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
y = first.selectbox("Vertical", objectives, index=0)
x = second.selectbox("Horizontal", objectives, index=min(1, len(objectives) - 1))
colours = [*gene_columns(table), "generation", *objectives]
colour = third.selectbox("Colour", colours, index=colours.index("encoding.use") if "encoding.use" in colours else 0)
log_x = fourth.toggle("Log", value=True)

st.plotly_chart(figure_front(table, x, y, colour, labels, log_x), width="stretch")
st.caption(
    f"{int(table['front'].sum())} of {len(table)} candidates are on the front: no other is better in one objective and "
    f"as good in the rest. With more than two objectives a candidate may look dominated here and yet be on the front."
)

st.subheader("Candidates on the front")
columns = ["id", *objectives, "generation", *gene_columns(table)]
st.dataframe(
    table[table["front"]].sort_values(objectives[0], ascending=False)[columns], hide_index=True, width="stretch"
)
st.plotly_chart(figure_parallel(table, [*objectives, *gene_columns(table)], objectives[0]), width="stretch")
st.caption(
    "Each line is a candidate of the front; drag along an axis to pick some. Genes that some do not have are left out."
)
st.code(f"spikefront export {chosen} ID --to my-network", language="bash")
