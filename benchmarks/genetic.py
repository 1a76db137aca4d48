"""The genetic encoding against direct weights and against its rivals: same architecture, fewer stored parameters.

    python -m benchmarks.genetic                          tables from the stored runs
    python -m benchmarks.genetic --check                  and exits 1 unless the claim holds, see below
    python -m benchmarks.genetic --fresh                  a short version, run now, nothing stored
    python -m benchmarks.genetic --run [--minutes 60]     the runs that are not stored yet, appended as they end

An arm is a way to store the weights of an architecture, with the largest size (genes, rank, width) that keeps the
stored parameters within its share of the direct network's. All arms of an architecture have the same number of
settings to try (two lengths of the training, each with learning rates, weight decays or parameters of the encoding),
trained once and judged on the validation split. Final runs take the best setting and other seeds, and see the test
split once, after training.

The claim holds on an architecture if the genetic encoding with at most half of the parameters has a mean test accuracy
not below the direct one's, and if with at most 30 % it is above every rival of that size. --check wants two such
architectures. Intervals are 95 %, of the difference of two means (Welch).
"""

from __future__ import annotations

import functools
import itertools
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import ttest_ind

from benchmarks import results
from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification

RESULTS = results.FOLDER / "genetic.jsonl"
TUNED_WITH, SEEDS = 100, (1, 2, 3, 4, 5)

SPIKING: dict[str, dict[str, Any]] = {
    "neuron": {"use": "lif", "tau": 2.0, "v_threshold": 0.5},
    "coder": {"steps": 2},
    "trainer": {"precision": "bfloat16"},
}


def pictures(use: str, train: int) -> dict[str, dict[str, Any]]:
    """Return all sections of a study but that of the network."""
    return {"task": {"use": use, "train": train, "validation": 5000}, **SPIKING}


Setting = dict[str, float]
TRAINING = {"epochs", "learning_rate", "weight_decay"}


@dataclass(frozen=True)
class Arm:
    """A way to store the weights of an architecture.

    Attributes:
        share: Largest share of the direct network's parameters.
        encoding: Section [encoding] for a size.
        settings: What is tried with either length of the training: learning rates, or parameters of the encoding.
        narrower: Whether the size is the width of the network, in percent.
        largest: Largest size to try.
    """

    share: float
    encoding: Callable[[int], dict[str, Any]]
    settings: list[Setting]
    narrower: bool = False
    largest: int = 512


@dataclass(frozen=True)
class Architecture:
    """A network that is encoded in several ways.

    Attributes:
        network: Section [network] for a factor on all widths.
        base: The other sections of the study.
        epochs: Lengths of the training to try.
        arms: The ways.
    """

    network: Callable[[float], dict[str, Any]]
    base: dict[str, dict[str, Any]]
    epochs: tuple[int, ...]
    arms: dict[str, Arm]


HALF, LITTLE, RIVALS = "genetic, half", "genetic", ("narrower direct", "low-rank", "random-basis")
COSINES = "narrower, cosines"
GENETIC = {
    "use": "genetic",
    "origin": "trained",
    "variant": "fields",
    "fields": 4,
    "tied": True,
    "initial": "balanced",
}


