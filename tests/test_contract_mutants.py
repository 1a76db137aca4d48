"""Planted faults: each is caught by the check that is there for it."""

import itertools
import math
import random
from concurrent.futures import Future
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ConfigDict, Field
from torch import nn

from spikefront import Analysis, Fitness, Network, Surrogate, Synapse
from spikefront.components import Data, Engine, Pool, Proposal
from spikefront.components.encoding import encodable_weights
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.job import Evaluation
from spikefront.space import Integer
from spikefront.testing import CONTRACTS, checks_of, run_check, run_checks
from spikefront.testing._bench import BenchTask
from spikefront_plugins.algorithms.random import RandomEngine, RandomSearch
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.coders.latency import Latency
from spikefront_plugins.coders.poisson import Poisson
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.encodings.low_rank import LowRank
from spikefront_plugins.encodings.sparse import Sparse
from spikefront_plugins.executors.inline import Inline
from spikefront_plugins.exporters.safetensors_folder import SafetensorsFolder
from spikefront_plugins.fitness.accuracy import Accuracy
from spikefront_plugins.fitness.energy import Energy
from spikefront_plugins.fitness.parameters import Parameters
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.neurons.plif import ParametricLIF
from spikefront_plugins.operators.array_gaussian import ArrayGaussianMutation
from spikefront_plugins.operators.blend import BlendCrossover
from spikefront_plugins.operators.gaussian import GaussianMutation
from spikefront_plugins.operators.uniform_sampling import UniformSampling
from spikefront_plugins.predictors.synflow import Synflow, synaptic_flow
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense
from spikefront_plugins.trainers.surrogate_gradient import SurrogateGradient

MUTANTS = []
CALLS = itertools.count()
KEPT = {}


def caught_by(*checks, **parameters):
    """Mark a faulty component with the checks that have to catch it."""

    def mark(cls):
        MUTANTS.append(pytest.param(cls, parameters, checks, id=f"{cls.kind}-{cls.__name__}"))
        return cls

    return mark


@pytest.mark.parametrize(("cls", "parameters", "checks"), MUTANTS)
def test_the_fault_is_caught_with_a_sentence(cls, parameters, checks):
    for check in checks:
        outcome = run_check(CONTRACTS[cls.kind], check, cls(**parameters))
        assert outcome.failed, outcome
        assert len(outcome.message.split()) > 5
        assert "\n" not in outcome.message


def test_every_check_that_is_named_is_one_of_its_suite():
    for mutant in MUTANTS:
        cls, _, checks = mutant.values
        assert set(checks) <= set(checks_of(CONTRACTS[cls.kind]))


def test_every_kind_has_mutants():
    assert {mutant.values[0].kind for mutant in MUTANTS} == set(CONTRACTS)


# every component


@caught_by("docstring_says_what_it_is")
class Silent(LIF):
    name = "silent"


@caught_by("docstring_says_what_it_is")
class Copied(LIF):
    __doc__ = LIF.__doc__


@caught_by("parameters_are_described")
class Undescribed(LIF):
    """A neuron with a riddle."""

    riddle: int = 3


@caught_by("defaults_are_allowed")
class Beyond(LIF):
    """A neuron whose default is forbidden."""

    rate: float = Field(3.0, lt=1, description="a rate")


@caught_by("is_frozen")
class Melting(LIF):
    """A neuron that can be changed."""

    model_config = ConfigDict(frozen=False)


@caught_by("is_frozen")
class Generous(LIF):
    """A neuron that takes any parameter."""

    model_config = ConfigDict(extra="ignore")


@caught_by("is_a_value")
class Unhashable(LIF):
    """A neuron with a list."""

    values: list[float] = Field(default_factory=list, description="numbers")


@caught_by("is_a_value")
class Endless(LIF):
    """A neuron with a number that JSON does not hold."""

    horizon: float = Field(math.inf, description="a time")


@caught_by("kind_and_name_are_valid")
class Shouting(LIF):
    """A neuron with a bad name."""

    name = "My_Neuron"


@caught_by("use_does_not_change_it")
class Counting(LIF):
    """A neuron that counts its calls in its class."""

    calls: ClassVar[list[int]] = []

    def sequence(self, x, state, trained, surrogate, generator):
        self.calls.append(1)
        return super().sequence(x, state, trained, surrogate, generator)


# neurons


