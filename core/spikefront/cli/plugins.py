"""Commands about plugins: which there are, what they provide, what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from spikefront.cli.options import Format, FormatOption, PluginsOption, registry_of
from spikefront.cli.output import print_json, print_listing, print_note
from spikefront.components import Component
from spikefront.describe import parameters, summary
from spikefront.discovery import OURS, find_at
from spikefront.errors import InputError, did_you_mean
from spikefront.plugins import Plugin, Registry
from spikefront.sources import Sources

plugins = typer.Typer(help="List plugins; show, mend and check them.", invoke_without_command=True)


@plugins.callback()
def listing(
    context: typer.Context,
    whole: Annotated[bool, typer.Option("--all", help="Also list those that come with Spikefront.")] = False,
    plugins_dir: PluginsOption = None,
    form: FormatOption = Format.table,
) -> None:
    """List plugins: where they are from, what they provide, and why they were set aside if they were."""
    if context.invoked_subcommand is not None:
        return
    found = registry_of(plugins_dir).plugins
    if form is not Format.table:
        print_listing([_row_of(plugin, reason=plugin.reason, remedy=plugin.remedy) for plugin in found], form)
        return
    shown = [plugin for plugin in found if whole or plugin.origin != OURS or plugin.reason]
    print_listing([_row_of(plugin) for plugin in shown], form, "Plugins")
    for plugin in shown:
        _print_problem(plugin)
    if len(shown) < len(found):
        print_note(f"{len(found) - len(shown)} plugins come with Spikefront and are in use; --all lists them.")
    if any(plugin.origin != OURS for plugin in found):
        print_note("spikefront plugins doctor checks them all.")


def _row_of(plugin: Plugin, **more: str) -> dict[str, str]:
    return {
        "plugin": plugin.name,
        "version": plugin.version,
        "origin": plugin.origin,
        "state": plugin.state,
        "components": ", ".join(f"{kind} {name}" for kind, name in plugin.components),
        **more,
    }


@plugins.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A plugin, a distribution, or a component.")],
    plugins_dir: PluginsOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Show a plugin: its hooks, its components, and their parameters with ranges and units."""
    registry = registry_of(plugins_dir)
    found = [plugin for plugin in registry.plugins if _is_called(plugin, name)]
    if not found:
        known = [word for plugin in registry.plugins for word in (plugin.name, *(c for _, c in plugin.components))]
        raise InputError(f"there is no plugin and no component '{name}'", did_you_mean(name, known))
    if form is Format.json:
        print_json([_described(plugin, registry) for plugin in found])
        return
    for plugin in found:
        if form is Format.table:
            origin = " ".join(filter(None, [plugin.origin, plugin.version]))
            print_note(f"{plugin.name} ({origin}): {plugin.state}")
            print_note(f"hooks: {', '.join(plugin.hooks) or 'none'}")
        _print_problem(plugin)
        for component in _components(plugin, registry):
            rows = [asdict(parameter) for parameter in parameters(component)]
            title = f"{component.kind} '{component.name}': {summary(component)}"
            print_listing(rows, form, title) if rows else print_note(f"{title} It has no parameters.")


@plugins.command()
def doctor(plugins_dir: PluginsOption = None, form: FormatOption = Format.table) -> None:
    """Look for what is wrong with plugins, also with those in use, and say what to do; exit code 1 if there is any."""
    registry = registry_of(plugins_dir)
    rows = []
    for plugin in registry.plugins:
        if plugin.reason:
            rows.append(_finding(plugin.name, plugin.reason, plugin.remedy))
        elif plugin.origin != OURS:
            failed = _collapsed([row for row in _checked(plugin, registry) if row["state"] == "failed"])
            remedy = f"See the contract: spikefront plugins show {plugin.name}, and the page of its kind."
            rows += [_finding(f"{plugin.name}: {row['component']}", row["message"], remedy) for row in failed]
    if form is not Format.table or rows:
        print_listing(rows, form, "What is wrong")
    if form is Format.table:
        states = [plugin.state for plugin in registry.plugins]
        counts = [f"{states.count(state)} {state}" for state in ("in use", "set aside", "disabled")]
        print_note(f"{len(states)} plugins: {', '.join(counts)}; {len(rows)} findings.")
    raise typer.Exit(1 if rows else 0)


