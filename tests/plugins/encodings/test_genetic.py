"""The genetic encoding: what it generates, what it stores, and where gradients go."""

import math

import numpy as np
import pytest
import torch
from encoded_layers import (
    by_factors_and_by_weight,
    conv,
    encoded,
    generator,
    interactions,
    is_encoded,
    linear,
    plain,
    watched,
)
from pydantic import ValidationError
from safetensors.torch import load_model, save_model
from torch import nn
from torch.nn.utils import parametrize

from spikefront import Encoding
from spikefront.components.base import Ranges
from spikefront.errors import InputError
from spikefront.plugins import load
from spikefront.space import Choice, Integer, Tensor
from spikefront_plugins.encodings._factored import register
from spikefront_plugins.encodings._genes import (
    Form,
    GeneticWeight,
    Interactions,
    Target,
    gene_vectors_of,
    interactions_of,
)
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.encodings.genetic import Genetic
from spikefront_plugins.synapses.dense import Dense


def parts_of(layer):
    """Return Y, X and O of an encoded layer."""
    tensors = layer.parametrizations.weight
    return tensors.original0, tensors.original1, tensors[0].interactions.matrices


@pytest.mark.parametrize(("make", "genes", "variant", "expected"), [
    (lambda: linear(784, 256), 32, "unfold", 0.998),
    (lambda: conv(512, 512), 64, "unfold", 0.997),
    (lambda: conv(64, 128), 32, "per-tap", 0.997),
])  # fmt: skip
def test_the_variance_of_generated_weights_is_pytorchs(make, genes, variant, expected):
    encoding, variances = plain(genes=genes, variant=variant, origin="trained"), []
    for seed in range(20):
        weight = encoded(encoding, make(), seed=seed)[0].weight.detach()
        variances.append(float(weight.var()) * 3 * weight[0].numel())
    assert np.mean(variances) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
def test_the_variance_stays_where_a_candidate_takes_a_leading_block(variant):
    variances = []
    for seed in range(20):
        array = np.random.default_rng(seed).normal(0, 1 / 64, (1, 9, 64, 64)).astype(np.float32)
        network = encoded(plain(genes=16, variant=variant), conv(64, 128), arrays={"interactions": array}, seed=seed)
        variances.append(float(network[0].weight.detach().var()) * 3 * 576)
    assert np.mean(variances) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("genes", [1, 5, 16])
def test_the_rank_of_a_generated_weight_is_the_number_of_genes(genes):
    weight = encoded(plain(genes=genes, origin="trained"), linear(60, 40)).double()[0].weight
    assert torch.linalg.matrix_rank(weight) == genes


def test_linear_weights_follow_the_equation():
    layer = encoded(plain(genes=4, origin="trained", gain="layer"), linear(20, 15)).double()[0]
    nn.init.constant_(layer.parametrizations.weight.original2, 1.7)
    y, x, o = (tensor.tolist() for tensor in parts_of(layer))
    expected = [[1.7 * sum(y[i][g] * o[0][g][h] * x[j][h] for g in range(4) for h in range(4))
                 for j in range(20)] for i in range(15)]  # fmt: skip
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
def test_convolutions_follow_the_equation(variant):
    layer = encoded(plain(genes=2, variant=variant, origin="trained"), conv(5, 9)).double()[0]
    y, x, o = (tensor.detach().numpy() for tensor in parts_of(layer))
    assert x.shape == ((45, 2) if variant == "unfold" else (5, 2))
    assert o.shape == ((1, 2, 2) if variant == "unfold" else (9, 2, 2))
    expected = np.zeros((9, 5, 3, 3))
    for a, i, p, q in np.ndindex(*expected.shape):
        if variant == "unfold":
            expected[a, i, p, q] = y[a] @ o[0] @ x[i * 9 + p * 3 + q]
        else:
            expected[a, i, p, q] = y[a] @ o[p * 3 + q] @ x[i]
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected, rtol=1e-12, atol=1e-15)
    assert layer.weight.is_contiguous()


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
def test_gradients_are_those_of_the_dense_product(variant):
    layer = encoded(plain(genes=3, variant=variant, origin="trained", gain="layer"), conv(8, 16)).double()[0]
    nn.init.constant_(layer.parametrizations.weight.original2, 0.7)
    y, x, o = parts_of(layer)
    dw = torch.randn(layer.weight.shape, generator=generator(), dtype=torch.float64)
    layer.weight.backward(dw)
    dy, dx, do, da = torch.zeros_like(y), torch.zeros_like(x), torch.zeros_like(o), torch.zeros(()).double()
    with torch.no_grad():
        for tap in range(9):
            inputs = x[tap::9] if variant == "unfold" else x
            matrix = o[0] if variant == "unfold" else o[tap]
            d = dw.flatten(2)[:, :, tap]
            dy += 0.7 * d @ inputs @ matrix.T
            dx[tap::9] += 0.7 * d.T @ y @ matrix if variant == "unfold" else 0
            dx += 0.7 * d.T @ y @ matrix if variant == "per-tap" else 0
            do[0 if variant == "unfold" else tap] += 0.7 * y.T @ d @ inputs
            da += (d * (y @ matrix @ inputs.T)).sum()
    for tensor, gradient in ((y, dy), (x, dx), (o, do), (layer.parametrizations.weight.original2, da)):
        torch.testing.assert_close(tensor.grad, gradient, rtol=1e-6, atol=1e-12)


