"""The reference of what `spikefront` gives to programs."""

from __future__ import annotations

import inspect

import spikefront
from spikefront.components import Component

GIVEN = (
    "spikefront.measure.recording.Recording",
    "spikefront.measure.recording.NeuronRecord",
    "spikefront.measure.recording.SynapseRecord",
    "spikefront.components.record.StudyRecord",
    "spikefront.components.record.EvaluationRecord",
    "spikefront.job.Measurement",
    "spikefront.job.Failure",
    "spikefront.genome.Genome",
    "spikefront.space.Real",
    "spikefront.space.Integer",
    "spikefront.space.Choice",
    "spikefront.space.Tensor",
    "spikefront.space.Gene",
    "spikefront.space.Space",
)
"""What components get, or give back, beside what stands on the pages of their kinds."""

OTHERS = (
    "spikefront.components.base.Component",
    "spikefront.components.base.Ranges",
    "spikefront.components.parts.Parts",
    "spikefront.randomness.Streams",
    "spikefront.spiking.builder.Builder",
    "spikefront.exported.load_network",
    "spikefront.plugins.load",
    "spikefront.plugins.Registry",
    "spikefront.plugins.Plugin",
    "spikefront.sources.Sources",
    "spikefront.describe.parameters",
    "spikefront.describe.Parameter",
    "spikefront.errors.SpikefrontError",
    "spikefront.errors.InputError",
)
"""What plugins and programs need beside the names in `spikefront` itself."""


def python_page() -> str:
    """Return the reference of the Python interface."""
    contracts, others = [], []
    for name in spikefront.__all__:
        value = getattr(spikefront, name)
        if inspect.isclass(value) and issubclass(value, Component):
            kind = getattr(value, "kind", "")
            contracts.append(f"[`{name}`](../plugins/{kind}.md)" if kind else f"`{name}`")
        else:
            others.append(name)
    parts = ["# Python", f"The contracts of components: {', '.join(contracts)}.", "## `spikefront`"]
    parts += [_entry(_home(name), f"spikefront.{name}") for name in others]
    parts += ["## What components get and give", *(_entry(path, path) for path in GIVEN)]
    parts += ["## Elsewhere", *(_entry(path, path) for path in OTHERS)]
    return "\n\n".join(parts)


def _entry(path: str, heading: str) -> str:
    options = {"heading_level": 3, "show_root_heading": "true", "show_root_toc_entry": "true", "heading": heading}
    return "\n".join([f"::: {path}", "    options:", *(f"      {key}: {value}" for key, value in options.items())])


def _home(name: str) -> str:
    """Return where something of `spikefront` is defined, for a static reader of the source."""
    value = getattr(spikefront, name)
    module = getattr(value, "__module__", "")
    return f"{module}.{name}" if module.startswith("spikefront.") else f"spikefront.sources.{name}"