@plugins.command()
def check(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file, a folder of files, a package, or a plugin.")],
    plugins_dir: PluginsOption = None,
    form: FormatOption = Format.table,
) -> None:
    """Run the checks of each component's contract, with its default parameters; exit code 1 if one fails."""
    registry = Registry.of(Sources.here(plugins_dir or ()))  # one of its own: it is added to
    found = _called(path, registry) or _added(path, registry)
    rows = [row for plugin in found for row in _checked(plugin, registry)]
    if not rows:
        told = "; ".join(f"plugin '{plugin.name}' is {plugin.state}" for plugin in found) or "no plugin is there"
        raise InputError(f"{path}: there is no component to check: {told}", "See `spikefront plugins --all`.")
    if form is Format.table:
        worth_telling = _collapsed([row for row in rows if row["state"] != "passed"])
        if worth_telling:
            print_listing(worth_telling, form, "Failed or skipped")
        for component in dict.fromkeys(row["component"] for row in rows):
            states = [row["state"] for row in rows if row["component"] == component]
            counts = [f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped")]
            print_note(f"{component}: {', '.join(counts)}")
    else:
        print_listing(rows, form)
    raise typer.Exit(1 if any(row["state"] == "failed" for row in rows) else 0)


def _collapsed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return rows in which checks that say the same of a component stand once."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row["component"], row["state"], row["message"]), []).append(row["check"])
    return [
        _row(component, f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0], state, message)
        for (component, state, message), names in groups.items()
    ]


def _called(name: str, registry: Registry) -> list[Plugin]:
    """Return the plugins that a name stands for, or that lie at a path."""
    place = Path(name).resolve()
    found = [plugin for plugin in registry.plugins if _is_called(plugin, name)]
    return found or [plugin for plugin in registry.plugins if _lies_at(plugin, place, registry)]


def _lies_at(plugin: Plugin, place: Path, registry: Registry) -> bool:
    files = [Path(sys.modules[cls.__module__].__file__ or "") for cls in _components(plugin, registry)]
    return any(file.resolve().is_relative_to(place) for file in files)


def _added(path: str, registry: Registry) -> list[Plugin]:
    """Return the plugins at a path, taken in now."""
    before = len(registry.plugins)
    for found in find_at(path):
        registry.add(found)
    return registry.plugins[before:]


def _is_called(plugin: Plugin, name: str) -> bool:
    words = {plugin.name, plugin.origin, plugin.name.partition(".")[0]}
    return name in words or any(name in {part, f"{kind} {part}"} for kind, part in plugin.components)


def _components(plugin: Plugin, registry: Registry) -> Iterator[type[Component]]:
    return (registry.components(kind)[name] for kind, name in plugin.components)


def _checked(plugin: Plugin, registry: Registry) -> list[dict[str, str]]:
    """Return one row for each check of each component; of a plugin with a reason, that comes first."""
    from spikefront.testing import run_checks

    rows = [_row(plugin.name, "loads", "failed", f"{plugin.reason}. {plugin.remedy}")] if plugin.reason else []
    for cls in _components(plugin, registry):
        who = f"{cls.kind} {cls.name}"
        needed = [name for name, info in cls.model_fields.items() if info.is_required()]
        if needed:
            why = f"it has no default for {', '.join(needed)}; write a test with the suite of its kind"
            rows.append(_row(who, "all", "skipped", why))
            continue
        rows += [_row(who, one.check, one.state, one.message) for one in run_checks(cls())]
    return rows


def _row(component: str, check: str, state: str, message: str) -> dict[str, str]:
    return {"component": component, "check": check, "state": state, "message": message}


def _described(plugin: Plugin, registry: Registry) -> dict[str, Any]:
    components = [
        {
            "kind": component.kind,
            "name": component.name,
            "summary": summary(component),
            "parameters": [asdict(parameter) for parameter in parameters(component)],
        }
        for component in _components(plugin, registry)
    ]
    return {**asdict(plugin), "state": plugin.state, "components": components}


def _finding(where: str, reason: str, remedy: str) -> dict[str, str]:
    return {"where": where, "reason": reason, "remedy": remedy}


def _print_problem(plugin: Plugin) -> None:
    if plugin.reason:
        print_note(f"{plugin.name}: {plugin.reason}. {plugin.remedy}")
