"""The contract of evolution operators: sampling, crossover and mutation."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import numpy as np

from spikefront.components import Crossover, Mutation, Operator, Sampling
from spikefront.genome import same
from spikefront.search.variation import Variation
from spikefront.space import Choice, Domain, Gene, Integer, ListOf, Real, Space, Tensor
from spikefront.testing._bench_search import BenchCrossover, BenchMutation, BenchSampling
from spikefront.testing._contract import ComponentContract, require, skip, told

DOMAINS: tuple[Domain, ...] = (
    Real(0.0, 1.0),
    Real(-3.0, 5.0),
    Real(1e-6, 1e3, log=True),
    Real(2.0, 2.0),
    Real(2.0, 2.0 + 1e-12),
    Integer(0, 9),
    Integer(8, 96, 8),
    Integer(1, 9, 3),
    Integer(1, 1024, log=True),
    Integer(5, 5),
    Choice(("a", "b", 1, 2.5)),
    Choice(([16], [16, 8])),
    Choice((True, False)),
    Choice(("only",)),
    Tensor((3, 3), 0.5),
    Tensor((1, 1), 1.0),
    Tensor((2, 3, 4), 0.1),
    Tensor((4, 4), 1.0, -0.5, 0.5),
    Tensor((2, 2), 0.5, low=0.0),
    ListOf({"op": Choice(("a", "b")), "to": Integer(0, 3), "rate": Real(0.1, 1.0, log=True)}, 0, 4),
    ListOf({"to": Integer(0, 9)}, 3, 3),
)
"""Wide and narrow, with steps, logarithmic, bounded and not."""

DRAWS = 25


class OperatorContract(ComponentContract[Operator]):
    """What holds for a sampling, a crossover or a mutation."""

    kind: ClassVar[str] = "operator"

    def domains(self, component: Operator) -> list[Domain]:
        """Return the domains that the operator is tried on: all of the suite's that fit it."""
        path = _path(component)
        return [domain for domain in DOMAINS if component.fits(path, domain)]

    def exercise(self, component: Operator) -> None:
        for case in self._cases(component):
            _applied(component, *case)

    def test_it_says_what_it_works_on(self, component: Operator) -> None:
        """It is a sampling, a crossover or a mutation, and names classes of domains."""
        require(
            isinstance(component, Sampling | Crossover | Mutation),
            f"{told(component)} is no Sampling, Crossover or Mutation; derive it from one of them",
        )
        domains = component.domains
        require(
            isinstance(domains, tuple) and domains and set(domains) <= {Real, Integer, Choice, Tensor, ListOf},
            f"{told(component)}: domains is {domains!r}; it has to be a tuple of Real, Integer, Choice, Tensor, ListOf",
        )
        require(self.domains(component), f"{told(component)}: `fits` takes none of the domains that it names")
        fitting = [domain for domain in DOMAINS if component.fits(_path(component), domain)]
        foreign = [domain for domain in fitting if not isinstance(domain, domains)]
        require(not foreign, f"{told(component)}: `fits` takes {foreign[:1]}, which is not among its domains")

    def test_genes_limits_what_it_works_on(self, component: Operator) -> None:
        """With `genes` set, only genes of such a path fit."""
        limited = component.model_copy(update={"genes": "neuron.*"})
        for domain in self.domains(component):
            require(
                limited.fits("neuron.tau", domain) and not limited.fits("encoding.genes", domain),
                f"{told(component)} with genes = 'neuron.*' has to fit neuron.tau and not encoding.genes; call "
                "super().fits(path, domain) in `fits`",
            )

    def test_results_lie_in_the_domain(self, component: Operator) -> None:
        """Whatever is drawn, results are allowed values, also at the ends and in narrow domains."""
        for domain, values, seed in self._cases(component):
            for result in _applied(component, domain, values, seed):
                require(
                    domain.contains(_plain(result)),
                    f"{told(component)} made {_shown(result)} of {_shown(values)}, which is not in {domain}; end with "
                    "`domain.project`",
                )

    def test_results_have_plain_types(self, component: Operator) -> None:
        """Numbers come out as int and float, arrays as float32: genomes are JSON and float32 arrays."""
        wanted = {Real: float, Integer: int, Tensor: np.ndarray}
        for domain, values, seed in self._cases(component):
            for result in _applied(component, domain, values, seed):
                expected = wanted.get(type(domain))
                if expected is None:
                    continue
                require(
                    type(result) is expected,
                    f"{told(component)} made a {type(result).__name__} for {domain}; it has to be {expected.__name__}",
                )
                require(
                    not isinstance(result, np.ndarray) or result.dtype == np.float32,
                    f"{told(component)} made an array of {getattr(result, 'dtype', None)}; it has to be float32",
                )

    def test_same_generator_same_result(self, component: Operator) -> None:
        """Equal generators give equal results."""
        for domain, values, seed in self._cases(component):
            first, second = (_applied(component, domain, values, seed) for _ in range(2))
            require(
                all(same(_plain(a), _plain(b)) for a, b in zip(first, second, strict=True)),
                f"{told(component)} made {_shown(first)} and then {_shown(second)} of the same values and generator; "
                "draw from the generator that is passed in only",
            )

    def test_inputs_are_left_alone(self, component: Operator) -> None:
        """Values that are passed in are not changed; they belong to other candidates."""
        for domain, values, seed in self._cases(component):
            before = copy.deepcopy(values)
            _applied(component, domain, values, seed)
            require(
                all(same(a, b) for a, b in zip(before, values, strict=True)),
                f"{told(component)} changed a value that was passed in from {_shown(before)} to {_shown(values)}; make "
                "new arrays",
            )

    def test_read_only_inputs_are_taken(self, component: Operator) -> None:
        """Arrays of genomes are read-only, and are taken all the same."""
        for domain, values, seed in self._cases(component):
            for value in values:
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)
            _applied(component, domain, values, seed)

    def test_equal_parents_have_children_in_the_domain(self, component: Operator) -> None:
        """A crossover gives two children, also of two equal parents, and of parents at the ends."""
        if not isinstance(component, Crossover):
            raise skip("it is no crossover")
        for domain in self.domains(component):
            for value in _values(domain):
                for seed in range(DRAWS):
                    children = component.cross(domain, value, copy.deepcopy(value), np.random.default_rng(seed))
                    require(
                        isinstance(children, tuple) and len(children) == 2,
                        f"{told(component)}: cross returned {_shown(children)}; it has to be two children",
                    )
                    wrong = [child for child in children if not domain.contains(_plain(child))]
                    require(
                        not wrong,
                        f"{told(component)}: two parents {_shown(value)} had the child {_shown(wrong[:1])}, which "
                        f"is not in {domain}",
                    )

    def test_chosen_genes_are_some_of_its_genes(self, component: Operator) -> None:
        """A crossover chooses among the genes it is given, each once; none of none."""
        if not isinstance(component, Crossover):
            raise skip("it is no crossover")
        for paths in ((), ("a",), ("a", "b", "c", "d", "e")):
            for seed in range(20):
                chosen = list(component.chosen(paths, np.random.default_rng(seed)))
                require(
                    len(set(chosen)) == len(chosen) and set(chosen) <= set(paths),
                    f"{told(component)} chose {chosen} of the genes {list(paths)}; choose some of them, each once",
                )

    def test_something_happens(self, component: Operator) -> None:
        """Not all results are the values that went in, or, for a sampling, equal to each other."""
        for domain in self.domains(component):
            inputs = _values(domain)[:2]
            if len(inputs) == 2:
                found = [_applied(component, domain, copy.deepcopy(inputs), seed) for seed in range(DRAWS)]
                before = found[0] if isinstance(component, Sampling) else inputs
                if any(not same(_plain(new), _plain(old)) for one in found for new, old in zip(one, before)):  # noqa: B905
                    return
        raise AssertionError(f"{told(component)} left the values of all domains as they were, whatever was drawn")

    def test_probability_is_left_to_the_search(self, component: Operator) -> None:
        """With probability 0 the search changes no gene; the operator itself does not look at it."""
        if isinstance(component, Sampling):
            raise skip("a sampling has no probability")
        never = component.model_copy(update={"probability": 0.0})
        for domain in self.domains(component):
            variation = _variation(never, domain)
            rng = np.random.default_rng(0)
            points = [{_path(component): value} for value in _values(domain)[:2]]
            points *= 2
            for _ in range(5):
                changed = (
                    [variation.mutate(points[0], rng)[0]]
                    if isinstance(component, Mutation)
                    else list(variation.cross(points[0], points[1], rng)[:2])
                )
                require(
                    all(same(new[p], old[p]) for new, old in zip(changed, points, strict=False) for p in old),
                    f"{told(component)} with probability 0 changed a gene of {domain}",
                )

    def test_a_search_can_use_it(self, component: Operator) -> None:
        """Put to work on a gene by a search, it gives points of the space."""
        for domain in self.domains(component):
            sure = component if isinstance(component, Sampling) else component.model_copy(update={"probability": 1.0})
            variation, path, rng = _variation(sure, domain), _path(component), np.random.default_rng(1)
            individuals = variation.samples(2, rng)
            for child in (*individuals, *variation.breed(individuals[0], individuals[1], rng)):
                require(
                    domain.contains(child.genome[path]),
                    f"{told(component)}: a search made {_shown(child.genome[path])} of it, which is not in {domain}",
                )

    def _cases(self, component: Operator) -> Iterator[tuple[Domain, list[Any], int]]:
        """Yield domains, two values of each, and seeds."""
        for domain in self.domains(component):
            values = _values(domain)
            for seed in range(DRAWS):
                first, second = values[seed % len(values)], values[(seed * 7 + 1) % len(values)]
                yield domain, copy.deepcopy([first, second]), seed