def grid(**values: tuple[float, ...]) -> list[Setting]:
    """Return all combinations of values."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def arms(
    direct: list[Setting], genetic: list[Setting], rivals: list[Setting], little: float = 0.3, genes: int = 512
) -> dict[str, Arm]:
    """Return the arms that every architecture has.

    Args:
        direct: Settings of direct weights.
        genetic: Settings of the genetic encoding.
        rivals: Settings of the others.
        little: Share of the direct network's parameters, for the genetic encoding and its rivals.
        genes: Most genes to try.
    """
    return {
        "direct": Arm(1.0, lambda size: {"use": "direct"}, direct),
        HALF: Arm(0.5, lambda size: GENETIC | {"genes": size}, genetic, largest=genes),
        LITTLE: Arm(little, lambda size: GENETIC | {"genes": size}, genetic, largest=genes),
        "narrower direct": Arm(little, lambda size: {"use": "direct"}, rivals, narrower=True, largest=100),
        "low-rank": Arm(little, lambda size: {"use": "low-rank", "rank": size}, rivals),
        "random-basis": Arm(little, lambda size: {"use": "random-basis", "genes": size}, rivals),
    }


def cosines(share: float, rate: tuple[float, float], places: tuple[int, int]) -> dict[str, Arm]:
    """Return an arm without genes, whose layers that read pictures are as smooth: what the cosines do alone."""
    settings = grid(learning_rate=rate, places=places)
    return {COSINES: Arm(share, lambda size: {"use": "cosines"}, settings, narrower=True, largest=100)}


def conv(*channels: int) -> Callable[[float], dict[str, Any]]:
    """Return a convolutional network, whose channels can be multiplied by a factor."""
    return lambda factor: {"use": "conv", "channels": scaled(channels, factor), "head": "average"}


def conv_and_linear(channels: Sequence[int], hidden: Sequence[int]) -> Callable[[float], dict[str, Any]]:
    """Return a convolutional network with fully connected layers behind, whose widths can be multiplied by a factor."""
    return lambda factor: {"use": "conv", "channels": scaled(channels, factor), "hidden": scaled(hidden, factor)}


def mlp(*hidden: int) -> Callable[[float], dict[str, Any]]:
    """Return a multilayer perceptron, whose widths can be multiplied by a factor."""
    return lambda factor: {"use": "mlp", "hidden": scaled(hidden, factor), "batch_norm": True}


def scaled(widths: Sequence[int], factor: float) -> list[int]:
    """Return widths times a factor, at least 1."""
    return [max(1, round(factor * width)) for width in widths]


FEW, ALL, CIFAR = pictures("fashion-mnist", 3000), pictures("fashion-mnist", 55000), pictures("cifar10", 5000)
DECAYED = {"weight_decay": (1e-4, 0.5)}
CONV = arms(
    direct=grid(learning_rate=(2e-3, 5e-3)),
    genetic=[{"learning_rate": 1e-2}, {"learning_rate": 1e-2, "dropout": 0.1}],
    rivals=grid(learning_rate=(5e-3, 1e-2)),
)


def linear(rate: float, places: tuple[int, int], little: float) -> dict[str, Arm]:
    """Return the arms of an architecture most of whose weights are those of a linear layer that reads pictures."""
    rates = (rate / 2, rate)
    return arms(
        direct=grid(learning_rate=rates, **DECAYED),
        genetic=grid(learning_rate=(rate,), dropout=(0.1, 0.3), places=places),
        rivals=grid(learning_rate=rates, **DECAYED),
        little=little,
        genes=255,
    ) | cosines(little, rates, places)


SHORT = "mlp 512-512, 1,000 pictures"
"""What --fresh runs."""

ARCHITECTURES = {
    "conv 16-32-64-64, 3,000 pictures": Architecture(conv(16, 32, 64, 64), FEW, (20, 40), CONV),
    "conv 32-64-128-128, 3,000 pictures": Architecture(conv(32, 64, 128, 128), FEW, (20, 40), CONV),
    "conv 16-32-64-64": Architecture(conv(16, 32, 64, 64), ALL, (2, 6), CONV),
    "conv 32-64-128-128": Architecture(conv(32, 64, 128, 128), ALL, (2, 6), CONV),
    "conv 16-32-64-64, 5,000 of CIFAR-10": Architecture(conv(16, 32, 64, 64), CIFAR, (20, 40), CONV),
    "conv 16-32, linear 256, 5,000 of CIFAR-10": Architecture(
        conv_and_linear((16, 32), (256,)), CIFAR, (10, 20), linear(2e-3, (9, 16), 0.15)
    ),
    "conv 16-32, linear 256, 3,000 pictures": Architecture(
        conv_and_linear((16, 32), (256,)), FEW, (10, 20), linear(2e-3, (9, 16), 0.15)
    ),
    "mlp 512-512, 5,000 of CIFAR-10": Architecture(mlp(512, 512), CIFAR, (10, 20), linear(1e-3, (36, 100), 0.1)),
    "mlp 512-512, 3,000 pictures": Architecture(mlp(512, 512), FEW, (20, 40), linear(1e-3, (64, 100), 0.3)),
    SHORT: Architecture(mlp(512, 512), pictures("fashion-mnist", 1000), (10,), linear(1e-3, (64, 100), 0.3)),
}


@dataclass(frozen=True)
class Task:
    """One training that is wanted: an arm of an architecture with one of its settings and a seed."""

    architecture: str
    arm: str
    setting: int
    seed: int


@dataclass(frozen=True)
class Trained:
    """What a training gave.

    Attributes:
        parameters: Stored numbers.
        validation: Accuracy on the validation split.
        test: Accuracy on the test split; None where it was not looked at.
        energy: pJ a sample, by the objective `energy`.
        operations: Synaptic operations a sample.
        rate: Spikes of a neuron in a time step.
        loss: Mean training loss of the last epoch.
        seconds: Time that it took.
        versions: Of torch and Spikefront.
    """

    parameters: int
    validation: float
    test: float | None
    energy: float
    operations: float
    rate: float
    loss: float
    seconds: float
    versions: dict[str, str]


@dataclass(frozen=True)
class Run(Trained):
    """One training that was done.

    Attributes:
        size: Genes, rank, or width in percent.
        tried: Learning rate and parameters of the encoding.
    """

    task: Task
    size: int
    tried: Setting


def arm_of(architecture: str, arm: str) -> Arm:
    """Return an arm of an architecture."""
    return ARCHITECTURES[architecture].arms[arm]


def settings(architecture: str, arm: str) -> list[Setting]:
    """Return what is tried on the validation split."""
    tried = arm_of(architecture, arm).settings
    return [{"epochs": n} | setting for n in ARCHITECTURES[architecture].epochs for setting in tried]


def document(architecture: str, arm: str, size: int, setting: Setting) -> dict[str, Any]:
    """Return the study of an arm."""
    chosen, how = ARCHITECTURES[architecture], arm_of(architecture, arm)
    training = {name: value for name, value in setting.items() if name in TRAINING}
    encoding = {name: value for name, value in setting.items() if name not in TRAINING}
    return {
        "study": {"name": "genetic", "objectives": ["accuracy", "parameters", "energy"],
                  "columns": ["synaptic-operations"]},
        **chosen.base,
        "network": chosen.network(size / 100 if how.narrower else 1.0),
        "trainer": {**chosen.base["trainer"], **training},
        "encoding": how.encoding(size) | encoding,
        "search": {"generations": 1},
    }  # fmt: skip


def parameters(document: dict[str, Any]) -> int:
    """Return how many numbers the only candidate of a study stores."""
    study = Specification.from_document(document, load())
    resolved = study.resolve(study.space.genome({}))
    network = resolved.task.build(resolved.parts, streams_of(study, study.space.genome({}), 0))
    return resolved.parts.encoding.stored_numbers(network)


def largest(numbers: Callable[[int], int], limit: float, most: int) -> int:
    """Return the largest size up to `most` whose parameters stay within a limit.

    Sizes too large leave layers direct, which makes more parameters again, not fewer.
    """
    low, high = 1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if numbers(middle) <= limit else (low, middle)
    return low


@functools.cache
def size_of(architecture: str, arm: str, number: int) -> int:
    """Return the largest size of an arm, with one of its settings, that stays within its share of the parameters."""
    if arm == "direct":
        return 0
    how, setting = arm_of(architecture, arm), settings(architecture, arm)[number]
    limit = how.share * parameters(document(architecture, "direct", 0, settings(architecture, "direct")[0]))
    return largest(lambda size: parameters(document(architecture, arm, size, setting)), limit, how.largest)


def run(task: Task, tested: bool) -> Run:
    """Train an arm, and measure it; on the test split too where that is asked for."""
    size = size_of(task.architecture, task.arm, task.setting)
    tried = settings(task.architecture, task.arm)[task.setting]
    found = trained(document(task.architecture, task.arm, size, tried), task.seed, tested)
    return Run(**vars(found), task=task, size=size, tried=tried)


def trained(document: dict[str, Any], seed: int, tested: bool) -> Trained:
    """Train the only candidate of a study, and measure it."""
    plugins = load()
    study = Specification.from_document(document, plugins)
    genome = study.space.genome({})
    found = evaluate(Job(study.to_json(), genome, replicates=(seed,), purpose="retrain"), plugins)
    if found.failure:
        raise RuntimeError(f"{document}: {found.failure.message}")
    test = None
    if tested:
        streams, resolved = streams_of(study, genome, seed, "retrain"), study.resolve(genome)
        network = phenotype_of(resolved, found.weights, streams)
        test = resolved.task.score(network, "test", streams)["accuracy"]
    mean = {name: measurement.mean or 0.0 for name, measurement in found.measurements.items()}
    neurons, steps = found.recording["neurons"], found.recording["steps"]
    rate = sum(layer["spikes"] for layer in neurons) / sum(layer["neurons"] for layer in neurons) / steps
    return Trained(
        int(mean["parameters"]), mean["accuracy"], test, mean["energy"], mean["synaptic-operations"],
        rate, found.history[-1]["loss"], found.seconds, {name: version(name) for name in ("torch", "spikefront")},
    )  # fmt: skip


def stored(path: Path) -> list[Run]:
    """Return the runs of a file."""
    return [Run(**{**row, "task": Task(**row["task"])}) for row in results.rows(path)]


def run_all(path: Path, minutes: float, wanted: Iterable[str], seeds: Sequence[int]) -> None:
    """Do what is missing in a file, tuning before what depends on it, and append what ends; stop when time is over."""
    ends = time.monotonic() + 60 * minutes
    while (missing := list(_missing(stored(path), wanted, seeds))) and time.monotonic() < ends:
        results.append(path, run, [(task, task.seed != TUNED_WITH) for task in missing], ends)


def _missing(runs: list[Run], wanted: Iterable[str], seeds: Sequence[int]) -> Iterator[Task]:
    """Yield the trainings that are to do: all that tune, then the final ones of the arms that are tuned."""
    done = {run.task for run in runs}
    arms = [(architecture, arm) for architecture in wanted for arm in ARCHITECTURES[architecture].arms]
    tuning = [Task(*pair, number, TUNED_WITH) for pair in arms for number in range(len(settings(*pair)))]
    best = {pair: number for pair in arms if (number := best_setting(runs, *pair)) is not None}
    final = [Task(*pair, number, seed) for seed in seeds for pair, number in best.items()]
    yield from (task for task in (*tuning, *final) if task not in done)


def best_setting(runs: list[Run], architecture: str, arm: str) -> int | None:
    """Return the number of the setting that won on the validation split, or None before all were tried."""
    found = [run for run in runs if (run.task.architecture, run.task.arm) == (architecture, arm)]
    tried = [run for run in found if run.task.seed == TUNED_WITH]
    if len(tried) < len(settings(architecture, arm)):
        return None
    return max(tried, key=lambda run: run.validation).task.setting


def final_runs(runs: list[Run], architecture: str) -> dict[str, list[Run]]:
    """Return the runs of an architecture that saw the test split, by arm."""
    found = [run for run in runs if run.task.architecture == architecture and run.test is not None]
    return {
        arm: own
        for arm in ARCHITECTURES[architecture].arms
        if len(own := [run for run in found if run.task.arm == arm]) > 1
    }


@dataclass(frozen=True)
class Difference:
    """A difference of two means, with its 95 % interval (Welch)."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], others: Sequence[float]) -> Difference:
        """Return by how much the mean of some values is above that of others."""
        interval = ttest_ind(values, others, equal_var=False).confidence_interval(0.95)
        return cls(statistics.fmean(values) - statistics.fmean(others), interval.low, interval.high)

    def __str__(self) -> str:
        return f"{self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f})"


