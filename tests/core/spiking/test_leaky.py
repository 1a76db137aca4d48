"""Every path of a neuron's sequence, in plain torch and compiled, equals the loop over its reference steps."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from spikefront import NeuronModel, Surrogate
from spikefront.plugins import load
from spikefront.spiking.compiler import find_compiler

REGISTRY = load()
SURROGATES = sorted(REGISTRY.components("surrogate"))
FAST = ["if", "lif", "plif", "cuba-lif", "alif", "izhikevich"]


def grid(name: str) -> Iterator[dict[str, Any]]:
    """Yield the parameters that a neuron is tried with: each reset, detached or not, the input scaled or not."""
    known = REGISTRY.components("neuron")[name].model_fields
    values: dict[str, list[Any]] = {"reset": ["hard", "soft"], "detach_reset": [True, False], "tau": [2.7]}
    values |= {"decay_input": [True, False], "tau_synapse": [1.9], "tau_adaptation": [4.3]}
    names = [key for key in values if key in known]
    for combination in itertools.product(*(values[key] for key in names)):
        yield dict(zip(names, combination, strict=True))


MODELS: list[tuple[str, dict[str, Any]]] = [(name, parameters) for name in FAST for parameters in grid(name)]
PATHS = ["eager", "compiled"]


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test over every path that this machine has."""
    if request.param == "compiled" and find_compiler() is None:
        pytest.skip("no C compiler")
    monkeypatch.setenv("SPIKEFRONT_KERNELS", request.param)
    return str(request.param)


def build(name: str, parameters: dict[str, Any]) -> NeuronModel:
    return REGISTRY.components("neuron")[name](**parameters)


def run(model: NeuronModel, x: Tensor, surrogate: str = "atan", fast: bool = True) -> list[Tensor]:
    """Return spikes, final state and the gradients of x, the initial state and what is trained."""
    generator = torch.Generator().manual_seed(7)
    x = x.detach().requires_grad_()
    spread = 30.0 if model.name == "izhikevich" else 0.4
    state = tuple(
        (start + spread * torch.randn(start.shape, generator=generator).to(start)).requires_grad_()
        for start in model.initial_state(x[0].detach())
    )
    trained = {
        name: value.clone().requires_grad_()
        for name, value in model.trained(tuple(x.shape[2:]), len(x), torch.Generator()).items()
    }
    component = REGISTRY.components("surrogate")[surrogate]()
    if fast:
        spikes, end = model.sequence(x, state, trained, component, generator)
    else:
        spikes, end = model.reference(x, state, trained, component)
    outputs = [spikes, *end]
    weights = [torch.randn(output.shape, generator=generator).to(output) for output in outputs]
    loss = sum((output * weight).sum() for output, weight in zip(outputs, weights, strict=True))
    gradients = torch.autograd.grad(loss, [x, *state, *trained.values()])
    return [output.detach() for output in outputs] + list(gradients)


def assert_equal(model: NeuronModel, x: Tensor, surrogate: str = "atan") -> None:
    fast, slow = run(model, x, surrogate), run(model, x, surrogate, fast=False)
    states = len(model.initial_state(x[0]))
    assert 0.05 < fast[0].mean() < 0.95, "the test would say nothing"
    for ours, reference in zip(fast[: 1 + states], slow[: 1 + states], strict=True):
        assert torch.equal(ours, reference)
    for ours, reference in zip(fast[1 + states :], slow[1 + states :], strict=True):
        assert (ours - reference).norm() <= 1e-5 * reference.norm()
        assert ours.norm() > 0


def currents(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (1.2 * drawn + 0.8).to(dtype)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize(("name", "parameters"), MODELS)
def test_equals_the_reference(name: str, parameters: dict[str, Any], surrogate: str) -> None:
    assert_equal(build(name, parameters), currents(6, 5, 40), surrogate)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(1, 3, 40), (4, 3, 2, 5, 5), (9, 1, 513)])
