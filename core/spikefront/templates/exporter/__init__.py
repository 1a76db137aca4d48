"""Weights for NumPy, with a page that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import Field
from safetensors.numpy import load

from spikefront import CandidateExporter, Exporter, hookimpl
from spikefront.components import Candidate


class NewComponent(CandidateExporter):
    """Two files: `weights.npz`, which `numpy.load` reads, and `README.md` with measurements, genes and shapes."""

    name = "new-component"

    compressed: bool = Field(False, description="make the file smaller, and slower to read")

    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        weights, page = folder / "weights.npz", folder / "README.md"
        arrays = load(candidate.weights)
        save = np.savez_compressed if self.compressed else np.savez
        save(weights, **arrays)  # type: ignore[arg-type]  # a name may be that of a parameter of NumPy's, but is none
        shapes = {name: f"{array.shape} {array.dtype}" for name, array in arrays.items()}
        genes = {path: getattr(value, "shape", value) for path, value in candidate.genome.items()}
        tables = [_table("measured", candidate.measurements), _table("gene", genes), _table("weights.npz", shapes)]
        heading = f"# Candidate {candidate.evaluation} of {candidate.study}\n"
        page.write_text("\n".join([heading, *tables]), encoding="utf-8")
        return [weights, page]


def _table(heading: str, rows: Mapping[str, object]) -> str:
    lines = [f"| {heading} | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items()), ""]
    return "\n".join(lines)


@hookimpl
def spikefront_exporters() -> list[type[Exporter]]:
    """Return this module's exporter."""
    return [NewComponent]
