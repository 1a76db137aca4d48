"""Agreement with SpikingJelly and snnTorch, under the map of docs/conventions.md and no other."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snntorch
import snntorch.surrogate
import torch
from spikingjelly.activation_based import neuron as jelly
from spikingjelly.activation_based import surrogate as jelly_surrogate
from torch import Tensor

from spikefront.plugins import load

PAGE = Path(__file__).parents[3] / "docs" / "conventions.md"
REGISTRY = load()
Call = tuple[str, dict[str, Any]]


def rows(section: str) -> Iterator[list[str]]:
    """Yield the rows of a section's table, without its head."""
    text = PAGE.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def call(cell: str) -> Call:
    """Read `name(key=value, ...)`; names may have hyphens."""
    name, arguments = re.fullmatch(r"`([\w-]+)\((.*)\)`", cell).groups()
    (expression,) = ast.parse(f"f({arguments})").body
    return name, {keyword.arg: ast.literal_eval(keyword.value) for keyword in expression.value.keywords}


MAP = list(rows("The map, with numbers"))
SAME = [(library, call(theirs), call(ours)) for library, theirs, ours, *_ in MAP if ours != "none"]
SURROGATES = [
    (library, call(theirs), call(ours), float(factor)) for library, theirs, ours, factor in rows("Surrogates")
]


def ours(spec: Call, x: Tensor, surrogate: str = "atan") -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    name, parameters = spec
    model = REGISTRY.components("neuron")[name](**parameters)
    trained = {
        key: value.requires_grad_()
        for key, value in model.trained(tuple(x.shape[2:]), len(x), torch.Generator()).items()
    }
    derivative = REGISTRY.components("surrogate")[surrogate]()
    spikes, state = model.sequence(x, model.initial_state(x[0]), trained, derivative, torch.Generator())
    return spikes, state[0], trained


def spikingjelly(spec: Call, x: Tensor, surrogate: str = "ATan") -> tuple[Tensor, Tensor, torch.nn.Module]:
    name, parameters = spec
    node = getattr(jelly, name)(surrogate_function=getattr(jelly_surrogate, surrogate)(), **parameters)
    node.to(x.dtype)
    spikes = torch.stack([node(step) for step in x]) if name == "CUBALIFNode" else _multi_step(node, x)
    return spikes, node.v, node


def _multi_step(node: Any, x: Tensor) -> Tensor:
    node.step_mode = "m"
    return node(x)


def snn(spec: Call, x: Tensor) -> tuple[Tensor, Tensor, torch.nn.Module]:
    _, parameters = spec
    beta = torch.tensor(parameters["beta"], dtype=x.dtype)
    node = snntorch.Leaky(**(parameters | {"beta": beta}), spike_grad=snntorch.surrogate.atan(alpha=2.0))
    v, spikes = torch.zeros_like(x[0]), []
    for step in x:
        s, v = node(step, v)
        spikes.append(s)
    return torch.stack(spikes).to(x.dtype), v, node


THEIRS = {"SpikingJelly": spikingjelly, "snnTorch": snn}


