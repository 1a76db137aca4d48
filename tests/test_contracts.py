"""Every component of the built-in plugins keeps the contract of its kind, with its defaults and other settings."""

from dataclasses import replace

import pytest
from torch.nn.utils import parametrize

from spikefront.components import KINDS
from spikefront.plugins import load
from spikefront.testing import CONTRACTS, FitnessContract, checks_of, run_check
from spikefront.testing._bench import PARTS, generator, network
from spikefront.testing.encodings import IMAGE, WideNetwork
from spikefront.testing.fitness import bench_context
from spikefront_plugins.encodings.genetic import Genetic

REGISTRY = load()

SMALL = {"train": 300, "validation": 100}
SETTINGS = {
    ("neuron", "if"): [{"reset": "soft", "detach_reset": False}],
    ("neuron", "lif"): [{"reset": "soft"}, {"decay_input": False, "detach_reset": False}],
    ("neuron", "plif"): [{"reset": "soft", "decay_input": False, "tau": 3.0}],
    ("neuron", "alif"): [{"reset": "soft", "beta": 0.5}],
    ("neuron", "cuba-lif"): [{"reset": "soft", "decay_input": False}],
    ("neuron", "izhikevich"): [{"a": 0.1, "c": -50.0, "d": 2.0, "detach_reset": False}],
    ("surrogate", "atan"): [{"alpha": 5.0}],
    ("surrogate", "sigmoid"): [{"alpha": 1.0}],
    ("surrogate", "triangle"): [{"alpha": 0.3}],
    ("surrogate", "gaussian"): [{"alpha": 4.0}],
    ("surrogate", "rectangle"): [{"alpha": 0.3}],
    ("coder", "poisson"): [{"steps": 1}, {"gain": 2.0}],
    ("coder", "latency"): [{"steps": 16, "threshold": 0.5}],
    ("encoding", "genetic"): [
        {"variant": "unfold"},
        {"variant": "per-tap"},
        {"variant": "per-tap", "patterns": 3, "kernel": 5},
        {"variant": "fields", "fields": 2, "genes": 8, "places": 0},
        {"origin": "trained", "initial": "orthogonal"},
        {"origin": "both", "initial": "normal"},
        {"parts": 2, "tied": False, "gain": "layer"},
        {"residue": "diagonal", "gain": "neuron"},
        {"dropout": 0.3},
    ],
    ("encoding", "cosines"): [{"taps": 4}],
    ("encoding", "low-rank"): [{"rank": 3}],
    ("encoding", "random-basis"): [{"genes": 8}],
    ("network", "mlp"): [{"hidden": (8, 6), "batch_norm": True}, {"hidden": ()}],
    ("operator", "array-gaussian"): [{"density": 0.1, "sigma": 2.0}],
    ("operator", "blend"): [{"draw": "entry", "alpha": 2.0}],
    ("operator", "gaussian"): [{"sigma": 1.0}],
    ("operator", "polynomial"): [{"eta": 0.0}],
    ("operator", "sbx"): [{"eta": 0.0}],
    ("trainer", "surrogate-gradient"): [
        {"epochs": 3, "batch": 7, "optimizer": "sgd", "schedule": "constant", "clip": 1.0},
        {"epochs": 4, "first_data": 0.5, "first_steps": 0.5, "saved": "packed"},
    ],
    ("fitness", "energy"): [{"analog_input": "once"}],
    ("fitness", "synaptic-operations"): [{"count": "dense"}],
    ("algorithm", "ga"): [{"crossover": 0.5}],
    ("algorithm", "sep-cma-es"): [{"weights": {"loss0": 1.0, "loss1": 2.0}}],
    ("task", "digits"): [SMALL],
    ("task", "cortical-column"): [{"excitatory_targets": (4.0, 9.0), "density": 0.5, "duration": 200, "runs": 1}],
}
"""Other settings than the defaults that are tried too."""

