"""Pictures of every page of the app, at two widths, light and dark.

    python -m benchmarks.screenshots DATABASE [--to docs/pictures/app] [--study NAME] [--pages front progress]
        [--widths 1280 375] [--themes light dark] [--query "front:selected=3,5&z=energy" ...]

Needs chromium (Debian: apt-get install chromium). A picture is called PAGE-WIDTH-THEME.png, and is as high as the page,
up to a limit.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.browser import PAGES, browser, look, server

SIZES = {1280: 900, 375: 800}
HIGHEST = 2000
CONTENT = "document.querySelector('[data-testid=stMain]').scrollHeight"
THEMES = ("light", "dark")
FOLDER = Path(__file__).parent.parent / "docs" / "pictures" / "app"


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="file or URL")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the pictures")
    parser.add_argument("--study", default="", help="study to be shown; the newest by default")
    parser.add_argument("--pages", nargs="+", default=PAGES, choices=PAGES)
    parser.add_argument("--widths", nargs="+", type=int, default=SIZES, choices=SIZES)
    parser.add_argument("--themes", nargs="+", default=THEMES, choices=THEMES)
    parser.add_argument("--query", nargs="+", default=(), metavar="PAGE:QUERY", help="what else a page's address says")
    arguments = parser.parse_args()
    database = arguments.database
    if "://" not in database:
        database = f"sqlite:///{Path(database).absolute()}"
    arguments.to.mkdir(parents=True, exist_ok=True)
    chosen = dict(one.split(":", 1) for one in arguments.query)
    queries = {
        name: "?"
        + "&".join(filter(None, [f"study={arguments.study}" if arguments.study else "", chosen.get(name, "")]))
        for name in arguments.pages
    }
    with tempfile.TemporaryDirectory() as folder, server(database, Path(folder)) as served, browser() as started:
        for theme in arguments.themes:
            for width in arguments.widths:
                for name in arguments.pages:
                    page = started.new_page(viewport={"width": width, "height": SIZES[width]}, color_scheme=theme)
                    look(page, served.page(name, queries[name]))
                    page.set_viewport_size(
                        {"width": width, "height": min(max(page.evaluate(CONTENT), SIZES[width]), HIGHEST)}
                    )
                    page.wait_for_timeout(1500)
                    path = arguments.to / f"{name}-{width}-{theme}.png"
                    page.screenshot(path=path)
                    print(f"{path}  {path.stat().st_size / 1024:.0f} KB")
                    page.close()


if __name__ == "__main__":
    main()
