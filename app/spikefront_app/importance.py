"""The analysis "importance" as the page shows it: cached until something new is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from spikefront.checks import validated
from spikefront.components import Analysis
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.storage import StudyRow
from spikefront.study import Study
from spikefront_app.reading import database_url, read_evaluations, specification


def read_importance(study: StudyRow, method: str) -> pd.DataFrame:
    """Return the table of the analysis "importance".

    Raises:
        InputError: There are too few evaluations, or no genes.
        PluginError: The study needs a plugin that is not here.
    """
    return _importance(database_url(), study, study.name, method, f"{study.updated_at} {study.evaluations}")


def logarithmic_genes(study: StudyRow) -> frozenset[str]:
    """Return the genes that the study searches by their exponent."""
    return frozenset(_logarithmic("", specification(study)))


def _logarithmic(path: str, what: Any) -> Iterator[str]:
    if isinstance(what, list):
        what = dict(enumerate(what))
    if isinstance(what, dict):
        if what.get("log") is True:
            yield path
        for key, value in what.items():
            yield from _logarithmic(f"{path}.{key}".lstrip("."), value)


@st.cache_data(show_spinner=False, max_entries=32)
def _importance(url: str, _study: StudyRow, name: str, method: str, version: str) -> pd.DataFrame:
    """Ask the analysis about as many evaluations as it would take of the whole study, and the same ones."""
    analysis = validated(load(Sources.here()).get(Analysis, "importance"), {"method": method}, "importance")
    opened = Study.open(name, db=url)
    table = read_evaluations(_study)
    objectives = [objective.name for objective in opened.specification.objectives]
    usable = table[table["failure"].isna() & (table["budget"] > 0)].dropna(subset=objectives)["id"].to_numpy()
    most = int(getattr(analysis, "evaluations", len(usable)))
    if len(usable) > most:
        usable = usable[np.linspace(0, len(usable) - 1, most).round().astype(int)]
    return analysis.table(opened.record(usable.tolist()))