class Levels(LIF):
    """A neuron with trained thresholds."""

    name = "levels"

    def trained(self, shape, steps, generator):
        return {"level": torch.full(shape, 0.5)}

    def shared(self):
        return frozenset({"level"})

    def step(self, x, state, trained, spike):
        h = (state[0] + x) / 2
        s = spike(h - trained["level"])
        return s, (h * (1 - s.detach()),)

    def sequence(self, x, state, trained, surrogate, generator):
        return self.reference(x, state, trained, surrogate)


@caught_by("shared_tensors_may_be_those_of_a_larger_layer")
class AllLevels(Levels):
    """It takes more thresholds than it has neurons."""


@caught_by("shared_tensors_may_be_those_of_a_larger_layer")
class Swelling(Levels):
    """It has as many neurons as there are thresholds."""

    def step(self, x, state, trained, spike):
        level, (v,) = trained["level"], state
        h = torch.nn.functional.pad((v[:, : x.shape[1]] + x) / 2, (0, len(level) - x.shape[1]))
        s = spike(h - level)
        return s, (h * (1 - s.detach()),)


@caught_by("shared_tensors_are_trained")
class Misspelt(Levels):
    """It shares a tensor that it does not have."""

    def shared(self):
        return frozenset({"levels"})


@caught_by("sequence_equals_the_reference")
class NoReset(LIF):
    """Its step forgets the reset, which its sequence does."""

    def step(self, x, state, trained, spike):
        h = state[0] + (x - state[0]) / self.tau
        return spike(h - self.v_threshold), (h,)


@caught_by("later_currents_leave_earlier_spikes_alone")
class Prophetic(LIF):
    """It sees the next step's current."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x + x.roll(-1, 0), state, trained, surrogate, generator)


@caught_by("samples_do_not_see_each_other")
class WrongAxis(LIF):
    """It runs along the batch."""

    def sequence(self, x, state, trained, surrogate, generator):
        turned = x.transpose(0, 1)
        spikes, _ = super().sequence(turned, self.initial_state(turned[0]), trained, surrogate, generator)
        return spikes.transpose(0, 1), self.initial_state(x[0])


@caught_by("calls_do_not_remember_each_other")
class Remembering(LIF):
    """It starts where the last call stopped."""

    def sequence(self, x, state, trained, surrogate, generator):
        start = KEPT.get(x.shape, state)
        spikes, end = super().sequence(x, start, trained, surrogate, generator)
        KEPT[x.shape] = tuple(one.detach() for one in end)
        return spikes, end


@caught_by("gradients_are_finite_and_reach_everything")
class CutOff(LIF):
    """No gradient gets through it."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x.detach(), state, trained, surrogate, generator)


@caught_by("gradients_are_finite_and_reach_everything", "gradients_equal_those_of_the_reference")
class Untrained(ParametricLIF):
    """Its trained tensor is not reached."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x, state, {"w": trained["w"].detach()}, surrogate, generator)


@caught_by("gradients_equal_those_of_the_reference")
class Steeper(LIF):
    """Its sequence has another gradient than its steps."""

    def sequence(self, x, state, trained, surrogate, generator):
        spikes, end = super().sequence(x, state, trained, surrogate, generator)
        return spikes * 1.001 - (0.001 * spikes).detach(), end


@caught_by("inputs_are_left_alone")
class InPlace(LIF):
    """It scales its input where it lies."""

    def sequence(self, x, state, trained, surrogate, generator):
        with torch.no_grad():
            x.data.mul_(0.5)
        return super().sequence(x, state, trained, surrogate, generator)


@caught_by("samples_do_not_see_each_other")
class Normalising(LIF):
    """It normalises over the batch."""

    def step(self, x, state, trained, spike):
        return super().step(x - x.mean(0), state, trained, spike)

    def sequence(self, x, state, trained, surrogate, generator):
        return self.reference(x, state, trained, surrogate)


@caught_by("shapes_and_types_are_kept")
class Double(LIF):
    """It returns float64."""

    def sequence(self, x, state, trained, surrogate, generator):
        spikes, end = super().sequence(x, state, trained, surrogate, generator)
        return spikes.double(), end


@caught_by("shapes_and_types_are_kept")
class WithoutState(LIF):
    """It returns spikes only."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x, state, trained, surrogate, generator)[0]


