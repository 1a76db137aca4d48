"""The contract of synapses."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from spikefront.components import Synapse
from spikefront.components.encoding import encodable_weights
from spikefront.spiking.builder import width
from spikefront.testing._bench import INPUTS, STEPS, data, differing, generator, tensors_of
from spikefront.testing._contract import ComponentContract, require, skip, told

WIDTH, BATCH, SIDE = 8, 5, 6


class SynapseContract(ComponentContract[Synapse]):
    """What holds for a synapse; its convolutions are checked where it has any."""

    kind: ClassVar[str] = "synapse"

    def exercise(self, component: Synapse) -> None:
        for layer, inputs in _layers(component):
            layer(inputs).sum().backward()

    def test_outputs_have_the_width_that_the_layer_tells(self, component: Synapse) -> None:
        """A layer's output has the width of its `out_features` or `out_channels`, and the batch stays."""
        for layer, inputs in _layers(component):
            outputs = _called(layer, inputs)
            axis = 2 if component.sequential else 1
            require(
                outputs.shape[:axis] == inputs.shape[:axis] and outputs.shape[axis] == width(layer),
                f"{told(component)}: {tuple(inputs.shape)} became {tuple(outputs.shape)}, and the layer's width is "
                f"{width(layer)}; out_features and out_channels have to tell the width of the output",
            )

    def test_readouts_have_the_outputs_that_were_asked_for(self, component: Synapse) -> None:
        """Whatever width other layers have, the last one gives what the task reads."""
        for outputs in (1, WIDTH):
            layer = _readout(component, outputs)
            found = (width(layer), _called(layer, _vectors(component)).shape[-1])
            require(
                found == (outputs, outputs),
                f"{told(component)}: a readout of {outputs} outputs tells {found[0]} and has {found[1]}; override "
                "`readout` where `linear` gives another width than asked for",
            )

    def test_convolutions_keep_the_sides(self, component: Synapse) -> None:
        """A convolution with 'same' padding keeps height and width, and a stride of 2 halves them."""
        for stride in (1, 2):
            layer = _conv(component, stride)
            if layer is None:
                raise skip("this synapse has no convolution")
            sides = tuple(_called(layer, _images(component)).shape[-2:])
            wanted = (SIDE // stride,) * 2
            require(
                sides == wanted,
                f"{told(component)}: a 3x3 convolution with padding 1 and stride {stride} made {sides} of {SIDE}x{SIDE}"
                f"; {wanted} is right",
            )

    def test_same_generator_same_layer(self, component: Synapse) -> None:
        """Equal generators give layers with equal tensors, and others give other ones."""
        makers: tuple[Callable[..., nn.Module | None], ...] = (_linear, _readout, _conv)
        for make in makers:
            made = [make(component, seed=seed) for seed in (1, 1, 2)]
            if None in made:
                continue
            first, same, other = (tensors_of(cast("nn.Module", layer)) for layer in made)
            require(
                not differing(first, same),
                f"{told(component)}: equal generators gave other tensors; draw them from the generator passed in",
            )
            require(
                not first or differing(first, other),
                f"{told(component)}: another generator gave the same tensors; draw from the generator passed in",
            )

    def test_gradients_reach_inputs_and_tensors(self, component: Synapse) -> None:
        """The gradient of the output reaches the input and every trained tensor, and is finite."""
        for layer, inputs in _layers(component):
            inputs.requires_grad_()
            outputs = _called(layer, inputs)
            (outputs * torch.randn(outputs.shape, generator=generator(3))).sum().backward()
            gradients = {"the input": inputs.grad, **{name: one.grad for name, one in layer.named_parameters()}}
            for name, gradient in gradients.items():
                require(
                    gradient is not None and bool(gradient.any()) and bool(gradient.isfinite().all()),
                    f"{told(component)}: no finite gradient reaches {name}; use it in `forward` without detaching it",
                )

    def test_encodable_weights_are_there(self, component: Synapse) -> None:
        """A layer names the tensors that an encoding may generate; they are its own parameters."""
        for layer, _ in _layers(component):
            named = list(encodable_weights(layer))
            require(
                named,
                f"{told(component)}: {type(layer).__name__} has no weight that an encoding could generate; use "
                "nn.Linear or nn.Conv2d, or name tensors in `encodable_weights`",
            )
            wrong = [name for module, name in named if name not in dict(module.named_parameters(recurse=False))]
            require(not wrong, f"{told(component)}: encodable_weights names {wrong}, which are no parameters of it")

    def test_calls_do_not_remember_each_other(self, component: Synapse) -> None:
        """Two calls with the same input give the same output; inputs are left as they are."""
        for layer, inputs in _layers(component):
            before = inputs.clone()
            layer.eval()
            first = _called(layer, inputs)
            _called(layer, inputs + 1)
            require(
                torch.equal(first, _called(layer, inputs)),
                f"{told(component)}: the same call gave another output the second time; make state in each call",
            )
            require(torch.equal(inputs, before), f"{told(component)} changed its input in place")

    def test_samples_do_not_see_each_other(self, component: Synapse) -> None:
        """A sample gives what it gives alone."""
        axis = 1 if component.sequential else 0
        for layer, inputs in _layers(component):
            layer.eval()
            together = _called(layer, inputs)
            alone = torch.cat([_called(layer, inputs.narrow(axis, n, 1)) for n in range(BATCH)], axis)
            require(
                together.shape == alone.shape and torch.allclose(together, alone, rtol=1e-4, atol=1e-5),
                f"{told(component)}: the output of a sample depends on the others of its batch",
            )

    def test_sequences_are_causal(self, component: Synapse) -> None:
        """A synapse that sees whole sequences does not look ahead."""
        if not component.sequential:
            raise skip("the synapse sees single steps")
        for layer, inputs in _layers(component):
            layer.eval()
            other = inputs.clone()
            other[-1] += 1
            require(
                torch.allclose(_called(layer, inputs)[:-1], _called(layer, other)[:-1]),
                f"{told(component)}: another input in the last step changed earlier outputs; time is the first axis",
            )


def _linear(component: Synapse, seed: int = 0) -> nn.Module:
    return component.linear(INPUTS, WIDTH, True, generator(seed))


def _readout(component: Synapse, outputs: int = WIDTH, seed: int = 0) -> nn.Module:
    return component.readout(INPUTS, outputs, True, generator(seed))


def _conv(component: Synapse, stride: int = 1, seed: int = 0) -> nn.Module | None:
    try:
        return component.conv(2, WIDTH, 3, stride, 1, False, generator(seed))
    except NotImplementedError:
        return None


def _vectors(component: Synapse) -> Tensor:
    return data(*((STEPS, BATCH, INPUTS) if component.sequential else (BATCH, INPUTS)))


def _images(component: Synapse) -> Tensor:
    return data(*((STEPS, BATCH) if component.sequential else (BATCH,)), 2, SIDE, SIDE)


def _layers(component: Synapse) -> list[tuple[nn.Module, Tensor]]:
    """Return the layers that a synapse makes, with an input for each."""
    convolution = _conv(component)
    images = [] if convolution is None else [(convolution, _images(component))]
    vectors = [(make(component), _vectors(component)) for make in (_linear, _readout)]
    return [*vectors, *images]


def _called(layer: nn.Module, inputs: Tensor) -> Tensor:
    return cast("Tensor", layer(inputs))
