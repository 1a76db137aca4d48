import time

import pytest

from spikefront.genome import Genome
from spikefront.job import Job
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.specification import Specification
from spikefront.templates.executor import NewComponent
from spikefront.testing import ExecutorContract

STUDY = {
    "study": {"name": "small", "objectives": ["accuracy"]},
    "task": {"use": "digits", "train": 50, "validation": 50},
    "trainer": {"epochs": 1},
    "search": {"generations": 1},
}


class TestNewComponent(ExecutorContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(rest=0.1)


def test_it_rests_for_half_of_the_time_of_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    pool = NewComponent(rest=0.5).open(Sources())
    evaluation = pool.submit(Job(Specification.from_document(STUDY, load()).to_json(), Genome({}))).result()
    assert evaluation.failure is None
    assert rests == [0.5 * evaluation.seconds]
