"""The documentation site: what is made from the code is complete, and MkDocs builds it without a warning."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from website.build import generated_pages
from website.commands import called, commands, commands_page
from website.components import TITLES, anchor, components_page, kind_page
from website.hooks import hook_names, hooks_page
from website.links import EXTRA_PAGES, ROOT, copied, rewritten
from website.python_api import python_page

import spikefront
from spikefront import hookspecs
from spikefront.components import KINDS
from spikefront.describe import parameters
from spikefront.hookspecs import HOOKS
from spikefront.plugins import load


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of the same level or above."""
    level = heading.split(" ", maxsplit=1)[0]
    below = page.split(f"\n{heading}", 1)[1]
    return re.split(rf"\n#{{1,{len(level)}}} ", below)[0]


def test_every_hook_is_in_the_reference_with_what_it_should_return() -> None:
    page = hooks_page()
    assert set(HOOKS) < set(hook_names())
    for name in hook_names():
        text = inspect.getdoc(getattr(hookspecs, name))
        assert text, f"{name} has no docstring"
        assert text in section(page, f"## `{name}`")
        assert f"def {name}(" in section(page, f"## `{name}`")


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_is_in_the_reference_with_every_parameter(kind: str) -> None:
    page = components_page(load())
    assert f"## {TITLES[kind][1]} {{ #{kind} }}" in page
    for name, component in load().components(kind).items():
        entry = section(page, f"### `{name}` {{ #{anchor(component)} }}")
        for parameter in parameters(component):
            (row,) = re.findall(rf"^\| `{re.escape(parameter.name)}` \|.*$", entry, re.MULTILINE)
            assert parameter.description
            assert parameter.description.replace("|", "\\|") in row
            assert parameter.type in row


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_with_its_hook_an_example_its_contract_and_what_there_is(kind: str) -> None:
    page = kind_page(kind, load())
    assert next(hook for hook, provided in HOOKS.items() if provided == kind) in section(page, "## Hook")
    source = re.findall(r"```python\n(.*?)```", section(page, "## Example"), re.DOTALL)[0]
    compile(source, kind, "exec")
    assert "@hookimpl" in source
    assert len(source.splitlines()) < 120
    assert section(page, "## Contract").strip() == f"::: {KINDS[kind].__module__}"
    assert all(f"[`{name}`](" in section(page, "## What there is") for name in load().components(kind))


def test_every_command_option_and_argument_is_in_the_reference_with_help() -> None:
    page = commands_page()
    for words, command in commands():
        assert command.help, f"{words} has no docstring"
        entry = section(page, f"## `{words}`")
        for parameter in command.params:
            assert parameter.help, f"{words}: {parameter.name} has no help"
            assert f"| `{called(parameter)}` |".replace("|", "\\|")[2:-2] in entry
            assert parameter.help.replace("|", "\\|") in entry


def test_nested_commands_are_found() -> None:
    assert {"spikefront run", "spikefront db check"} <= {words for words, _ in commands()}


def test_every_public_name_is_in_the_reference_of_python() -> None:
    page = python_page()
    assert [name for name in spikefront.__all__ if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("[a](docs/storage.md#copies)", "README.md", "[a](storage.md#copies)"),
        ("![a](docs/front.png)", "README.md", "![a](front.png)"),
        ("[a](../README.md#write-a-plugin)", "docs/tutorial.md", "[a](index.md#write-a-plugin)"),
        ("[a](../../studies/x.toml)", "docs/decisions/1.md", "[a](../studies/x.toml)"),
        ("[a](../docs/cluster.md)", "studies/README.md", "[a](../cluster.md)"),
        ("[a](#below) [b](https://x.org/y)", "README.md", "[a](#below) [b](https://x.org/y)"),
        ("```python\nlist[int](docs/x)\n```", "README.md", "```python\nlist[int](docs/x)\n```"),
    ],
)
def test_links_are_rewritten_for_the_site(text: str, path: str, expected: str) -> None:
    assert rewritten(text, path) == expected


def test_files_outside_the_documentation_that_are_linked_are_copied() -> None:
    assert "studies/results/genetic.jsonl" in copied()
    assert not any(path.startswith("docs/") or path in EXTRA_PAGES for path in copied())


def test_the_site_builds_without_a_warning_and_asks_nobody_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path for path in generated_pages() if not (tmp_path / path).with_suffix(".html").exists()] == []
    for kind, contract in KINDS.items():
        page = (tmp_path / "plugins" / f"{kind}.html").read_text()
        methods = [name for name, value in vars(contract).items() if inspect.isfunction(value) and name[0] != "_"]
        assert [name for name in methods if f"{contract.__name__}.{name}" not in page] == []
    elsewhere = re.compile(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"((?:https?:)?//[^\"]+)")
    for page in tmp_path.rglob("*.html"):
        assert elsewhere.findall(page.read_text()) == [], page
