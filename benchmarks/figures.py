"""The pictures of docs/genetic-encoding.md, as PNG files under docs/pictures.

python -m benchmarks.figures                               from the stored evidence
python -m benchmarks.figures --study NAME [--db URL]       and from a search: its front, its interactions
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks import evolution, genetic
from spikefront.storage import Database, queries

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
INTERACTIONS = "encoding.interactions"


def arms_figure(runs: list[genetic.Run]) -> Figure:
    """Return accuracy against stored parameters, of every arm of every architecture; bars are standard errors."""
    found = {name: arms for name in genetic.ARCHITECTURES if "direct" in (arms := genetic.final_runs(runs, name))}
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
    for number, (name, arms) in enumerate(found.items(), start=1):
        axes = figure.add_subplot(rows, columns, number)
        for arm, own in arms.items():
            mean, error = genetic.mean_and_error([run.test or 0.0 for run in own])
            marker = "D" if arm in {genetic.HALF, genetic.LITTLE} else "o"
            axes.errorbar(own[0].parameters, mean, error, label=arm, marker=marker, capsize=3, linestyle="none")
        described(axes, name, "stored parameters", "test accuracy")
        thousands(axes)
        axes.legend(fontsize=7)
    return figure


def evolution_figure(runs: list[evolution.Run]) -> Figure:
    """Return the best accuracy so far against generations, of every arm of evolution; bands are standard errors."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for arm in evolution.ARMS:
        own = [run.best for run in runs if run.arm == arm]
        if len(own) > 1:
            table = np.array(own)
            mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table))
            generations = np.arange(1, table.shape[1] + 1)
            axes.plot(generations, mean, label=arm)
            axes.fill_between(generations, mean - error, mean + error, alpha=0.15)
    described(axes, "mlp 784-128-128-10, 16 genes", "generation", "best validation accuracy so far")
    axes.legend(fontsize=7)
    return figure


def front_figure(database: Database, study: str) -> Figure:
    """Return the front of a search, each objective against accuracy, by encoding; dominated candidates are thin."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    front = {row.number for row in queries.front(database, study)}
    rows = [row for row in queries.evaluations(database, study) if not row.failure]
    encoding = {
        row.number: queries.genomes(database, {row.genome_hash})[row.genome_hash]["encoding.use"] for row in rows
    }
    for number, objective in enumerate(("parameters", "energy"), start=1):
        axes = figure.add_subplot(1, 2, number)
        for color, use in enumerate(sorted(set(encoding.values()))):
            for kept, size, alpha in ((False, 8, 0.3), (True, 36, 1.0)):
                own = [row for row in rows if encoding[row.number] == use and (row.number in front) == kept]
                x, y = ([row.mean(name) or 0.0 for row in own] for name in (objective, "accuracy"))
                axes.scatter(x, y, s=size, alpha=alpha, color=f"C{color}", label=use if kept else None)
        described(axes, study, f"{objective}{', pJ' if objective == 'energy' else ''}", "validation accuracy")
        thousands(axes)
        axes.legend()
    return figure


def interactions_figure(database: Database, study: str) -> Figure:
    """Return the interactions of the best genetic candidate of the first generation and of the front, with spectra."""
    rows = [row for row in queries.evaluations(database, study) if not row.failure]
    genomes = queries.genomes(database, {row.genome_hash for row in rows})
    grown = [row for row in rows if genomes[row.genome_hash].get("encoding.use", "genetic") == "genetic"]
    best = [max(some, key=lambda row: row.mean("accuracy") or 0.0)
            for some in ([row for row in grown if row.generation == 0], grown)]  # fmt: skip
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    spectra = figure.add_subplot(1, 3, 3)
    for number, (when, row) in enumerate(zip(("first generation", "whole search"), best, strict=True), start=1):
        matrix = first_matrix(genomes[row.genome_hash].arrays[INTERACTIONS])
        axes = figure.add_subplot(1, 3, number)
        limit = float(np.abs(matrix).max())
        figure.colorbar(axes.imshow(matrix, cmap="RdBu", vmin=-limit, vmax=limit), ax=axes)
        described(axes, f"best of the {when}: {row.number}", "gene of the input", "gene of the output")
        spectra.plot(np.linalg.svd(matrix, compute_uv=False), marker=".", label=f"best of the {when}")
    described(spectra, "singular values", "number", "")
    spectra.legend(fontsize=7)
    return figure


def first_matrix(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return O of the first part and the first field or tap."""
    matrix: npt.NDArray[np.float32] = array[0, 0]
    return matrix


def thousands(axes: Axes) -> None:
    """Give a horizontal axis a logarithmic scale with few labels."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, place: f"{value / 1000:g}k")
    axes.xaxis.set_minor_formatter(NullFormatter())


def described(axes: Axes, title: str, x: str, y: str) -> None:
    """Name a plot and its axes."""
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", help="name of a search with evolved interactions")
    parser.add_argument("--db", default="sqlite:///spikefront.db", help="its database")
    arguments = parser.parse_args()
    mpl.rcParams["axes.grid"] = True
    pictures = {
        "arms": arms_figure(genetic.stored(genetic.RESULTS)),
        "evolution": evolution_figure(evolution.stored(evolution.RESULTS)),
    }
    if arguments.study:
        with Database.open(arguments.db) as database:
            pictures["front"] = front_figure(database, arguments.study)
            pictures["interactions"] = interactions_figure(database, arguments.study)
    FOLDER.mkdir(exist_ok=True)
    for name, figure in pictures.items():
        figure.savefig(FOLDER / f"{name}.png", dpi=110)
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
