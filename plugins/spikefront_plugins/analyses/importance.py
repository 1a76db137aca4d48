"""Which genes matter for which objective."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from spikefront import Analysis, hookimpl
from spikefront.components import EvaluationRecord, StudyRecord
from spikefront.errors import InputError
from spikefront_plugins._optuna import distributions_of, parameters

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
DEPTH = 6
"""Of the trees of fanova, whose time grows with the square of their leaves."""


class Importance(Analysis):
    """One row for each objective and gene: how much of the objective hangs on the gene, the most important first.

    Columns: "objective", "gene", "importance" in [0, 1], of which the sum over an objective's genes is 1 (all are 0
    where the objective is the same everywhere), and "evaluations", how many were looked at. Genes that are arrays
    or lists are left out. Optuna computes it:

    * `ped-anova`: how differently a gene is distributed among the best candidates and among all (Watanabe et al.,
      2023). It knows conditional genes.
    * `fanova`: share of the variance that a random forest ascribes to a gene alone (Hutter et al., 2014).
    * `mdi`: mean decrease in impurity of a random forest (Breiman, 2001); it favours genes with many values.

    The last two cannot tell of conditional genes; their importance is empty.
    """

    name: ClassVar[str] = "importance"

    method: Literal["ped-anova", "fanova", "mdi"] = Field("ped-anova", description="how importance is estimated")
    best: float = Field(0.1, gt=0, lt=1, description="share of the candidates that are the best, for ped-anova")
    evaluations: int = Field(2000, ge=FEWEST, description="most evaluations to look at, evenly spaced over the study")
    seed: int = Field(0, ge=0, description="seed of the random forest")

    def table(self, study: StudyRecord) -> pd.DataFrame:
        import optuna
        import pandas as pd

        distributions = distributions_of(study.space)
        if not distributions:
            raise InputError(f"study '{study.name}' searches no numbers and no choices", "Give it a gene, and run it.")
        rows = self._usable(study)
        names = [objective.name for objective in study.objectives]
        signs = [1.0 if objective.direction == "minimize" else -1.0 for objective in study.objectives]
        losses = [[sign * (row.mean(name) or 0.0) for name, sign in zip(names, signs, strict=True)] for row in rows]
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces each new study
        try:
            trials = [_trial(parameters(row.genome, distributions), distributions, loss)
                      for row, loss in zip(rows, losses, strict=True)]  # fmt: skip
            made = optuna.create_study(directions=["minimize"] * len(names))
            made.add_trials(trials)
            everywhere = [path for path in distributions if all(path in trial.params for trial in trials)]
            somewhere = [path for path in distributions if any(path in trial.params for trial in trials)]
            genes = somewhere if self.method == "ped-anova" else everywhere
            found = [(name, path, share) for place, name in enumerate(names)
                     for path, share in self._shares(made, place, genes).items()]  # fmt: skip
        finally:
            optuna.logging.set_verbosity(verbosity)
        missing = [path for path in distributions if path not in genes]
        found += [(name, path, np.nan) for name in names for path in missing]
        table = pd.DataFrame(found, columns=["objective", "gene", "importance"])
        table["evaluations"] = len(rows)
        order = table["objective"].map({name: place for place, name in enumerate(names)})
        table = table.assign(order=order).sort_values(["order", "importance"], ascending=[True, False], kind="stable")
        return table.drop(columns="order").reset_index(drop=True)

    def _usable(self, study: StudyRecord) -> list[EvaluationRecord]:
        """Return the trained candidates that have all objectives; evenly spaced where there are too many."""
        names = [objective.name for objective in study.objectives]
        usable = [
            row
            for row in study.evaluations
            if not row.failure and row.budget > 0 and all(row.mean(name) is not None for name in names)
        ]
        if len(usable) < FEWEST:
            raise InputError(
                f"study '{study.name}' has {len(usable)} evaluations with all objectives",
                f"With fewer than {FEWEST} the importance of a gene cannot be told; let the study go on.",
            )
        if len(usable) <= self.evaluations:
            return usable
        places = np.linspace(0, len(usable) - 1, self.evaluations).round().astype(int)
        return [usable[place] for place in places.tolist()]

    def _shares(self, made: Any, objective: int, genes: Sequence[str]) -> dict[str, float]:
        """Return the importance of genes for one objective, in the order of Optuna."""
        import optuna

        values = {trial.values[objective] for trial in made.get_trials(deepcopy=False)}
        if len(values) == 1 or not genes:
            return dict.fromkeys(genes, 0.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it minimises, and that few trials mean little: both are told above
            # sorted: for genes in another order, Optuna 5.0 gives the numbers of mdi to the wrong ones
            found = optuna.importance.get_param_importances(
                made, evaluator=self._evaluator(), params=sorted(genes), target=lambda trial: trial.values[objective]
            )
        return {path: float(share) for path, share in found.items()}

    def _evaluator(self) -> Any:
        from optuna import importance

        match self.method:
            case "ped-anova":
                return importance.PedAnovaImportanceEvaluator(target_quantile=self.best)
            case "fanova":
                return importance.FanovaImportanceEvaluator(max_depth=DEPTH, seed=self.seed)
        return importance.MeanDecreaseImpurityImportanceEvaluator(seed=self.seed)


def _trial(values: dict[str, Any], distributions: Any, losses: list[float]) -> Any:
    from optuna.trial import create_trial

    return create_trial(values=losses, params=values, distributions={path: distributions[path][0] for path in values})


@hookimpl
def spikefront_analyses() -> list[type[Analysis]]:
    """Return this module's analysis."""
    return [Importance]
