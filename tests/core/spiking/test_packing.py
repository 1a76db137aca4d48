"""Packing of saved tensors: what comes back is the same bits in the same layout, and gradients do not notice."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from spikefront.spiking.packing import CHUNK, LEAST, Packed, pack, packed_tensors, unpack

REALS = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


def spikes(*shape, dtype=torch.float32, rate=0.3, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < rate).to(dtype)


def same(first, second):
    """Tell whether two tensors have the same bits, type, shape and strides."""
    alike = (first.dtype, first.shape, first.stride()) == (second.dtype, second.shape, second.stride())
    return alike and torch.equal(first.contiguous().view(torch.uint8), second.contiguous().view(torch.uint8))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("length", [LEAST, LEAST + 1, LEAST + 7, CHUNK, CHUNK + 3, 3 * CHUNK + 9])
def test_spikes_become_bits_and_come_back(dtype, length):
    tensor = spikes(length, dtype=dtype)
    kept = pack(tensor)
    assert isinstance(kept, Packed)
    assert kept.values.nbytes == -(-length // 8)
    assert same(unpack(kept), tensor)


@settings(max_examples=30, deadline=None)
@given(st.integers(LEAST, 3 * CHUNK), st.integers(0, 2**30), st.sampled_from([0.0, 0.01, 0.5, 1.0]))
def test_any_rate_and_length(length, seed, rate):
    tensor = spikes(length, seed=seed, rate=rate)
    assert same(unpack(pack(tensor)), tensor)


def test_layout_and_offset_are_kept():
    images = spikes(6, 8, 16, 16).to(memory_format=torch.channels_last)
    for tensor in (images, images[2:5], spikes(70, 80).T, images.unflatten(0, (2, 3))):
        kept = pack(tensor)
        assert isinstance(kept, Packed)
        assert same(unpack(kept), tensor)


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, -0.0, 1e-45, float("nan"), float("inf")])
@pytest.mark.parametrize("place", [0, CHUNK + 5])
def test_one_other_value_and_nothing_is_packed(value, place):
    tensor = spikes(2 * CHUNK)
    tensor[place] = value
    assert pack(tensor) is tensor
    assert unpack(tensor) is tensor


def test_indices_become_narrow_where_they_fit():
    _, indices = functional.max_pool2d(torch.rand(4, 8, 32, 32), 2, return_indices=True)
    kept = pack(indices)
    assert isinstance(kept, Packed)
    assert kept.values.nbytes == 2 * indices.numel()
    assert same(unpack(kept), indices)
    for limit, fits in ((32767, True), (32768, False), (-32768, True), (-32769, False)):
        indices[-1, -1, -1, -1] = limit
        assert isinstance(pack(indices), Packed) == fits
        assert same(unpack(pack(indices)), indices)


def test_what_is_small_or_shared_or_sparse_stays():
    small, repeated, sparse = spikes(LEAST - 1), spikes(1).expand(2 * LEAST), spikes(100, 100).to_sparse()
    gaps, bools = spikes(2 * LEAST)[::2], spikes(LEAST).bool()
    for tensor in (small, repeated, sparse, gaps, bools):
        assert pack(tensor) is tensor


@pytest.mark.parametrize("pooling", [nn.MaxPool2d(2), nn.AvgPool2d(2)])
def test_gradients_are_the_same_bits(pooling):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), pooling, nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.Sigmoid())
    x = spikes(16, 2, 16, 16).to(memory_format=torch.channels_last).requires_grad_()
    layers(x).square().sum().backward()
    plain = [x.grad, *(parameter.grad for parameter in layers.parameters())]
    x.grad = None
    layers.zero_grad()
    packed = []
    with packed_tensors():
        loss = layers(x).square().sum()
        packed.append(isinstance(pack(x.detach()), Packed))
    loss.backward()
    assert packed == [True]
    assert all(same(a, b) for a, b in zip(plain, [x.grad, *(p.grad for p in layers.parameters())], strict=True))
