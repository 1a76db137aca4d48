"""The options of the genetic encoding: what each makes of a weight, what it stores and how it trains."""

import itertools
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
    stored,
    watched,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_model, save_model
from torch import nn
from torch.nn.utils import parametrize

from spikefront.evaluate import evaluate, phenotype_of, streams_of
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.specification import Specification
from spikefront.spiking.layers import seed_noise
from spikefront_plugins.encodings._cosines import cosines
from spikefront_plugins.encodings._genes import Interactions, gene_vectors_of, interactions_of

OPTIONS = {
    "gain of a layer": {"gain": "layer"},
    "gain of an output": {"gain": "neuron"},
    "tied": {"tied": True},
    "patterns": {"patterns": 4},
    "parts": {"parts": 2},
    "residue": {"residue": "diagonal"},
    "fields": {"variant": "fields", "fields": 3},
    "balanced": {"initial": "balanced"},
    "orthogonal": {"initial": "orthogonal"},
    "dropout": {"dropout": 0.3},
    "unfold": {"variant": "unfold", "tied": True, "patterns": 4},
    "all": {
        "gain": "neuron", "tied": True, "patterns": 4, "parts": 2, "residue": "diagonal", "initial": "balanced",
        "dropout": 0.3,
    },
    "all with fields": {
        "variant": "fields", "gain": "neuron", "tied": True, "fields": 2, "parts": 2, "residue": "diagonal",
        "initial": "orthogonal", "dropout": 0.3,
    },
}  # fmt: skip


def layers():
    """Return layers of which the third and the fourth have as many inputs as the one before has outputs."""
    return [linear(40, 30), conv(16, 24), conv(24, 20), conv(20, 24, 1)]


def network_of(options, genes=3, origin="trained", **more):
    return encoded(plain(genes=genes, origin=origin, **options), *layers(), **more)


