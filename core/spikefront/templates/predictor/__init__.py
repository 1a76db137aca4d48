"""Size as a score: the baseline that a predictor has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from spikefront import Predictor, hookimpl
from spikefront.components import Context
from spikefront.components.task import require_supervised


class NewComponent(Predictor):
    """Larger networks are better: score = ln(size).

    The size is the number of stored numbers, or the multiply-accumulates of one step. Neither looks at weights or data,
    and yet few scores beat them by much: Krishnakumar et al., "NAS-Bench-Suite-Zero: Accelerating Research on
    Zero Cost Proxies", NeurIPS 2022.
    """

    name = "new-component"

    size: Literal["parameters", "flops"] = Field("parameters", description="stored numbers, or operations of a step")

    def probe(self, context: Context) -> Sequence[float]:
        require_supervised(context.task, self.name, "predictor")
        if self.size == "parameters":
            size = float(context.parts.encoding.stored_numbers(context.phenotype))
        else:
            size = sum(layer.flops for layer in context.recording.synapses)
        return [math.log(size) if size > 0 else -math.inf]


@hookimpl
def spikefront_predictors() -> list[type[Predictor]]:
    """Return this module's predictor."""
    return [NewComponent]
