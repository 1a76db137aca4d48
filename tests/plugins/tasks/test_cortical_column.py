"""The column against a loop over single neurons, its rates, groups and errors, and what happens when it diverges."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spikefront.components import Ranges
from spikefront.errors import NotFiniteError
from spikefront.evaluate import evaluate
from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.space import Choice, Real
from spikefront.specification import Specification
from spikefront.testing._bench import PARTS
from spikefront_plugins.neurons.izhikevich import Izhikevich
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.tasks._column import Column, drawn_column, spike_counts
from spikefront_plugins.tasks.cortical_column import CorticalColumn

CELLS = {
    "regular spiking": ((0.02, 0.2, -65.0, 8.0), 20),
    "fast spiking": ((0.1, 0.2, -65.0, 2.0), 63),
    "chattering": ((0.02, 0.2, -50.0, 2.0), 43),
    "intrinsically bursting": ((0.02, 0.2, -55.0, 4.0), 27),
    "low threshold": ((0.02, 0.25, -65.0, 2.0), 44),
}


def looped(column, steps, dropped, noise):
    """Count the spikes of one run, neuron after neuron, as the printed equations have it; noise is (steps, N)."""
    number = len(column.a)
    v, u, counts = [-65.0] * number, [b * -65.0 for b in column.b], [0] * number
    for step in range(steps):
        fired = [n for n in range(number) if v[n] >= 30]
        for n in fired:
            v[n], u[n] = column.c[n], u[n] + column.d[n]
            counts[n] += step >= dropped
        for n in range(number):
            current = column.bias[n] + column.noise[n] * noise[step][n] + sum(column.weights[m][n] for m in fired)
            for _ in range(2):
                v[n] = v[n] + 0.5 * (0.04 * v[n] * v[n] + 5 * v[n] + 140 - u[n] + current)
            u[n] = u[n] + column.a[n] * (column.b[n] * v[n] - u[n])
    return counts


def small_column(seed, number=12):
    """Return a part of the column whose weights are so strong that a spike matters."""
    whole = drawn_column(seed)
    chosen = np.r_[: number - 4, 996:1000]
    parts = {name: getattr(whole, name)[chosen] for name in ("a", "b", "c", "d", "noise")}
    return Column(**parts, weights=20 * whole.weights[np.ix_(chosen, chosen)], bias=np.linspace(-2, 8, number))


def single(cell, current, number=3):
    a, b, c, d = (np.full(number, value) for value in cell)
    return Column(a, b, c, d, np.zeros((number, number)), np.zeros(number), np.full(number, current))


@pytest.mark.parametrize("seed", range(4))
def test_two_runs_are_two_loops(seed):
    column, steps, dropped = small_column(seed), 150, 40
    counts = spike_counts(column, steps, dropped, 2, np.random.default_rng(seed))
    noise = np.random.default_rng(seed).standard_normal((steps, 2, 12))
    golden = [looped(column, steps, dropped, noise[:, run].tolist()) for run in (0, 1)]
    assert counts.tolist() == golden
    assert golden[0] != golden[1]
    without = replace(column, weights=np.zeros_like(column.weights))
    assert golden[0] != looped(without, steps, dropped, noise[:, 0].tolist()), "the test would say nothing of weights"


@pytest.mark.parametrize("cell", CELLS)
def test_without_weights_and_noise_each_neuron_is_alone(cell):
    values, count = CELLS[cell]
    assert spike_counts(single(values, 10.0), 1000, 0, 2, np.random.default_rng(0)).tolist() == [[count] * 3] * 2
    a, b, c, d = values
    neuron = Izhikevich(a=a, b=b, c=c, d=d, input_scale=1.0)
    x = torch.full((999, 1, 1), 10.0, dtype=torch.float64)  # a spike is told one step earlier than by the column
    spikes, _ = neuron.sequence(x, neuron.initial_state(x[0]), {}, ATan(), torch.Generator())
    assert int(spikes.sum()) == count


def test_the_network_of_2003_fires_as_known():
    """7.68 and 7.31 Hz over five seeds of network and noise, with standard deviations of 0.13 and 0.19 Hz."""
    counts = [spike_counts(drawn_column(seed), 1000, 0, 1, np.random.default_rng(seed))[0] for seed in range(5)]
    excitatory, inhibitory = np.mean(counts, axis=0)[:800].mean(), np.mean(counts, axis=0)[800:].mean()
    assert excitatory == pytest.approx(7.68, abs=0.3)
    assert inhibitory == pytest.approx(7.31, abs=0.4)


def test_the_drawn_column_is_that_of_2003():
    column = drawn_column(3)
    excitatory, inhibitory = slice(0, 800), slice(800, 1000)
    assert (column.a[excitatory] == 0.02).all()
    assert (column.b[excitatory] == 0.2).all()
    r = np.sqrt((column.c[excitatory] + 65) / 15)
    assert column.d[excitatory] == pytest.approx(8 - 6 * r**2)
    assert (r.min(), r.max()) == pytest.approx((0, 1), abs=0.02)
    r = (column.a[inhibitory] - 0.02) / 0.08
    assert column.b[inhibitory] == pytest.approx(0.25 - 0.05 * r)
    assert (column.c[inhibitory] == -65).all()
    assert (column.d[inhibitory] == 2).all()
    assert (column.noise[excitatory].tolist(), column.noise[inhibitory].tolist()) == ([5.0] * 800, [2.0] * 200)
    for rows, low, high in ((excitatory, 0.0, 0.5), (inhibitory, -1.0, 0.0)):
        weights = column.weights[rows]
        assert (weights.min(), weights.max()) == pytest.approx((low, high), abs=1e-4)
        assert weights.mean() == pytest.approx((low + high) / 2, abs=0.005)


def test_fewer_connections_are_a_part_of_more():
    whole, some, few = (drawn_column(0, density).weights for density in (1.0, 0.5, 0.1))
    assert [np.mean(weights != 0) for weights in (whole, some, few)] == pytest.approx([1, 0.5, 0.1], abs=0.002)
    assert ((few == 0) | (few == some)).all()
    assert ((some == 0) | (some == whole)).all()
    assert not drawn_column(0, 0.0).weights.any()


def scored(task, split="validation", seed=1, offsets=None):
    arrays = {} if offsets is None else {"task": {"offsets": np.asarray(offsets, np.float32)}}
    return task.score(task.build(replace(PARTS, arrays=arrays), Streams(seed)), split, Streams(seed))


SHORT = {"duration": 200, "settling": 50, "runs": 1}


def test_errors_are_those_of_the_rates():
    task = CorticalColumn(excitatory_targets=(6.0,), inhibitory_targets=(20.0,), **SHORT)
    found = scored(task)
    counts = spike_counts(task.build(PARTS, Streams(1)), 250, 50, 1, Streams(1).numpy("noise", "validation"))[0]
    excitatory, inhibitory = counts[:800].sum() / 800 / 0.2, counts[800:].sum() / 200 / 0.2
    assert 0 < excitatory != inhibitory > 0
    errors = (excitatory - 6) / 6, (inhibitory - 20) / 20
    expected = {
        "rate_error": math.sqrt((errors[0] ** 2 + errors[1] ** 2) / 2),
        "excitatory_error": abs(errors[0]),
        "inhibitory_error": abs(errors[1]),
        "excitatory_rate": excitatory,
        "inhibitory_rate": inhibitory,
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_runs_are_averaged_before_errors_are_taken():
    task = CorticalColumn(**{**SHORT, "runs": 3})
    found = scored(task)
    assert found["rate_error"] == pytest.approx(
        math.hypot(found["excitatory_rate"] / 8 - 1, found["inhibitory_rate"] / 15 - 1) / math.sqrt(2)
    )


def test_a_silent_column_has_an_error_of_one():
    task = CorticalColumn(excitatory_current=-20.0, inhibitory_current=-20.0, weights=0.0, noise=0.0, **SHORT)
    assert scored(task) == {
        "rate_error": 1.0,
        "excitatory_error": 1.0,
        "inhibitory_error": 1.0,
        "excitatory_rate": 0.0,
        "inhibitory_rate": 0.0,
    }


def test_more_current_to_the_excitatory_neurons_raises_both_rates():
    less, more = (scored(CorticalColumn(excitatory_current=current)) for current in (0.0, 1.0))
    assert more["excitatory_rate"] > 1.3 * less["excitatory_rate"]
    assert more["inhibitory_rate"] > 1.3 * less["inhibitory_rate"]


def test_noise_is_another_one_for_each_split_and_stream_and_the_network_is_not():
    task = CorticalColumn(**SHORT)
    found = [scored(task, split, seed)["excitatory_rate"] for split in ("validation", "test") for seed in (1, 2)]
    assert len(set(found)) == 4
    assert scored(task) == scored(task)
    quiet = CorticalColumn(noise=0.0, excitatory_current=5.0, **SHORT)
    assert scored(quiet, seed=1) == scored(quiet, seed=2)
    assert scored(quiet) != scored(quiet.model_copy(update={"network_seed": 1}))


def test_groups_are_equal_parts_of_the_populations():
    task = CorticalColumn(excitatory_targets=(1.0,) * 8, inhibitory_targets=(2.0, 3.0))
    assert np.bincount(task.groups).tolist() == [100] * 10
    assert (np.diff(task.groups) >= 0).all()
    assert (task.groups[799], task.groups[800]) == (7, 8)
    assert np.bincount(CorticalColumn(excitatory_targets=(1.0,) * 3).groups).tolist() == [267, 267, 266, 200]


def test_offsets_are_added_to_the_currents_of_their_groups():
    task = CorticalColumn(excitatory_current=1.0, inhibitory_current=2.0, excitatory_targets=(4.0, 6.0))
    parts = replace(PARTS, arrays={"task": {"offsets": np.array([0.5, -0.5, 3.0], np.float32)}})
    bias = task.build(parts, Streams(0)).bias
    assert bias.tolist() == [1.5] * 400 + [0.5] * 400 + [5.0] * 200
    quiet = task.model_copy(update={"weights": 0.0, "noise": 0.0, **SHORT})
    even = scored(quiet, offsets=[0, 0, 0])
    uneven = scored(quiet, offsets=[9, 0, 0])
    assert uneven["excitatory_rate"] > even["excitatory_rate"]
    assert uneven["inhibitory_rate"] == even["inhibitory_rate"]


def ranges(**values):
    task = CorticalColumn()
    return Ranges({name: getattr(task, name) for name in CorticalColumn.model_fields} | values)


def test_offsets_evolve_where_there_are_more_than_two_groups():
    assert CorticalColumn.evolved_arrays(ranges()) == {}
    domain = CorticalColumn.evolved_arrays(ranges(excitatory_targets=(1.0,) * 8, inhibitory_targets=(2.0, 3.0)))
    assert domain["offsets"].shape == (10,)
    choice = Choice(((1.0,), (1.0, 2.0, 3.0)))
    assert CorticalColumn.evolved_arrays(ranges(excitatory_targets=choice))["offsets"].shape == (4,)


@pytest.mark.parametrize("changes", [{"excitatory_targets": []}, {"inhibitory_targets": [5.0, 0.0]}, {"runs": 0}])
def test_targets_that_have_no_relative_error_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        CorticalColumn(**changes)


@pytest.mark.parametrize("bias", [1e160, math.nan])
def test_a_column_that_diverges_has_no_rate(bias):
    with pytest.raises(NotFiniteError, match="beyond all bounds"):
        spike_counts(single(CELLS["regular spiking"][0], bias), 20, 0, 1, np.random.default_rng(0))


def test_a_study_evaluates_it_with_three_errors():
    document = {
        "study": {"name": "column", "objectives": ["rate-error", "excitatory-rate-error", "inhibitory-rate-error"]},
        "task": {"use": "cortical-column", "weights": {"low": 0.0, "high": 10.0}, **SHORT},
        "trainer": "none",
        "search": {"population": 4, "generations": 2, "algorithm": "nsga2", "crossover": 0.9},
    }
    study = Specification.from_document(document, load())
    assert study.space["task.weights"].domain == Real(0.0, 10.0)
    good = evaluate(Job(study.to_json(), Genome({"task.weights": 1.0})), study.registry)
    assert {name: value.mean > 0 for name, value in good.measurements.items()} == dict.fromkeys(good.measurements, True)
    assert len(good.measurements) == 3