def difference(runs: list[Run], others: list[Run]) -> Difference:
    """Return by how much the test accuracy of some runs is above that of others."""
    return Difference.of([run.test or 0.0 for run in runs], [run.test or 0.0 for run in others])


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of values and its standard error."""
    return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))


def show(architecture: str, arms: dict[str, list[Run]], console: Console) -> None:
    """Print the table of an architecture."""
    table = Table(title=architecture)
    for name in ("arm", "size", "parameters", "fewer", "accuracy", "std. error", "minus direct (95 %)", "minus genetic",
                 "spike rate", "operations", "energy, uJ", "loss", "seeds"):  # fmt: skip
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm, runs in arms.items():
        accuracy, error = mean_and_error([run.test or 0.0 for run in runs])
        mean = {name: statistics.fmean(getattr(run, name) for run in runs) for name in ("rate", "operations", "energy",
                                                                                         "loss")}  # fmt: skip
        table.add_row(
            arm,
            str(runs[0].size or ""),
            f"{runs[0].parameters:,}",
            f"{1 - runs[0].parameters / arms['direct'][0].parameters:.0%}",
            f"{accuracy:.4f}",
            f"{error:.4f}",
            "" if arm == "direct" else str(difference(runs, arms["direct"])),
            str(difference(runs, arms[LITTLE])) if arm in (*RIVALS, COSINES) and LITTLE in arms else "",
            f"{mean['rate']:.3f}",
            f"{mean['operations']:,.0f}",
            f"{mean['energy'] / 1e6:.3f}",
            f"{mean['loss']:.3f}",
            str(len(runs)),
        )
    console.print(table)


def holds(arms: dict[str, list[Run]]) -> bool:
    """Tell whether the claim holds on an architecture."""
    if not {"direct", HALF, LITTLE, *RIVALS} <= arms.keys():
        return False
    kept = difference(arms[HALF], arms["direct"]).value >= 0
    return kept and all(difference(arms[LITTLE], arms[rival]).value > 0 for rival in RIVALS)


def report(runs: list[Run], console: Console) -> int:
    """Print all tables, and return on how many architectures the claim holds."""
    found = 0
    for architecture in ARCHITECTURES:
        arms = final_runs(runs, architecture)
        if "direct" in arms:
            show(architecture, arms, console)
            found += holds(arms)
            console.print(f"The claim {'holds' if holds(arms) else 'does not hold'} on {architecture}.\n")
    return found


def main() -> None:
    """Print the tables, after the runs that were asked for."""
    parser = results.options(__doc__ or "", RESULTS)
    parser.add_argument("--architectures", choices=ARCHITECTURES, nargs="+", help="some only")
    parser.add_argument("--check", action="store_true", help="exit 1 unless the claim holds on two architectures")
    arguments = parser.parse_args()
    console = Console(width=190)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fresh.jsonl" if arguments.fresh else arguments.results
        if arguments.fresh or arguments.run:
            usual = [SHORT] if arguments.fresh else [name for name in ARCHITECTURES if name != SHORT]
            seeds = SEEDS[:2] if arguments.fresh else SEEDS
            run_all(path, arguments.minutes, arguments.architectures or usual, seeds)
        found = report(stored(path), console)
    if arguments.check and found < 2:
        sys.exit(1)


if __name__ == "__main__":
    main()
