"""The command that writes a plugin to start from."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from spikefront.cli.options import PluginsOption, registry_of
from spikefront.cli.writing import write_file, write_folder
from spikefront.components import KINDS
from spikefront.errors import InputError, did_you_mean, shown
from spikefront.plugins import Registry
from spikefront.templates import command, module_name, package, single_file

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What to write: {', '.join(KINDS)}.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: lower-case words joined by hyphens.")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Folder of the package, spikefront-NAME by default; or of the file."),
    ] = None,
    single: Annotated[
        bool, typer.Option("--single-file", help="Write NAME.py only, for a folder of single-file plugins.")
    ] = False,
    plugins_dir: PluginsOption = None,
) -> None:
    """Write a plugin that works, to start from: a package with tests and a study, or a single file."""
    if kind not in KINDS:
        raise InputError(f"KIND {shown(kind)}: there is no such kind", did_you_mean(kind, KINDS))
    _check(kind, name, registry_of(plugins_dir))
    if single:
        file = to if to and to.suffix == ".py" else (to or Path()) / f"{name.replace('-', '_')}.py"
        write_file(file, single_file(kind, name))
        typer.echo(f"Wrote the {kind} '{name}' to {file}")
        typer.echo(f"Next: {command(kind, name, f'--plugins-dir {shlex.quote(str(file.parent))}')}")
        return
    _check_module(name)
    folder, texts = to or Path(f"spikefront-{name}"), package(kind, name)
    write_folder(folder, lambda temporary: _write(temporary, texts))
    typer.echo(f"Wrote the {kind} '{name}' to {folder}: {', '.join(texts)}")
    typer.echo(
        f"Next: cd {shlex.quote(str(folder))} && pip install -e '.[test]' && pytest && spikefront run study.toml"
    )


def _check(kind: str, name: str, registry: Registry) -> None:
    """Refuse what cannot be the name of a new component.

    Raises:
        InputError: It is not written as names are, is a word of Python, or belongs to another component.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].strip("-")
        example = words if _NAME.fullmatch(words) else "my-own"
        raise InputError(
            f"NAME {shown(name)}: should be lower-case words joined by hyphens, at most {_LONGEST} characters, "
            "the first a letter",
            f"For example '{example}'.",
        )
    if keyword.iskeyword(name):
        raise InputError(f"NAME '{name}': is a word of Python", f"For example 'my-{name}'.")
    if name in registry.components(kind):
        plugin = registry.provider(kind, name)
        whose = " ".join(part for part in (plugin.origin, plugin.version) if part)
        raise InputError(
            f"NAME '{name}': there is such a {kind} already, from {whose} ({plugin.name})", f"For example 'my-{name}'."
        )


def _check_module(name: str) -> None:
    """Refuse a package that another would hide.

    Raises:
        InputError: Its module can be imported already.
    """
    module = module_name(name)
    found = importlib.util.find_spec(module)
    if found:
        raise InputError(f"NAME '{name}': there is a module {module} already, {found.origin}", "Choose another name.")


def _write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
