"""The contract of analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spikefront.components import Analysis
from spikefront.errors import InputError
from spikefront.testing._contract import ComponentContract, require, skip, told

if TYPE_CHECKING:
    import pandas as pd


class AnalysisContract(ComponentContract[Analysis]):
    """What holds for an analysis; it looks at twelve evaluations, of which one failed."""

    kind: ClassVar[str] = "analysis"

    def evaluations(self) -> pd.DataFrame:
        """Return the evaluations of a small study, in the form that `Analysis.table` describes."""
        import numpy as np
        import pandas as pd

        rng, number = np.random.default_rng(0), 12
        failed = np.arange(number) == 5
        accuracy = np.where(failed, np.nan, rng.uniform(0.3, 0.9, number))
        return pd.DataFrame(
            {
                "id": np.arange(number),
                "generation": np.arange(number) // 4,
                "failure": ["time-out" if one else None for one in failed],
                "accuracy": accuracy,
                "energy": np.where(failed, np.nan, rng.uniform(1e3, 1e5, number)),
                "neuron.tau": rng.uniform(1.2, 4.0, number),
                "coder.steps": rng.integers(2, 8, number),
                "encoding.use": rng.choice(["genetic", "direct"], number),
            }
        )

    def exercise(self, component: Analysis) -> None:
        _table(component, self.evaluations())

    def test_it_returns_a_table(self, component: Analysis) -> None:
        """The result is a DataFrame whose columns have different names."""
        import pandas as pd

        table = _table(component, self.evaluations())
        require(isinstance(table, pd.DataFrame), f"{told(component)}: table returned a {type(table).__name__}")
        require(
            table.columns.is_unique and all(isinstance(name, str) for name in table.columns),
            f"{told(component)}: the columns {list(table.columns)} are not all texts, or not all different",
        )

    def test_it_is_pure(self, component: Analysis) -> None:
        """The same evaluations give the same table."""
        first, second = (_table(component, self.evaluations()) for _ in range(2))
        require(first.equals(second), f"{told(component)}: the same evaluations gave another table the second time")

    def test_evaluations_are_left_alone(self, component: Analysis) -> None:
        """The table of evaluations is not changed; other analyses read it next."""
        evaluations = self.evaluations()
        before = evaluations.copy(deep=True)
        _table(component, evaluations)
        require(
            evaluations.equals(before) and list(evaluations.columns) == list(before.columns),
            f"{told(component)} changed the evaluations that it was given; work on a copy",
        )

    def test_few_evaluations_are_no_error(self, component: Analysis) -> None:
        """No, one and only failed evaluations give a table, or are refused with an InputError."""
        import pandas as pd

        whole = self.evaluations()
        for evaluations in (whole.iloc[:0], whole.iloc[:1], whole.iloc[5:6]):
            try:
                table = component.table(evaluations)
            except InputError:
                continue
            require(
                isinstance(table, pd.DataFrame),
                f"{told(component)}: {len(evaluations)} evaluations gave a {type(table).__name__}, and no table",
            )


def _table(component: Analysis, evaluations: pd.DataFrame) -> pd.DataFrame:
    try:
        return component.table(evaluations)
    except InputError as error:
        raise skip(f"it refuses the suite's evaluations: {error.message}") from None