@caught_by("spikes_are_whole_numbers")
class Graded(LIF):
    """It fires halves."""

    def step(self, x, state, trained, spike):
        spikes, end = super().step(x, state, trained, spike)
        return spikes / 2, end

    def sequence(self, x, state, trained, surrogate, generator):
        return self.reference(x, state, trained, surrogate)


@caught_by("two_parts_equal_the_whole", "the_given_state_is_used")
class Restarting(LIF):
    """It ignores the state that it is given."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x, self.initial_state(x[0]), trained, surrogate, generator)


@caught_by("global_randomness_is_left_alone")
class Noisy(LIF):
    """It draws from torch's own generator."""

    def sequence(self, x, state, trained, surrogate, generator):
        return super().sequence(x + torch.randn_like(x), state, trained, surrogate, generator)


@caught_by("trained_tensors_are_stable")
class Renaming(LIF):
    """Its trained tensor has another name each time."""

    def trained(self, shape, steps, generator):
        return {f"w{next(CALLS)}": torch.zeros(())}


@caught_by("zero_currents_give_a_finite_state")
class Exploding(LIF):
    """It grows without end."""

    def step(self, x, state, trained, spike):
        h = state[0] * 3 + 1 + x
        return spike(h - 1e30), (h,)

    def sequence(self, x, state, trained, surrogate, generator):
        return self.reference(x, state, trained, surrogate)


@caught_by("samples_do_not_see_each_other", "two_parts_equal_the_whole")
class Raising(LIF):
    """It fails with other than four samples, or other than nine steps."""

    def sequence(self, x, state, trained, surrogate, generator):
        if x.shape[1] != 4 or len(x) != 9:
            raise RuntimeError("shapes do not fit")
        return super().sequence(x, state, trained, surrogate, generator)


# surrogates


@caught_by("it_is_even")
class Lopsided(ATan):
    """It is slimmer on one side."""

    def derivative(self, v):
        return super().derivative(torch.where(v > 0, 2 * v, v))


@caught_by("its_peak_is_one_at_the_threshold", "scalar_equals_the_derivative", "derivative_is_that_of_the_primitive")
class Twice(ATan):
    """Its peak is 2."""

    def derivative(self, v):
        return 2 * super().derivative(v)


@caught_by("it_is_never_negative")
class Negative(ATan):
    """It falls below zero."""

    def derivative(self, v):
        return 1.1 * super().derivative(v) - 0.1


@caught_by("primitive_is_zero_at_the_threshold")
class Shifted(ATan):
    """Its primitive begins elsewhere."""

    def primitive(self, v):
        return super().primitive(v) + 0.5


class Tailed(Surrogate):
    """Its area is infinite."""

    name = "tailed"

    def derivative(self, v):
        return 1 / (1 + v.abs())

    def primitive(self, v):
        return v.sign() * (1 + v.abs()).log()


caught_by("its_area_is_finite")(Tailed)


@caught_by("its_tails_fall")
class Wavy(ATan):
    """It rises again."""

    def derivative(self, v):
        return torch.cos(3 * v).square()


@caught_by("it_is_elementwise")
class Relative(ATan):
    """It depends on the largest entry."""

    def derivative(self, v):
        return super().derivative(v / v.abs().max().clamp_min(1e-9))


# coders


@caught_by("samples_that_do_not_fit_are_refused")
class Fussy(Poisson):
    """It takes no samples at all."""

    def check(self, frames):
        raise InputError("no", "Go away.")


@caught_by("time_comes_first")
class Sideways(Poisson):
    """Its time is the second axis."""

    def encode(self, data, generator):
        return super().encode(data, generator).transpose(0, 1)


@caught_by("same_generator_same_sequence", "global_randomness_is_left_alone")
class Careless(Poisson):
    """It draws from torch's own generator."""

    def encode(self, data, generator):
        return (torch.rand((self.steps, *data.shape)) < data).to(data.dtype)


@caught_by("analog_is_told")
class Hidden(DirectCoder):
    """It does not say that it is analog."""

    analog = False


@caught_by("analog_is_told")
class Boasting(Latency):
    """It says that it is analog."""

    analog = True


@caught_by("data_are_left_alone")
class Erasing(Latency):
    """It changes its data."""

    def encode(self, data, generator):
        sequence = super().encode(data, generator)
        data.zero_()
        return sequence


@caught_by("samples_do_not_see_each_other")
class Scaling(Latency):
    """It divides by the largest value of the batch."""

    def encode(self, data, generator):
        return super().encode(data / data.max().clamp_min(1e-9), generator)