DEFAULTS = {("task", name): SMALL for name in ("mnist", "fashion-mnist", "cifar10")} | {
    ("executor", "local"): {"workers": 1},
    ("task", "cortical-column"): {"duration": 100, "settling": 10},
}
"""Settings in place of the defaults, where these take long."""


class GeneEntropyContract(FitnessContract):
    """The term measures a candidate with a genetic encoding."""

    def context(self):
        return bench_context(replace(PARTS, encoding=Genetic(genes=2, origin="trained")))


class RateErrorContract(FitnessContract):
    """The term measures a candidate of a task that has rates."""

    def context(self):
        metrics = {"rate_error": 0.3, "excitatory_error": 0.2, "inhibitory_error": 0.4}
        return replace(super().context(), metrics=metrics)


RATE_ERRORS = ("rate-error", "excitatory-rate-error", "inhibitory-rate-error")
SUITES = {("fitness", "gene-entropy"): GeneEntropyContract} | {
    ("fitness", name): RateErrorContract for name in RATE_ERRORS
}

NOT_HERE = {("executor", "ray")}
"""Has a test module of its own, which starts Ray once."""

DIRECTIONS = {
    "accuracy": "maximize",
    "activation-sparsity": "maximize",
    "approximate-energy": "minimize",
    "connection-sparsity": "maximize",
    "energy": "minimize",
    "excitatory-rate-error": "minimize",
    "footprint": "minimize",
    "gene-entropy": "minimize",
    "inhibitory-rate-error": "minimize",
    "latency": "minimize",
    "parameters": "minimize",
    "rate-error": "minimize",
    "spikes": "minimize",
    "synaptic-operations": "minimize",
    "temporal-difference": "maximize",
}


def cases():
    """Yield each component with each setting and each check of its suite."""
    for kind in KINDS:
        for name, component in REGISTRY.components(kind).items():
            key = (kind, name)
            if key in NOT_HERE:
                continue
            suite = SUITES.get(key, CONTRACTS[kind])
            for number, settings in enumerate([DEFAULTS.get(key, {}), *SETTINGS.get(key, [])]):
                label = f"{kind}-{name}" + (f"-{number}" if number else "")
                marks = [pytest.mark.slow] if number else []  # other settings: half of all tests
                for check in checks_of(suite):
                    yield pytest.param(suite, component, settings, check, id=f"{label}-{check}", marks=marks)


@pytest.mark.parametrize(("suite", "component", "settings", "check"), cases())
def test_contract(suite, component, settings, check):
    outcome = run_check(suite, check, component(**settings))
    if outcome.state == "skipped":
        pytest.skip(outcome.message)
    assert not outcome.failed, outcome.message


def test_every_kind_has_a_suite():
    assert set(CONTRACTS) == set(KINDS)
    assert all(suite.kind == kind for kind, suite in CONTRACTS.items())


def test_settings_belong_to_components():
    known = {(kind, name) for kind in KINDS for name in REGISTRY.components(kind)}
    assert set(SETTINGS) | set(DEFAULTS) | set(SUITES) | NOT_HERE <= known


def test_every_check_says_what_it_is_for():
    for suite in CONTRACTS.values():
        for check in checks_of(suite):
            text = getattr(suite, f"test_{check}").__doc__
            assert text, (suite, check)
            assert text.split("\n")[0].endswith("."), (suite, check)


def test_directions_of_the_built_in_terms():
    """No check can know what an author wants more of; for our own terms it is written down."""
    assert {name: term.direction for name, term in REGISTRY.components("fitness").items()} == DIRECTIONS


@pytest.mark.parametrize("name", REGISTRY.components("encoding"))
def test_the_suite_of_encodings_has_a_network_that_is_worth_encoding(name):
    settings = {"origin": "trained"} if name == "genetic" else {}
    net = network(0, IMAGE, network=WideNetwork())
    REGISTRY.components("encoding")[name](**settings).apply(net, {}, generator())
    encoded = [layer for layer in net.modules() if parametrize.is_parametrized(layer)]
    assert encoded or name == "direct"
