"""Exporter `safetensors`: weights and gene arrays as safetensors, genome and resolved study as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from spikefront import CandidateExporter, hookimpl
from spikefront.components import Candidate
from spikefront.exported import write_candidate


class SafetensorsFolder(CandidateExporter):
    """A folder that `spikefront.exported.load_network` loads again without a database."""

    name: ClassVar[str] = "safetensors"

    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        return write_candidate(candidate, folder)


@hookimpl
def spikefront_exporters() -> list[type[SafetensorsFolder]]:
    """Return the exporter."""
    return [SafetensorsFolder]