def currents(seed: int, mean: float, spread: float, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (mean + spread * torch.randn(20, 4, 30, generator=generator, dtype=torch.float64)).to(dtype)


def small(seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return currents that never carry a potential to twice the threshold, nor exactly to the threshold."""
    return currents(seed, 0.6, 0.5, dtype).clamp(max=0.97)


@pytest.mark.parametrize(("library", "theirs", "spec", "low", "high"), MAP)
def test_spikes_at_constant_input_are_the_printed_ones(
    library: str, theirs: str, spec: str, low: str, high: str
) -> None:
    for value, count in [(0.6, int(low)), (1.5, int(high))]:
        x = torch.full((40, 1, 1), value)
        assert THEIRS[library](call(theirs), x)[0].sum() == count
        if spec != "none":
            assert ours(call(spec), x)[0].sum() == count


def assert_agree(library: str, theirs: Call, spec: Call, x: Tensor) -> None:
    """Spikes are the same; so are the gradients of a loss that weights every spike differently."""
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(9)).to(x.dtype)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    their_spikes, _, node = THEIRS[library](theirs, a)
    our_spikes, _, trained = ours(spec, b)
    assert 0.05 < our_spikes.mean() < 0.95, "the test would say nothing"
    assert torch.equal(their_spikes, our_spikes)
    expected = torch.autograd.grad((their_spikes * weights).sum(), [a, *node.parameters()])
    found = torch.autograd.grad((our_spikes * weights).sum(), [b, *trained.values()])
    for mine, reference in zip(found, expected, strict=True):
        assert (mine - reference).norm() <= 1e-5 * reference.norm()


@pytest.mark.parametrize(("library", "theirs", "spec"), SAME)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_random_input_gives_the_same_spikes_and_gradients(
    library: str, theirs: Call, spec: Call, dtype: torch.dtype
) -> None:
    x = small(1, dtype) if library == "snnTorch" else currents(1, 0.8, 1.2, dtype)
    assert_agree(library, theirs, spec, x)


JELLY_GRID = [
    (kind, decay_input, reset, detach, tau)
    for kind, decay_input, reset, detach, tau in itertools.product(
        ["if", "lif", "plif"], [True, False], ["hard", "soft"], [True, False], [1.3, 3.7]
    )
    if kind != "if" or (decay_input and tau == 1.3)
]


@pytest.mark.parametrize(("kind", "decay_input", "reset", "detach", "tau"), JELLY_GRID)
def test_every_setting_of_spikingjelly(kind: str, decay_input: bool, reset: str, detach: bool, tau: float) -> None:
    """The names of the parameters correspond as the page says, in float32, bit for bit."""
    shared: dict[str, Any] = {"detach_reset": detach, "v_threshold": 0.7}
    theirs: dict[str, Any] = shared | {"v_reset": 0.0 if reset == "hard" else None}
    mine = shared | {"reset": reset}
    if kind != "if":
        theirs |= {"init_tau" if kind == "plif" else "tau": tau, "decay_input": decay_input}
        mine |= {"tau": tau, "decay_input": decay_input}
    node = {"if": "IFNode", "lif": "LIFNode", "plif": "ParametricLIFNode"}[kind]
    assert_agree("SpikingJelly", (node, theirs), (kind, mine), currents(2, 0.5, 1.0))


@pytest.mark.parametrize("beta", [0.3, 0.75, 0.9])
@pytest.mark.parametrize("settings", [theirs[1] for library, theirs, _ in SAME if library == "snnTorch"])
def test_every_decay_of_snntorch(beta: float, settings: dict[str, Any]) -> None:
    mine = {
        "tau": 1 / (1 - beta),
        "decay_input": False,
        "reset": "hard" if settings.get("reset_mechanism") == "zero" else "soft",
        "detach_reset": settings.get("reset_delay", True),
    }
    assert_agree("snnTorch", ("Leaky", settings | {"beta": beta}), ("lif", mine), small(3))


def test_final_potentials_of_spikingjelly_agree() -> None:
    x = currents(4, 0.8, 1.2)
    for reset, v_reset in [("hard", 0.0), ("soft", None)]:
        _, theirs, _ = spikingjelly(("LIFNode", {"tau": 2.5, "v_reset": v_reset}), x)
        assert torch.equal(theirs, ours(("lif", {"tau": 2.5, "reset": reset}), x)[1])


def test_defaults_of_the_libraries_are_different_neurons() -> None:
    """SpikingJelly's default and snnTorch's disagree even with the same decay and the input scaled to match."""
    x = currents(5, 1.0, 1.0)
    assert not torch.equal(spikingjelly(("LIFNode", {"tau": 2.0}), x)[0], snn(("Leaky", {"beta": 0.5}), x / 2)[0])


def test_snntorch_is_silent_at_the_threshold() -> None:
    x = torch.ones(1, 1, 1)
    assert snn(("Leaky", {"beta": 0.5}), x)[0].item() == 0
    assert spikingjelly(("IFNode", {}), x)[0].item() == 1
    assert ours(("if", {}), x)[0].item() == 1


def test_snntorch_soft_reset_differs_above_twice_the_threshold() -> None:
    x = torch.tensor([2.5, 0.5]).reshape(2, 1, 1)
    settings = {"beta": 0.5, "reset_delay": False}
    assert snn(("Leaky", settings), x)[0].flatten().tolist() == [1.0, 0.0]
    assert ours(("lif", {"decay_input": False, "reset": "soft"}), x)[0].flatten().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("library", "theirs", "spec", "factor"), SURROGATES)
def test_surrogates_differ_by_the_printed_factor(library: str, theirs: Call, spec: Call, factor: float) -> None:
    (name, parameters), (our_name, our_parameters) = theirs, spec
    v = (torch.arange(-200, 200, dtype=torch.float64) * 0.01 + 0.00317).requires_grad_()
    module = jelly_surrogate if library == "SpikingJelly" else snntorch.surrogate
    (gradient,) = torch.autograd.grad(getattr(module, name)(**parameters)(v).double().sum(), v)
    derivative = REGISTRY.components("surrogate")[our_name](**our_parameters).derivative(v.detach())
    torch.testing.assert_close(gradient, factor * derivative, rtol=1e-6, atol=1e-9)