def test_evolved_interactions_get_no_gradient_and_are_no_parameters():
    arrays = interactions(1, 9, 8, 8)
    network = encoded(plain(genes=8), conv(16, 32), conv(32, 32, seed=2), arrays=arrays)
    network(torch.ones(1, 16, 5, 5)).sum().backward()
    (shared,) = interactions_of(network)
    assert not list(shared.parameters())
    assert not shared.matrices.requires_grad
    assert torch.equal(shared.matrices, torch.tensor(arrays["interactions"][0]))
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("origin", ["trained", "both"])
def test_trained_interactions_get_the_gradients_of_all_layers(origin):
    arrays = interactions(1, 9, 8, 8)
    network = encoded(plain(genes=8, origin=origin), conv(16, 32), conv(32, 32, seed=2), arrays=arrays)
    matrices = interactions_of(network)[0].matrices
    assert isinstance(matrices, nn.Parameter)
    assert torch.equal(matrices, torch.tensor(arrays["interactions"][0])) == (origin == "both")
    first, second = network
    gradients = [torch.autograd.grad(layer.weight.square().sum(), matrices)[0] for layer in (first, second)]
    (first.weight.square().sum() + second.weight.square().sum()).backward()
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    torch.testing.assert_close(matrices.grad, sum(gradients))