def _values(domain: Domain) -> list[Any]:
    """Return the ends of a domain, and values between."""
    rng = np.random.default_rng(0)
    drawn = [domain.sample(rng) for _ in range(4)]
    match domain:
        case Real(low=low, high=high) | Integer(low=low, high=high):
            return [low, domain.project(high), *drawn] if low < high else [low]
        case Choice(values):
            return list(values)
        case Tensor(shape=shape, low=low, high=high):
            ends = [np.full(shape, end, dtype=np.float32) for end in (low, high) if np.isfinite(end)]
            zeros = [np.zeros(shape, dtype=np.float32)] if low <= 0 <= high else []
            return [*drawn, *ends, *zeros]
        case ListOf(low=low, high=high):
            item = domain.sample_one(rng)
            return [*drawn, [item] * low, [item] * high]


def _applied(component: Operator, domain: Domain, values: list[Any], seed: int) -> list[Any]:
    """Return all that an operator makes of some values."""
    rng = np.random.default_rng(seed)
    match component:
        case Sampling():
            return [component.sample(domain, rng)]
        case Crossover():
            return list(component.cross(domain, values[0], values[1], rng))
        case Mutation():
            return [component.mutate(domain, values[0], rng)]
    raise AssertionError(f"{told(component)} is no Sampling, Crossover or Mutation; derive it from one of them")


def _path(component: Operator) -> str:
    """Return the path of a gene that an operator works on."""
    path = component.genes.replace("*", "x").replace("?", "x")
    if not fnmatchcase(path, component.genes):
        raise skip(f"no path is known that fits genes = '{component.genes}'")
    return path


def _variation(component: Operator, domain: Domain) -> Variation:
    others = (BenchSampling(), BenchCrossover(), BenchMutation())
    return Variation(Space({_path(component): Gene(domain)}), (component, *others))


def _plain(value: Any) -> Any:
    """Return a tuple, which JSON knows as a list, as one."""
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else f"{text[:120]}..."
