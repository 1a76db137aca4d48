"""What MkDocs calls while it builds the site: adds generated pages, completes the navigation, rewrites links."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # MkDocs loads this file by its path

from spikefront.components import KINDS
from spikefront.plugins import load
from website.commands import commands_page
from website.components import TITLES, components_page, kind_pages
from website.hooks import hooks_page
from website.links import EXTRA_PAGES, ROOT, copied, in_repository, rewritten
from website.python_api import python_page


def generated_pages() -> dict[str, str]:
    """Return the pages that are made from the code, path in the site -> Markdown."""
    registry = load()
    return {
        **kind_pages(registry),
        "reference/components.md": components_page(registry),
        "reference/hooks.md": hooks_page(),
        "reference/command-line.md": commands_page(),
        "reference/python.md": python_page(),
    }


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the navigation: a page for each kind, all systems and all decisions."""
    more = {
        "Writing plugins": [{TITLES[kind][1]: f"plugins/{kind}.md"} for kind in KINDS],
        "Published systems": _titled("systems"),
        "Decisions": _titled("decisions"),
    }
    for entry in config.nav or []:
        for title, pages in entry.items():
            entry[title] = [*pages, *more[title]] if title in more else pages
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, the pages outside docs/, and the files that pages link to."""
    for path, content in generated_pages().items():
        files.append(File.generated(config, path, content=content))
    for here, there in EXTRA_PAGES.items():
        files.append(File.generated(config, there, content=(ROOT / here).read_text()))
    for path in copied():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of pages that were written for the repository."""
    source = in_repository(page.file.src_uri)
    return rewritten(markdown, source) if (ROOT / source).is_file() else markdown


def _titled(folder: str) -> list[dict[str, str]]:
    """Return title and path in the site of every page in a folder of docs/."""
    pages = sorted(ROOT.glob(f"docs/{folder}/*.md"))
    return [{page.read_text().split("\n", 1)[0].removeprefix("# "): f"{folder}/{page.name}"} for page in pages]
