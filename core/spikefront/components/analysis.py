"""Contract of analyses: turn stored results into tables, for the command line and the app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from spikefront.components.base import Component

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and every worker imports the contracts


class Analysis(Component, ABC):
    """A table made from the evaluations of a study."""

    kind: ClassVar[str] = "analysis"

    @abstractmethod
    def table(self, evaluations: pd.DataFrame) -> pd.DataFrame:
        """Return the result.

        Args:
            evaluations: One row an evaluation in the order told: "id", "generation", "failure", one column for
                each objective and each other measurement, and one for each gene (by its path).
        """
