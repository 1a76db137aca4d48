"""The contract of neuron models."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from spikefront.components import NeuronModel, State, Surrogate
from spikefront.spiking.layers import NeuronLayer, share_trained
from spikefront.testing._bench import BenchSurrogate, PlainSurrogate, differing, generator, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told

T, B, N = 9, 4, 24
LONG = 200
Run = tuple[Tensor, State]


class NeuronContract(ComponentContract[NeuronModel]):
    """What holds for a neuron model.

    Attributes:
        drive: Mean and standard deviation of the currents that the neuron is tried with. They have to make it fire in
            some steps and not in all.
    """

    kind: ClassVar[str] = "neuron"
    drive: ClassVar[tuple[float, float]] = (1.0, 1.5)

    def currents(self, *shape: int, seed: int = 0) -> Tensor:
        """Return currents to try the neuron with."""
        mean, deviation = self.drive
        return mean + deviation * torch.randn(shape, generator=generator(seed))

    def exercise(self, component: NeuronModel) -> None:
        x = self.currents(T, B, N).requires_grad_()
        _layer(component)(x).sum().backward()

    def test_shapes_and_types_are_kept(self, component: NeuronModel) -> None:
        """Currents (T, B, ...) become spikes of that shape and type; the state's first entry has that of one step."""
        for shape in ((N,), (2, 4, 3)):
            x = self.currents(T, B, *shape)
            result = _layer(component, *shape).run(x)
            require(
                isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], tuple) and result[1],
                f"{told(component)}: sequence returned {type(result).__name__}; it has to be (spikes, state), "
                "and the state a tuple of tensors",
            )
            spikes, state = result
            require(
                spikes.shape == x.shape and spikes.dtype == x.dtype,
                f"{told(component)}: currents {tuple(x.shape)} {x.dtype} gave spikes {tuple(spikes.shape)} "
                f"{spikes.dtype}; shape and type have to stay, time first",
            )
            require(
                state[0].shape == x.shape[1:] and state[0].dtype == x.dtype,
                f"{told(component)}: the state's first entry is {tuple(state[0].shape)} {state[0].dtype}; the membrane "
                f"potential has the shape of one step's currents, {tuple(x.shape[1:])} {x.dtype}",
            )

    def test_spikes_are_whole_numbers(self, component: NeuronModel) -> None:
        """Spikes are 0 and 1, or whole numbers for bursts, and never negative."""
        spikes = _run(component, self.currents(T, B, N))[0]
        require(
            bool((spikes == spikes.round()).all()) and bool((spikes >= 0).all()),
            f"{told(component)}: spikes lie between {float(spikes.min()):g} and {float(spikes.max()):g} and are not "
            "all whole numbers of at least 0; return what the `spike` function of the step returns",
        )

    def test_later_currents_leave_earlier_spikes_alone(self, component: NeuronModel) -> None:
        """Time is the first axis, and nothing looks ahead."""
        x, half = self.currents(T, B, N), T // 2
        other = x.clone()
        other[half:] = self.currents(T - half, B, N, seed=1)
        first, second = _run(component, x)[0], _run(component, other)[0]
        require(
            torch.equal(first[:half], second[:half]),
            f"{told(component)}: other currents from step {half} on changed spikes before that step; "
            "is time the first axis of all that runs along it?",
        )

    def test_two_parts_equal_the_whole(self, component: NeuronModel) -> None:
        """Running the first steps, and then the others from the state handed on, gives the same spikes and state."""
        self._skip_noise(component)
        x, half = self.currents(T, B, N), T // 2
        spikes, end = _run(component, x)
        first, between = _run(component, x[:half])
        second, last = _run(component, x[half:], between)
        require(
            torch.equal(spikes, torch.cat([first, second])) and _equal_states(end, last),
            f"{told(component)}: {half} steps and {T - half} more from their state differ from {T} steps at once; the "
            "state has to hold all that is carried from step to step",
        )

    def test_the_given_state_is_used(self, component: NeuronModel) -> None:
        """The state that is passed in is where the sequence starts."""
        x = self.currents(T, B, N)
        _, state = _run(component, x)
        if _equal_states(state, component.initial_state(x[0])):
            raise skip("the state does not change")
        ends = [_run(component, x[:1] * 0, start)[1] for start in (state, None)]
        require(
            not _equal_states(*ends),
            f"{told(component)}: a step from the state of {T} steps ends where a step from the first state ends; "
            "start from the state that is passed in",
        )

    def test_sequence_equals_the_reference(self, component: NeuronModel) -> None:
        """Spikes and state of `sequence` are those of the loop over `step`, bit for bit, compiled or not."""
        self._skip_noise(component)
        for surrogate in (BenchSurrogate(), PlainSurrogate()):
            for seed in range(3):
                x = self.currents(T, B, N, seed=seed)
                ours = _run(component, x, surrogate=surrogate)
                expected = _reference(component, x, surrogate)
                number = int((ours[0] != expected[0]).sum())
                require(
                    number == 0,
                    f"{told(component)}: {number} of {x.numel()} spikes of `sequence` are not those of the loop over "
                    "`step`; do the same operations in the same order",
                )
                require(
                    _equal_states(ours[1], expected[1]),
                    f"{told(component)}: `sequence` ends in another state than the loop over `step`",
                )

    def test_gradients_equal_those_of_the_reference(self, component: NeuronModel) -> None:
        """Gradients of `sequence` are those of the loop over `step`, to 1e-5."""
        self._skip_noise(component)
        for surrogate in (BenchSurrogate(), PlainSurrogate()):
            ours = self._gradients(component, surrogate, reference=False)
            expected = self._gradients(component, surrogate, reference=True)
            for name, gradient in expected.items():
                distance, size = float((ours[name] - gradient).norm()), float(gradient.norm())
                require(
                    distance <= 1e-5 * size,
                    f"{told(component)}: the gradient of {name} differs from that of the loop over `step` by "
                    f"{distance / max(size, 1e-30):.2g} of its norm; 1e-5 is allowed",
                )

    def test_gradients_are_finite_and_reach_everything(self, component: NeuronModel) -> None:
        """The gradient of the spikes reaches the currents of every step, and every trained tensor."""
        gradients = self._gradients(component, BenchSurrogate(), reference=False, of_state=False)
        for name, gradient in gradients.items():
            require(bool(gradient.isfinite().all()), f"{told(component)}: the gradient of {name} is not finite")
        steps = gradients["the currents"].flatten(1).abs().sum(1)
        require(
            bool(steps.sum() > 0),
            f"{told(component)}: no gradient reaches the currents; fire with the `spike` function of the step, and "
            "detach nothing on the way",
        )
        dead = [name for name, gradient in gradients.items() if not gradient.any()]
        require(
            not dead, f"{told(component)}: no gradient reaches {', '.join(dead)}; use the tensors that are passed in"
        )

    def test_zero_currents_give_a_finite_state(self, component: NeuronModel) -> None:
        """Silence, also a long one, leads to spikes and a state that are finite."""
        spikes, state = _run(component, torch.zeros(LONG, 1, 3))
        require(
            bool(spikes.isfinite().all()) and all(bool(one.isfinite().all()) for one in state),
            f"{told(component)}: {LONG} steps without current lead to a state that is not finite",
        )

    def test_samples_do_not_see_each_other(self, component: NeuronModel) -> None:
        """A batch gives what its samples give alone, in any order."""
        self._skip_noise(component)
        x = self.currents(T, B, N)
        spikes, order = _run(component, x)[0], torch.tensor([2, 0, 3, 1])
        alone = torch.cat([_run(component, x[:, n : n + 1])[0] for n in range(B)], 1)
        require(
            torch.equal(spikes, alone) and torch.equal(spikes[:, order], _run(component, x[:, order])[0]),
            f"{told(component)}: the spikes of a sample depend on the others of its batch, the second axis",
        )

    def test_calls_do_not_remember_each_other(self, component: NeuronModel) -> None:
        """Two calls with the same input and generator give the same; nothing is kept in between."""
        x, layer = self.currents(T, B, N), _layer(component)
        spikes = []
        for _ in range(2):
            layer.noise.generator = generator(5)
            spikes.append(layer(x))
            layer(self.currents(T, B, N, seed=1))
        require(
            torch.equal(*spikes),
            f"{told(component)}: the same call gave other spikes the second time; make the state in each call, and "
            "draw from the generator that is passed in",
        )

    def test_inputs_are_left_alone(self, component: NeuronModel) -> None:
        """Currents, state and trained tensors are not changed in place."""
        x = self.currents(T, B, N)
        state = tuple(one.clone() for one in component.initial_state(x[0]))
        trained = _trained(component, (N,))
        before = [one.clone() for one in (x, *state, *trained.values())]
        component.sequence(x, state, trained, BenchSurrogate(), generator())
        component.reference(x, state, trained, BenchSurrogate())
        names = ["the currents", *(f"entry {n} of the state" for n in range(len(state))), *trained]
        after = (x, *state, *trained.values())
        changed = [n for n, old, new in zip(names, before, after, strict=True) if not torch.equal(old, new)]
        require(not changed, f"{told(component)} changed {', '.join(changed)} in place; make new tensors")

    def test_trained_tensors_are_stable(self, component: NeuronModel) -> None:
        """What is trained has the same names, shapes and finite first values each time, as a state dict needs."""
        first, second = (_shapes(_trained(component, (N,))) for _ in range(2))
        require(
            first == second,
            f"{told(component)}: trained gave {first}, and then {second}; only shape, steps and generator decide",
        )
        values = _trained(component, (N,)).values()
        require(
            all(value.is_floating_point() and bool(value.isfinite().all()) for value in values),
            f"{told(component)}: a trained tensor does not start with finite numbers",
        )

    def test_a_layer_is_rebuilt_from_its_state(self, component: NeuronModel) -> None:
        """A layer that loads the state of another one gives the same spikes."""
        layer, other = _layer(component), _layer(component)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.mul_(1.1)
        other.load_state_dict(layer.state_dict())
        lost = differing(tensors_of(layer), tensors_of(other))
        x = self.currents(T, B, N)
        require(
            not lost and torch.equal(layer(x), other(x)),
            f"{told(component)}: a layer with the state of another one gives other spikes; all that is trained has to "
            "be in `trained`",
        )

    def test_shared_tensors_are_trained(self, component: NeuronModel) -> None:
        """What the layers of a network share are tensors of `trained`, called by their names."""
        shared, trained = component.shared(), sorted(_trained(component, (N,)))
        require(
            isinstance(shared, frozenset) and shared <= set(trained),
            f"{told(component)}: shared gave {shared!r}; it has to be a frozenset of names of `trained`, which has "
            f"{trained}",
        )

    def test_shared_tensors_may_be_those_of_a_larger_layer(self, component: NeuronModel) -> None:
        """A layer works with the shared tensors of a layer with more neurons."""
        if not component.shared():
            raise skip("its layers share nothing")
        small, large = _layer(component, N), _layer(component, 2 * N)
        share_trained(nn.ModuleList([small, large]))
        x = self.currents(T, B, N)
        spikes = small(x)
        require(
            spikes.shape == x.shape,
            f"{told(component)}: {N} neurons with the shared tensors of {2 * N} gave spikes {tuple(spikes.shape)} for "
            f"currents {tuple(x.shape)}; take from a shared tensor what the layer needs",
        )

    def _skip_noise(self, component: NeuronModel) -> None:
        """Skip a check that makes no sense for a neuron that draws."""
        x = self.currents(T, B, N)
        spikes = []
        for seed in (1, 2):
            layer = _layer(component)
            layer.noise.generator = generator(seed)
            spikes.append(layer(x))
        if not torch.equal(*spikes):
            raise skip("the neuron draws noise, so its runs differ")

    def _gradients(
        self, component: NeuronModel, surrogate: Surrogate, *, reference: bool, of_state: bool = True
    ) -> dict[str, Tensor]:
        """Return the gradients of a random sum of spikes, and of the state unless it is to be left out."""
        x = self.currents(T, B, N).requires_grad_()
        trained = {name: value.clone().requires_grad_() for name, value in _trained(component, (N,)).items()}
        start = component.initial_state(x[0].detach())
        if reference:
            spikes, state = component.reference(x, start, trained, surrogate)
        else:
            spikes, state = component.sequence(x, start, trained, surrogate, generator())
        outputs = (spikes, *(one for one in state if of_state and one.requires_grad))
        total = sum((one * torch.randn(one.shape, generator=generator(n))).sum() for n, one in enumerate(outputs))
        if not isinstance(total, Tensor) or not total.requires_grad:
            raise AssertionError(f"{told(component)}: no gradient reaches the spikes; fire with the `spike` function")
        inputs = {"the currents": x, **{f"the trained tensor '{name}'": value for name, value in trained.items()}}
        found = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)
        return {
            name: torch.zeros_like(value) if gradient is None else gradient
            for (name, value), gradient in zip(inputs.items(), found, strict=True)
        }


def _layer(component: NeuronModel, *shape: int) -> NeuronLayer:
    return NeuronLayer(component, BenchSurrogate(), shape or (N,), LONG, generator())


def _run(component: NeuronModel, x: Tensor, state: State | None = None, surrogate: Surrogate | None = None) -> Run:
    start = component.initial_state(x[0]) if state is None else state
    return component.sequence(
        x, start, _trained(component, tuple(x.shape[2:])), surrogate or BenchSurrogate(), generator()
    )


def _reference(component: NeuronModel, x: Tensor, surrogate: Surrogate) -> Run:
    return component.reference(x, component.initial_state(x[0]), _trained(component, tuple(x.shape[2:])), surrogate)


def _trained(component: NeuronModel, shape: tuple[int, ...]) -> dict[str, Tensor]:
    return component.trained(shape, LONG, generator())


def _equal_states(a: State, b: State) -> bool:
    return len(a) == len(b) and all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


def _shapes(trained: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in nn.ParameterDict(trained).items()}
