"""The energy model: published numbers, and hand-computed sums."""

from dataclasses import replace

import pytest

from spikefront.measure.energy import COSTS, Costs, approximate_energy, energy_by_layer
from spikefront.measure.recording import Recording, SynapseRecord


def recording(*layers, steps=4):
    return Recording(samples=10, steps=steps, synapses=layers)


ANALOG = SynapseRecord("stem", analog=True, effective=300.0, dense=400.0, rate=0.4, flops=120.0)
SPIKING = SynapseRecord("head", analog=False, effective=50.0, dense=800.0, rate=0.1, flops=220.0)
POOLED = SynapseRecord("middle", analog=True, effective=30.0, dense=40.0, rate=0.2, flops=10.0)


def test_the_tables_are_horowitz():
    assert COSTS["horowitz-45nm"].multiply_accumulate == pytest.approx(3.7 + 0.9)
    assert COSTS["horowitz-45nm"].accumulate == 0.9
    assert COSTS["horowitz-45nm-fp16"].multiply_accumulate == pytest.approx(1.1 + 0.4)
    assert COSTS["horowitz-45nm-fp16"].accumulate == 0.4
    assert COSTS["horowitz-45nm-int8"].multiply_accumulate == pytest.approx(0.2 + 0.03)
    assert COSTS["horowitz-45nm-int8"].accumulate == 0.03


def test_published_energies():
    macs = recording(SynapseRecord("ann", analog=True, effective=0, dense=18.39e6), steps=1)
    acs = recording(SynapseRecord("snn", analog=False, effective=2.51e6, dense=0))
    ann = energy_by_layer(macs, COSTS["horowitz-45nm"])["ann"]
    snn = energy_by_layer(acs, COSTS["horowitz-45nm"])["snn"]
    assert ann * 1e-12 == pytest.approx(8.459e-5, rel=1e-4)
    assert snn * 1e-12 == pytest.approx(2.26e-6, rel=1e-3)
    assert ann / snn == pytest.approx(37.4, abs=0.05)


def test_analog_layers_multiply_whatever_they_see_and_others_accumulate_spikes():
    energies = energy_by_layer(recording(ANALOG, SPIKING), COSTS["horowitz-45nm"])
    assert energies == {"stem": pytest.approx(4.6 * 400), "head": pytest.approx(0.9 * 50)}
    assert list(energies) == ["stem", "head"]


def test_absent_connections_cost_nothing():
    analog, spiking = (replace(layer, absent=100.0) for layer in (ANALOG, SPIKING))
    energies = energy_by_layer(recording(analog, spiking), COSTS["horowitz-45nm"])
    assert energies == {"stem": pytest.approx(4.6 * 300), "head": pytest.approx(0.9 * 50)}


def test_only_an_analog_first_layer_may_work_once():
    costs = Costs(2.0, 1.0)
    energies = energy_by_layer(recording(ANALOG, POOLED, SPIKING), costs, input_once=True)
    assert energies == {"stem": 2 * 400 / 4, "middle": 2 * 40, "head": 50}
    assert energy_by_layer(recording(SPIKING), costs, input_once=True) == {"head": 50}


def test_the_approximation_takes_rates_and_the_usual_formula():
    costs = Costs(2.0, 1.0)
    everything = recording(ANALOG, POOLED, SPIKING)
    spiking = 0.1 * 4 * 220
    assert approximate_energy(everything, costs) == pytest.approx(2 * 4 * 120 + 2 * 4 * 10 + spiking)
    assert approximate_energy(everything, costs, input_once=True) == pytest.approx(2 * 120 + 2 * 4 * 10 + spiking)


def test_the_approximation_of_an_inner_layer_without_borders_is_exact():
    layer = SynapseRecord("linear", analog=False, effective=0.25 * 4 * 600, dense=2400, rate=0.25, flops=600)
    exact = energy_by_layer(recording(layer), COSTS["horowitz-45nm"])["linear"]
    assert approximate_energy(recording(layer), COSTS["horowitz-45nm"]) == pytest.approx(exact)
