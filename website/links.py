"""Where files of the repository are in the site, and links rewritten for it.

The pages of docs/, the README and the studies' README link to each other by their paths in the repository, so that the
links work where the repository is read. In the site docs/ is the top, README.md is the first page, and what else is
linked is copied.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRA_PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "studies/README.md": "studies/README.md"}
"""Pages outside docs/: path in the repository -> path in the site."""

_LINK = re.compile(r"(\]\()([^)#\s]+)([)#])")
_FENCE = re.compile(r"(^```.*?^```[^\n]*$)", re.DOTALL | re.MULTILINE)


def in_site(path: str) -> str:
    """Return where a file of the repository is in the site."""
    return EXTRA_PAGES.get(path) or path.removeprefix("docs/")


def in_repository(path: str) -> str:
    """Return the file of the repository that a page of the site is made from."""
    back = {there: here for here, there in EXTRA_PAGES.items()}
    return back.get(path) or f"docs/{path}"


def rewritten(markdown: str, path: str) -> str:
    """Return a page with its links as the site needs them.

    Args:
        markdown: Its text.
        path: Its path in the repository.
    """
    start = posixpath.dirname(in_site(path))

    def moved(target: str) -> str:
        return posixpath.relpath(in_site(target), start or ".")

    return _mapped(markdown, path, moved)


def linked(markdown: str, path: str) -> Iterator[str]:
    """Yield the files of the repository that a page links to, as paths in the repository."""
    found: list[str] = []

    def noted(target: str) -> str:
        found.append(target)
        return target

    _mapped(markdown, path, noted)
    yield from found


def copied() -> list[str]:
    """Return the files outside docs/ that pages link to and that are no pages, as paths in the repository."""
    pages = [*EXTRA_PAGES, *(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))]
    targets = {target for page in pages for target in linked((ROOT / page).read_text(), page)}
    outside = {target for target in targets if not target.startswith("docs/") and target not in EXTRA_PAGES}
    return sorted(target for target in outside if (ROOT / target).is_file())


def _mapped(markdown: str, path: str, change: Callable[[str], str]) -> str:
    """Return a page with the targets of its links within the repository changed; code is left as it is."""

    def replaced(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match.group()
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return before + change(whole) + after

    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(replaced, part) for part in parts)
