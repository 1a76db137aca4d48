"""Cheap searches for the tests of algorithms: spaces, losses, and a loop that asks and tells."""

from dataclasses import dataclass

import numpy as np

from spikefront.components import Engine, Objective, Problem, Told
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.space import Choice, Gene, Integer, Real, Space, Tensor

REGISTRY = load()
ALGORITHMS = REGISTRY.components("algorithm")
MULTI_OBJECTIVE = ["nsga2", "nsga3", "age-moea2", "sms-emoa"]
SINGLE = {"ga", "cluster-suppression"}
BREEDERS = [*MULTI_OBJECTIVE, "ga"]

MIXED = Space(
    {
        "x": Gene(Real(0.0, 1.0)),
        "rate": Gene(Real(1e-4, 1.0, log=True)),
        "n": Gene(Integer(8, 96, 8)),
        "use": Gene(Choice(("plain", "shifted"))),
        "shift": Gene(Integer(1, 5), "use", frozenset({"shifted"})),
        "m": Gene(Tensor((3, 3), 0.5)),
    }
)
SPACES = {
    "tpe": Space({path: gene for path, gene in MIXED.items() if path != "m"}),
    "sep-cma-es": Space({path: gene for path, gene in MIXED.items() if path not in {"use", "shift"}}),
}
"""What an algorithm can search, where it is not everything."""


def losses(genome):
    """Two conflicting losses: each gene pulls both in different directions; all genes matter."""
    matrix = genome.get("m", np.zeros((3, 3), np.float32)).astype(np.float64)
    detour = abs(genome["shift"] - 3) / 10 if "shift" in genome else 0.5
    common = detour + np.mean((matrix - 0.3) ** 2) + abs(np.log10(genome["rate"]) + 2) / 4
    return (genome["x"] ** 2 + genome["n"] / 96 + common, (genome["x"] - 1) ** 2 + (1 - genome["n"] / 96) + common)


class FirstLoss(Engine):
    """Tells a search for one objective the first loss alone."""

    def __init__(self, engine):
        self.ask, self._engine = engine.ask, engine

    def ask(self):
        raise NotImplementedError

    def tell(self, results):
        self._engine.tell([Told(one.genome, one.losses and one.losses[:1]) for one in results])


@dataclass(frozen=True)
class Search:
    """One search, to be started as often as needed."""

    algorithm: str
    seed: int = 1
    population: int = 8
    space: Space | None = None
    objectives: int | None = None
    parameters: tuple[tuple[str, float], ...] = ()

    def start(self):
        """Return a fresh engine."""
        single = self.algorithm in SINGLE
        names = [f"loss{n}" for n in range(self.objectives or (1 if single else 2))]
        weights = {"weights": dict.fromkeys(names, 1.0)} if self.algorithm == "sep-cma-es" else {}
        operators = REGISTRY.components("operator")
        problem = Problem(
            self.space or SPACES.get(self.algorithm, MIXED),
            tuple(Objective(name, "minimize") for name in names),
            self.population,
            tuple(operators[name]() for name in REGISTRY.defaults("operator")),
            Streams(self.seed).child("algorithm"),
        )
        engine = ALGORITHMS[self.algorithm](**weights, **dict(self.parameters)).start(problem)
        return FirstLoss(engine) if single else engine


def run(engine, generations, evaluate=losses):
    """Return the generations that an engine asked for: lists of (proposal, what it was told)."""
    history = []
    for _ in range(generations):
        proposals = engine.ask()
        told = [Told(proposal.genome, evaluate(proposal.genome)) for proposal in proposals]
        if told:
            engine.tell(told)
        history.append(list(zip(proposals, told, strict=True)))
    return history


def hashes(history):
    """Return the hashes of the genomes of each generation."""
    return [[proposal.genome.hash for proposal, _ in generation] for generation in history]


def all_hashes(history):
    """Return the hashes of all genomes, in the order in which they were asked for."""
    return [key for generation in hashes(history) for key in generation]
