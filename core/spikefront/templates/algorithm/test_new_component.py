import pytest

from spikefront.components import Objective, Operator, Problem, Told
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.space import Gene, Real, Space
from spikefront.templates.algorithm import FrontMutants, NewComponent
from spikefront.testing import AlgorithmContract


class TestNewComponent(AlgorithmContract):
    @pytest.fixture
    def component(self) -> NewComponent:
        return NewComponent(fresh=0.25)


def test_the_front_of_five_candidates_by_hand() -> None:
    operators = tuple(load().get(Operator, name)() for name in ("uniform-sampling", "gaussian", "sbx"))
    objectives = (Objective("energy", "minimize"), Objective("latency", "minimize"))
    problem = Problem(Space({"neuron.tau": Gene(Real(1.0, 4.0))}), objectives, 5, operators, Streams(0))
    engine = FrontMutants(problem, fresh=0.0)
    asked = [proposal.genome for proposal in engine.ask()]
    losses = [(3.0, 3.0), (1.0, 4.0), (2.0, 2.0), None, (2.0, 5.0)]
    engine.tell([Told(genome, loss) for genome, loss in zip(asked, losses, strict=True)])
    assert [loss for loss, _ in engine.front] == [(1.0, 4.0), (2.0, 2.0)]
    parents = {parent for proposal in engine.ask() for parent in proposal.parents}
    assert parents <= {asked[1].hash, asked[2].hash}
