"""The contract of tasks."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from spikefront.components import KINDS, Data, Parts, Ranges, Split, SupervisedTask, Task
from spikefront.errors import DataError
from spikefront.randomness import Streams
from spikefront.testing._bench import PARTS, BenchFrames, generator
from spikefront.testing._contract import ComponentContract, require, skip, told

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
STEPS, BATCH = 4, 8


class TaskContract(ComponentContract[Task]):
    """What holds for a task; most of it for tasks with data. Where the data are not there, checks are skipped."""

    kind: ClassVar[str] = "task"

    def parts(self, component: Task) -> Parts:
        """Return the components of a candidate that the task is tried with, and its evolved arrays."""
        frames = component.frames if isinstance(component, SupervisedTask) else None
        coder = PARTS.coder if frames is None else BenchFrames(steps=frames)
        ranges = Ranges({name: getattr(component, name) for name in type(component).model_fields})
        arrays = {
            name: domain.sample(np.random.default_rng(0))
            for name, domain in type(component).evolved_arrays(ranges).items()
        }
        return replace(PARTS, coder=coder, arrays={"task": arrays})

    def exercise(self, component: Task) -> None:
        self._score(component)

    def test_sections_are_known(self, component: Task) -> None:
        """The sections that the task reads are kinds of components."""
        unknown = sorted(set(component.sections) - set(KINDS))
        require(not unknown, f"{told(component)}: sections names {unknown}; allowed are {', '.join(sorted(KINDS))}")

    def test_scores_are_finite_numbers(self, component: Task) -> None:
        """`score` returns numbers by name, finite for a phenotype as it was built."""
        scores = self._score(component)
        require(
            isinstance(scores, Mapping) and len(scores) > 0,
            f"{told(component)}: score returned {scores!r}; it has to be a dict of metrics by name",
        )
        for name, value in scores.items():
            require(
                isinstance(value, int | float) and math.isfinite(value),
                f"{told(component)}: the metric '{name}' is {value!r}; it has to be a finite number",
            )

    def test_scores_depend_on_the_streams_only(self, component: Task) -> None:
        """Building and scoring twice with the same streams gives the same numbers."""
        first, second = self._score(component), self._score(component)
        require(
            first == second,
            f"{told(component)} scored {first} and then {second} with the same streams; draw from the streams only",
        )

    def test_fingerprint_is_stable(self, component: Task) -> None:
        """The fingerprint is a text that stays the same as long as the data do."""
        first, second = (_with_data(component.fingerprint) for _ in range(2))
        require(
            isinstance(first, str) and first == second,
            f"{told(component)}: fingerprint gave {first!r}, and then {second!r}",
        )

    def test_splits_have_the_declared_shapes(self, component: Task) -> None:
        """Each split has as many targets as inputs, inputs of `sample_shape`, and finite numbers."""
        task = _supervised(component)
        for split in SPLITS:
            inputs, targets = _data(task, split)
            require(
                len(inputs) == len(targets) > 0 and tuple(inputs.shape[1:]) == tuple(task.sample_shape),
                f"{told(component)}: the split '{split}' has inputs {tuple(inputs.shape)} and targets "
                f"{tuple(targets.shape)}; inputs are (N, {', '.join(map(str, task.sample_shape))}), targets (N, ...)",
            )
            require(
                bool(inputs.isfinite().all()) and bool(targets.isfinite().all()),
                f"{told(component)}: the split '{split}' holds numbers that are not finite",
            )

    def test_splits_never_overlap(self, component: Task) -> None:
        """No sample is in two splits; as many as the data repeat themselves are let pass."""
        task = _supervised(component)
        rows = {split: _rows(_data(task, split)) for split in SPLITS}
        repeated = 1 - len(set(rows["train"])) / len(rows["train"])
        for first, second in combinations(SPLITS, 2):
            shared = len(set(rows[first]) & set(rows[second]))
            fewest = min(len(rows[first]), len(rows[second]))
            allowed = math.ceil(4 * repeated * fewest) + (3 if repeated else 0)
            require(
                shared <= allowed,
                f"{told(component)}: {shared} samples are in '{first}' and in '{second}'; splits must not overlap, or "
                "a search optimises for what it is measured on",
            )

    def test_splits_stay_the_same(self, component: Task) -> None:
        """A split depends on the task's parameters only, and is not used up."""
        task = _supervised(component)
        copied = task.model_copy()
        for split in SPLITS:
            first, second = _data(task, split), _data(copied, split)
            require(
                torch.equal(first.inputs, second.inputs) and torch.equal(first.targets, second.targets),
                f"{told(component)}: the split '{split}' was another one the second time; draw it with a fixed seed",
            )

    def test_loss_is_a_scalar_with_a_gradient(self, component: Task) -> None:
        """The loss of outputs (T, B, ...) is one finite number, whose gradient reaches the outputs."""
        task = _supervised(component)
        outputs, targets = _outputs(task)
        loss = task.loss(outputs.requires_grad_(), targets)
        require(
            loss.dim() == 0 and bool(loss.isfinite()),
            f"{told(component)}: the loss is {tuple(loss.shape)} and {loss.tolist()}; it has to be one finite number",
        )
        require(loss.requires_grad, f"{told(component)}: the loss has no gradient; use the outputs without detaching")
        (gradient,) = torch.autograd.grad(loss, outputs)
        require(
            bool(gradient.isfinite().all()) and bool(gradient.any()),
            f"{told(component)}: the gradient of the loss is zero, or not finite",
        )

    def test_metrics_are_numbers_of_samples(self, component: Task) -> None:
        """`metrics` gives one finite number for each sample, which does not depend on the others of the batch."""
        task = _supervised(component)
        outputs, targets = _outputs(task)
        metrics = task.metrics(outputs, targets)
        alone = [task.metrics(outputs[:, n : n + 1], targets[n : n + 1]) for n in range(BATCH)]
        for name, values in metrics.items():
            require(
                isinstance(values, Tensor) and tuple(values.shape) == (BATCH,) and bool(values.isfinite().all()),
                f"{told(component)}: the metric '{name}' of {BATCH} samples is {getattr(values, 'shape', values)!r}; "
                f"it has to be ({BATCH},), finite",
            )
            single = torch.cat([one[name] for one in alone])
            require(
                torch.allclose(values.double(), single.double(), rtol=1e-4, atol=1e-5),
                f"{told(component)}: the metric '{name}' of a sample depends on the others of its batch",
            )

    def test_loss_and_metrics_leave_inputs_alone(self, component: Task) -> None:
        """Outputs and targets are not changed in place."""
        task = _supervised(component)
        outputs, targets = _outputs(task)
        before = outputs.clone(), targets.clone()
        task.loss(outputs, targets)
        task.metrics(outputs, targets)
        require(
            torch.equal(outputs, before[0]) and torch.equal(targets, before[1]),
            f"{told(component)}: loss or metrics changed outputs or targets in place",
        )

    def test_scoring_trains_nothing(self, component: Task) -> None:
        """Scoring a network leaves its tensors as they are."""
        task = _supervised(component)
        _data(task, "validation")
        phenotype = task.build(self.parts(component), Streams(1))
        before = {name: value.clone() for name, value in phenotype.state_dict().items()}
        task.score(phenotype, "validation", Streams(2))
        after = phenotype.state_dict()
        changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
        require(
            not changed, f"{told(component)}: scoring changed {changed}; score in evaluation mode, without gradients"
        )

    def _score(self, component: Task) -> dict[str, float]:
        def scored() -> dict[str, float]:
            phenotype = component.build(self.parts(component), Streams(1))
            return component.score(phenotype, "validation", Streams(1))

        return cast("dict[str, float]", _with_data(scored))


def _with_data(use: Any) -> Any:
    """Return what a function returns, or skip the check where data are missing."""
    try:
        return use()
    except DataError as error:
        raise skip(f"the data are not there: {error.message}") from None


def _supervised(component: Task) -> SupervisedTask:
    if not isinstance(component, SupervisedTask):
        raise skip("the task has no data")
    _with_data(component.check)
    return component


def _data(task: SupervisedTask, split: Split) -> Data:
    return cast("Data", _with_data(lambda: task.data(split)))


def _outputs(task: SupervisedTask) -> tuple[Tensor, Tensor]:
    """Return random outputs of a network and true targets."""
    targets = _data(task, "train").targets[:BATCH]
    return torch.randn(STEPS, len(targets), task.outputs, generator=generator(2)), targets


def _rows(data: Data) -> list[bytes]:
    """Return what tells samples apart, by content."""
    flat = data.inputs.flatten(1).contiguous().numpy()
    return [hashlib.blake2b(row.tobytes(), digest_size=12).digest() for row in flat]
