"""The tree-structured Parzen estimator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from pydantic import Field

from spikefront import Algorithm, hookimpl
from spikefront.components import Engine, Problem, Proposal, Told
from spikefront.errors import InputError
from spikefront.genome import Genome, Value
from spikefront.space import Choice, Domain, Integer, ListOf, Real, Space, Tensor
from spikefront_plugins.algorithms._checks import finite_losses


class TreeParzenEstimator(Algorithm):
    """Models the density of good and of bad candidates gene by gene, and asks where their ratio is highest.

    Conditional genes are modelled from the candidates that have them. A genome may be asked for again.

    Source: Bergstra, Bardenet, Bengio and Kégl, Algorithms for hyper-parameter optimization, NeurIPS (2011);
    for several objectives Ozaki et al., GECCO (2020), doi 10.1145/3377930.3389817. Runs on Optuna.
    """

    name: ClassVar[str] = "tpe"
    partial: ClassVar[bool] = True

    startup: int | None = Field(None, ge=1, description="random candidates at first; by default one generation")

    def start(self, problem: Problem) -> Engine:
        for path, gene in problem.space.items():
            if isinstance(gene.domain, Tensor | ListOf):
                raise InputError(
                    f"algorithm 'tpe' cannot search '{path}', an array or a list",
                    "Use an evolutionary algorithm, or components without such genes.",
                )
        return TreeParzenEngine(problem, self.startup or problem.population)


class TreeParzenEngine(Engine):
    """Keeps an Optuna study in memory, where every ask is a running trial."""

    def __init__(self, problem: Problem, startup: int) -> None:
        import optuna

        self._space = problem.space
        self._population = problem.population
        sampler = optuna.samplers.TPESampler(n_startup_trials=startup, seed=problem.streams.integer("algorithm"))
        with _quiet():
            self._study = optuna.create_study(sampler=sampler, directions=["minimize"] * len(problem.objectives))
        for genome in problem.initial[: problem.population]:
            self._study.enqueue_trial({path: _as_suggested(self._space[path].domain, genome[path]) for path in genome})
        self._trials: dict[str, list[Any]] = {}

    def ask(self) -> list[Proposal]:
        proposals = []
        for _ in range(self._population):
            trial = self._study.ask()
            proposals.append(Proposal(_suggest(self._space, trial)))
            self._trials.setdefault(proposals[-1].genome.hash, []).append(trial)
        return proposals

    def tell(self, results: Sequence[Told]) -> None:
        from optuna.trial import TrialState

        for told in results:
            trial, losses = self._trials[told.genome.hash].pop(0), finite_losses(told)
            if losses is None:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._study.tell(trial, list(losses))


def _suggest(space: Space, trial: Any) -> Genome:
    """Let Optuna choose a value for every gene that the choices before leave active."""
    values: dict[str, Value] = {}
    for path, gene in sorted(space.items(), key=lambda item: bool(item[1].selector)):
        if gene.is_active(values):
            values[path] = _suggest_value(path, gene.domain, trial)
    return Genome(values)


def _suggest_value(path: str, domain: Domain, trial: Any) -> Value:
    match domain:
        case Choice(values):  # by position, as Optuna knows no lists
            return values[trial.suggest_categorical(path, range(len(values)))]
        case Integer(low, high, step, log=False):
            return trial.suggest_int(path, low, domain.project(high), step=step)
        case Real(low, high, log) | Integer(low, high, _, log):
            return domain.project(trial.suggest_float(path, low, high, log=log))
    raise TypeError(f"no suggestion for a {type(domain).__name__}")


def _as_suggested(domain: Domain, value: Value) -> Any:
    """Return what Optuna would have suggested for a value."""
    return domain.values.index(value) if isinstance(domain, Choice) else value


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from announcing a new study."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


@hookimpl
def spikefront_algorithms() -> list[type[Algorithm]]:
    """Provide the tree-structured Parzen estimator."""
    return [TreeParzenEstimator]
