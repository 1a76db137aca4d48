"""The contract of networks."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from spikefront.components import Network
from spikefront.errors import InputError
from spikefront.testing._bench import INPUTS, OUTPUTS, STEPS, builder, data, differing, generator, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told

BATCH = 3


class NetworkContract(ComponentContract[Network]):
    """What holds for a network.

    Attributes:
        shapes: Shapes of samples that it is tried with; it has to take one of them at least.
    """

    kind: ClassVar[str] = "network"
    shapes: ClassVar[tuple[tuple[int, ...], ...]] = ((INPUTS,), (1, 16, 16), (3, 32, 32))

    def exercise(self, component: Network) -> None:
        for shape in self._taken(component):
            _body(component, shape)(_inputs(shape)).sum().backward()

    def test_it_takes_what_it_does_not_refuse(self, component: Network) -> None:
        """What `check` lets pass can be built; what cannot be built is refused with an InputError."""
        for shape in self._taken(component):
            try:
                _body(component, shape)
            except InputError as error:
                raise AssertionError(
                    f"{told(component)}: check lets samples {shape} pass, and build refuses them: {error.message}"
                ) from error

    def test_outputs_are_those_of_the_task(self, component: Network) -> None:
        """Inputs (T, B, ...) become outputs (T, B, outputs), with as many as the builder asks for."""
        for shape in self._taken(component):
            outputs = _body(component, shape).eval()(_inputs(shape))
            require(
                outputs.shape == (STEPS, BATCH, OUTPUTS) and bool(outputs.isfinite().all()),
                f"{told(component)}: inputs {(STEPS, BATCH, *shape)} became {tuple(outputs.shape)}; "
                f"{(STEPS, BATCH, OUTPUTS)} of finite numbers is right",
            )

    def test_the_last_layer_gives_currents(self, component: Network) -> None:
        """Outputs are real numbers: the last layer does not fire."""
        for shape in self._taken(component):
            outputs = _body(component, shape).eval()(_inputs(shape))
            require(
                not torch.equal(outputs, outputs.round()),
                f"{told(component)}: all outputs are whole numbers; the last layer has to give currents, not spikes",
            )

    def test_calls_do_not_remember_each_other(self, component: Network) -> None:
        """Two calls with the same input give the same output."""
        for shape in self._taken(component):
            body = _body(component, shape).eval()
            first = body(_inputs(shape))
            body(_inputs(shape, seed=1))
            require(
                torch.equal(first, body(_inputs(shape))),
                f"{told(component)}: the same call gave another output the second time; make state in each call",
            )

    def test_samples_do_not_see_each_other(self, component: Network) -> None:
        """In evaluation, a sample gives what it gives alone."""
        for shape in self._taken(component):
            body, inputs = _body(component, shape).eval().double(), _inputs(shape).double()
            together = body(inputs)
            alone = torch.cat([body(inputs[:, n : n + 1]) for n in range(BATCH)], 1)
            require(
                torch.allclose(together, alone),
                f"{told(component)}: the output of a sample depends on the others of its batch",
            )

    def test_time_runs_forward(self, component: Network) -> None:
        """In evaluation, later inputs leave earlier outputs alone."""
        for shape in self._taken(component):
            body, inputs = _body(component, shape).eval().double(), _inputs(shape).double()
            other = inputs.clone()
            other[-1] = 1 - other[-1]
            require(
                torch.allclose(body(inputs)[:-1], body(other)[:-1]),
                f"{told(component)}: another input in the last step changed earlier outputs; time is the first axis",
            )

    def test_same_generator_same_weights(self, component: Network) -> None:
        """Initial weights depend on the builder's generator, and on nothing else."""
        for shape in self._taken(component):
            first, same, other = (tensors_of(_body(component, shape, seed=seed)) for seed in (1, 1, 2))
            require(
                not differing(first, same),
                f"{told(component)}: equal generators gave other weights; get every layer from the builder",
            )
            require(
                differing(first, other),
                f"{told(component)}: another generator gave the same weights; get every layer from the builder",
            )

    def test_gradients_reach_every_tensor(self, component: Network) -> None:
        """The gradient of the outputs reaches every trained tensor, and is finite."""
        for shape in self._taken(component):
            body = _body(component, shape).train()
            outputs = body(_inputs(shape))
            (outputs * torch.randn(outputs.shape, generator=generator(3))).sum().backward()
            for name, parameter in body.named_parameters():
                gradient = parameter.grad
                require(
                    gradient is not None and bool(gradient.isfinite().all()) and bool(gradient.any()),
                    f"{told(component)}: no finite gradient reaches {name}; is its layer wired, and nothing detached?",
                )

    def test_a_network_is_rebuilt_from_its_state(self, component: Network) -> None:
        """A network that loads the state of another one gives the same outputs."""
        for shape in self._taken(component):
            body, other = (_body(component, shape, seed=seed).eval() for seed in (1, 2))
            other.load_state_dict(body.state_dict())
            require(
                torch.equal(body(_inputs(shape)), other(_inputs(shape))),
                f"{told(component)}: a network with the state of another one gives other outputs; all that matters has "
                "to be a parameter or a buffer",
            )

    def _taken(self, component: Network) -> list[tuple[int, ...]]:
        """Return the shapes that a network does not refuse."""
        taken = [shape for shape in self.shapes if _passes(component, shape)]
        if not taken:
            raise skip(f"it refuses samples of all shapes that the suite has: {self.shapes}")
        return taken[:2]


def _passes(component: Network, shape: tuple[int, ...]) -> bool:
    try:
        component.check(shape)
    except InputError:
        return False
    return True


def _body(component: Network, shape: tuple[int, ...], seed: int = 0) -> nn.Module:
    return component.build(builder(shape, seed))


def _inputs(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return 2 * data(STEPS, BATCH, *shape, seed=seed)
