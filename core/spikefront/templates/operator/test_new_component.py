import numpy as np
import pytest

from spikefront.space import Integer
from spikefront.templates.operator import NewComponent
from spikefront.testing import OperatorContract


class TestNewComponent(OperatorContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(mean_step=2.0)


def test_the_mean_step_is_what_it_says() -> None:
    mutation = NewComponent(mean_step=3.0)
    domain, rng = Integer(-1000, 1000, step=2), np.random.default_rng(0)
    steps = [mutation.mutate(domain, 0, rng) / 2 for _ in range(10_000)]
    assert np.abs(steps).mean() == pytest.approx(3.0, abs=0.15)
    assert np.mean(steps) == pytest.approx(0.0, abs=0.15)
