"""Platform overhead: time per evaluation spent outside of `evaluate`, on a task that costs nothing.

    python -m benchmarks.overhead [--evaluations 2000] [--repeats 3] [--check]
    python -m benchmarks.overhead --rivals --evaluations 5000 --repeats 1

With --rivals, also the same search by Optuna (NSGA-II, SQLite), which records every trial as we do, and by pymoo alone,
which records nothing, in turn. With --check, exits 1 when an aim is missed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from spikefront.plugins import load
from spikefront.search.coordinator import Search
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.storage import Database, queries

AIM_MS, AIM_TIMES = 5.0, 5.0
POPULATION = 50
SOURCES = Sources(modules=("benchmarks.trivial",))


def study_document(evaluations: int) -> dict[str, Any]:
    """Return a study of three objectives and three genes, searched by nsga2."""
    gene = {"low": 0.0, "high": 1.0}
    return {
        "study": {"name": "trivial", "seed": 1, "objectives": ["first", "second", "third"]},
        "task": {"use": "trivial", "a": gene, "b": gene, "c": gene},
        "trainer": {"use": "none"},
        "search": {"population": POPULATION, "evaluations": evaluations},
        "execution": {"use": "inline"},
    }


def measure(evaluations: int) -> tuple[float, float]:
    """Return seconds of a whole search, and those of them spent in `evaluate`."""
    registry = load(SOURCES)
    study = Specification.from_document(study_document(evaluations), registry)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/overhead.db"
        with Database.open(url, create=True) as database:
            start = time.perf_counter()
            Search(study, database).run()
            total = time.perf_counter() - start
            inside = sum(row.seconds for row in queries.evaluations(database, study.name))
    return total, inside


def losses(a: float, b: float, c: float) -> tuple[float, float, float]:
    """Return what the trivial task measures."""
    rest = 1 + (c - 0.5) ** 2
    return a * rest, b * rest, (1 - a) * (1 - b) * rest


def measure_optuna(evaluations: int) -> float:
    """Return seconds of the same search by Optuna."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        study = optuna.create_study(
            storage=f"sqlite:///{folder}/optuna.db",
            sampler=optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=1),
            directions=["minimize"] * 3,
        )
        start = time.perf_counter()
        study.optimize(lambda trial: losses(*(trial.suggest_float(n, 0, 1) for n in "abc")), n_trials=evaluations)
        return time.perf_counter() - start


def measure_pymoo(evaluations: int) -> float:
    """Return seconds of the same search by pymoo alone."""
    import numpy as np
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.optimize import minimize

    class Trivial(ElementwiseProblem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=3, n_obj=3, xl=np.zeros(3), xu=np.ones(3))

        def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            out["F"] = losses(*x)

    start = time.perf_counter()
    minimize(Trivial(), NSGA2(pop_size=POPULATION), ("n_eval", evaluations), seed=1)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rivals", action="store_true", help="also Optuna and pymoo alone")
    parser.add_argument("--check", action="store_true", help="exit 1 when an aim is missed")
    arguments = parser.parse_args()
    measure(100)
    outside, optuna, pymoo = [], [], []
    versions = ", ".join(f"{name} {version(name)}" for name in ("spikefront", "pymoo", "optuna"))
    table = Table(title=f"Overhead, {arguments.evaluations} evaluations, SQLite; {versions}")
    for column in ("run", "total s", "in evaluate s", "outside, ms an evaluation", "Optuna, ms", "pymoo alone, ms"):
        table.add_column(column, justify="right")
    for number in range(arguments.repeats):
        total, inside = measure(arguments.evaluations)
        outside.append((total - inside) / arguments.evaluations * 1000)
        if arguments.rivals:
            optuna.append(measure_optuna(arguments.evaluations) / arguments.evaluations * 1000)
            pymoo.append(measure_pymoo(arguments.evaluations) / arguments.evaluations * 1000)
        rest = [f"{times[-1]:.2f}" if times else "" for times in (outside, optuna, pymoo)]
        table.add_row(str(number + 1), f"{total:.2f}", f"{inside:.2f}", *rest)
    console = Console(width=120)
    console.print(table)
    median = statistics.median(outside)
    aims = {f"below {AIM_MS} ms per evaluation: {median:.2f}": median < AIM_MS}
    if optuna:
        times = statistics.median(optuna) / median
        aims[f"Optuna takes at least {AIM_TIMES:.0f} times as long: {times:.1f}"] = times >= AIM_TIMES
    for aim, reached in aims.items():
        console.print(f"{'reached' if reached else 'MISSED '}  {aim}")
    if arguments.check and not all(aims.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
