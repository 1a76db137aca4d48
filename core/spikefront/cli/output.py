"""Printing listings as a table, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikefront.cli.options import Format


def print_listing(rows: Sequence[Mapping[str, Any]], form: Format, title: str = "") -> None:
    """Print rows with the same keys; nested values are flattened for tables and CSV.

    Args:
        rows: What to print; JSON keeps it as it is.
        form: How.
        title: Heading of the table.
    """
    if form is Format.json:
        print_json([dict(row) for row in rows])
        return
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    if form is Format.csv:
        writer = csv.DictWriter(sys.stdout, columns)
        writer.writeheader()
        writer.writerows(flat)
        return
    table = Table(title=title or None, title_justify="left")
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in flat)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in flat:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    Console(width=None if sys.stdout.isatty() else 160).print(table if rows else f"{title}: none")


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, indent=2, default=str))  # noqa: T201


def print_note(text: str) -> None:
    """Print a sentence, unbroken and as it is."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat |= {f"{key}.{name}": item for name, item in value.items()} if isinstance(value, Mapping) else {key: value}
    return flat


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
