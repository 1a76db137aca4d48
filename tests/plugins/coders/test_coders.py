"""The built-in coders: shapes, rates, times, and randomness from the generator only."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront.errors import InputError
from spikefront.plugins import load

CODERS = load().components("coder")


def encode(name: str, data: torch.Tensor, seed: int = 0, **parameters: float) -> torch.Tensor:
    return CODERS[name](**parameters).encode(data, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", sorted({*CODERS} - {"frames"}))
@pytest.mark.parametrize("shape", [(3, 5), (2, 1, 4, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_time_comes_first_and_the_type_stays(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = encode(name, torch.rand(shape, generator=torch.Generator().manual_seed(1)).to(dtype), steps=7)
    assert x.shape == (7, *shape)
    assert x.dtype == dtype


@pytest.mark.parametrize("name", ["poisson", "latency"])
def test_spikes_are_zero_or_one(name: str) -> None:
    x = encode(name, torch.linspace(0, 1, 64).reshape(8, 8), steps=16)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert not CODERS[name].analog


def test_direct_repeats_the_data_without_copies() -> None:
    data = torch.linspace(0, 1, 12).reshape(3, 4)
    x = encode("direct", data, steps=5)
    assert torch.equal(x, torch.stack([data] * 5))
    assert x.data_ptr() == data.data_ptr()
    assert x.stride(0) == 0
    assert CODERS["direct"].analog


def test_direct_passes_gradients_of_all_steps() -> None:
    data = torch.ones(2, 3, requires_grad=True)
    encode("direct", data, steps=5).sum().backward()
    assert torch.equal(data.grad, torch.full((2, 3), 5.0))


@pytest.mark.parametrize(("value", "gain"), [(0.2, 1.0), (0.5, 1.0), (0.9, 0.5), (0.3, 2.0)])
def test_poisson_rate_lies_within_three_standard_errors(value: float, gain: float) -> None:
    steps, count = 200, 500
    spikes = encode("poisson", torch.full((count,), value), seed=5, steps=steps, gain=gain)
    p = value * gain
    assert abs(spikes.mean().item() - p) < 3 * math.sqrt(p * (1 - p) / (steps * count))
    variance = spikes.sum(0).var().item()  # binomial: steps and samples are independent
    assert variance == pytest.approx(steps * p * (1 - p), rel=3 * math.sqrt(2 / count))


def test_poisson_probability_is_clipped() -> None:
    spikes = encode("poisson", torch.tensor([0.0, -0.5, 0.6, 1.0]), steps=300, gain=2.0)
    assert spikes.mean(0).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_poisson_depends_on_the_seed() -> None:
    data = torch.full((4, 25), 0.5)
    assert not torch.equal(encode("poisson", data, seed=1), encode("poisson", data, seed=2))


def test_latency_has_the_printed_times() -> None:
    data = torch.tensor([1.0, 0.8, 0.75, 0.5, 0.49, 0.25, 0.02, 0.01, 0.0])
    spikes = encode("latency", data, steps=4)
    # floor((1 - x) 4), at most 3; the last two are not above the threshold
    assert [int(column.argmax()) if column.any() else None for column in spikes.T] == [0, 0, 1, 2, 2, 3, 3, None, None]


@settings(deadline=None, max_examples=50)
@given(
    values=st.lists(st.floats(0, 1.5, width=32), min_size=2, max_size=20),
    steps=st.integers(1, 12),
    threshold=st.floats(0, 0.9),
)
def test_latency_gives_one_spike_above_the_threshold_and_brighter_is_earlier(
    values: list[float], steps: int, threshold: float
) -> None:
    data = torch.tensor(sorted(values), dtype=torch.float64)
    spikes = encode("latency", data, steps=steps, threshold=threshold)
    above = data > threshold
    assert torch.equal(spikes.sum(0), above.to(data.dtype))
    times = spikes.argmax(0)[above]
    assert (times.diff() <= 0).all()


def test_frames_come_one_after_the_other() -> None:
    data = torch.arange(2 * 5 * 3.0).reshape(2, 5, 3)
    x = encode("frames", data, steps=5)
    assert x.shape == (5, 2, 3)
    for t in range(5):
        assert torch.equal(x[t], data[:, t])
    assert torch.equal(encode("frames", data, steps=2), x[:2])


@pytest.mark.parametrize("shape", [(6,), (6, 3, 2)])
def test_frames_refuses_samples_that_are_too_short(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"4 steps of samples \(6"):
        encode("frames", torch.zeros(shape), steps=4)


def test_coders_say_which_samples_they_take() -> None:
    CODERS["direct"](steps=4).check(None)
    CODERS["frames"](steps=28).check(28)
    with pytest.raises(InputError, match=r"coder .direct.: .* sequences of 28 frames") as error:
        CODERS["direct"](steps=28).check(28)
    assert error.value.hint == "Use coder 'frames', with steps = 28."
    with pytest.raises(InputError, match="no frames"):
        CODERS["frames"](steps=28).check(None)
    with pytest.raises(InputError, match=r"steps = 4, .* 28 frames") as error:
        CODERS["frames"]().check(28)
    assert error.value.hint == "Set coder.steps to 28."
