"""An analysis: the best accuracy of each generation."""

from typing import ClassVar

import pandas as pd

from spikefront import Analysis, hookimpl
from spikefront.components import StudyRecord


class BestOfGeneration(Analysis):
    """The best accuracy that was found up to each generation; failed candidates do not count."""

    name: ClassVar[str] = "best-of-generation"

    def table(self, study: StudyRecord) -> pd.DataFrame:
        evaluations = study.table()
        usable = evaluations[evaluations["failure"].isna()]
        best = usable.groupby("generation")["accuracy"].max().cummax()
        return best.rename("best accuracy").reset_index()


@hookimpl
def spikefront_analyses() -> list[type[Analysis]]:
    """Return this module's analysis."""
    return [BestOfGeneration]
