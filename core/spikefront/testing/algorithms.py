"""The contract of search algorithms."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

from spikefront.components import Algorithm, Engine, Problem, Proposal, Told
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.space import Space
from spikefront.testing._bench_search import SMALL, losses, problems
from spikefront.testing._contract import ComponentContract, require, skip, told

POPULATION, GENERATIONS = 8, 4
Losses = tuple[float, ...] | None
Evaluate = Callable[[Genome], Losses]
History = list[list[tuple[Proposal, Told]]]


class AlgorithmContract(ComponentContract[Algorithm]):
    """What holds for a search algorithm; it is tried on the first of several small problems that it can search."""

    kind: ClassVar[str] = "algorithm"

    def problem(self, component: Algorithm, seed: int = 1, initial: tuple[Genome, ...] = ()) -> Problem:
        """Return the most general of the suite's problems that the algorithm does not refuse."""
        reasons = []
        for problem in problems(POPULATION, seed, initial):
            try:
                component.start(problem)
            except InputError as error:
                reasons.append(error.message)
            else:
                return problem
        raise AssertionError(f"{told(component)} refuses all problems of the suite, the last one with: {reasons[-1]}")

    def exercise(self, component: Algorithm) -> None:
        problem = self.problem(component)
        _run(component.start(problem), problem, 2)

    def test_generations_are_no_larger_than_the_population(self, component: Algorithm) -> None:
        """An ask returns at most a population of proposals, and at first at least one."""
        problem = self.problem(component)
        sizes = [len(generation) for generation in _run(component.start(problem), problem)]
        require(
            max(sizes) <= problem.population and sizes[0] > 0,
            f"{told(component)} asked for {sizes} candidates with a population of {problem.population}; at most the "
            "population is allowed, and at first at least one",
        )

    def test_genomes_lie_in_the_space(self, component: Algorithm) -> None:
        """Each genome has a value for each active gene, in its domain, and none for genes that sleep."""
        problem = self.problem(component)
        for proposal in _proposals(_run(component.start(problem), problem)):
            require(isinstance(proposal, Proposal), f"{told(component)}: ask returned a {type(proposal).__name__}")
            _require_inside(component, proposal.genome, problem.space)

    def test_it_can_be_replayed(self, component: Algorithm) -> None:
        """A fresh search that is told the same asks for the same, with failures among the results too."""
        problem = self.problem(component)
        for evaluate in (_good(problem), _sometimes(problem)):
            recorded = _run(component.start(problem), problem, evaluate=evaluate)
            again = _run(component.start(problem), problem, evaluate=evaluate)
            for number, (first, second) in enumerate(zip(recorded, again, strict=True)):
                require(
                    [one for one, _ in first] == [one for one, _ in second],
                    f"{told(component)}: told the same, it asked for other candidates in generation {number}; take all "
                    "randomness from `problem.streams`",
                )

    def test_searches_do_not_disturb_each_other(self, component: Algorithm) -> None:
        """A search goes its way whatever other searches run in the process."""
        problem, other = self.problem(component), self.problem(component, seed=2)
        alone = _hashes(_run(component.start(problem), problem))
        first, second = component.start(problem), component.start(other)
        beside = []
        for _ in range(GENERATIONS):
            beside += _hashes(_run(first, problem, 1))
            _run(second, other, 1)
        require(beside == alone, f"{told(component)}: another search in the same process changed what it asks for")

    def test_the_seed_matters(self, component: Algorithm) -> None:
        """Another seed gives other candidates."""
        first, second = (
            _hashes(_run(component.start(problem), problem))
            for problem in (self.problem(component), self.problem(component, seed=2))
        )
        require(
            first != second,
            f"{told(component)}: another seed gave the same candidates; take all randomness from `problem.streams`",
        )

    def test_failures_do_not_stop_it(self, component: Algorithm) -> None:
        """Candidates without losses, some or all, and losses that are not finite, leave it able to go on."""
        problem = self.problem(component)
        number = len(problem.objectives)
        cases: list[tuple[str, Evaluate]] = [
            ("some candidates fail", _sometimes(problem)),
            ("all candidates fail", lambda genome: None),
            ("losses are not finite", lambda genome: (float("nan"),) * number),
            ("all losses are equal", lambda genome: (1.0,) * number),
        ]
        for what, evaluate in cases:
            try:
                history = _run(component.start(problem), problem, 3, evaluate)
            except Exception as error:
                message = f"{told(component)} raised {type(error).__name__} where {what}: {error}"
                raise AssertionError(f"{message}; a failure is told as losses = None") from error
            require(history[1], f"{told(component)} ended after a generation in which {what}")

    def test_what_it_is_given_is_left_alone(self, component: Algorithm) -> None:
        """Neither the problem nor the results are changed."""
        problem = self.problem(component)
        before = [dict(problem.space), *(getattr(problem, f.name) for f in dataclasses.fields(problem)[1:])]
        engine = component.start(problem)
        asked = engine.ask()
        results = [Told(one.genome, losses(one.genome, len(problem.objectives))) for one in asked]
        copied = list(results)
        engine.tell(results)
        engine.ask()
        after = [dict(problem.space), *(getattr(problem, f.name) for f in dataclasses.fields(problem)[1:])]
        require(results == copied, f"{told(component)} changed the list of results that it was told")
        require(before == after, f"{told(component)} changed the problem that it was given")

    def test_a_small_space_is_no_error(self, component: Algorithm) -> None:
        """Where there are fewer genomes than a generation has candidates, it asks for fewer, or again, or ends."""
        problem = dataclasses.replace(self.problem(component), space=SMALL)
        try:
            engine = component.start(problem)
        except InputError as error:
            raise skip(f"it refuses the space: {error.message}") from None
        history = _run(engine, problem, 3, lambda genome: (float(genome["b"]),) * len(problem.objectives))
        for proposal in _proposals(history):
            _require_inside(component, proposal.genome, SMALL)

    def test_initial_genomes_are_taken(self, component: Algorithm) -> None:
        """With genomes of an earlier search to begin with, it asks for them first, or starts as always."""
        problem = self.problem(component)
        found = tuple(proposal.genome for proposal in component.start(problem).ask()[:2])
        warm = self.problem(component, seed=3, initial=found)
        history = _run(component.start(warm), warm)
        require(
            history[0] and len(history[0]) <= warm.population,
            f"{told(component)} asked for {len(history[0])} candidates at first where two genomes were given",
        )
        for proposal in _proposals(history):
            _require_inside(component, proposal.genome, warm.space)

    def test_parts_of_a_generation_may_be_told(self, component: Algorithm) -> None:
        """Where `partial` says so, a part of what it asked for can be told, and the rest after the next ask."""
        if not component.partial:
            raise skip("it is told of whole generations")
        problem = self.problem(component)
        for engine in (component.start(problem),):
            waiting: list[Proposal] = []
            for _ in range(GENERATIONS):
                waiting += engine.ask()
                ended, waiting = waiting[: len(waiting) // 2 + 1], waiting[len(waiting) // 2 + 1 :]
                require(
                    ended,
                    f"{told(component)} asked for nothing while parts of earlier generations were not told yet",
                )
                engine.tell([Told(one.genome, losses(one.genome, len(problem.objectives))) for one in ended])


def _run(engine: Engine, problem: Problem, generations: int = GENERATIONS, evaluate: Evaluate | None = None) -> History:
    """Return the generations of a search: what was asked for, and what was told."""
    history: History = []
    for _ in range(generations):
        asked = list(engine.ask())
        results = [Told(one.genome, (evaluate or _good(problem))(one.genome)) for one in asked]
        if results:
            engine.tell(results)
        history.append(list(zip(asked, results, strict=True)))
    return history


def _good(problem: Problem) -> Evaluate:
    return lambda genome: losses(genome, len(problem.objectives))


def _sometimes(problem: Problem) -> Evaluate:
    return lambda genome: None if int(genome.hash, 16) % 3 == 0 else losses(genome, len(problem.objectives))


def _proposals(history: History) -> list[Proposal]:
    return [proposal for generation in history for proposal, _ in generation]


def _hashes(history: History) -> list[list[str]]:
    return [[proposal.genome.hash for proposal, _ in generation] for generation in history]


def _require_inside(component: Algorithm, genome: Any, space: Space) -> None:
    require(isinstance(genome, Genome), f"{told(component)} asked for a {type(genome).__name__}, and not for a Genome")
    missing = [path for path, gene in space.items() if not gene.selector and path not in genome]
    require(not missing, f"{told(component)} asked for a genome without {', '.join(missing)}")
    wanted = {path for path, gene in space.items() if gene.is_active(genome)}
    require(
        set(genome) == wanted,
        f"{told(component)} asked for a genome with {sorted(genome)}; active are {sorted(wanted)}: use `space.genome`",
    )
    for path, value in genome.items():
        require(
            space[path].domain.contains(value),
            f"{told(component)} asked for {path} = {value!r}, which is not in {space[path].domain}",
        )
