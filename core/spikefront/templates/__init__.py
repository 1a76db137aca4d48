"""Plugins to start from, one of each kind: a component, its tests and a study, which `spikefront new` copies.

They are working code: `NewComponent`, `new_component` and `new-component` are names like others, in whose place the
names of a new plugin are put.
"""

from __future__ import annotations

import builtins
import re
from importlib.resources import files

_SET = {
    "encoding": "encoding.use=new-component",
    "synapse": "synapse.use=new-component",
    "neuron": "neuron.use=new-component",
    "surrogate": "surrogate.use=new-component",
    "coder": "coder.use=new-component",
    "network": "network.use=new-component",
    "task": "task.use=new-component",
    "trainer": "trainer.use=new-component",
    "operator": "'search.operators=[\"new-component\"]'",
    "fitness": "'study.columns=[\"new-component\"]'",
    "algorithm": "search.algorithm=new-component",
    "predictor": "search.screening=new-component",
    "executor": "execution.use=new-component",
}
"""Kind -> what makes a study use the component."""


def module_name(name: str) -> str:
    """Return the name of the module of a package with a component of this name."""
    return f"spikefront_{name.replace('-', '_')}"


def single_file(kind: str, name: str) -> str:
    """Return the text of a module with one component.

    Args:
        kind: A key of `spikefront.components.KINDS`.
        name: Name of the component, lower-case words joined by hyphens.
    """
    return _renamed(_read(f"{kind}/__init__.py"), kind, name)


def package(kind: str, name: str) -> dict[str, str]:
    """Return a package with one component, its tests and a study: path of a file -> its text; see `single_file`."""
    paths = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "study.toml": f"{kind}/study.toml",
        f"tests/test_{name.replace('-', '_')}.py": f"{kind}/test_new_component.py",
    }
    texts = {path: _renamed(_read(source), kind, name) for path, source in paths.items()}
    return {f"{module_name(name)}.py": single_file(kind, name), **texts}


def command(kind: str, name: str, options: str = "") -> str:
    """Return a command that uses a component in a study, or, where no command does, lists it."""
    parts = ["spikefront plugins", options]
    if kind in _SET:
        parts = ["spikefront run STUDY", options, f"--set {_SET[kind]}"]
    elif kind == "analysis":
        parts = ["spikefront analyse STUDY new-component", options]
    elif kind == "exporter":
        parts = ["spikefront export STUDY ID --to FOLDER", options, "--as new-component"]
    return " ".join(part for part in parts if part).replace("new-component", name)


def _read(path: str) -> str:
    return files(__name__).joinpath(path).read_text(encoding="utf-8")


def _renamed(text: str, kind: str, name: str) -> str:
    """Return a text of a template with the names of a new component."""
    names = {
        "new-command": command(kind, name),
        f"spikefront.templates.{kind}": module_name(name),
        "new-kind": "fitness term" if kind == "fitness" else kind,
        "components.kind": f"components.{kind}",
        "NewComponent": class_name(kind, name),
        "new_component": name.replace("-", "_"),
        "new-component": name,
    }
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def class_name(kind: str, name: str) -> str:
    """Return a name for the class of a component that means nothing else in its module."""
    words = "".join(word.capitalize() for word in name.split("-"))
    taken = {*re.findall(r"\w+", _read(f"{kind}/__init__.py") + _read(f"{kind}/test_new_component.py")), *dir(builtins)}
    return f"{words}{kind.capitalize()}" if {words, f"Test{words}"} & taken else words
