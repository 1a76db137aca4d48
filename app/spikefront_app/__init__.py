"""The web app: a Streamlit page for each question about a study.

`main` is the entry point, `plugin` the command that starts it. `screens` are the pages, and thin: each asks `reading`
for tables, lets `widgets` choose, and shows what `figures` draw. `figures` are pure functions from tables to plotly
figures, tested without Streamlit. `theme` has the colours.
"""