def disturbed(network):
    """Return the network with all its trained numbers moved by chance: gains, residues and others then differ."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator(7)) / 10)
    return network


def scaled_variance(network):
    """Return Var W * 3 fan_in of each layer."""
    weights = [layer.weight.detach() for layer in network]
    return np.array([float(weight.var()) * 3 * weight[0].numel() for weight in weights])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_variance_of_weights_is_pytorchs_with_every_option(name):
    def network(seed):
        shapes = [linear(128, 96), conv(64, 96), conv(96, 64), conv(64, 96, 1)]
        return encoded(plain(genes=16, origin="trained", **OPTIONS[name]), *shapes, seed=seed).eval()

    assert np.mean([scaled_variance(network(seed)) for seed in range(40)], axis=0) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("number", [2, 3, 4, 9])
def test_smooth_patterns_keep_the_variance_of_smaller_kernels_too(number):
    def network(seed):
        shapes = [linear(128, 96), conv(64, 96, 1), conv(64, 96, 2), conv(64, 96)]
        return encoded(plain(genes=16, origin="trained", patterns=number), *shapes, seed=seed)

    assert np.mean([scaled_variance(network(seed)) for seed in range(40)], axis=0) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
def test_tied_layers_follow_the_equation(variant):
    network = encoded(plain(genes=2, variant=variant, origin="trained", tied=True), linear(18, 12), linear(12, 9))
    network = disturbed(network.double())
    y, x = ([row.tolist() for row in tensor] for tensor in stored(network[0]))
    z, o = stored(network[1])[0].tolist(), interactions_of(network)[0].matrices[0].tolist()
    scale = (18 / 12) ** 0.25

    def weight(outputs, inputs):
        return [[sum(a[g] * o[g][h] * b[h] for g in range(2) for h in range(2)) for b in inputs] for a in outputs]

    np.testing.assert_allclose(network[0].weight.detach(), weight(y, x), rtol=1e-12, atol=1e-15)
    scaled = [[scale * value for value in row] for row in y]
    np.testing.assert_allclose(network[1].weight.detach(), weight(z, scaled), rtol=1e-12, atol=1e-15)


def test_layers_are_tied_where_the_numbers_agree_within_a_part():
    network = network_of({"tied": True})
    first, second, third, fourth = (stored(layer) for layer in network)
    assert second[1] is not first[0]
    assert third[1] is second[0]
    assert fourth[1] is third[0]
    assert [layer.parametrizations.weight[0].scale for layer in network] == pytest.approx(
        [1, 1, (16 * 9 / (24 * 9)) ** 0.25, (24 * 9 / 20) ** 0.25]
    )
    assert len(gene_vectors_of(network)) == 6
    parted = network_of({"tied": True, "parts": 2})
    assert stored(parted[2])[1] is not stored(parted[1])[0]
    assert stored(parted[3])[1] is stored(parted[2])[0]


def test_vectors_that_are_tied_get_the_gradients_of_both_layers():
    network = encoded(plain(genes=2, origin="trained", tied=True), linear(18, 12), linear(12, 9)).double()
    vectors = stored(network[0])[0]
    single = [torch.autograd.grad(layer.weight.square().sum(), vectors)[0] for layer in network]
    together = torch.autograd.grad(sum(layer.weight.square().sum() for layer in network), vectors)[0]
    assert all(gradient.abs().sum() > 0 for gradient in single)
    torch.testing.assert_close(together, sum(single))


# 9 * 9 weights and 18 numbers of the vectors for one gene; tied, 9 fewer in the second layer.
def test_a_tie_saves_the_input_vectors():
    free, tied = (plain(genes=1, origin="trained", tied=value) for value in (False, True))
    assert free.stored_numbers(encoded(free, linear(9, 9), linear(9, 9))) == 18 + 18 + 1
    assert tied.stored_numbers(encoded(tied, linear(9, 9), linear(9, 9))) == 18 + 9 + 1


@pytest.mark.parametrize("kernel", [3, 5])
def test_fields_follow_the_equation(kernel):
    encoding = plain(genes=2, variant="fields", fields=3, origin="trained", gain="neuron")
    layer = disturbed(encoded(encoding, conv(16, 24, kernel)).double())[0]
    y, x, fields, gain = (tensor.detach().numpy() for tensor in stored(layer))
    o = interactions_of(nn.Sequential(layer))[0].matrices.detach().numpy()
    assert (y.shape, x.shape, fields.shape, o.shape) == ((24, 2), (16, 2), (24, 3, kernel, kernel), (3, 2, 2))
    expected = np.zeros((24, 16, kernel, kernel))
    for a, i, b in np.ndindex(24, 16, 3):
        expected[a, i] += gain[a] * (y[a] @ o[b] @ x[i]) * fields[a, b]
    np.testing.assert_allclose(layer.weight.detach(), expected, rtol=1e-12, atol=1e-15)
    assert layer.weight.is_contiguous()


def test_fields_leave_linear_and_pointwise_layers_the_first_interactions():
    layers = [linear(30, 20), conv(16, 24, 1), conv(16, 24)]
    network = encoded(plain(genes=2, variant="fields", fields=3), *layers, arrays=interactions(1, 9, 2, 2))
    o = interactions_of(network)[0].matrices
    assert torch.equal(o, torch.tensor(interactions(1, 9, 2, 2)["interactions"][0, :3]))
    for layer in network[:2]:
        y, x = stored(layer)
        torch.testing.assert_close(layer.weight.flatten(1), y @ o[0] @ x.T)


def test_fields_need_one_matrix_where_no_layer_has_a_kernel():
    network = encoded(plain(genes=2, variant="fields", fields=3, origin="trained"), linear(30, 20), conv(16, 24, 1))
    assert interactions_of(network)[0].matrices.shape == (1, 2, 2)


def test_fields_have_gradients_and_their_layer_is_not_factored():
    layer = encoded(plain(genes=2, variant="fields", fields=2, origin="trained"), conv(16, 24))[0]
    generated = watched(layer)
    layer.train()(torch.ones(1, 16, 5, 5)).square().sum().backward()
    assert generated == [1]
    assert all(tensor.grad.abs().sum() > 0 for tensor in stored(layer))


# Two kernels of 4 * 4 * 9 weights have 2 * (144 - 40) = 208 more than vectors of 5 genes; a tie saves 20 numbers of
# vectors more, and interactions are 9 * 25 = 225.
@pytest.mark.parametrize("tied", [False, True])
def test_a_tie_counts_in_the_decision(tied):
    network = encoded(plain(genes=5, origin="trained", tied=tied), conv(4, 4), conv(4, 4))
    assert [is_encoded(layer) for layer in network] == [tied, tied]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 1), (5, 5)])
def test_patterns_of_smaller_kernels_are_the_centre_scaled(height, width):
    shared = Interactions(torch.eye(6)[:, None], side=5, smooth=True, trained=False)  # O_p as a row: taps are cosines
    part, whole = shared.of_taps(height, width)[:, 0], cosines(5, 5, 6).view(5, 5, 6)
    top, left = (5 - height) // 2, (5 - width) // 2
    middle = whole[top : top + height, left : left + width].reshape(-1, 6).float()
    torch.testing.assert_close(part * (middle[0, 0] / part[0, 0]), middle)
    assert float(part.square().sum()) == pytest.approx(height * width)


@pytest.mark.parametrize("origin", ["evolved", "trained"])
def test_convolutions_of_patterns_follow_the_equation(origin):
    arrays = interactions(1, 4, 2, 2)
    layer = encoded(plain(genes=2, patterns=4, origin=origin), conv(9, 14), arrays=arrays).double()[0]
    matrices, patterns = layer.parametrizations.weight[0].interactions.matrices.detach(), cosines(3, 3, 4)
    if origin == "evolved":
        np.testing.assert_array_equal(matrices.float(), arrays["interactions"][0])
    y, x = (tensor.detach().numpy() for tensor in stored(layer))
    expected = np.zeros((14, 9, 3, 3))
    for o, i, p, q in np.ndindex(*expected.shape):
        tap = sum(float(patterns[3 * p + q, k]) * matrices[k].numpy() for k in range(4))
        expected[o, i, p, q] = y[o] @ tap @ x[i]
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected, rtol=1e-12, atol=1e-15)


def test_all_patterns_span_what_all_taps_do():
    layer = encoded(plain(genes=2, patterns=9, origin="trained"), conv(9, 14)).double()[0]
    taps = encoded(plain(genes=2, origin="trained"), conv(9, 14), seed=2).double()[0]
    wanted = interactions_of(taps)[0].matrices
    with torch.no_grad():
        inverse = torch.linalg.inv(cosines(3, 3, 9))
        interactions_of(layer)[0].matrices.copy_(torch.tensordot(inverse, wanted, dims=1))
        for own, other in zip(stored(layer), stored(taps), strict=True):
            own.copy_(other)
    torch.testing.assert_close(layer.weight, taps.weight)


def test_the_first_patterns_of_a_larger_array_are_taken():
    arrays = interactions(1, 9, 4, 4)
    network = encoded(plain(genes=4, patterns=3), conv(16, 16), arrays=arrays)
    np.testing.assert_array_equal(interactions_of(network)[0].matrices, arrays["interactions"][0, :3])


@pytest.mark.parametrize("number", [1, 4, 5])
def test_unfolded_kernels_take_the_first_pattern_and_count_one_matrix(number):
    arrays = interactions(1, number, 4, 4)
    encoding = plain(genes=4, variant="unfold", patterns=number)
    network = encoded(encoding, conv(16, 16), arrays=arrays)
    np.testing.assert_array_equal(interactions_of(network)[0].matrices, arrays["interactions"][0, :1])
    assert encoding.stored_numbers(network) == 4 * (16 + 16 * 9) + 16
    # 8 * 8 weights, with 3 genes 48 numbers of the vectors and 9 of the interactions, not 5 * 9
    assert is_encoded(encoded(plain(genes=3, variant="unfold", patterns=5, origin="trained"), linear(8, 8))[0])


@pytest.mark.parametrize(("parts", "sizes"), [(1, [5]), (2, [2, 3]), (3, [2, 1, 2]), (5, [1] * 5), (9, [1] * 5)])
def test_parts_are_consecutive_layers_with_interactions_of_their_own(parts, sizes):
    arrays = interactions(parts, 9, 3, 3)
    shapes = [conv(16, 24), nn.ReLU(), linear(2, 2), *(conv(24, 24) for _ in range(4))]
    network = encoded(plain(genes=3, parts=parts), *shapes, arrays=arrays)
    shared = interactions_of(network)
    of_layers = [layer.parametrizations.weight[0].interactions for layer in network if is_encoded(layer)]
    assert of_layers == [one for one, size in zip(shared, sizes, strict=True) for _ in range(size)]
    assert not is_encoded(network[2])
    for number, one in enumerate(shared):
        np.testing.assert_array_equal(one.matrices, arrays["interactions"][number])


def test_one_part_may_stay_direct():
    arrays = interactions(2, 9, 5, 5)
    network = encoded(plain(genes=5, parts=2), conv(4, 4), conv(16, 16), arrays=arrays)
    assert [is_encoded(layer) for layer in network] == [False, True]  # 144 - 40 < 225 < 2304 - 160
    np.testing.assert_array_equal(interactions_of(network)[0].matrices, arrays["interactions"][1])


def test_the_gain_of_an_output_scales_its_row():
    layer = encoded(plain(genes=2, origin="trained", gain="neuron"), conv(9, 12))[0]
    gain = stored(layer)[2]
    before = layer.weight.detach().clone()
    assert torch.equal(gain, torch.ones(12, 1))
    with torch.no_grad():
        gain.copy_(torch.arange(12.0)[:, None])
    torch.testing.assert_close(layer.weight, torch.arange(12.0)[:, None, None, None] * before)


@pytest.mark.parametrize(("make", "shape"), [(lambda: conv(5, 12), (12, 3, 3)), (lambda: linear(15, 40), (40,))])
def test_the_residue_is_a_diagonal_that_goes_round(make, shape):
    layer = encoded(plain(genes=2, origin="trained", residue="diagonal"), make()).double()[0]
    residue = stored(layer)[2]
    assert torch.equal(residue, torch.zeros(shape))
    before = layer.weight.detach().numpy().copy()
    with torch.no_grad():
        residue.copy_(torch.randn(shape, generator=generator()))
    for output in range(shape[0]):
        before[output, output % before.shape[1]] += residue.detach().numpy()[output]
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, rtol=1e-12)


def test_the_residue_gets_the_gradients_of_its_weights_and_nothing_is_factored():
    layer = encoded(plain(genes=2, origin="trained", residue="diagonal"), linear(30, 40)).train()[0]
    calls = watched(layer)
    layer(torch.ones(5, 30)).square().sum().backward()
    assert calls == [1]
    weight = layer.weight.detach().requires_grad_()
    nn.functional.linear(torch.ones(5, 30), weight).square().sum().backward()
    outputs = torch.arange(40)
    torch.testing.assert_close(stored(layer)[2].grad, weight.grad[outputs, outputs % 30])


@pytest.mark.parametrize("rows", [3, 8, 50])
def test_balanced_vectors_have_one_length_and_the_variance(rows):
    layer = encoded(plain(genes=4, origin="trained", initial="balanced"), linear(60, rows * 4))[0]
    for vectors in stored(layer):
        lengths = vectors.detach().norm(dim=1)
        torch.testing.assert_close(lengths, torch.full_like(lengths, math.sqrt(4 / math.sqrt(3 * 60))))


def test_orthogonal_genes_have_the_variance():
    layer = encoded(plain(genes=4, origin="trained", initial="orthogonal"), linear(60, 30))[0]
    for vectors in (tensor.detach() for tensor in stored(layer)):
        torch.testing.assert_close(vectors.T @ vectors, torch.eye(4) * len(vectors) / math.sqrt(3 * 60))


def test_fewer_orthogonal_vectors_than_genes_are_orthogonal_themselves():
    layer = encoded(plain(genes=4, origin="trained", initial="orthogonal"), conv(3, 40))[0]
    vectors = stored(layer)[1].detach()
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(3) * 4 / math.sqrt(3 * 27))


def test_first_vectors_depend_on_the_generator_alone():
    before = torch.get_rng_state()
    for initial in ("balanced", "orthogonal"):
        first, same, other = (network_of({"initial": initial}, seed=seed)[0].weight for seed in (1, 1, 2))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def in_training(layer):
    """Return the weight of a layer in one step of training."""
    return layer.train().weight.detach().clone()


def test_dropout_leaves_out_genes_in_training_only():
    layer = encoded(plain(genes=6, origin="trained", dropout=0.5), linear(60, 50)).double()[0]
    y, x = (tensor.detach() for tensor in stored(layer))
    o = layer.parametrizations.weight[0].interactions.matrices[0].detach()
    seen = set()
    for _ in range(20):
        genes = torch.linalg.pinv(y) @ in_training(layer) @ torch.linalg.pinv(o @ x.T)
        kept = genes.diagonal()
        torch.testing.assert_close(genes, torch.diag(kept.round()), rtol=0, atol=1e-9)
        seen |= {float(value) for value in kept.round()}
    assert seen == {0.0, 2.0}
    torch.testing.assert_close(layer.eval().weight.detach(), y @ o @ x.T)


@pytest.mark.parametrize("dropout", [0.2, 0.7])
def test_dropout_expects_the_weight_that_is_measured(dropout):
    layer = encoded(plain(genes=8, origin="trained", dropout=dropout), linear(60, 50)).double()[0]
    mean = torch.stack([in_training(layer) for _ in range(4000)]).mean(0)
    weight = layer.eval().weight.detach()
    assert float((mean - weight).norm() / weight.norm()) < 3 * math.sqrt(dropout / (1 - dropout) / 4000)


def test_dropout_is_reproducible_and_leaves_the_global_generator_alone():
    network, data = network_of({"dropout": 0.5}, genes=8), torch.ones(9, 40)
    before = torch.get_rng_state()
    found = []
    for seed in (1, 1, 2):
        seed_noise(network, generator(seed))
        found.append([network[0].train()(data) for _ in range(4)])
    first, same, other = (torch.stack(outputs) for outputs in found)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("rows", [3, 9000], ids=["by factors", "by the weight"])
def test_dropout_is_one_mask_within_a_step(rows):
    layer = encoded(plain(genes=20, origin="trained", dropout=0.5), linear(60, 50)).train()[0]
    calls, data = watched(layer), torch.ones(rows, 60)
    with parametrize.cached():
        first, second, weight = layer(data), layer(data), layer.weight
        torch.testing.assert_close(first, nn.functional.linear(data, weight))
    assert torch.equal(first, second)
    assert calls == [1]
    with parametrize.cached():
        assert not torch.equal(layer(data), first)


@pytest.mark.parametrize("variant", ["unfold", "per-tap"])
@pytest.mark.parametrize("name", [name for name in OPTIONS if {"residue", "variant"}.isdisjoint(OPTIONS[name])])
def test_training_on_the_factors_equals_the_weight_with_every_option(name, variant):
    options = OPTIONS[name] | {"variant": variant, "dropout": 0.0}
    network = disturbed(network_of(options, genes=2).double())
    shapes = [(12, 40), (2, 16, 5, 6), (2, 24, 5, 6), (2, 20, 5, 6)]
    for layer, shape in zip(network, shapes, strict=True):
        torch.testing.assert_close(*by_factors_and_by_weight(layer, *shape), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("origin", ["evolved", "trained", "both"])
@pytest.mark.parametrize("name", OPTIONS)
def test_weights_with_options_survive_safetensors(tmp_path, name, origin):
    arrays = interactions(2, 9, 3, 3)
    first, second = (network_of(OPTIONS[name], origin=origin, arrays=arrays, seed=seed).eval() for seed in (1, 2))
    disturbed(first)
    weights = [layer.weight.detach().clone() for layer in first]
    save_model(first, str(tmp_path / "network.safetensors"))
    assert not any(torch.equal(layer.weight, weight) for layer, weight in zip(second, weights, strict=True))
    assert load_model(second, tmp_path / "network.safetensors") == (set(), [])
    assert all(torch.equal(layer.weight, weight) for layer, weight in zip(second, weights, strict=True))
    third = network_of(OPTIONS[name], origin=origin, arrays=arrays, seed=3).eval()
    third.load_state_dict(first.state_dict())
    assert all(torch.equal(layer.weight, weight) for layer, weight in zip(third, weights, strict=True))
    assert (stored(third[3])[1] is stored(third[2])[0]) == plain(**OPTIONS[name]).tied


@pytest.mark.parametrize("origin", ["evolved", "trained"])
@pytest.mark.parametrize("name", OPTIONS)
def test_groups_hold_every_parameter_once_with_every_option(name, origin):
    encoding = plain(genes=3, origin=origin, gene_rate=3.0, **OPTIONS[name])
    network = encoded(encoding, *layers(), nn.BatchNorm1d(20), arrays=interactions(2, 9, 3, 3))
    direct, vectors, matrices = encoding.groups(network)
    together = [id(parameter) for group in (direct, vectors, matrices) for parameter in group.parameters]
    assert len(together) == len(set(together))
    assert set(together) == {id(parameter) for parameter in network.parameters()}
    assert len(matrices.parameters) == (origin == "trained") * encoding.parts
    assert {tuple(tensor.shape)[-1:] for tensor in vectors.parameters} == {(3,)}


@settings(deadline=None, max_examples=60)
@given(
    widths=st.lists(st.integers(1, 16), min_size=2, max_size=6),
    kernels=st.lists(st.sampled_from([1, 3, 5]), min_size=5, max_size=5),
    genes=st.integers(1, 5),
    parts=st.integers(1, 3),
    patterns=st.integers(0, 4),
    tied=st.booleans(),
    variant=st.sampled_from(["unfold", "per-tap", "fields"]),
    origin=st.sampled_from(["evolved", "trained"]),
    gain=st.sampled_from(["none", "layer", "neuron"]),
    residue=st.sampled_from(["none", "diagonal"]),
)
def test_stored_numbers_follow_the_formula(
    widths, kernels, genes, parts, patterns, tied, variant, origin, gain, residue
):
    shapes = [(n, m, k) for m, n, k in zip(widths[:-1], widths[1:], kernels, strict=False)]
    total, fitting = sum(n * m * k * k for n, m, k in shapes), []
    for n, m, k in shapes:
        inputs = m * k * k if variant == "unfold" else m
        extras = {"none": 0, "layer": 1, "neuron": n}[gain] + (n * k * k if residue == "diagonal" else 0)
        extras += n * 2 * k * k if variant == "fields" and k > 1 else 0
        numbers = genes * (n + inputs) + extras
        if n * m * k * k > numbers and (variant != "per-tap" or k <= 3):
            fitting.append((n * m * k * k - numbers, n, inputs, k))
    count = min(parts, len(fitting))
    for part in range(count):
        group = fitting[round(part * len(fitting) / count) : round((part + 1) * len(fitting) / count)]
        saved = sum(layer[0] for layer in group)
        if tied:
            saved += sum(genes * inputs for (_, n, _, _), (_, _, inputs, _) in itertools.pairwise(group) if n == inputs)
        taps = patterns or max(k for *_, k in group) ** 2
        number = {"unfold": 1, "per-tap": taps, "fields": 2 if any(k > 1 for *_, k in group) else 1}[variant]
        saved -= number * genes**2
        total -= max(0, saved)
    encoding = plain(
        genes=genes, parts=parts, patterns=patterns, fields=2, tied=tied, variant=variant, origin=origin, gain=gain,
        residue=residue,
    )  # fmt: skip
    network = encoded(encoding, *(conv(m, n, k) for n, m, k in shapes), arrays=interactions(3, 9, 6, 6))
    assert encoding.stored_numbers(network) == total


DOCUMENT = {
    "study": {"name": "options", "seed": 3, "objectives": ["accuracy", "parameters"], "columns": ["gene-entropy"]},
    "task": {"use": "digits", "train": 64, "validation": 20},
    "network": {"use": "conv", "channels": [12, 12, 12]},
    "trainer": {"epochs": 1, "batch": 32},
    "search": {"generations": 1},
}


@pytest.mark.parametrize("origin", ["evolved", "trained"])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_candidate_with_any_option_trains_and_comes_back(name, origin):
    encoding = {"use": "genetic", "genes": 2, "origin": origin, **OPTIONS[name]}
    study = Specification.from_document(DOCUMENT | {"encoding": encoding}, load())
    rng = np.random.default_rng(0)
    genome = study.space.genome({path: gene.domain.sample(rng) for path, gene in study.space.items()})
    found = evaluate(Job(study.to_json(), genome), load())
    assert found.failure is None, found.failure
    assert 0 <= found.measurements["gene-entropy"].mean < 1
    streams = streams_of(study, genome, 0)
    network = phenotype_of(study.resolve(genome), found.weights, streams)
    score = study.resolve(genome).task.score(network, "validation", streams)
    assert score["accuracy"] == found.measurements["accuracy"].mean
