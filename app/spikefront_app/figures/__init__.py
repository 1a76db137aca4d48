"""Figures as pure functions: tables in, a plotly figure out. No Streamlit, no database."""