@pytest.mark.parametrize(("name", "parameters"), MODELS)
def test_equals_the_reference_for_any_shape_and_type(
    name: str, parameters: dict[str, Any], shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    assert_equal(build(name, parameters), currents(*shape, dtype=dtype))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda x: x.transpose(0, 1), id="batch-first"),
        pytest.param(lambda x: x[:, :, ::2], id="strided"),
        pytest.param(lambda x: x[0].expand(6, *x.shape[1:]), id="expanded"),
    ],
)
def test_input_may_have_any_layout(name: str, view: Any) -> None:
    x = view(currents(6, 6, 40))
    assert not x.is_contiguous()
    assert_equal(build(name, {}), x)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", FAST)
def test_channels_last_layout_is_kept(name: str) -> None:
    x = currents(4, 2, 8, 8, 3).permute(0, 1, 4, 2, 3)
    assert_equal(build(name, {}), x)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("threshold", [0.3, 0.7, 1.0, 1.1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_potential_at_the_threshold_fires(threshold: float, dtype: torch.dtype) -> None:
    at = torch.tensor(threshold, dtype=dtype)
    x = torch.stack([at, torch.nextafter(at, torch.zeros_like(at))]).reshape(1, 1, 2)
    model = build("if", {"v_threshold": threshold})
    state = model.initial_state(x[0])
    surrogate = REGISTRY.components("surrogate")["atan"]()
    assert model.sequence(x, state, {}, surrogate, torch.Generator())[0].flatten().tolist() == [1.0, 0.0]
    assert model.reference(x, state, {}, surrogate)[0].flatten().tolist() == [1.0, 0.0]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("name", "parameters"), MODELS)
def test_inputs_are_not_changed(name: str, parameters: dict[str, Any]) -> None:
    model, x = build(name, parameters), currents(4, 2, 10)
    state = tuple(0.3 + zero for zero in model.initial_state(x[0]))
    copies = [tensor.clone() for tensor in (x, *state)]
    surrogate: Surrogate = REGISTRY.components("surrogate")["atan"]()
    model.sequence(x, state, model.trained((10,), len(x), torch.Generator()), surrogate, torch.Generator())
    assert all(torch.equal(now, before) for now, before in zip((x, *state), copies, strict=True))


def test_only_the_input_is_kept_by_compiled_kernels_and_only_potentials_by_others(path: str) -> None:
    model, x = build("lif", {}), currents(4, 2, 10).requires_grad_()
    surrogate = REGISTRY.components("surrogate")["atan"]()
    state = model.initial_state(x[0].detach())
    spikes, _ = model.sequence(x, state, {}, surrogate, torch.Generator())
    kept, *others = spikes.grad_fn.saved_tensors
    if path == "compiled":
        assert kept.data_ptr() == x.data_ptr()
        assert [other.data_ptr() for other in others] == [state[0].data_ptr()]
    else:
        assert torch.equal(kept >= 1, spikes == 1)
        assert all(other is None for other in others)


def test_gradient_through_one_undetached_soft_reset_by_hand() -> None:
    """Two steps of `if`, soft reset in the graph, rectangle surrogate: every factor is 0, 1 or the threshold."""
    model = build("if", {"reset": "soft", "detach_reset": False, "v_threshold": 2.0})
    x = torch.tensor([2.25, 3.0]).reshape(2, 1, 1).requires_grad_()
    surrogate = REGISTRY.components("surrogate")["rectangle"]()
    spikes, (end,) = model.sequence(x, (torch.zeros(1, 1),), {}, surrogate, torch.Generator())
    (gradient,) = torch.autograd.grad(spikes.sum() + 10 * end.sum(), x)
    # step 2: h = 3.25 is outside the window, v = h - 2: dL/dh = 10. Step 1: h = 2.25 is inside, so dL/dh is
    # 1 (its spike) + 10 (its potential) - 2 * 10 (its reset)
    assert spikes.flatten().tolist() == [1.0, 1.0]
    assert gradient.flatten().tolist() == [-9.0, 10.0]
