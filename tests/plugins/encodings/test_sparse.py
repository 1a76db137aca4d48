"""The sparse encoding: how many weights each layer keeps, which ones, what is stored, what children take over."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spikefront.components import Ranges
from spikefront.errors import InputError
from spikefront.measure.energy import COSTS, energy_by_layer
from spikefront.measure.recorder import record
from spikefront.testing._bench import BenchNeuron, network
from spikefront_plugins.encodings._masks import densities, kept_numbers, masked_weights, strongest
from spikefront_plugins.encodings.sparse import Sparse

CONV = [(32, 1, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3), (10, 128)]
MLP = [(512, 784), (512, 512), (10, 512)]


def shapes(sizes):
    return [torch.Size(size) for size in sizes]


def erk(sizes, density):
    """Return the densities by bisection of eps: the share kept grows with it, layers at 1 or not."""
    total = sum(math.prod(size) for size in sizes)
    low, high = 0.0, float(total)

    def at(eps):
        return [min(1.0, eps * sum(size) / math.prod(size)) for size in sizes]

    for _ in range(200):
        middle = (low + high) / 2
        kept = sum(share * math.prod(size) for share, size in zip(at(middle), sizes, strict=True))
        low, high = (middle, high) if kept < density * total else (low, middle)
    return at(high)


def built(seed=0, net=None, arrays=None, **parameters):
    """Return a network with linear layers 12-16-12-3 and the masks of an encoding."""
    net = network(seed) if net is None else net
    encoding = Sparse(**parameters)
    encoding.apply(net, arrays or {}, torch.Generator().manual_seed(seed))
    return net, encoding


def masks(net):
    return [weight.mask.kept for weight in masked_weights(net)]


def used(net):
    """Return the weights as the layers use them."""
    return [module.weight.detach() for module in net.modules() if isinstance(module, nn.Linear)]


def scores_of(seed, number=420):
    return {"scores": np.random.default_rng(seed).normal(size=number).astype(np.float32)}


@pytest.mark.parametrize(
    ("sizes", "density", "printed", "kept"),
    [
        (CONV, 0.1, (1, 0.2220, 0.1078, 0.0713, 1), (288, 4093, 7945, 10513, 1280)),
        (CONV, 0.05, (1, 0.1033, 0.0501, 0.0332, 1), None),
        (MLP, 0.1, (0.0859, 0.1040, 1), None),
    ],
)
def test_densities_of_erk(sizes, density, printed, kept):
    """Three ways agree: the recursion, a bisection, and the numbers in the notes."""
    found = densities(shapes(sizes), density, "erk")
    assert found == pytest.approx(erk(sizes, density))
    assert found == pytest.approx(printed, abs=5e-5)
    if kept:
        assert kept_numbers(shapes(sizes), density, "erk") == pytest.approx(kept, abs=1)


@pytest.mark.parametrize("distribution", ["erk", "uniform"])
@pytest.mark.parametrize(("sizes", "total"), [(CONV, 241_184), (MLP, 668_672)])
@pytest.mark.parametrize("density", [0.02, 0.1, 0.29, 0.5, 0.9, 1.0])
def test_the_total_is_exact(distribution, sizes, total, density):
    kept = kept_numbers(shapes(sizes), density, distribution)
    assert sum(kept) == math.floor(density * total + 1e-9)
    wanted = erk(sizes, density) if distribution == "erk" else [density] * len(sizes)
    for number, share, size in zip(kept, wanted, sizes, strict=True):
        assert abs(number - share * math.prod(size)) < 1
        assert number <= math.prod(size)


def test_every_layer_keeps_something():
    assert kept_numbers(shapes([(2, 2), (2, 2)]), 0.1, "uniform") == [1, 1]


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    number=st.integers(0, 36),
    seed=st.integers(0, 1000),
    serve=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_strongest_against_a_sort(rows, columns, number, seed, serve):
    scores = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    chosen = strongest(scores, number, serve)
    best = {(row, int(scores[row].argmax())) for row in range(rows)} if serve else set()
    order = sorted(np.ndindex(rows, columns), key=lambda place: (place not in best, -float(scores[place])))
    expected = torch.zeros(rows, columns, dtype=torch.bool)
    for place in order[:number]:
        expected[place] = True
    assert torch.equal(chosen, expected)


def test_nothing_is_served_where_nothing_may_be_chosen():
    scores = torch.tensor([[-math.inf, -math.inf], [1.0, 2.0], [4.0, 3.0]])
    assert strongest(scores, 3, serve=True).tolist() == [[False, False], [False, True], [True, True]]


@pytest.mark.parametrize("density", [0.15, 0.4])
def test_masks_keep_what_they_should_and_every_output_has_an_input(density):
    net, _ = built(density=density)
    assert [int(mask.sum()) for mask in masks(net)] == kept_numbers(
        shapes([(16, 12), (12, 16), (3, 12)]), density, "erk"
    )
    for mask, weight in zip(masks(net), used(net), strict=True):
        assert mask.any(1).all()
        assert torch.equal(weight != 0, mask)


def test_what_is_kept_grows_so_that_the_variance_stays():
    plain = used(network(0))
    net, _ = built(density=0.25, distribution="uniform")
    for mask, weight, before in zip(masks(net), used(net), plain, strict=True):
        assert torch.allclose(weight[mask], before[mask] * math.sqrt(mask.numel() / int(mask.sum())))


def test_pruned_weights_have_no_gradient():
    net, _ = built(net=network(neurons=(BenchNeuron(threshold=0.02),)), density=0.3)
    net(torch.rand(20, 12, generator=torch.Generator().manual_seed(1))).square().sum().backward()
    for weight in masked_weights(net):
        assert not weight.values.grad[~weight.mask.kept].any()
        assert weight.values.grad[weight.mask.kept].any()


def test_stored_numbers_count_values_and_places():
    biases = 16 + 12 + 3
    first, middle, last = kept_numbers(shapes([(16, 12), (12, 16), (3, 12)]), 0.4, "erk")
    assert last == 36  # all of them: no places
    for indices, places in (("list", first + middle), ("bitmap", 192 // 32 + 192 // 32)):
        net, encoding = built(density=0.4, indices=indices)
        assert encoding.stored_numbers(net) == biases + first + middle + last + places


def test_places_as_a_list_cost_more_than_a_dense_network_above_one_half():
    """The trap of the note: sparsity is flattered where places are not counted."""
    dense = built(density=1.0)
    at = {d: built(density=d, distribution="uniform") for d in (0.4, 0.6)}
    stored = {d: encoding.stored_numbers(net) for d, (net, encoding) in at.items()}
    assert stored[0.4] < dense[1].stored_numbers(dense[0]) == 420 + 31 < stored[0.6]


def test_masked_connections_cost_no_energy():
    """Of an analog layer, too, only what is connected multiplies; against counts by hand."""
    data = torch.rand(7, 12, generator=torch.Generator().manual_seed(2))
    net, _ = built(density=0.3)
    net.eval()
    with torch.no_grad(), record(net, analog_input=True) as recorder:
        net(data)
    recording = recorder.recording(steps=4)
    first = masks(net)[0]
    assert recording.synapses[0].dense == 4 * 192
    assert recording.synapses[0].absent == 4 * (192 - int(first.sum()))
    energies = energy_by_layer(recording, COSTS["horowitz-45nm"])
    assert energies[recording.synapses[0].name] == pytest.approx(4.6 * 4 * int(first.sum()))
    assert recording.synapses[1].effective <= 4 * int(masks(net)[1].sum())


def test_evolved_scores_choose_the_mask():
    arrays = scores_of(0)
    net, _ = built(arrays=arrays, origin="evolved", weights=420, density=0.3, seed=3)
    other, _ = built(arrays=arrays, origin="evolved", weights=420, density=0.3, seed=4)
    start = 0
    for mask, again in zip(masks(net), masks(other), strict=True):
        layer = torch.from_numpy(arrays["scores"][start : start + mask.numel()]).view(mask.shape)
        assert torch.equal(mask, strongest(layer, int(mask.sum()), serve=True))
        assert torch.equal(mask, again)
        start += mask.numel()


def test_masks_of_one_gene_are_nested():
    arrays, before = scores_of(1), None
    for density in (0.1, 0.2, 0.5):
        net, _ = built(arrays=arrays, origin="evolved", weights=420, density=density, distribution="uniform")
        if before:
            assert all((mask | ~old).all() for mask, old in zip(masks(net), before, strict=True))
        before = masks(net)


def test_scores_are_declared_where_they_may_evolve():
    values = Sparse(origin="evolved", weights=420).model_dump()
    assert Sparse.evolved_arrays(Ranges(values))["scores"].shape == (420,)
    assert Sparse.evolved_arrays(Ranges(values | {"origin": "random"})) == {}


@pytest.mark.parametrize(("arrays", "message"), [({}, "needs the evolved array"), (scores_of(0, 419), "420 weights")])
def test_missing_scores_are_told(arrays, message):
    with pytest.raises(InputError, match=message):
        built(arrays=arrays, origin="evolved", weights=419)


def child_of(parent, density, seed=5, **parameters):
    child, encoding = built(seed, density=density, **parameters)
    fresh = [mask.clone() for mask in masks(child)]
    encoding.inherit(child, parent.state_dict())
    return child, fresh


def test_a_child_of_the_same_density_has_its_parents_weights():
    parent, _ = built(density=0.3)
    child, _ = child_of(parent, 0.3)
    assert all(torch.equal(a, b) for a, b in zip(masks(child), masks(parent), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(used(child), used(parent), strict=True))


def test_a_sparser_child_keeps_the_largest_weights_of_its_parent():
    parent, _ = built(density=0.6, distribution="uniform")
    child, _ = child_of(parent, 0.3, distribution="uniform")
    numbers = kept_numbers(shapes([(16, 12), (12, 16), (3, 12)]), 0.3, "uniform")
    assert [int(mask.sum()) for mask in masks(child)] == numbers
    for mask, weight, theirs in zip(masks(child), used(child), used(parent), strict=True):
        assert torch.equal(weight[mask], theirs[mask])
        assert torch.equal(mask, strongest(theirs.abs(), int(mask.sum()), serve=True))


def test_a_denser_child_grows_what_its_own_mask_has():
    parent, _ = built(density=0.2, distribution="uniform")
    child, fresh = child_of(parent, 0.5, distribution="uniform")
    for mask, weight, theirs, own in zip(masks(child), used(child), masks(parent), fresh, strict=True):
        assert int(mask.sum()) == int(own.sum())
        assert (mask | ~theirs).all()
        assert (~mask | theirs | own).all()
        assert not weight[mask & ~theirs].any()


def test_an_evolved_mask_stays_and_takes_over_what_both_keep():
    options = {"origin": "evolved", "weights": 420}
    parent, _ = built(arrays=scores_of(0), density=0.4, **options)
    child, encoding = built(7, arrays=scores_of(1), density=0.4, **options)
    own = [mask.clone() for mask in masks(child)]
    encoding.inherit(child, parent.state_dict())
    for mask, before, weight, theirs in zip(masks(child), own, used(child), used(parent), strict=True):
        assert torch.equal(mask, before)
        assert torch.equal(weight, theirs * mask)


def test_a_parent_without_masks_leaves_a_child_as_it_is():
    child, encoding = built(density=0.3)
    before = [mask.clone() for mask in masks(child)]
    encoding.inherit(child, network(3).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(masks(child), before, strict=True))
