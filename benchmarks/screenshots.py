"""Pictures of every page of the app, at two widths, light and dark.

    python -m benchmarks.screenshots DATABASE [--to docs/pictures/app] [--study NAME] [--pages front progress]

Needs chromium (Debian: apt-get install chromium). A picture is called PAGE-WIDTH-THEME.png.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.browser import PAGES, browser, look, server

SIZES = {1280: 900, 375: 800}
THEMES = ("light", "dark")
FOLDER = Path(__file__).parent.parent / "docs" / "pictures" / "app"


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="file or URL")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of the pictures")
    parser.add_argument("--study", default="", help="study to be shown; the newest by default")
    parser.add_argument("--pages", nargs="+", default=PAGES, choices=PAGES)
    arguments = parser.parse_args()
    database = arguments.database
    if "://" not in database:
        database = f"sqlite:///{Path(database).absolute()}"
    arguments.to.mkdir(parents=True, exist_ok=True)
    query = f"?study={arguments.study}" if arguments.study else ""
    with tempfile.TemporaryDirectory() as folder, server(database, Path(folder)) as served, browser() as started:
        for theme in THEMES:
            for width, height in SIZES.items():
                page = started.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
                for name in arguments.pages:
                    look(page, served.page(name, query), settle_s=1.5)
                    path = arguments.to / f"{name}-{width}-{theme}.png"
                    page.screenshot(path=path)
                    print(f"{path}  {path.stat().st_size / 1024:.0f} KB")
                page.close()


if __name__ == "__main__":
    main()