@caught_by("steps_are_followed")
class Fixed(DirectCoder):
    """It always has four steps."""

    def encode(self, data, generator):
        return data.expand(4, *data.shape)


@caught_by("type_stays")
class Boolean(Poisson):
    """Its spikes are booleans."""

    def encode(self, data, generator):
        return super().encode(data, generator) > 0


# synapses


class Seeded(Dense):
    """It has a seed of its own."""

    def linear(self, inputs, outputs, bias, generator):
        return super().linear(inputs, outputs, bias, torch.Generator().manual_seed(0))


caught_by("same_generator_same_layer")(Seeded)


@caught_by("outputs_have_the_width_that_the_layer_tells")
class Narrow(Dense):
    """Its layers tell the wrong width."""

    def linear(self, inputs, outputs, bias, generator):
        layer = super().linear(inputs, outputs, bias, generator)
        layer.out_features = outputs + 1
        return layer


@caught_by("readouts_have_the_outputs_that_were_asked_for")
class Halving(Dense):
    """All its layers are half as wide as asked for, also the last one."""

    def linear(self, inputs, outputs, bias, generator):
        return super().linear(inputs, max(1, outputs // 2), bias, generator)


class _Memory(nn.Linear):
    last = 0.0

    def forward(self, x):
        out = super().forward(x) + self.last
        self.last = float(x.detach().sum())
        return out


@caught_by("calls_do_not_remember_each_other")
class Sticky(Dense):
    """Its layers remember the last call."""

    def linear(self, inputs, outputs, bias, generator):
        layer = super().linear(inputs, outputs, bias, generator)
        layer.__class__ = _Memory
        return layer


class _Nameless(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.matrix, self.out_features = nn.Parameter(layer.weight.detach().clone()), layer.out_features

    def forward(self, x):
        return x @ self.matrix.T


class Nameless(Synapse):
    """An encoding finds nothing in it."""

    name = "nameless"

    def linear(self, inputs, outputs, bias, generator):
        return _Nameless(Dense().linear(inputs, outputs, bias, generator))


caught_by("encodable_weights_are_there")(Nameless)


# networks


class _Through(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def forward(self, x):
        return self.change(x)


def changed_mlp(change, place=-1, check="", doc="A multilayer perceptron with a fault."):
    """Return a network into which a change of a tensor is built."""

    class Changed(MLP):
        __doc__ = doc

        def build(self, builder):
            layers = list(super().build(builder))
            layers.insert(len(layers) if place == -1 else place, _Through(change()))
            return nn.Sequential(*layers)

    Changed.__name__ = check
    return caught_by(check)(Changed)


def _leftover():
    last = {}

    def change(x):
        out = x + last.get("x", 0.0)
        last["x"] = float(x.detach().sum())
        return out

    return change


changed_mlp(lambda: lambda x: x[..., :-1], check="outputs_are_those_of_the_task")
changed_mlp(lambda: lambda x: (x > 0).to(x.dtype) + 0 * x, check="the_last_layer_gives_currents")
changed_mlp(lambda: lambda x: x.detach(), place=2, check="gradients_reach_every_tensor")
changed_mlp(_leftover, check="calls_do_not_remember_each_other")
changed_mlp(lambda: lambda x: x - x.mean(1, keepdim=True), check="samples_do_not_see_each_other")
changed_mlp(lambda: lambda x: x.flip(0), check="time_runs_forward")


@caught_by("same_generator_same_weights")
class Unseeded(MLP):
    """It ignores the seed."""

    def build(self, builder):
        return super().build(replace(builder, generator=torch.Generator().manual_seed(next(CALLS))))


@caught_by("same_generator_same_weights")
class Stubborn(MLP):
    """It has a seed of its own."""

    def build(self, builder):
        return super().build(replace(builder, generator=torch.Generator().manual_seed(0)))


@caught_by("it_takes_what_it_does_not_refuse")
class Unchecked(Network):
    """It refuses when it is built, and not before."""

    name = "unchecked"

    def build(self, builder):
        MLP().check(())


# encodings


def scaled(network, factor):
    with torch.no_grad():
        for module, name in encodable_weights(network):
            getattr(module, name).mul_(factor)


@caught_by("first_weights_have_the_usual_variance")
class Loud(Direct):
    """Its weights have twice the variance."""

    def apply(self, network, arrays, generator):
        scaled(network, math.sqrt(2))


@caught_by("first_weights_have_the_usual_variance")
class LoudGenes(Genetic):
    """Its interactions are not divided by G."""

    def apply(self, network, arrays, generator):
        super().apply(network, {name: 2 * array for name, array in arrays.items()}, generator)


@caught_by("gradients_reach_every_trained_tensor")
class Useless(Direct):
    """It trains a tensor that nothing uses."""

    def apply(self, network, arrays, generator):
        network.useless = nn.Parameter(torch.ones(5))


@caught_by("stored_numbers_are_those_that_matter")
class Undercounted(Genetic):
    """It forgets the evolved array."""

    def stored_numbers(self, network):
        return sum(parameter.numel() for parameter in network.parameters())


@caught_by("stored_numbers_are_those_that_matter")
class Overcounted(LowRank):
    """It counts twice."""

    def stored_numbers(self, network):
        return 2 * super().stored_numbers(network)


@caught_by("groups_hold_each_parameter_once")
class Forgetful(LowRank):
    """It groups factors only."""

    def groups(self, network):
        return super().groups(network)[1:]


@caught_by("groups_hold_each_parameter_once")
class Repeating(Direct):
    """It has all parameters twice."""

    def groups(self, network):
        return 2 * super().groups(network)


@caught_by("inheritance_keeps_what_evolved", origin="both")
class Overwriting(Genetic):
    """A child takes over what its parent's evolution made."""

    def inherit(self, network, tensors):
        Direct().inherit(network, tensors)


@caught_by("same_generator_same_weights")
class Restless(LowRank):
    """It draws without the generator."""

    def apply(self, network, arrays, generator):
        super().apply(network, arrays, torch.Generator().manual_seed(next(CALLS)))


@caught_by("a_network_is_rebuilt_from_its_state")
class Lossy(Direct):
    """It adds to the weights what it does not store."""

    def apply(self, network, arrays, generator):
        for module in network.modules():
            if isinstance(module, nn.Linear):
                noise = torch.randn(module.weight.shape, generator=generator) * 0.01
                nn.utils.parametrize.register_parametrization(module, "weight", _Through(noise.add), unsafe=True)


@caught_by("inheritance_keeps_what_evolved", origin="evolved", weights=245_000)
class Submissive(Sparse):
    """A child takes over its parent's mask, although its own is a gene."""

    def inherit(self, network, tensors):
        Sparse().inherit(network, tensors)


@caught_by("evolved_arrays_matter")
class Deaf(Genetic):
    """Evolution shapes nothing."""

    def apply(self, network, arrays, generator):
        super().apply(network, {name: np.full_like(array, 0.03) for name, array in arrays.items()}, generator)


@caught_by("training_uses_the_weights")
class TwoFaced(Direct):
    """Its layers compute something else in training."""

    def apply(self, network, arrays, generator):
        for module in network.modules():
            if isinstance(module, nn.Linear):
                module.register_forward_hook(lambda layer, _, out: out * 1.5 if layer.training else out)


# operators


@caught_by("results_lie_in_the_domain")
class Overshooting(GaussianMutation):
    """It leaves its bounds."""

    def mutate(self, domain, value, rng):
        return type(value)(value + rng.choice([-1, 1]) * 10)


@caught_by("results_lie_in_the_domain")
class OffGrid(GaussianMutation):
    """It ignores the step of whole numbers."""

    def mutate(self, domain, value, rng):
        if isinstance(domain, Integer):
            return int(rng.integers(domain.low, domain.high + 1))
        return super().mutate(domain, value, rng)


@caught_by("inputs_are_left_alone", "read_only_inputs_are_taken")
class Destructive(ArrayGaussianMutation):
    """It changes its parent."""

    def mutate(self, domain, value, rng):
        value += rng.normal(0, 0.01, value.shape).astype(np.float32)
        return domain.project(value)


@caught_by("same_generator_same_result", "global_randomness_is_left_alone")
class Global(GaussianMutation):
    """It draws from numpy's own generator."""

    def mutate(self, domain, value, rng):
        return domain.project(value + np.random.normal(0, domain.high - domain.low))  # noqa: NPY002


@caught_by("same_generator_same_result", "global_randomness_is_left_alone")
class GlobalPython(UniformSampling):
    """It draws from Python's own generator."""

    def sample(self, domain, rng):
        return domain.sample(np.random.default_rng(random.getrandbits(32)))


@caught_by("same_generator_same_result")
class FreshSeed(UniformSampling):
    """It makes a generator of its own."""

    def sample(self, domain, rng):
        return domain.sample(np.random.default_rng())


@caught_by("results_have_plain_types")
class Numpy(GaussianMutation):
    """It returns numbers of numpy's."""

    def mutate(self, domain, value, rng):
        return np.asarray(super().mutate(domain, value, rng))[()]


@caught_by("results_have_plain_types")
class DoubleArrays(ArrayGaussianMutation):
    """It returns float64."""

    def mutate(self, domain, value, rng):
        return super().mutate(domain, value, rng).astype(np.float64)


@caught_by("equal_parents_have_children_in_the_domain")
class OnlyChild(BlendCrossover):
    """It has one child."""

    def cross(self, domain, a, b, rng):
        return super().cross(domain, a, b, rng)[:1]


@caught_by("chosen_genes_are_some_of_its_genes")
class ChoosingTwice(BlendCrossover):
    """It chooses a gene twice."""

    def chosen(self, paths, rng):
        return [*paths[:1], *paths[:1]]


@caught_by("equal_parents_have_children_in_the_domain")
class Undefined(BlendCrossover):
    """Equal parents divide by zero."""

    def cross(self, domain, a, b, rng):
        with np.errstate(all="ignore"):
            share = (a - b) / (a - b)
        return share * a, share * b


@caught_by("something_happens")
class Lazy(GaussianMutation):
    """It changes nothing."""

    def mutate(self, domain, value, rng):
        return value


@caught_by("genes_limits_what_it_works_on")
class Greedy(GaussianMutation):
    """It works on all genes."""

    def fits(self, path, domain):
        return isinstance(domain, self.domains)


# fitness


@caught_by("value_is_within_its_bounds")
class Percent(Accuracy):
    """Its bounds are those of a share, and its values are not."""

    def measure(self, context):
        return 100 * super().measure(context)


@caught_by("direction_agrees_with_what_is_better")
class Upside(Accuracy):
    """Its direction is the wrong one."""

    direction = "minimize"


@caught_by("direction_agrees_with_what_is_better")
class Wasteful(Energy):
    """Its direction is the wrong one."""

    direction = "maximize"


@caught_by("direction_and_unit_are_given")
class Undirected(Accuracy):
    """It has a direction that is none."""

    direction = "up"


@caught_by("it_is_pure")
class Drifting(Parameters):
    """It grows with each call."""

    def measure(self, context):
        return float(next(CALLS))


@caught_by("the_network_is_left_alone")
class Pruning(Parameters):
    """It prunes what it measures."""

    def measure(self, context):
        if isinstance(context.phenotype, nn.Module):
            with torch.no_grad():
                next(context.phenotype.parameters()).mul_(0.9)
        return super().measure(context)


@caught_by("the_network_is_left_alone")
class Switching(Parameters):
    """It leaves the network in training mode."""

    def measure(self, context):
        if isinstance(context.phenotype, nn.Module):
            context.phenotype.train()
        return super().measure(context)


@caught_by("the_context_is_left_alone")
class Meddling(Accuracy):
    """It changes the metrics."""

    def measure(self, context):
        value = super().measure(context)
        context.metrics["accuracy"] = 1.0
        return value


@caught_by("value_is_a_finite_number_or_none")
class Heavy(Parameters):
    """It returns a tensor."""

    def measure(self, context):
        return torch.tensor(3.0)


@caught_by("the_elite_counts_where_it_says_so")
class Follower(Fitness):
    """It looks at the elite and does not say so."""

    name = "follower"
    direction = "minimize"

    def measure(self, context):
        return 0.0 if context.elite is None else 1.0


@caught_by("a_candidate_without_a_network_is_no_error")
class Presuming(Parameters):
    """It expects a network."""

    def measure(self, context):
        return context.parts.encoding.stored_numbers(context.phenotype)


# tasks


@caught_by("splits_never_overlap")
class Leaking(BenchTask):
    """Its validation samples are training samples."""

    def data(self, split):
        inputs, targets = super().data("train" if split == "validation" else split)
        return Data(inputs[:10], targets[:10])


@caught_by("loss_is_a_scalar_with_a_gradient")
class Vector(BenchTask):
    """Its loss is one number a sample."""

    def loss(self, outputs, targets):
        return self.metrics(outputs, targets)["loss"]


@caught_by("loss_is_a_scalar_with_a_gradient")
class Flat(BenchTask):
    """Its loss has no gradient."""

    def loss(self, outputs, targets):
        return self.metrics(outputs, targets)["accuracy"].mean()


@caught_by("metrics_are_numbers_of_samples")
class Averaged(BenchTask):
    """Its metrics are means."""

    def metrics(self, outputs, targets):
        return {name: values.mean() for name, values in super().metrics(outputs, targets).items()}


@caught_by("splits_stay_the_same", "fingerprint_is_stable")
class Moving(BenchTask):
    """Its data are drawn each time."""

    def data(self, split):
        inputs, targets = super().data(split)
        return Data(inputs + 0.001 * next(CALLS), targets)


@caught_by("splits_have_the_declared_shapes")
class Still(BenchTask):
    """Its samples are no sequences, as it says."""

    @property
    def frames(self):
        return 5


@caught_by("splits_have_the_declared_shapes")
class Misshapen(BenchTask):
    """Its samples have another shape than it says."""

    def data(self, split):
        inputs, targets = super().data(split)
        return Data(inputs[:, :-1], targets)


@caught_by("scores_depend_on_the_streams_only")
class Chancy(BenchTask):
    """Its score has noise of its own."""

    def score(self, phenotype, split, streams):
        return {name: value + next(CALLS) for name, value in super().score(phenotype, split, streams).items()}


# trainers


@caught_by("it_goes_on_where_it_stopped")
class Amnesiac(SurrogateGradient):
    """Its checkpoint loses the optimiser."""

    def fit(self, phenotype, task, session):
        fitted = super().fit(phenotype, task, session)
        kept = {name: value for name, value in fitted.checkpoint.items() if not name.startswith("optimizer.")}
        return replace(fitted, checkpoint=kept)


@caught_by("it_goes_on_where_it_stopped")
class FromTheStart(SurrogateGradient):
    """It takes no notice of a checkpoint."""

    def fit(self, phenotype, task, session):
        return super().fit(phenotype, task, replace(session, checkpoint=None))


@caught_by("training_is_repeatable")
class Whimsical(SurrogateGradient):
    """It has randomness of its own."""

    def fit(self, phenotype, task, session):
        return super().fit(phenotype, task, replace(session, streams=session.streams.child(next(CALLS))))


@caught_by("only_the_training_split_is_read")
class Peeping(SurrogateGradient):
    """It looks at the validation split."""

    def fit(self, phenotype, task, session):
        task.data("validation")
        return super().fit(phenotype, task, session)


@caught_by("checkpoints_are_plain_tensors")
class Pickled(SurrogateGradient):
    """Its checkpoint holds what is no tensor."""

    def fit(self, phenotype, task, session):
        fitted = super().fit(phenotype, task, session)
        return replace(fitted, checkpoint={**fitted.checkpoint, "epoch": 3})


@caught_by("a_loss_that_is_not_finite_is_told", "it_returns_what_it_fitted")
class Blind(SurrogateGradient):
    """It does not look at its loss."""

    def fit(self, phenotype, task, session):
        from spikefront.components import Fitted

        return Fitted(phenotype, [{"epoch": 0, "loss": math.nan}], 48)


# algorithms


class Altered(RandomSearch):
    """Random search with a fault in its engine."""

    engine: ClassVar[type[Engine]] = RandomEngine

    def start(self, problem):
        return self.engine(problem)


def altered(*checks):
    """Mark an engine with the checks that catch it."""

    def mark(engine):
        cls = type(
            f"Altered{engine.__name__}",
            (Altered,),
            {"engine": engine, "__doc__": engine.__doc__, "__module__": __name__},
        )
        caught_by(*checks)(cls)
        return engine

    return mark


@altered("generations_are_no_larger_than_the_population")
class TooMany(RandomEngine):
    """It asks twice at once."""

    def ask(self):
        return super().ask() + super().ask()


@altered("it_can_be_replayed")
class Moody(RandomEngine):
    """It has randomness of its own."""

    def __init__(self, problem):
        super().__init__(problem)
        self._rng = np.random.default_rng()


@altered("the_seed_matters")
class Obstinate(RandomEngine):
    """It has a seed of its own."""

    def __init__(self, problem):
        super().__init__(problem)
        self._rng = np.random.default_rng(0)


@altered("genomes_lie_in_the_space")
class Outside(RandomEngine):
    """It leaves the space."""

    def ask(self):
        return [Proposal(Genome({**one.genome, "x": 1.5})) for one in super().ask()]


@altered("genomes_lie_in_the_space")
class Awake(RandomEngine):
    """It gives values to genes that sleep."""

    def ask(self):
        return [Proposal(Genome({"shift": 2, **one.genome})) for one in super().ask()]


@altered("failures_do_not_stop_it")
class Fragile(RandomEngine):
    """It expects losses."""

    def tell(self, results):
        min(told.losses[0] for told in results)


@altered("what_it_is_given_is_left_alone")
class Sorting(RandomEngine):
    """It sorts what it is told."""

    def tell(self, results):
        results.reverse()


SHARED = np.random.default_rng(5)


@altered("searches_do_not_disturb_each_other")
class Sharing(RandomEngine):
    """All searches share what they have seen."""

    seen: ClassVar[set[str]] = set()

    def __init__(self, problem):
        super().__init__(problem)
        self._rng = SHARED


@altered("parts_of_a_generation_may_be_told")
class Strict(RandomEngine):
    """It wants whole generations."""

    def ask(self):
        self._open = super().ask()
        return self._open

    def tell(self, results):
        if [told.genome for told in results] != [one.genome for one in self._open]:
            raise ValueError("not what was asked for")


# predictors, analyses, executors, exporters


@caught_by("the_candidate_is_left_alone")
class Invasive(Synflow):
    """It works on the candidate's own network."""

    def probe(self, context):
        ones = torch.ones(context.parts.coder.steps, 1, *context.task.input_shape)
        return [synaptic_flow(context.phenotype, ones)]


@caught_by("probe_returns_numbers")
class Bare(Synflow):
    """It returns a number in place of a list."""

    def probe(self, context):
        return super().probe(context)[0]


@caught_by("features_can_be_learnt_from")
class Unlearned(Synflow):
    """It gives features and has no fit."""

    def probe(self, context):
        return [*super().probe(context), 1.0]


class Means(Analysis):
    """The mean of each number in each generation."""

    name = "means"

    def table(self, study):
        return study.table().groupby("generation").mean(numeric_only=True).reset_index()


def test_a_plain_analysis_keeps_its_contract():
    assert not [outcome for outcome in run_checks(Means()) if outcome.failed]


@caught_by("it_is_pure")
class Trampling(Means):
    """It changes the study."""

    def table(self, study):
        study.reference.clear()
        return super().table(study)


@caught_by("it_is_pure")
class Guessing(Means):
    """It draws."""

    def table(self, study):
        return super().table(study).assign(noise=next(CALLS))


@caught_by("few_evaluations_are_no_error")
class Demanding(Means):
    """It fails without evaluations."""

    def table(self, study):
        return pd.DataFrame({"best": [study.table()["accuracy"].iloc[0]]})


class _FaultyPool(Pool):
    def __init__(self, pool, result):
        self.pool, self.result = pool, result

    def submit(self, job):
        future = Future()
        self.result(future, self.pool.submit(job).result())
        return future

    def close(self):
        self.pool.close()


def faulty(result, *checks, name):
    """Make an executor that does something else with results."""

    class Faulty(Inline):
        """An executor that does something else with results."""

        def open(self, sources):
            return _FaultyPool(super().open(sources), result)

    Faulty.__name__ = name
    return caught_by(*checks)(Faulty)


def _raise_failures(future, evaluation):
    if evaluation.failure:
        future.set_exception(RuntimeError(evaluation.failure.message))
    else:
        future.set_result(evaluation)


faulty(_raise_failures, "jobs_come_back", name="RaisingFailures")
faulty(lambda future, one: future.set_result(Evaluation(Genome({}))), "jobs_come_back", name="Mixing")
faulty(lambda future, one: None, "it_closes", name="Hanging")


@caught_by("it_returns_the_files_that_it_wrote")
class Secretive(SafetensorsFolder):
    """It does not tell all files."""

    def export(self, candidate, folder):
        return super().export(candidate, folder)[1:]


@caught_by("it_returns_the_files_that_it_wrote")
class Straying(SafetensorsFolder):
    """It writes beside its folder."""

    def export(self, candidate, folder):
        stray = folder.parent / "stray.txt"
        stray.write_text("here")
        return [*super().export(candidate, folder), stray]