def test_smaller_kernels_take_the_centre_and_larger_ones_stay_direct():
    arrays = interactions(1, 25, 4, 4)
    layers = [linear(30, 30), conv(30, 30, 1), conv(30, 30, 2), conv(30, 30, 3), conv(30, 30, 5)]
    network = encoded(plain(genes=4, kernel=3), *layers, arrays=arrays)
    assert [is_encoded(layer) for layer in network] == [True, True, True, True, False]
    kernel = arrays["interactions"].reshape(5, 5, 4, 4)
    crops = [kernel[2:3, 2:3], kernel[2:3, 2:3], kernel[1:3, 1:3], kernel[1:4, 1:4]]
    for layer, crop in zip(network[:4], crops, strict=True):
        y, x, _ = (tensor.detach().numpy() for tensor in parts_of(layer))
        expected = np.einsum("ag,pqgh,ih->aipq", y, crop, x).reshape(layer.weight.shape)
        np.testing.assert_allclose(layer.weight.detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_centre_is_the_same_beside_an_even_kernel():
    arrays = interactions(1, 9, 4, 4)
    network = encoded(plain(genes=4), linear(30, 30), conv(30, 30, 2), arrays=arrays)
    y, x, _ = (tensor.detach().numpy() for tensor in parts_of(network[0]))
    np.testing.assert_allclose(
        network[0].weight.detach().numpy(), y @ arrays["interactions"][0, 4] @ x.T, rtol=1e-4, atol=1e-6
    )


def test_unfolded_kernels_take_the_centre_of_an_array_with_taps():
    arrays = interactions(1, 9, 4, 4)
    network = encoded(plain(genes=4, variant="unfold"), conv(9, 9, 5), arrays=arrays)
    assert torch.equal(interactions_of(network)[0].matrices, torch.tensor(arrays["interactions"][0, 4:5]))


def test_a_leading_block_is_taken_and_rescaled():
    arrays = interactions(1, 9, 8, 8)
    network = encoded(plain(genes=2), conv(9, 9), arrays=arrays)
    np.testing.assert_allclose(interactions_of(network)[0].matrices, 4 * arrays["interactions"][0, :, :2, :2])


def test_arrays_that_are_missing_or_too_small_are_refused():
    with pytest.raises(InputError, match="origin = 'evolved' needs the evolved array 'interactions'"):
        encoded(plain(genes=4), linear(30, 30))
    small = {"interactions": np.zeros((2, 1, 4, 4), dtype=np.float32)}
    too_small = r"array 'interactions' \(2, 1, 4, 4\) is too small for"
    with pytest.raises(InputError, match=too_small + " 1 parts, 5 genes and kernels of 1x1"):
        encoded(plain(genes=5), linear(30, 30), arrays=small)
    with pytest.raises(InputError, match=too_small + " 1 parts, 4 genes and kernels of 3x3"):
        encoded(plain(genes=4), conv(30, 30), arrays=small)
    with pytest.raises(InputError, match=too_small + " 3 parts, 4 genes and kernels of 1x1"):
        encoded(plain(genes=4, parts=3), *[linear(30, 30) for _ in range(3)], arrays=small)
    with pytest.raises(InputError, match=too_small + " 1 parts, 4 genes and 2 per-tap matrices"):
        encoded(plain(genes=4, patterns=2), linear(30, 30), arrays=small)


# 12 * 6 weights, vectors of 18 G numbers and interactions of G^2: 72 of 72 with 4 genes, 63 with 3 genes.
@pytest.mark.parametrize(("genes", "expected"), [(4, False), (3, True)])
def test_layers_stay_direct_where_that_costs_no_more(genes, expected):
    network = encoded(plain(genes=genes, origin="trained"), linear(12, 6))
    assert is_encoded(network[0]) == expected


# With 5 genes, a layer of 20 * 20 weights has 200 more than vectors, a 3x3 kernel of 2 * 2 channels 36 - 20 = 16 more.
# Interactions are 25 numbers for one tap and 225 for nine: more than 216, and fewer than 416.
@pytest.mark.parametrize(("layers", "expected"), [
    ([linear(20, 20)], [True]),
    ([linear(20, 20), conv(2, 2)], [False, False]),
    ([linear(20, 20), linear(20, 20), conv(2, 2)], [True, True, True]),
])  # fmt: skip
def test_layers_stay_direct_where_their_interactions_cost_more_than_they_save(layers, expected):
    network = encoded(plain(genes=5, origin="trained"), *layers)
    assert [is_encoded(layer) for layer in network] == expected


# With one gene: 8 weights, 6 numbers of the vectors and 1 of the interactions; or 9, 6 and 1. A gain adds 1 or n = 3.
@pytest.mark.parametrize(("inputs", "outputs", "gain", "expected"), [
    (4, 2, "none", True), (4, 2, "layer", False), (3, 3, "layer", True), (3, 3, "neuron", False),
])  # fmt: skip
def test_a_gain_counts_in_the_decision(inputs, outputs, gain, expected):
    network = encoded(plain(genes=1, origin="trained", gain=gain), linear(inputs, outputs))
    assert is_encoded(network[0]) == expected


def test_interactions_that_no_layer_uses_do_not_count():
    network = encoded(plain(genes=512), linear(20, 10), Dense().linear(10, 5, True, generator()))
    assert interactions_of(network) == []
    assert plain(genes=512).stored_numbers(network) == 200 + 55


def stored_numbers(variant, genes, origin, *layers):
    encoding = plain(genes=genes, variant=variant, origin=origin)
    arrays = {"interactions": np.zeros((1, 9, 512, 512), dtype=np.float32)}
    return encoding.stored_numbers(encoded(encoding, *layers, arrays=arrays))


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
@pytest.mark.parametrize(("genes", "expected"), [(16, 42_496), (32, 80_384), (64, 157_696), (128, 318_464)])
def test_stored_numbers_of_a_perceptron(variant, genes, expected):
    layers = [linear(784, 512), linear(512, 512), linear(512, 10)]
    assert Direct().stored_numbers(nn.Sequential(*layers)) == 668_672
    assert stored_numbers(variant, genes, "evolved", *layers) == expected


@pytest.mark.parametrize("origin", ["evolved", "trained", "both"])
@pytest.mark.parametrize(("variant", "genes", "expected"), [
    ("unfold", 16, 39_200), ("unfold", 32, 77_344), ("unfold", 48, 116_000), ("unfold", 64, 151_072),
    ("per-tap", 16, 12_576), ("per-tap", 32, 28_192), ("per-tap", 48, 48_416), ("per-tap", 64, 73_248),
])  # fmt: skip
def test_stored_numbers_of_a_convolutional_network(variant, genes, expected, origin):
    layers = [conv(1, 32), conv(32, 64), conv(64, 128), conv(128, 128), linear(128, 10)]
    assert Direct().stored_numbers(nn.Sequential(*layers)) == 241_184
    assert stored_numbers(variant, genes, origin, *layers) == expected


@pytest.mark.parametrize("origin", ["evolved", "trained"])
def test_weights_survive_safetensors(tmp_path, origin):
    arrays = interactions(1, 9, 4, 4)
    first, second = (
        encoded(plain(genes=4, origin=origin), conv(16, 20), conv(20, 20, 1), linear(20, 30), arrays=arrays, seed=s)
        for s in (1, 2)
    )
    weights = [layer.weight.detach().clone() for layer in first]
    save_model(first, str(tmp_path / "network.safetensors"))
    assert not torch.equal(second[0].weight, weights[0])
    assert load_model(second, tmp_path / "network.safetensors") == (set(), [])
    assert all(torch.equal(layer.weight, weight) for layer, weight in zip(second, weights, strict=True))
    second.load_state_dict(first.state_dict())
    assert len({id(layer.parametrizations.weight[0].interactions) for layer in second}) == 1


def test_absorbing_the_interactions_into_the_outputs_changes_nothing():
    layer = encoded(plain(genes=8, origin="trained"), linear(30, 40)).double()[0]
    y, x, o = (tensor.detach() for tensor in parts_of(layer))
    identity = torch.eye(8).double()
    torch.testing.assert_close(layer.weight.detach(), (y @ o[0]) @ identity @ x.T, rtol=1e-12, atol=1e-14)


def test_the_same_generator_gives_the_same_weights_without_the_global_one():
    before = torch.get_rng_state()
    first, same, other = (encoded(plain(genes=3, origin="trained"), conv(9, 9), seed=s)[0].weight for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_modules_may_name_their_own_weights():
    class Branches(nn.Module):
        encodable_weights = ("left", "right")

        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Parameter(torch.zeros(30, 20)), nn.Parameter(torch.zeros(30, 20))

    network = encoded(plain(genes=4, origin="trained"), Branches())
    assert set(network[0].parametrizations) == {"left", "right"}
    assert [tuple(vectors.shape) for vectors in gene_vectors_of(network)] == [(30, 4), (20, 4)] * 2


def test_gene_vectors_of_direct_networks_are_none():
    network = nn.Sequential(linear(3, 3))
    assert gene_vectors_of(network) == []
    assert interactions_of(network) == []


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, {"interactions": Tensor((1, 9, 32, 32), scale=1 / 32)}),
    ({"genes": Integer(8, 96, 8)}, {"interactions": Tensor((1, 9, 96, 96), scale=1 / 96)}),
    ({"variant": "unfold"}, {"interactions": Tensor((1, 1, 32, 32), scale=1 / 32)}),
    ({"variant": Choice(("unfold", "per-tap")), "kernel": Choice((3, 5))},
     {"interactions": Tensor((1, 25, 32, 32), scale=1 / 32)}),
    ({"parts": Integer(1, 3)}, {"interactions": Tensor((3, 9, 32, 32), scale=1 / 32)}),
    ({"patterns": 4}, {"interactions": Tensor((1, 4, 32, 32), scale=1 / 32)}),
    ({"patterns": Integer(2, 6), "kernel": 5}, {"interactions": Tensor((1, 6, 32, 32), scale=1 / 32)}),
    ({"patterns": Integer(0, 6)}, {"interactions": Tensor((1, 9, 32, 32), scale=1 / 32)}),
    ({"patterns": 4, "variant": "unfold"}, {"interactions": Tensor((1, 1, 32, 32), scale=1 / 32)}),
    ({"variant": "fields"}, {"interactions": Tensor((1, 4, 32, 32), scale=1 / 32)}),
    ({"variant": Choice(("unfold", "fields")), "fields": Integer(2, 12)},
     {"interactions": Tensor((1, 12, 32, 32), scale=1 / 32)}),
    ({"variant": Choice(("per-tap", "fields")), "fields": 3}, {"interactions": Tensor((1, 9, 32, 32), scale=1 / 32)}),
    ({"origin": "trained"}, {}),
    ({"origin": Choice(("trained", "both"))}, {"interactions": Tensor((1, 9, 32, 32), scale=1 / 32)}),
])  # fmt: skip
def test_the_evolved_array_is_as_large_as_any_candidate_needs(changes, expected):
    assert Genetic.evolved_arrays(Ranges({**plain().model_dump(), **changes})) == expected


