"""The blocks of code on a page of the documentation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("studies/*.md")))

_FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: `title="..."` behind its language names the file that it is."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match[3])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, match[2], title[1] if title else "", textwrap.dedent(match[4])))
    return found


def commands(page: Path) -> Iterator[str]:
    """Yield the calls of `spikefront` in code on a page: in fenced and in indented blocks, continued lines joined."""
    text = page.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        indented = line.startswith("    ")
        yield from re.findall(r"^(?:\$ )?(?:\.venv/bin/)?(spikefront .*)", line.strip()) if indented else []
    for block in blocks(page):
        if block.language in {"bash", "console", "sh", "text", ""}:
            yield from re.findall(r"^(?:\$ )?(spikefront .*)$", block.text.replace("\\\n", " "), re.MULTILINE)


def mentions(page: Path) -> Iterator[str]:
    """Yield the calls of `spikefront` in the sentences of a page."""
    text = _FENCE.sub("", page.read_text())
    yield from (" ".join(call.split()) for call in re.findall(r"`(spikefront\s[^`]+)`", text))
