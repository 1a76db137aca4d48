"""The hypervolume of a study as it grew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikefront import Analysis, hookimpl
from spikefront.components import StudyRecord
from spikefront.errors import InputError
from spikefront.measure.hypervolume import hypervolume

if TYPE_CHECKING:
    import pandas as pd


class Hypervolume(Analysis):
    """One row a generation: the share of the box between ideal and reference that the front dominates by then.

    Columns: "generation", "evaluations" and "failed" so far, "hypervolume" in [0, 1], and the best value of each
    objective so far, by its name. The box is the one that the study fixed. Hypervolume: Zitzler and Thiele, 1998.
    """

    name = "hypervolume"

    def table(self, study: StudyRecord) -> pd.DataFrame:
        import pandas as pd

        if not study.reference:
            raise InputError(f"study '{study.name}' has no reference point yet", "It comes with the first generation.")
        signs = np.array([1.0 if objective.direction == "minimize" else -1.0 for objective in study.objectives])
        names = [objective.name for objective in study.objectives]
        ideal, worst = (np.array([study.reference[name][end] for name in names]) * signs for end in (0, 1))
        table = study.table()
        rows = []
        for generation in sorted(table["generation"].unique()):
            seen = table[table["generation"] <= generation]
            losses = seen[names].dropna().to_numpy() * signs
            best = losses.min(0) * signs if len(losses) else np.full(len(names), np.nan)
            rows.append(
                {
                    "generation": generation,
                    "evaluations": len(seen),
                    "failed": int(seen["failure"].notna().sum()),
                    "hypervolume": hypervolume(losses, ideal, worst),
                    **dict(zip(names, best, strict=True)),
                }
            )
        return pd.DataFrame(rows)


@hookimpl
def spikefront_analyses() -> list[type[Analysis]]:
    """Return this module's analysis."""
    return [Hypervolume]
