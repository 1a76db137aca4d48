"""Each option of the genetic encoding alone, against the set-up that it is an option of, at equal parameters.

    python -m benchmarks.options                          tables from the stored runs
    python -m benchmarks.options --run [--minutes 30]     the runs that are not stored yet, appended as they end
    python -m benchmarks.options --fresh                  two seeds of a short version, run now, nothing stored

Every option has the most genes that keep the network within the same share of the direct network's parameters, so that
an option that costs numbers pays for them with genes. Accuracies are those of the validation split: this is how the
defaults were chosen, and the test split is not looked at. Intervals are 95 %, of the difference of two means (Welch).
"""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import genetic, results
from benchmarks.genetic import GENETIC, Difference, Trained

RESULTS = results.FOLDER / "options.jsonl"
SEEDS = (1, 2, 3, 4, 5)
BASE = "the set-up"

Options = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A network whose encoding is varied.

    Attributes:
        sections: The study without its section [encoding].
        share: Largest share of the direct network's parameters.
        encoding: Section [encoding] of the set-up, without the number of genes.
        options: What each option changes in it.
    """

    sections: dict[str, dict[str, Any]]
    share: float
    encoding: Options
    options: dict[str, Options]


ALL: dict[str, Options] = {
    BASE: {},
    "own input vectors": {"tied": False},
    "normal first vectors": {"initial": "normal"},
    "orthogonal first vectors": {"initial": "orthogonal"},
    "fixed random interactions": {"interaction_rate": 1e-9},
    "interactions as fast as weights": {"interaction_rate": 64.0},
    "vectors three times as fast": {"gene_rate": 3.0},
    "vectors a third as fast": {"gene_rate": 0.3},
    "vectors decay": {"gene_decay": 1000.0},
    "gain of a layer": {"gain": "layer"},
    "gain of an output": {"gain": "neuron"},
    "direct diagonal": {"residue": "diagonal"},
    "two parts": {"parts": 2},
}
NETWORKS = {
    "conv 16-32-64-64, 1,500 pictures": Network(
        {
            **genetic.pictures("fashion-mnist", 1500),
            "network": genetic.conv(16, 32, 64, 64)(1),
            "trainer": {"precision": "bfloat16", "epochs": 20, "learning_rate": 1e-2},
        },
        0.33,
        GENETIC,
        ALL
        | {
            "interactions of a tap": {"variant": "per-tap"},
            "four patterns over the kernel": {"variant": "per-tap", "patterns": 4},
            "vectors of taps": {"variant": "unfold"},
            "two fields": {"fields": 2},
            "eight fields": {"fields": 8},
            "gene dropout 0.1": {"dropout": 0.1},
        },
    ),
    "mlp 512-512, 5,000 of CIFAR-10": Network(
        {
            **genetic.CIFAR,
            "network": genetic.mlp(512, 512)(1),
            "trainer": {"precision": "bfloat16", "epochs": 10, "learning_rate": 1e-3},
        },
        0.1,
        GENETIC | {"places": 36, "dropout": 0.1},
        ALL
        | {
            "own vectors of pixels": {"places": 0},
            "16 cosines": {"places": 16},
            "100 cosines": {"places": 100},
            "no gene dropout": {"dropout": 0.0},
            "gene dropout 0.3": {"dropout": 0.3},
        },
    ),
}


@dataclass(frozen=True)
class Run(Trained):
    """One training with one option."""

    network: str
    option: str
    seed: int
    genes: int


def document(network: str, encoding: Mapping[str, Any]) -> dict[str, Any]:
    """Return the study of a network with some encoding."""
    return {
        "study": {"name": "options", "objectives": ["accuracy", "parameters", "energy"],
                  "columns": ["synaptic-operations"]},
        **NETWORKS[network].sections,
        "encoding": dict(encoding),
        "search": {"generations": 1},
    }  # fmt: skip


@functools.cache
def genes_of(network: str, option: str) -> int:
    """Return the most genes that an option can have within the share of the parameters."""
    varied = NETWORKS[network]
    encoding = varied.encoding | varied.options[option]
    limit = varied.share * genetic.parameters(document(network, {"use": "direct"}))
    return genetic.largest(lambda n: genetic.parameters(document(network, encoding | {"genes": n})), limit, 255)


def run(network: str, option: str, seed: int, sections: dict[str, dict[str, Any]]) -> Run:
    """Train one option; `sections` are keys of the study that differ."""
    genes, varied = genes_of(network, option), NETWORKS[network]
    whole = document(network, varied.encoding | varied.options[option] | {"genes": genes})
    found = genetic.trained({key: whole[key] | sections.get(key, {}) for key in whole}, seed, tested=False)
    return Run(**vars(found), network=network, option=option, seed=seed, genes=genes)


def stored(path: Path) -> list[Run]:
    """Return the runs of a file."""
    return [Run(**row) for row in results.rows(path)]


def run_all(path: Path, minutes: float, sections: dict[str, dict[str, Any]], seeds: tuple[int, ...]) -> None:
    """Do what is missing in a file, and append what ends; start nothing when time is over."""
    done = {(one.network, one.option, one.seed) for one in stored(path)}
    wanted = [(name, option, seed) for seed in seeds for name, one in NETWORKS.items() for option in one.options]
    missing = [(*key, sections) for key in wanted if key not in done]
    results.append(path, run, missing, time.monotonic() + 60 * minutes)


def report(runs: list[Run], console: Console) -> None:
    """Print all tables."""
    for name, network in NETWORKS.items():
        found = {option: own for option in network.options
                 if len(own := [one for one in runs if (one.network, one.option) == (name, option)]) > 1}  # fmt: skip
        if BASE in found:
            show(name, found, console)


def show(network: str, found: dict[str, list[Run]], console: Console) -> None:
    """Print the table of a network."""
    table = Table(title=network)
    for heading in ("option", "genes", "parameters", "validation", "std. error", "minus the set-up (95 %)", "loss",
                    "seeds"):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "option" else "right")
    base = [one.validation for one in found[BASE]]
    for option, runs in found.items():
        accuracies = [one.validation for one in runs]
        mean, error = genetic.mean_and_error(accuracies)
        table.add_row(
            option,
            str(runs[0].genes),
            f"{runs[0].parameters:,}",
            f"{mean:.4f}",
            f"{error:.4f}",
            "" if option == BASE else str(Difference.of(accuracies, base)),
            f"{genetic.mean_and_error([one.loss for one in runs])[0]:.3f}",
            str(len(runs)),
        )
    console.print(table)


FRESH: dict[str, dict[str, Any]] = {"task": {"train": 500, "validation": 1000}, "trainer": {"epochs": 2}}


def main() -> None:
    """Print the tables, after the runs that were asked for."""
    arguments = results.options(__doc__ or "", RESULTS).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fresh.jsonl" if arguments.fresh else arguments.results
        if arguments.fresh or arguments.run:
            run_all(path, arguments.minutes, *((FRESH, SEEDS[:2]) if arguments.fresh else ({}, SEEDS)))
        report(stored(path), Console(width=150))


if __name__ == "__main__":
    main()