@pytest.mark.parametrize("arguments", [
    {"genes": 0}, {"genes": 513}, {"kernel": 2}, {"origin": "random"},
    {"patterns": 10}, {"kernel": 1, "patterns": 2}, {"patterns": -1}, {"parts": 0}, {"gain": True}, {"dropout": 1.0},
])  # fmt: skip
def test_impossible_parameters_are_refused(arguments):
    with pytest.raises(ValidationError):
        plain(**arguments)


def test_direct_weights_are_left_alone_and_all_stored():
    network = nn.Sequential(Dense().linear(4, 3, True, generator()), nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    Direct().apply(network, {}, generator())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert Direct().stored_numbers(network) == 4 * 3 + 3 + 2 * 3


def test_the_gain_starts_at_one_and_scales_the_weight():
    layer = encoded(plain(genes=2, origin="trained", gain="layer"), linear(20, 10))[0]
    gain = layer.parametrizations.weight.original2
    before = layer.weight.detach().clone()
    assert gain.item() == 1
    nn.init.constant_(gain, 3.0)
    torch.testing.assert_close(layer.weight, 3 * before)
    assert isinstance(layer.parametrizations.weight[0], GeneticWeight)


def test_they_come_through_the_hook():
    registry = load()
    assert registry.get(Encoding, "genetic") is Genetic
    assert registry.get(Encoding, "direct") is Direct


def test_first_vectors_have_their_variance():
    layer = encoded(plain(genes=32, origin="trained"), linear(400, 500))[0]
    for vectors in parts_of(layer)[:2]:
        assert float(vectors.detach().var()) == pytest.approx(1 / math.sqrt(3 * 400), rel=0.05)


@pytest.mark.parametrize("gain", ["none", "layer", "neuron"])
@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
@pytest.mark.parametrize(("make", "shape"), [
    (lambda: linear(30, 20, bias=True), (12, 30)),
    (lambda: conv(12, 16, bias=True), (2, 12, 5, 6)),
    (lambda: conv(12, 16, stride=2), (2, 12, 7, 6)),
    (lambda: conv(12, 16, 1, stride=2), (2, 12, 5, 6)),
    (lambda: conv(12, 16, 5, bias=True), (2, 12, 5, 6)),
], ids=["linear", "conv", "strided", "pointwise", "large"])  # fmt: skip
def test_training_on_the_factors_equals_training_on_the_weight(make, shape, variant, gain):
    layer = encoded(plain(genes=2, variant=variant, origin="trained", gain=gain, kernel=5), make()).double()[0]
    torch.testing.assert_close(*by_factors_and_by_weight(layer, *shape), rtol=1e-9, atol=1e-12)


# Operations counted by hand, for 3 outputs, 4 inputs, G = 2 and N rows: the factors take N (4*2 + 2*2 + 2*3) = 18 N,
# the weight N 3*4 and its making 2*2*4 + 3*4*2 = 40: equal at N = 6 2/3.
@pytest.mark.parametrize(("rows", "expected"), [(6, []), (7, [1])])
def test_the_weight_is_generated_where_that_is_less_work(rows, expected):
    layer = linear(4, 3, bias=True)
    shared = Interactions(torch.eye(2)[None], side=1, smooth=False, trained=False)
    register(layer, "weight", GeneticWeight(shared, Target(layer, "weight"), Form(), generator()))
    calls = watched(layer)
    layer(torch.ones(rows, 4))
    assert calls == expected


def test_only_the_usual_layers_of_pytorch_are_factored():
    class Own(nn.Linear):
        def forward(self, x):
            return super().forward(x).sin()

    own, grouped = Own(30, 20), nn.Conv2d(64, 64, 3, groups=2)
    network = encoded(plain(genes=2, origin="trained"), own, grouped).double()
    for layer, data in ((own, torch.ones(9, 30)), (grouped, torch.ones(2, 64, 5, 5))):
        calls = watched(layer)
        torch.testing.assert_close(layer.train()(data.double()), layer.eval()(data.double()))
        assert calls == [1, 1]
    assert isinstance(own, Own)
    assert is_encoded(network[1])


def test_a_layer_whose_weight_is_changed_further_is_not_factored():
    class Doubled(nn.Module):
        def forward(self, weight):
            return 2 * weight

    layer = encoded(plain(genes=2, origin="trained"), linear(30, 20)).train()[0]
    weight = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Doubled())
    torch.testing.assert_close(layer(torch.ones(2, 30)), nn.functional.linear(torch.ones(2, 30), 2 * weight))


