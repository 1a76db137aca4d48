"""Pages made from the registry: how to write a component of each kind, and what every component takes."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterable, Iterator

from spikefront.components import KINDS, Component
from spikefront.describe import Parameter, parameters, summary
from spikefront.hookspecs import HOOKS
from spikefront.plugins import Registry
from spikefront.templates import single_file
from spikefront.testing import CONTRACTS
from website.hooks import hook_text

TITLES = {
    "encoding": ("an encoding", "Encodings"),
    "synapse": ("a synapse", "Synapses"),
    "neuron": ("a neuron", "Neurons"),
    "surrogate": ("a surrogate", "Surrogates"),
    "coder": ("a coder", "Coders"),
    "network": ("a network", "Networks"),
    "task": ("a task", "Tasks"),
    "trainer": ("a trainer", "Trainers"),
    "operator": ("an operator", "Operators"),
    "fitness": ("a fitness term", "Fitness terms"),
    "algorithm": ("a search algorithm", "Search algorithms"),
    "predictor": ("a predictor", "Predictors"),
    "analysis": ("an analysis", "Analyses"),
    "executor": ("an executor", "Executors"),
    "exporter": ("an exporter", "Exporters"),
}
"""Kind -> the kind in "Writing ..." and as a heading."""

PLACES = {
    "operator": "an entry of `operators` in `[search]`",
    "fitness": "an entry of `objectives` or `columns` in `[study]`, or `use` in `[[regularisers]]`",
    "algorithm": "`algorithm` in `[search]`; its parameters stand beside",
    "predictor": "`use` in `[search.screening]`; its parameters stand beside",
    "executor": "`use` in `[execution]`; its parameters stand beside",
    "exporter": "nowhere: `spikefront export --as NAME` takes it",
    "analysis": "nowhere: `spikefront analyse STUDY NAME` makes it",
}
"""Where a study file names a component of a kind that does not describe a candidate."""


def kind_pages(registry: Registry) -> dict[str, str]:
    """Return the pages on writing a component, path in the site -> Markdown."""
    return {f"plugins/{kind}.md": kind_page(kind, registry) for kind in KINDS}


def place(kind: str) -> str:
    """Return where a study file names a component of a kind."""
    return PLACES.get(kind) or f"`use` in `[{kind}]`; its parameters stand beside, and may be searched"


def kind_page(kind: str, registry: Registry) -> str:
    """Return the page on writing a component of a kind."""
    contract = KINDS[kind]
    hook = next(name for name, provided in HOOKS.items() if provided == kind)
    return "\n\n".join(
        [
            f"# Writing {TITLES[kind][0]}",
            _escaped(summary(contract)),
            f"In a study file: {place(kind)}. [Writing plugins](../writing-plugins.md) has what all kinds share.",
            f"## Hook\n\n{hook_text(hook)}",
            _example(kind),
            f"## Contract\n\n::: {contract.__module__}",
            *_suite(contract),
            "## What there is",
            *_listing(kind, registry),
        ]
    )


def components_page(registry: Registry) -> str:
    """Return the reference of all components."""
    lines = [
        "# Components",
        "Every component that is built in, with its parameters. A parameter without a default is *needed*; *none* says "
        "that nothing is set. Parameters of what describes a candidate, a task to a trainer, "
        "[may be searched](../study-files.md#what-is-searched).",
    ]
    for kind in KINDS:
        lines += [f"## {TITLES[kind][1]} {{ #{kind} }}", f"In a study file: {place(kind)}."]
        lines += [f"To write one, see [Writing {TITLES[kind][0]}](../plugins/{kind}.md)."]
        for _, component in sorted(registry.components(kind).items()):
            lines += list(component_entry(component))
        if not registry.components(kind):
            lines += ["None is built in."]
    return "\n\n".join(lines)


def component_entry(component: type[Component]) -> Iterator[str]:
    """Yield the parts of a component's entry in the reference: heading, docstring, parameters."""
    yield f"### `{component.name}` {{ #{anchor(component)} }}"
    yield _escaped(inspect.cleandoc(component.__doc__ or ""))
    listed = parameters(component)
    if listed:
        yield parameter_table(listed)


def anchor(component: type[Component]) -> str:
    """Return the name of a component's entry within the reference."""
    return f"{component.kind}-{component.name}"


def parameter_table(listed: Iterable[Parameter]) -> str:
    """Return parameters as a Markdown table."""
    rows = (
        (f"`{one.name}`", ", ".join(filter(None, (one.type, one.range))), _code(one.default), one.description)
        for one in listed
    )
    return table(("parameter", "values", "default", "meaning"), rows)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(default: str) -> str:
    return f"*{default}*" if default in {"needed", "none"} else f"`{default}`"


def _example(kind: str) -> str:
    source = single_file(kind, "my-own")
    return f"## Example\n\nWhat `spikefront new {kind} my-own --single-file` writes:\n\n```python\n{source}```"


def _suite(contract: type[Component]) -> Iterator[str]:
    """Yield the section on the contract's test suite."""
    yield f"## Tests\n\n::: spikefront.testing.{CONTRACTS[contract.kind].__name__}"


def _listing(kind: str, registry: Registry) -> Iterator[str]:
    known = sorted(registry.components(kind).items())
    if not known:
        yield "None is built in."
        return
    link = "../reference/components.md"
    rows = ((f"[`{name}`]({link}#{anchor(cls)})", _escaped(summary(cls))) for name, cls in known)
    yield table(("name", "what it is"), rows)


def _escaped(text: str) -> str:
    """Return a docstring as Markdown in which angle brackets and asterisks outside of code mean themselves."""
    lines = []
    for line in text.split("\n"):
        parts = re.split(r"(`[^`]*`)", line)
        plain = line.startswith("    ")
        lines.append(line if plain else "".join(p if p.startswith("`") else _escaped_words(p) for p in parts))
    return "\n".join(lines)


def _escaped_words(text: str) -> str:
    return re.sub(r"([*_|])", r"\\\1", html.escape(text, quote=False))
