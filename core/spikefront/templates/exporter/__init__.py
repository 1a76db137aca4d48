"""Weights for NumPy, with a page that says what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load

from spikefront import Exporter, hookimpl
from spikefront.components import Candidate


class NewComponent(Exporter):
    """Two files: `weights.npz`, which `numpy.load` reads, and `README.md` with measurements, genes and shapes."""

    name = "new-component"

    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        weights, page = folder / "weights.npz", folder / "README.md"
        arrays = load(candidate.weights)
        with weights.open("wb") as file:
            np.savez(file, **arrays)
        lines = [f"# Candidate {candidate.evaluation} of {candidate.study}", "", "| measured | |", "| --- | --- |"]
        lines += [f"| {name} | {value} |" for name, value in candidate.measurements.items()]
        lines += [
            "",
            "| gene | |",
            "| --- | --- |",
            *(f"| {path} | {_short(v)} |" for path, v in candidate.genome.items()),
        ]
        lines += ["", "| weights.npz | |", "| --- | --- |"]
        lines += [f"| {name} | {array.shape} {array.dtype} |" for name, array in arrays.items()]
        page.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return [weights, page]


def _short(value: object) -> str:
    return f"array {value.shape}" if isinstance(value, np.ndarray) else str(value)


@hookimpl
def spikefront_exporters() -> list[type[Exporter]]:
    """Return this module's exporter."""
    return [NewComponent]
