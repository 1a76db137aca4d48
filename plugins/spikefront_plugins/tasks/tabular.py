"""Task `tabular`: the tables that come with scikit-learn."""

from __future__ import annotations

import functools
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from spikefront import SupervisedTask, hookimpl
from spikefront.components import Data, Split
from spikefront.randomness import Streams
from spikefront.spiking.layers import SpikingNetwork
from spikefront_plugins.tasks._images import stratified

Table = Literal["iris", "wine", "breast-cancer", "digits", "diabetes"]
Numbers = npt.NDArray[np.float64]

TEST = 0.2
"""Share of the rows that are the test split for good."""


class Tabular(SupervisedTask):
    """A table of numbers with a label, or a number, for each row.

    The tables: iris (Fisher, 1936), wine and breast-cancer (UCI), digits (64 pixels as columns), and diabetes (Efron et
    al., Annals of Statistics 32, 2004), whose target is a number. A fifth of the rows, stratified by label, is the test
    split for good. Columns are scaled by what the training split tells: others may exceed its range.

    Classification: outputs (T, B, classes) are averaged over time and taken as logits. Regression: the single output's
    mean over time is the target, in standard deviations of the training targets from their mean; the loss is the
    mean square, and there is no accuracy, but r2 = 1 - mean square / variance of the split's targets.
    """

    name = "tabular"

    table: Table = Field("iris", description="which table; diabetes is a regression")
    validation: float = Field(0.25, gt=0, le=0.5, description="share of the rows beside the test split")
    scaling: Literal["range", "standard"] = Field(
        "range", description="of columns: from -1 to 1, or mean 0 and variance 1, both on the training split"
    )
    split_seed: int = Field(0, ge=0, description="seed of the split into training and validation")

    regressions: ClassVar[frozenset[str]] = frozenset({"diabetes"})

    @property
    def regression(self) -> bool:
        """Whether the target is a number."""
        return self.table in self.regressions

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (_rows(self.table).columns.shape[1],)

    @property
    def outputs(self) -> int:
        return 1 if self.regression else int(_rows(self.table).targets.max()) + 1

    def data(self, split: Split) -> Data:
        return _splits(self)[split]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.regression:
            return functional.mse_loss(outputs.mean(0).squeeze(1), targets)
        return functional.cross_entropy(outputs.mean(0), targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        means = outputs.mean(0)
        if self.regression:
            return {"loss": (means.squeeze(1) - targets).square()}
        loss = functional.cross_entropy(means, targets, reduction="none")
        return {"accuracy": (means.argmax(1) == targets).float(), "loss": loss}

    def score(self, phenotype: SpikingNetwork, split: Split, streams: Streams) -> dict[str, float]:
        scores = super().score(phenotype, split, streams)
        if self.regression:
            scores["r2"] = 1 - scores["loss"] / float(self.data(split).targets.double().var(correction=0))
        return scores


class _Rows(NamedTuple):
    columns: Numbers
    targets: Numbers


@functools.cache
def _rows(table: Table) -> _Rows:
    from sklearn import datasets  # slow to import, and only needed here

    columns, targets = getattr(datasets, f"load_{table.replace('-', '_')}")(return_X_y=True)
    return _Rows(columns.astype(np.float64), targets.astype(np.float64))


@functools.lru_cache(maxsize=16)
def _splits(task: Tabular) -> dict[Split, Data]:
    columns, targets = _rows(task.table)
    labels = np.zeros(len(targets), np.uint8) if task.regression else targets.astype(np.uint8)
    order = stratified(labels, seed=0)
    test, rest = np.split(order, [round(TEST * len(order))])
    validation, train = np.split(
        rest[stratified(labels[rest], task.split_seed)], [max(1, round(task.validation * len(rest)))]
    )
    columns = _scaled(columns, columns[train], task.scaling == "standard")
    if task.regression:
        targets = _scaled(targets, targets[train], standard=True)
    kind = np.float32 if task.regression else np.int64
    rows: dict[Split, npt.NDArray[np.intp]] = {"train": train, "validation": validation, "test": test}
    return {
        split: Data(torch.from_numpy(columns[some].astype(np.float32)), torch.from_numpy(targets[some].astype(kind)))
        for split, some in rows.items()
    }


def _scaled(values: Numbers, known: Numbers, standard: bool) -> Numbers:
    """Return values in the units of those that are known; a column of which one value is known becomes 0 there."""
    low, high = known.min(0), known.max(0)
    middle, unit = (known.mean(0), known.std(0)) if standard else ((low + high) / 2, (high - low) / 2)
    scaled: Numbers = (values - middle) / np.where(high > low, unit, 1.0)
    return scaled


@hookimpl
def spikefront_tasks() -> list[type[Tabular]]:
    """Return the task."""
    return [Tabular]
