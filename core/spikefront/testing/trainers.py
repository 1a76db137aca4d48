"""The contract of trainers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from spikefront.components import Checkpoint, Data, Fitted, Parts, Session, Split, SupervisedTask, Trainer
from spikefront.errors import InputError, NotFiniteError
from spikefront.randomness import Streams
from spikefront.testing._bench import PARTS, BenchTask, differing, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told


class TrainerContract(ComponentContract[Trainer]):
    """What holds for a trainer; it fits a small network to a task that is easy to learn.

    A trainer that needs another task overrides `task`; one that needs other components, `parts`.
    """

    kind: ClassVar[str] = "trainer"

    def task(self) -> SupervisedTask:
        """Return the task that the trainer is tried on."""
        return BenchTask()

    def parts(self) -> Parts:
        """Return the components of the candidate that the trainer is tried on."""
        return PARTS

    def exercise(self, component: Trainer) -> None:
        self._fitted(component)

    def test_it_returns_what_it_fitted(self, component: Trainer) -> None:
        """`fit` returns a `Fitted` with a phenotype that works, finite rows of history and the samples seen."""
        fitted = self._fitted(component)
        require(isinstance(fitted, Fitted), f"{told(component)}: fit returned {type(fitted).__name__}, and no Fitted")
        for row in fitted.history:
            wrong = [n for n, v in row.items() if not isinstance(v, int | float) or not math.isfinite(v)]
            require(not wrong, f"{told(component)}: {wrong} in a row of history {row} are no finite numbers")
        require(
            isinstance(fitted.samples, int) and fitted.samples >= 0,
            f"{told(component)}: samples is {fitted.samples!r}; it has to be the number of training samples seen",
        )
        task = self.task()
        scores = task.score(fitted.phenotype, "validation", Streams(1))
        require(
            all(math.isfinite(value) for value in scores.values()),
            f"{told(component)}: the phenotype that it returned scores {scores}",
        )

    def test_training_is_repeatable(self, component: Trainer) -> None:
        """The same candidate with the same streams becomes the same, bit for bit."""
        first, second = (self._fitted(component) for _ in range(2))
        changed = differing(_weights(first), _weights(second))
        require(
            not changed and first.history == second.history,
            f"{told(component)}: the same session gave other weights or history {changed[:3]}; take all randomness "
            "from `session.streams`, and keep nothing between calls",
        )

    def test_it_goes_on_where_it_stopped(self, component: Trainer) -> None:
        """Training with half the budget, and on from its checkpoint, equals training at once."""
        whole, half = self._fitted(component), self._fitted(component, budget=0.5)
        if not half.checkpoint:
            raise skip("it gives no checkpoint")
        rest = self._fitted(component, budget=1.0, checkpoint=_stored(half.checkpoint))
        changed = differing(_weights(whole), _weights(rest))
        require(
            not changed,
            f"{told(component)}: budget 0.5 and then 1 gave other weights {changed[:3]} than budget 1 at once; the "
            "checkpoint has to hold the optimiser's state and the progress too",
        )
        require(
            half.samples + rest.samples == whole.samples,
            f"{told(component)}: {half.samples} and {rest.samples} samples in two parts, {whole.samples} at once",
        )

    def test_checkpoints_are_plain_tensors(self, component: Trainer) -> None:
        """A checkpoint is a dict of tensors, which can be stored as safetensors."""
        checkpoint = self._fitted(component, budget=0.5).checkpoint
        wrong = [name for name, value in checkpoint.items() if not isinstance(value, Tensor)]
        require(not wrong, f"{told(component)}: {wrong} of the checkpoint are no tensors")
        _stored(checkpoint)

    def test_checkpoints_are_not_changed_by_training_on(self, component: Trainer) -> None:
        """A checkpoint can be used twice: it shares no memory with what goes on."""
        half = self._fitted(component, budget=0.5)
        if not half.checkpoint:
            raise skip("it gives no checkpoint")
        before = {name: value.clone() for name, value in half.checkpoint.items()}
        self._fitted(component, budget=1.0, checkpoint=half.checkpoint)
        changed = differing(before, dict(half.checkpoint))
        require(
            not changed, f"{told(component)}: training on changed {changed[:3]} of the checkpoint; clone its tensors"
        )

    def test_only_the_training_split_is_read(self, component: Trainer) -> None:
        """Validation and test data stay unseen."""
        _SEEN.clear()
        self._fitted(component, task=_Watching())
        foreign = sorted(set(_SEEN) - {"train"})
        require(not foreign, f"{told(component)} read the splits {foreign}; a trainer sees the split 'train' only")

    def test_a_loss_that_is_not_finite_is_told(self, component: Trainer) -> None:
        """Where the loss becomes NaN, it raises NotFiniteError, and no network full of NaN comes back."""
        try:
            fitted = self._fitted(component, task=_Diverging())
        except NotFiniteError:
            return
        if not fitted.history:
            raise skip("it does not look at the loss")
        raise AssertionError(f"{told(component)}: the loss was NaN, and it returned; raise NotFiniteError")

    def test_gradients_can_be_computed_afterwards(self, component: Trainer) -> None:
        """The process is left as it was: gradients on, the same default type and threads."""
        before = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
        self._fitted(component)
        after = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
        require(
            before == after,
            f"{told(component)} left gradients, default type and threads as {after}; they were {before}",
        )

    def _fitted(
        self,
        component: Trainer,
        task: SupervisedTask | None = None,
        budget: float = 1.0,
        checkpoint: Checkpoint | None = None,
    ) -> Fitted:
        chosen, parts, streams = task or self.task(), self.parts(), Streams(1)
        phenotype = chosen.build(parts, streams)
        try:
            return component.fit(phenotype, chosen, Session(parts, streams, budget, checkpoint))
        except InputError as error:
            raise skip(f"it refuses the suite's task: {error.message}") from None


_SEEN: list[str] = []


class _Watching(BenchTask):
    """Remembers which splits are read."""

    name = "bench-watching"

    def data(self, split: Split) -> Data:
        _SEEN.append(split)
        return super().data(split)


class _Diverging(BenchTask):
    """Its loss is NaN."""

    name = "bench-diverging"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return super().loss(outputs, targets) * math.nan


def _weights(fitted: Fitted) -> dict[str, Tensor]:
    phenotype: Any = fitted.phenotype
    return tensors_of(phenotype) if isinstance(phenotype, nn.Module) else {}


def _stored(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint as it comes back from the database."""
    return load(save({name: value.contiguous() for name, value in checkpoint.items()}))
