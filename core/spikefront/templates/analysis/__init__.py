"""The best candidate of each generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from spikefront import Analysis, hookimpl
from spikefront.components import StudyRecord

if TYPE_CHECKING:
    import pandas as pd


class NewComponent(Analysis):
    """One row a generation: its best candidate by one measurement, and the best one so far.

    Columns: "generation", "id", "best", "best so far". A generation in which no candidate has a value has no row; of
    equals the first counts.
    """

    name = "new-component"

    by: str = Field("accuracy", description="the measurement that is looked at")
    largest: bool = Field(True, description="whether larger is better")

    def table(self, study: StudyRecord) -> pd.DataFrame:
        evaluations = study.table()
        valued = evaluations.dropna(subset=[self.by])
        groups = valued.groupby("generation")[self.by]
        rows = valued.loc[groups.idxmax() if self.largest else groups.idxmin(), ["generation", "id", self.by]]
        best = rows.rename(columns={self.by: "best"}).reset_index(drop=True)
        return best.assign(**{"best so far": best["best"].cummax() if self.largest else best["best"].cummin()})


@hookimpl
def spikefront_analyses() -> list[type[Analysis]]:
    """Return this module's analysis."""
    return [NewComponent]
