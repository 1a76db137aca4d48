"""Cost of a hit in the cache across studies: a study whose every candidate another study has evaluated.

python -m benchmarks.cache [--candidates 200]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.specification import Specification
from spikefront.storage import Database, queries

QUICKSTART = Path(__file__).parent.parent / "studies" / "quickstart.toml"
AIM_MS = 5.0


def main() -> None:
    """Print the time of a hit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    candidates = parser.parse_args().candidates
    changes = ["search.cache=true", "trainer.epochs=1", "task.train=64", "execution={use='inline'}"]
    changes += ["search.population=50", f"search.generations={-(-candidates // 50)}"]
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, Database.open(f"{folder}/cache.db", create=True) as database:
        for name in ("trained", "cached"):
            study = Specification.from_file(QUICKSTART, load(), [*changes, f"study.name={name}"])
            start = time.perf_counter()
            Search(study, database).run()
            seconds[name] = time.perf_counter() - start
        hits, total = (queries.study(database, "cached").reused, queries.study(database, "cached").evaluations)
    each = seconds["cached"] / total * 1000
    Console().print(
        f"{hits} of {total} candidates from the cache, {each:.2f} ms each with all of the search around it "
        f"(aim: below {AIM_MS} ms); trained for one short epoch they took {seconds['trained'] / total * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
