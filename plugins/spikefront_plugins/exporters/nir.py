"""Exporter `nir`: a candidate's network in the Neuromorphic Intermediate Representation."""

from __future__ import annotations

import dataclasses
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field

from spikefront import CandidateExporter, hookimpl
from spikefront.components import Candidate, SupervisedTask
from spikefront.errors import InputError, SpikefrontError
from spikefront.spiking.layers import SpikingNetwork
from spikefront_plugins.exporters._nir_graph import Drawing, Layer

GRAPH, REPORT = "network.nir", "report.json"

READING = (
    "A time step is dt in the graph's unit of time, and time constants are in that unit.",
    "A faithful node gives Spikefront's values where its equation is advanced by one Euler step of dt a time step and "
    "the reset is in the step of the spike; what is summed in another order may be rounded differently.",
    "Spikefront fires where the potential reaches the threshold (>=), and NIR's text says where it exceeds it (>): the "
    "two differ where a potential equals its threshold exactly.",
    "The graph begins behind the coder: give it the coder's output, step by step. It ends with the currents of the "
    "readout in each step; what is decided from them is the task's.",
)


class NeuromorphicIntermediateRepresentation(CandidateExporter):
    """`network.nir`, a graph for other simulators and for hardware, and `report.json`, what of it is exact.

    Linear layers, convolutions, average pooling, the neurons if, lif, plif and cuba-lif, recurrent and residual
    connections become nodes and edges; generated weights are written as the dense weights that they are, batch
    normalisation is folded into the layer before it, and max pooling of spikes is a sum with a threshold. The report
    grades each layer as faithful or approximate, with the reason. A network with a layer that is neither is refused.
    What was written is read back and has to be equal bit for bit. Needs the package nir (extra `nir`).

    Source: Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15 (2024).
    """

    name: ClassVar[str] = "nir"

    dt: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="length of a time step in the graph; many readers expect 0.0001"
    )

    def export(self, candidate: Candidate, folder: Path) -> list[Path]:
        try:
            import nir
        except ImportError as error:
            message = f"exporter 'nir' needs the package nir: {error}"
            raise InputError(message, "Install it: pip install 'spikefront[nir]'.") from error
        network = candidate.phenotype()
        if not isinstance(network, SpikingNetwork) or not isinstance(candidate.task, SupervisedTask):
            message = f"exporter 'nir' writes networks, and task '{candidate.task.name}' makes none"
            raise InputError(message, "Use another format.")
        shape = _input_shape(network, candidate.task)
        drawing = Drawing(network, shape, self.dt)
        drawing.draw(network.body)
        _refuse_unsupported(candidate, drawing.layers)
        graph = drawing.graph()
        nir.write(folder / GRAPH, graph)
        round_trip = _compared(graph, nir.read(folder / GRAPH))
        report = {
            "study": candidate.study,
            "id": candidate.evaluation,
            "nir": version("nir"),
            "dt": self.dt,
            "grade": max((layer.grade for layer in drawing.layers), key=_order, default="faithful"),
            "reading": READING,
            "input": {"shape": list(shape), "steps": network.coder.coder.steps, "coder": candidate.resolved["coder"]},
            "output": {"shape": list(drawing.shape)},
            "layers": [dataclasses.asdict(layer) for layer in drawing.layers],
            "round_trip": round_trip,
        }
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return [folder / GRAPH, folder / REPORT]


def _order(grade: str) -> int:
    return ("faithful", "approximate", "unsupported").index(grade)


def _input_shape(network: SpikingNetwork, task: SupervisedTask) -> tuple[int, ...]:
    """Return the shape of one step of the coder's output."""
    with torch.no_grad():
        return tuple(network.coder(torch.zeros(1, *task.sample_shape)).shape[2:])


def _refuse_unsupported(candidate: Candidate, layers: list[Layer]) -> None:
    lacking = [layer for layer in layers if layer.grade == "unsupported"]
    if lacking:
        told = "; ".join(f"{layer.layer} ({layer.module}): {layer.reason}" for layer in lacking)
        raise InputError(
            f"candidate {candidate.evaluation} of '{candidate.study}' cannot be written as NIR: {told}",
            "Format safetensors takes every network.",
        )


def _compared(written: Any, read: Any) -> dict[str, Any]:
    """Return how much was compared.

    Raises:
        SpikefrontError: What was read differs from what was written.
    """
    before, after = _values(written), _values(read)
    wrong = [" ".join(key) for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    if sorted(written.edges) != sorted(read.edges):
        wrong.append("edges")
    if wrong:
        raise SpikefrontError(f"what was read back differs from what was written: {', '.join(wrong)}")
    return {"nodes": len(written.nodes), "edges": len(written.edges), "values": len(before), "equal": True}


def _values(graph: Any) -> dict[tuple[str, str], tuple[str, tuple[int, ...], bytes]]:
    """Return type, shape and bytes of each value of each node."""
    found = {}
    for name, node in graph.nodes.items():
        for key, value in node.to_dict().items():
            array = np.asarray(value)
            if key != "metadata":
                found[name, key] = (array.dtype.str, array.shape, array.tobytes())
    return found


@hookimpl
def spikefront_exporters() -> list[type[CandidateExporter]]:
    """Return the exporter to NIR."""
    return [NeuromorphicIntermediateRepresentation]
