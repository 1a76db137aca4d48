"""The reference of the command line, made from the program itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer.main

from spikefront.cli import build
from website.components import table


def commands(group: Any = None, path: str = "spikefront") -> Iterator[tuple[str, Any]]:
    """Yield every command of the program, and groups of commands that have options, with the words that call them."""
    group = group or typer.main.get_command(build())
    if group.params:
        yield path, group
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def commands_page() -> str:
    """Return the reference of the command line."""
    parts = [
        "# Command line",
        "`spikefront COMMAND --help` prints what stands here. Exit codes: 0 done, 1 nothing usable, 2 wrong input, "
        "130 interrupted.",
    ]
    for words, command in commands():
        parts += [f"## `{words}`", inspect.cleandoc(command.help or ""), f"```text\n{usage(words, command)}\n```"]
        if command.params:
            rows = [(f"`{called(one)}`", default(one), one.help or "") for one in command.params]
            parts += [table(("argument or option", "default", "meaning"), rows)]
    return "\n\n".join(parts)


def usage(words: str, command: Any) -> str:
    """Return the line that calls a command: its words, its arguments, and what options it needs."""
    arguments = [called(one) for one in command.params if not is_option(one)]
    needed = [called(one) for one in command.params if is_option(one) and one.required]
    options = ["[OPTIONS]"] if any(is_option(one) and not one.required for one in command.params) else []
    below = ["COMMAND"] if hasattr(command, "commands") else []
    return " ".join([words, *arguments, *needed, *options, *below])


def is_option(parameter: Any) -> bool:
    """Tell an option from an argument."""
    return bool(parameter.param_type_name == "option")


def called(parameter: Any) -> str:
    """Return an argument or option as it is typed: `--db URL`, `NAME`."""
    value = parameter.metavar or parameter.name.upper().replace("_", "-")
    if not is_option(parameter):
        return str(value) if parameter.required or value.startswith("[") else f"[{value}]"
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    if isinstance(parameter.default, Enum):
        value = "|".join(str(one.value) for one in type(parameter.default))
    return f"{names} {value}"


def default(parameter: Any) -> str:
    """Return the default of an argument or option."""
    value = parameter.default
    if parameter.required:
        return "*needed*"
    if value is None or value is False or value in ((), []):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"