def test_a_layer_works_on_when_its_weight_is_set_free():
    layer = encoded(plain(genes=2, origin="trained"), linear(30, 20))[0]
    before = layer(torch.ones(2, 30))
    parametrize.remove_parametrizations(layer, "weight")
    torch.testing.assert_close(layer(torch.ones(2, 30)), before)


@pytest.mark.parametrize("origin", ["evolved", "trained"])
def test_groups_hold_every_parameter_once_at_its_rate(origin):
    encoding = plain(genes=4, origin=origin, gain="layer", gene_rate=3.0, interaction_rate=0.5, gene_decay=0.0)
    arrays = {"interactions": np.zeros((1, 9, 4, 4), dtype=np.float32)}
    network = encoded(encoding, linear(30, 20), nn.BatchNorm1d(20), linear(20, 3), arrays=arrays)
    direct, vectors, matrices = encoding.groups(network)
    together = [id(parameter) for group in (direct, vectors, matrices) for parameter in group.parameters]
    assert sorted(together) == sorted(id(parameter) for parameter in network.parameters())
    assert [id(tensor) for tensor in vectors.parameters] == [id(tensor) for tensor in gene_vectors_of(network)]
    assert len(matrices.parameters) == (origin == "trained")
    assert (vectors.learning_rate, vectors.weight_decay) == (3.0, 0.0)
    assert (matrices.learning_rate, matrices.weight_decay) == (0.5 / 4, 0.0)
    assert (direct.learning_rate, direct.weight_decay) == (1.0, 1.0)


