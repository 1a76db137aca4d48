"""The contract of analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from spikefront.components import Analysis, StudyRecord
from spikefront.errors import InputError
from spikefront.testing._contract import ComponentContract, require, skip, told
from spikefront.testing._records import study_record

if TYPE_CHECKING:
    import pandas as pd

NUMBER, FAILED = 12, 5


class AnalysisContract(ComponentContract[Analysis]):
    """What holds for an analysis; it looks at a study of twelve evaluations, of which one failed."""

    kind: ClassVar[str] = "analysis"

    def study(self, first: int = 0, last: int = NUMBER) -> StudyRecord:
        """Return a study, or a part of its evaluations."""
        rng = np.random.default_rng(0)
        rows = [
            {
                "generation": number // 4,
                "accuracy": None if number == FAILED else float(rng.uniform(0.3, 0.9)),
                "energy": None if number == FAILED else float(rng.uniform(1e3, 1e5)),
                "neuron.tau": float(rng.uniform(1.2, 4.0)),
                "coder.steps": int(rng.integers(2, 8)),
            }
            for number in range(NUMBER)
        ]
        return study_record(rows[first:last], {"accuracy": "maximize", "energy": "minimize"})

    def exercise(self, component: Analysis) -> None:
        _table(component, self.study())

    def test_it_returns_a_table(self, component: Analysis) -> None:
        """The result is a DataFrame whose columns have different names."""
        import pandas as pd

        table = _table(component, self.study())
        require(isinstance(table, pd.DataFrame), f"{told(component)}: table returned a {type(table).__name__}")
        require(
            table.columns.is_unique and all(isinstance(name, str) for name in table.columns),
            f"{told(component)}: the columns {list(table.columns)} are not all texts, or not all different",
        )

    def test_it_is_pure(self, component: Analysis) -> None:
        """The same study gives the same table, and is not changed."""
        study = self.study()
        first, second = (_table(component, study) for _ in range(2))
        require(first.equals(second), f"{told(component)}: the same study gave another table the second time")
        require(study == self.study(), f"{told(component)} changed the study that it was given; work on a copy")

    def test_few_evaluations_are_no_error(self, component: Analysis) -> None:
        """No, one and only failed evaluations give a table, or are refused with an InputError."""
        import pandas as pd

        for first, last in ((0, 0), (0, 1), (FAILED, FAILED + 1)):
            try:
                table = component.table(self.study(first, last))
            except InputError:
                continue
            require(
                isinstance(table, pd.DataFrame),
                f"{told(component)}: {last - first} evaluations gave a {type(table).__name__}, and no table",
            )


def _table(component: Analysis, study: StudyRecord) -> pd.DataFrame:
    try:
        return component.table(study)
    except InputError as error:
        raise skip(f"it refuses the suite's study: {error.message}") from None
