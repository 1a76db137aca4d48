"""The contract of coders."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from spikefront.components import Coder
from spikefront.errors import InputError
from spikefront.testing._bench import data, generator
from spikefront.testing._contract import ComponentContract, require, skip, told


class CoderContract(ComponentContract[Coder]):
    """What holds for a coder.

    Attributes:
        shape: Shape of one sample that the coder is tried with; its values lie in [0, 1]. A coder of sequences needs
            three frames more than its steps.
    """

    kind: ClassVar[str] = "coder"
    shape: ClassVar[tuple[int, ...]] = (1, 4, 5)

    def samples(self, number: int = 6, seed: int = 0) -> Tensor:
        """Return samples (number, ...) to try the coder with; 0 and 1 are among their values."""
        values = data(number, *self.shape, seed=seed)
        values.view(-1)[:2] = torch.tensor([0.0, 1.0])
        return values

    def exercise(self, component: Coder) -> None:
        component.encode(self.samples(), generator())

    def test_time_comes_first(self, component: Coder) -> None:
        """Data (B, ...) become a sequence (T, B, ...) with as many steps as `steps` says."""
        for batch in (1, 6):
            sequence = _encoded(component, self.samples(batch))
            require(
                sequence.dim() >= 2 and sequence.shape[:2] == (component.steps, batch),
                f"{told(component)}: {component.steps} steps of {batch} samples came out as {tuple(sequence.shape)}; "
                "time is the first axis, the batch the second",
            )

    def test_type_stays(self, component: Coder) -> None:
        """The sequence has the data's type: float32 in, float32 out."""
        sequence = _encoded(component, self.samples())
        require(
            sequence.dtype == torch.float32,
            f"{told(component)}: float32 data came out as {sequence.dtype}; convert spikes with `.to(data.dtype)`",
        )

    def test_values_are_finite(self, component: Coder) -> None:
        """Data in [0, 1], their ends and constant data among them, give finite values."""
        for samples in (self.samples(), torch.zeros(2, *self.shape), torch.ones(2, *self.shape)):
            require(
                bool(_encoded(component, samples).isfinite().all()),
                f"{told(component)}: data between {float(samples.min()):g} and {float(samples.max()):g} gave values "
                "that are not finite",
            )

    def test_analog_is_told(self, component: Coder) -> None:
        """Only a coder that is `analog` gives anything but whole numbers; energy depends on it."""
        sequence = _encoded(component, self.samples(32))
        whole = bool((sequence == sequence.round()).all())
        require(
            component.analog or whole,
            f"{told(component)} gives real numbers and is not analog: its operations would be priced as accumulates; "
            "set analog = True",
        )
        require(
            not component.analog or not whole,
            f"{told(component)} is analog and gave whole numbers only: its operations would be priced as "
            "multiplications; set analog = False",
        )

    def test_same_generator_same_sequence(self, component: Coder) -> None:
        """Equal generators give equal sequences."""
        first, second = (_encoded(component, self.samples(), seed=3) for _ in range(2))
        require(
            torch.equal(first, second),
            f"{told(component)}: equal data and generators gave two sequences; draw from the generator passed in, and "
            "remember nothing",
        )

    def test_samples_do_not_see_each_other(self, component: Coder) -> None:
        """A code that does not draw gives each sample what it gives it alone."""
        samples = self.samples()
        together = _encoded(component, samples)
        if not torch.equal(together, _encoded(component, samples, seed=1)):
            raise skip("the code draws, so that a sample's place in the batch matters")
        alone = torch.cat([_encoded(component, one.unsqueeze(0)) for one in samples], 1)
        require(
            torch.equal(together, alone),
            f"{told(component)}: the code of a sample depends on the others of its batch",
        )

    def test_data_are_left_alone(self, component: Coder) -> None:
        """The data are not changed in place."""
        samples = self.samples()
        before = samples.clone()
        _encoded(component, samples)
        require(torch.equal(samples, before), f"{told(component)} changed its data in place; make a new tensor")

    def test_the_code_depends_on_the_data(self, component: Coder) -> None:
        """Other data give another sequence."""
        first, second = (_encoded(component, self.samples(32, seed=seed)) for seed in (0, 1))
        require(not torch.equal(first, second), f"{told(component)}: other data gave the same sequence")

    def test_steps_are_followed(self, component: Coder) -> None:
        """Another number of steps gives as many, as trainers that shorten sequences need."""
        more = component.model_copy(update={"steps": component.steps + 3})
        number = len(_encoded(more, self.samples()))
        require(
            number == more.steps,
            f"{told(component)} with steps = {more.steps} gave {number} steps; its length has to be `steps`",
        )

    def test_samples_that_do_not_fit_are_refused(self, component: Coder) -> None:
        """`check` takes samples without frames, or sequences of as many frames as steps; it refuses others."""
        taken = [_takes(component, frames) for frames in (None, component.steps)]
        require(
            any(taken),
            f"{told(component)} refuses samples without frames and those with {component.steps}; `check` has to let "
            "pass what `encode` can take",
        )


def _takes(component: Coder, frames: int | None) -> bool:
    try:
        component.check(frames)
    except InputError:
        return False
    return True


def _encoded(component: Coder, samples: Tensor, seed: int = 0) -> Tensor:
    return component.encode(samples, generator(seed))
