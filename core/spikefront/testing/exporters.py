"""The contract of exporters."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import save

from spikefront.components import Candidate, CandidateExporter, Exporter, StudyExporter, StudyRecord
from spikefront.errors import SpikefrontError
from spikefront.genome import Genome
from spikefront.testing._bench import network, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told
from spikefront.testing._jobs import JobTask, document
from spikefront.testing._records import study_record


class ExporterContract(ComponentContract[Exporter]):
    """What holds for an exporter; it takes a small network, or a small study, somewhere else."""

    kind: ClassVar[str] = "exporter"

    def candidate(self) -> Candidate:
        """Return a candidate to export."""
        resolved = document()
        resolved["task"]["value"] = 2.0
        made = network()
        return Candidate(
            study="contract",
            evaluation=3,
            resolved=resolved,
            genome=Genome({"task.value": 2.0}),
            measurements={"contract-half": 1.0},
            weights=save(tensors_of(made)),
            task=JobTask(),
            phenotype=made.eval,
        )

    def study(self) -> StudyRecord:
        """Return a study to export; one of its candidates failed."""
        rows: list[dict[str, Any]] = [
            {
                "generation": n // 2,
                "accuracy": 0.2 * n,
                "parameters": 100.0 * n,
                "neuron.tau": 1.5 + n,
                "coder.steps": n,
            }
            for n in range(5)
        ]
        rows[2] |= {"accuracy": None, "parameters": None}
        return study_record(rows, {"accuracy": "maximize", "parameters": "minimize"})

    def export(self, component: Exporter, folder: Path) -> list[Path]:
        """Let an exporter write what it is for."""
        try:
            match component:
                case CandidateExporter():
                    return component.export(self.candidate(), folder)
                case StudyExporter():
                    return component.export(self.study(), folder)
        except SpikefrontError as error:
            raise skip(f"it refuses what the suite has: {error.message}") from None
        raise AssertionError(
            f"{told(component)} is neither a CandidateExporter nor a StudyExporter; derive it from one"
        )

    def exercise(self, component: Exporter) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.export(component, Path(folder))

    def test_it_returns_the_files_that_it_wrote(self, component: Exporter) -> None:
        """Files are written below the folder, and all of them are returned."""
        with tempfile.TemporaryDirectory() as name:
            outer = Path(name)
            folder = outer / "export"
            folder.mkdir()
            files = self.export(component, folder)
            require(
                isinstance(files, list) and len(files) > 0,
                f"{told(component)}: export returned {files!r}; it has to be the list of the files written",
            )
            there = {path.resolve() for path in outer.rglob("*") if path.is_file()}
            returned = {Path(file).resolve() for file in files}
            require(
                returned <= there,
                f"{told(component)} returned {sorted(map(str, returned - there))}, which are not there",
            )
            outside = [str(path) for path in there | returned if folder.resolve() not in path.parents]
            require(not outside, f"{told(component)} wrote {outside} outside of the folder that it was given")
            require(
                there <= returned,
                f"{told(component)} wrote {sorted(map(str, there - returned))}, and did not return them",
            )

    def test_the_same_gives_the_same_files(self, component: Exporter) -> None:
        """Exporting twice writes files of the same names."""
        names = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                files = self.export(component, Path(folder))
                names.append(sorted(str(Path(file).relative_to(folder)) for file in files))
        require(names[0] == names[1], f"{told(component)} wrote {names[0]}, and then {names[1]}, of the same")
