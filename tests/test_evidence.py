"""The stored evidence on the genetic encoding: it can be read, and the verdict follows from it."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from benchmarks import evolution, figures, genetic, options
from benchmarks.genetic import ARCHITECTURES, Run, Task
from rich.console import Console

CONV, MLP = "conv 16-32-64-64", "mlp 512-512, 3,000 pictures"


def run(arm: str, seed: int, test: float | None, validation: float = 0.8, setting: int = 0) -> Run:
    task = Task(CONV, arm, setting, seed)
    return Run(1000, validation, test, 1e6, 1e5, 0.1, 0.5, 9.0, {}, task, 8, {"learning_rate": 0.01})


def arms(**means: float) -> dict[str, list[Run]]:
    """Return final runs of all arms with mean accuracies of 0.8, or those that are given."""
    values = {arm: means.get(arm.partition(",")[0].replace("-", "_").replace(" ", "_"), 0.8) for arm in genetic.CONV}
    values[genetic.HALF] = means.get("half", 0.8)
    return {arm: [run(arm, seed, value + spread) for seed, spread in ((1, -0.01), (2, 0.01))]
            for arm, value in values.items()}  # fmt: skip


@pytest.mark.parametrize(("means", "expected"), [
    ({"genetic": 0.81, "half": 0.8, "direct": 0.799}, True),
    ({"genetic": 0.81, "half": 0.8, "direct": 0.801}, False),
    ({"genetic": 0.81, "half": 0.8, "direct": 0.799, "low_rank": 0.811}, False),
    ({"genetic": 0.79, "half": 0.8, "direct": 0.799}, False),
])  # fmt: skip
def test_the_claim_holds_where_half_keeps_up_and_little_beats_every_rival(means, expected):
    assert genetic.holds(arms(**means)) == expected


def test_the_claim_needs_every_arm():
    found = arms(genetic=0.81, direct=0.7)
    assert genetic.holds(found)
    del found["low-rank"]
    assert not genetic.holds(found)


def test_a_difference_has_its_interval():
    found = genetic.difference([run("direct", n, value) for n, value in enumerate((0.8, 0.82))],
                               [run("direct", n, value) for n, value in enumerate((0.7, 0.72))])  # fmt: skip
    assert found.value == pytest.approx(0.1)
    assert found.low < found.value < found.high
    assert found.high - found.value == pytest.approx(4.303 * 0.01 * 2**0.5, rel=1e-3)  # t of 2 degrees of freedom


def test_the_best_setting_is_known_when_all_were_tried():
    tuned = [run("direct", genetic.TUNED_WITH, None, value, n) for n, value in enumerate((0.8, 0.83, 0.81, 0.82))]
    assert genetic.best_setting(tuned[:3], CONV, "direct") is None
    assert genetic.best_setting(tuned, CONV, "direct") == 1


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize(("architecture", "arm"), [
    (architecture, arm) for architecture in (CONV, MLP) for arm in ARCHITECTURES[architecture].arms if arm != "direct"
])  # fmt: skip
def test_an_arm_is_as_large_as_its_share_allows(architecture, arm, number):
    how = genetic.arm_of(architecture, arm)

    def numbers(name, size):
        setting = genetic.settings(architecture, name)[number]
        return genetic.parameters(genetic.document(architecture, name, size, setting))

    limit, size = how.share * numbers("direct", 0), genetic.size_of(architecture, arm, number)
    assert numbers(arm, size) <= limit
    assert size == how.largest or numbers(arm, size + 1) > limit


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_arms_have_as_many_settings_to_try(architecture):
    assert len({len(genetic.settings(architecture, arm)) for arm in ARCHITECTURES[architecture].arms}) == 1


def test_the_stored_runs_are_of_known_arms_and_saw_the_test_split_after_tuning():
    runs = genetic.stored(genetic.RESULTS)
    assert {run.task.architecture for run in runs} <= ARCHITECTURES.keys()
    assert len({run.task for run in runs}) == len(runs)
    for one in runs:
        assert (one.test is None) == (one.task.seed == genetic.TUNED_WITH)
        assert one.tried == genetic.settings(one.task.architecture, one.task.arm)[one.task.setting]
        if one.test is not None:
            assert one.task.setting == genetic.best_setting(runs, one.task.architecture, one.task.arm)


def test_tables_of_the_stored_runs_are_printed():
    console = Console(record=True, width=190)
    genetic.report(genetic.stored(genetic.RESULTS), console)
    evolution.report(evolution.stored(evolution.RESULTS), console)
    text = console.export_text()
    assert all(name in text for name in (*genetic.CONV, *evolution.ARMS))


def test_generations_to_a_target_are_counted_from_one():
    best = list(itertools.accumulate([0.5, 0.7, 0.6], max))
    assert [evolution.generations_to(best, target) for target in (0.5, 0.6, 0.7, 0.8)] == [1, 2, 2, 4]


def test_arms_of_evolution_are_compared_by_their_shared_seeds():
    row = evolution.Run("evolved", 1, [0.5, 0.6], [0.9, 0.9], [0.5, 0.5, 0.5], 1.0, {})
    rows = [dataclasses.replace(row, arm=arm, seed=seed) for arm in evolution.ARMS for seed in (1, 2)]
    console = Console(record=True, width=190)
    evolution.report([*rows, dataclasses.replace(row, arm="entropy", seed=3, best=[0.9, 0.9])], console)
    (line,) = [line for line in console.export_text().splitlines() if line.startswith("│ entropy")]
    assert "0.6000" in line
    assert "+0.0000 (p = 1.00)" in line


def test_the_stored_runs_of_options_are_of_known_options_and_saw_no_test_split():
    runs = options.stored(options.RESULTS)
    assert {(one.network, one.option) for one in runs} <= {(name, option) for name, network in options.NETWORKS.items()
                                                           for option in network.options}  # fmt: skip
    assert len({(one.network, one.option, one.seed) for one in runs}) == len(runs)
    assert all(one.test is None for one in runs)
    options.report(runs, Console(record=True, width=150))


@pytest.mark.parametrize(("network", "option"), [
    (name, option) for name, network in options.NETWORKS.items() for option in network.options
])  # fmt: skip
def test_every_option_pays_for_its_numbers_with_genes(network, option):
    genes, varied = options.genes_of(network, option), options.NETWORKS[network]
    encoding = varied.encoding | varied.options[option]

    def numbers(encoding):
        return genetic.parameters(options.document(network, encoding))

    limit = varied.share * numbers({"use": "direct"})
    assert numbers(encoding | {"genes": genes}) <= limit < numbers(encoding | {"genes": genes + 1})


def test_the_pictures_of_the_stored_evidence_have_every_arm():
    arms = figures.arms_figure(genetic.stored(genetic.RESULTS))
    titles = [axes.get_title() for axes in arms.axes]
    assert titles == [name for name in ARCHITECTURES if name in titles]
    assert titles
    for axes in arms.axes:
        assert axes.get_legend_handles_labels()[1][0] == "direct"
    (axes,) = figures.evolution_figure(evolution.stored(evolution.RESULTS)).axes
    assert axes.get_legend_handles_labels()[1] == list(evolution.ARMS)