@pytest.mark.parametrize("origin", ["evolved", "trained", "both"])
def test_gene_vectors_are_inherited_and_interactions_only_where_they_did_not_evolve(origin):
    encoding = plain(genes=4, origin=origin, gain="layer")

    def network(seed):
        array = np.random.default_rng(seed).normal(0, 1 / 4, (1, 9, 4, 4)).astype(np.float32)
        return encoded(encoding, linear(30, 20), linear(20, 30), arrays={"interactions": array}, seed=seed)

    parent, child = network(1), network(2)
    own = interactions_of(child)[0].matrices.detach().clone()
    encoding.inherit(child, parent.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(gene_vectors_of(child), gene_vectors_of(parent), strict=True))
    kept = interactions_of(parent)[0].matrices if origin == "trained" else own
    assert torch.equal(interactions_of(child)[0].matrices, kept)
    assert interactions_of(child)[0] is child[1].parametrizations.weight[0].interactions


def test_another_number_of_genes_starts_afresh():
    parent = encoded(plain(genes=5, origin="trained"), linear(30, 20), nn.BatchNorm1d(20), seed=1)
    encoding = plain(genes=4, origin="trained")
    child = encoded(encoding, linear(30, 20), nn.BatchNorm1d(20), seed=2)
    before = {name: tensor.clone() for name, tensor in child.state_dict().items()}
    torch.nn.init.normal_(parent[1].weight)
    encoding.inherit(child, parent.state_dict())
    changed = {name for name, tensor in child.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"1.weight"}


def test_other_encodings_have_one_group():
    network = encoded(Direct(), linear(30, 20), nn.BatchNorm1d(20))
    (group,) = Direct().groups(network)
    assert list(map(id, group.parameters)) == list(map(id, network.parameters()))
