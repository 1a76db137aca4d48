"""Contract of analyses: turn a recorded study into a table, for the command line, Python and the app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from spikefront.components.base import Component
from spikefront.components.record import StudyRecord

if TYPE_CHECKING:
    import pandas as pd  # slow to import, and every worker imports the contracts


class Analysis(Component, ABC):
    """A table made from the evaluations of a study; `spikefront analyse` prints it."""

    kind: ClassVar[str] = "analysis"

    @abstractmethod
    def table(self, study: StudyRecord) -> pd.DataFrame:
        """Return the result, whose columns have different names.

        Args:
            study: Objectives, space and all evaluations; `study.table()` is a row for each of them.

        Raises:
            InputError: It cannot be made of this study; the message says what it lacks.
        """
