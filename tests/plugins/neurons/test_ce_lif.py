"""The neuron ce-lif: golden steps, LIF where nothing is embedded, gradients, tables that are shared, stored numbers."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from spikefront.components.parts import Parts
from spikefront.errors import InputError
from spikefront.randomness import Streams
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import NeuronLayer, share_trained
from spikefront_plugins.coders.frames import Frames
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.networks.mlp import MLP
from spikefront_plugins.networks.recurrent import Recurrent, RecurrentLayer
from spikefront_plugins.neurons.ce_lif import ContextualLIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.surrogates.rectangle import Rectangle
from spikefront_plugins.surrogates.sigmoid import Sigmoid
from spikefront_plugins.synapses.dense import Dense

SURROGATE = Rectangle(alpha=2.5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def currents(*shape: int, seed: int = 0) -> Tensor:
    return 0.2 + 0.4 * torch.randn(shape, generator=generator(seed))


def run(model: ContextualLIF, x: Tensor, trained: dict[str, Tensor], surrogate=SURROGATE):
    return model.sequence(x, model.initial_state(x[0].detach()), trained, surrogate, generator())


def printed(x, table, threshold=0.3, decay=0.5, beta=0.02):
    """Return threshold, potential and spike of each step of one neuron, from the printed equations, in double."""
    level, v, s, rows = threshold, 0.0, 0, []
    for current, e in zip(x, table, strict=True):
        level = level + v * e - beta * (level - threshold)
        v = decay * v * (1 - s) + current
        s = int(v > level)
        rows.append((level, v, s))
    return rows


GOLDEN = [
    (0.3, 0.25, 0),
    (0.325, 0.375, 1),
    (0.362, 0.25, 0),
    (0.38576, 0.375, 0),
    (0.4215448, 0.4375, 1),
    (0.4628639, 0.25, 0),
    (0.4846066, 0.375, 0),
    (0.5184145, 0.4375, 0),
]


def test_constant_current_and_embedding_give_the_golden_steps():
    assert printed([0.25] * 8, [0.1] * 8) == [pytest.approx(row, abs=1e-7) for row in GOLDEN]
    model, x = ContextualLIF(), torch.full((8, 1, 1), 0.25, dtype=torch.float64)
    state, trained = model.initial_state(x[0]), {"embedding": torch.full((1, 8), 0.1, dtype=torch.float64)}
    for current, row in zip(x, GOLDEN, strict=True):
        s, state = model.step(current, state, trained, lambda z: (z >= 0).to(z.dtype))
        assert (state[1].item(), state[0].item(), s.item()) == pytest.approx(row, abs=1e-7)
    assert run(model, x, trained)[0].flatten().tolist() == [float(row[2]) for row in GOLDEN]
    assert run(ContextualLIF(variant="none"), x, {})[0].flatten().tolist() == [0, 1, 0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(("decay", "beta", "threshold"), [(0.5, 0.02, 0.3), (0.9, 0.0025, 0.7), (1.0, 0.3, 0.1)])
@pytest.mark.parametrize("kernels", ["eager", "auto"])
def test_a_drawn_table_gives_the_steps_of_the_printed_equations(decay, beta, threshold, kernels, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_KERNELS", kernels)
    x, table = currents(300, 1, 6).double(), 0.1 * torch.randn(6, 300, generator=generator(1), dtype=torch.float64)
    model = ContextualLIF(decay=decay, beta=beta, v_threshold=threshold)
    spikes, (v, level, *_) = run(model, x, {"embedding": table})
    for i in range(6):
        rows = printed(x[:, 0, i].tolist(), table[i].tolist(), threshold, decay, beta)
        assert spikes[:, 0, i].tolist() == [row[2] for row in rows]
        assert (level[0, i].item(), v[0, i].item()) == pytest.approx(rows[-1][:2], rel=1e-9)
    assert 0.01 < spikes.mean() < 0.99


@pytest.mark.parametrize("kernels", ["eager", "auto"])
@pytest.mark.parametrize("model", [ContextualLIF(), ContextualLIF(variant="none")], ids=lambda model: model.variant)
def test_a_table_of_zeros_is_lif_bit_for_bit(model, kernels, monkeypatch):
    """v = decay v (1 - s) + x and s = v > threshold, in single precision by numpy."""
    monkeypatch.setenv("SPIKEFRONT_KERNELS", kernels)
    x = currents(784, 4, 30)
    v = s = np.zeros((4, 30), np.float32)
    expected = []
    for current in x.numpy():
        v = np.float32(0.5) * v * (1 - s) + current
        s = (v > np.float32(0.3)).astype(np.float32)
        expected.append(s)
    spikes, (end, level, *_) = run(model, x, {"embedding": torch.zeros(30, 784)})
    assert np.array_equal(spikes.numpy(), np.stack(expected))
    assert np.array_equal(end.numpy(), v)
    assert (level == torch.tensor(0.3)).all()
    assert 0.1 < spikes.mean() < 0.9


def test_it_is_silent_at_the_threshold():
    model = ContextualLIF(variant="none", v_threshold=0.5)
    x = torch.tensor([0.5, 0.5 + 2**-24]).reshape(1, 1, 2)
    assert run(model, x, {})[0].flatten().tolist() == [0.0, 1.0]


def test_rhythms_are_the_printed_cosines():
    model, f = ContextualLIF(variant="rhythmic"), torch.tensor([6.5, 7.0, 9.0, 12.0], dtype=torch.float64)
    x = currents(500, 1, 3).double()
    spikes, _ = run(model, x, {"frequency": f})
    for i in range(3):
        table = [0.1 * math.cos(f[i].item() * 0.1 / 100 ** (i / 4) * t) for t in range(500)]
        assert spikes[:, 0, i].tolist() == [row[2] for row in printed(x[:, 0, i].tolist(), table)]


def test_first_values_are_those_of_the_source():
    table = ContextualLIF().trained((100,), 50, generator())["embedding"]
    assert table.shape == (100, 50)
    assert (table.mean().item(), table.std().item()) == pytest.approx((0.01, 0.01), abs=5e-4)
    f = ContextualLIF(variant="rhythmic").trained((20, 50), 784, generator())["frequency"] / (2 * math.pi)
    assert f.shape == (1000,)
    assert (f.min().item(), f.max().item(), f.mean().item()) == pytest.approx((0.99, 1.99, 1.49), abs=0.03)
    assert ContextualLIF(variant="none").trained((3,), 4, generator()) == {}


@pytest.mark.parametrize("detach", [True, False])
def test_gradients_are_those_of_autograd_through_the_printed_equations(detach):
    x = currents(12, 3, 5).double().requires_grad_()
    table = (0.1 * torch.randn(5, 12, generator=generator(3), dtype=torch.float64)).requires_grad_()
    weights = torch.randn(12, 3, 5, generator=generator(2), dtype=torch.float64)
    spikes, _ = run(ContextualLIF(detach_reset=detach), x, {"embedding": table})
    found = torch.autograd.grad((spikes * weights).sum(), [x, table])
    level, v, s, total = torch.full((3, 5), 0.3, dtype=torch.float64), x[0] * 0, x[0] * 0, 0
    for t in range(12):
        level = level + v * table[:, t] - 0.02 * (level - 0.3)
        v = 0.5 * v * (1 - (s.detach() if detach else s)) + x[t]
        inside = v - level
        near = (inside.abs() < 0.2).double().detach()
        s = (inside > 0).double() + near * (inside - inside.detach())
        total = total + (s * weights[t]).sum()
    expected = torch.autograd.grad(total, [x, table])
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    assert all(gradient.abs().sum() > 0 for gradient in found)


@pytest.mark.parametrize("variant", ["table", "rhythmic"])
def test_gradients_are_finite_differences_with_a_smooth_step(variant):
    """The firing function is a sigmoid, its own derivative that of the surrogate: nothing jumps."""
    model, surrogate = ContextualLIF(variant=variant), Sigmoid(alpha=4.0)
    x = currents(9, 2, 3).double()
    (name, value), *_ = model.trained((3,), 9, generator()).items()

    def total(values: Tensor) -> Tensor:
        spikes, (v, level, *_) = model.loop(
            x, model.initial_state(x[0]), {name: values}, lambda z: 0.5 + surrogate.primitive(z)
        )
        return spikes.square().sum() + (v * level).sum()

    assert torch.autograd.gradcheck(total, value.double().requires_grad_(), eps=1e-6, atol=1e-6)


def test_a_sequence_beyond_the_table_is_refused():
    model = ContextualLIF()
    trained = model.trained((3,), 10, generator())
    _, state = run(model, currents(10, 2, 3), trained)
    for again in (
        lambda: run(model, currents(11, 2, 3), trained),
        lambda: model.sequence(currents(1, 2, 3), state, trained, SURROGATE, generator()),
        lambda: model.step(currents(2, 3), state, trained, lambda z: (z >= 0).float()),
    ):
        with pytest.raises(InputError, match="a sequence of 11 steps, and its table was made for 10") as error:
            again()
        assert "rhythmic" in error.value.hint
    rhythmic = ContextualLIF(variant="rhythmic")
    run(rhythmic, currents(1000, 2, 3), rhythmic.trained((3,), 10, generator()))


@pytest.mark.parametrize("scope", ["network", "layer"])
def test_layers_share_the_largest_table_or_keep_their_own(scope):
    model = ContextualLIF(scope=scope)
    layers = [NeuronLayer(model, SURROGATE, shape, 6, generator(n)) for n, shape in enumerate([(4,), (2, 3, 2), (5,)])]
    share_trained(torch.nn.Sequential(*layers))
    tables = [layer.trained["embedding"] for layer in layers]
    assert [table is tables[1] for table in tables] == [scope == "network", True, scope == "network"]
    x = currents(6, 2, 4, seed=3)
    alone = run(model, x, {"embedding": tables[0][:4]})[0]
    assert torch.equal(layers[0](x), alone)


def test_a_recurrent_network_sees_the_table_step_by_step():
    builder = Builder((3,), 2, Dense(), (ContextualLIF(),), ATan(), generator(), 7)
    layer = Recurrent(hidden=(5,)).build(builder)[1]
    assert isinstance(layer, RecurrentLayer)
    with torch.no_grad():
        layer.neurons.trained["embedding"].normal_(0, 0.3, generator=generator(4))
    x, weight = currents(7, 2, 5, seed=5), layer.feedback.module.weight
    state, s, expected = layer.neurons.model.initial_state(x[0]), torch.zeros(2, 5), []
    for current in x:
        s, state = layer.neurons.model.step(
            current + s @ weight.T, state, dict(layer.neurons.trained), lambda z: (z >= 0).float()
        )
        expected.append(s)
    assert torch.equal(layer(x), torch.stack(expected))
    assert state[3].unique().tolist() == [7]


@pytest.mark.parametrize(
    ("variant", "hidden", "inputs", "outputs", "steps", "published"),
    [
        ("table", (88,) * 3, 1, 10, 784, 85_722),
        ("rhythmic", (200,) * 3, 1, 10, 784, 83_010),
        ("table", (88,) * 2, 700, 20, 250, 93_300),
    ],
)
def test_published_nets_store_as_many_numbers(variant, hidden, inputs, outputs, steps, published):
    parts = Parts(
        MLP(hidden=hidden), (ContextualLIF(variant=variant),), SURROGATE, Dense(), Frames(steps=steps), Direct()
    )
    network = parts.build((inputs,), outputs, Streams(0))
    assert Direct().stored_numbers(network) == published
