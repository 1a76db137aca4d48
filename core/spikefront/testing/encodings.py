"""The contract of encodings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import annotated_types
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from spikefront.components import Encoding, Network, Ranges
from spikefront.components.encoding import encodable_weights, learnt_tensors
from spikefront.randomness import Streams
from spikefront.space import Array, Integer
from spikefront.spiking.builder import Builder
from spikefront.spiking.layers import SpikingNetwork
from spikefront.testing._bench import (
    BenchNeuron,
    data,
    differing,
    generator,
    network,
    tensors_of,
)
from spikefront.testing._contract import ComponentContract, require, skip, told

IMAGE = (3, 12, 12)
DRAWS = 8
Arrays = dict[str, Array]


class WideNetwork(Network):
    """Two convolutions and three linear layers, wide enough for most encodings to pay."""

    name = "bench-wide"

    def build(self, builder: Builder) -> nn.Module:
        sides = builder.input_shape[1:]
        return nn.Sequential(
            builder.conv(IMAGE[0], 48, bias=True),
            builder.neuron((48, *sides)),
            builder.conv(48, 12, bias=True),
            builder.neuron((12, *sides)),
            builder.stateless(nn.Flatten()),
            builder.linear((12, *sides), 128),
            builder.neuron((128,)),
            builder.linear(128, 128),
            builder.neuron((128,)),
            builder.readout(128),
        )


class EncodingContract(ComponentContract[Encoding]):
    """What holds for an encoding; it is tried on a network of two convolutions and three linear layers."""

    kind: ClassVar[str] = "encoding"

    def network(self, seed: int = 0) -> SpikingNetwork:
        """Return a fresh network with direct weights."""
        return network(seed, IMAGE, network=WideNetwork(), neurons=(BenchNeuron(threshold=0.02),))

    def exercise(self, component: Encoding) -> None:
        net = self._encoded(component)
        net(data(2, *IMAGE)).sum().backward()
        component.groups(net)
        component.stored_numbers(net)

    def test_shapes_of_weights_stay(self, component: Encoding) -> None:
        """Every weight has the shape that it had, with finite numbers, and the network runs."""
        before = {name: tuple(weight.shape) for name, weight in _weights(self.network()).items()}
        net = self._encoded(component)
        weights = _weights(net)
        after = {name: tuple(weight.shape) for name, weight in weights.items()}
        require(after == before, f"{told(component)}: the weights' shapes were {before}, and are {after}")
        wrong = [name for name, weight in weights.items() if not weight.isfinite().all()]
        require(not wrong, f"{told(component)}: the weights {wrong} are not finite")
        require(
            bool(net(data(2, *IMAGE)).isfinite().all()),
            f"{told(component)}: the network's outputs are not finite",
        )

    def test_first_weights_have_the_usual_variance(self, component: Encoding) -> None:
        """The mean square of each initial weight is 1 / (3 fan_in), that of PyTorch's default."""
        squares: dict[str, list[float]] = {}
        for seed in range(DRAWS):
            for name, weight in _weights(self._encoded(component, seed)).items():
                scaled = 3 * weight[0].numel() * float(weight.double().square().mean())
                squares.setdefault(name, []).append(scaled)
        for name, values in squares.items():
            mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(DRAWS)
            require(
                abs(mean - 1) <= 0.1 + 4 * error,
                f"{told(component)}: the variance of {name} is {mean:.2f} times 1 / (3 fan_in), with a standard error "
                f"of {error:.2f}; scale what it is made of, so that it is 1",
            )

    def test_same_generator_same_weights(self, component: Encoding) -> None:
        """Weights depend on the arrays and the generator, and on nothing else."""
        first, second = (_weights(self._encoded(component, 3)) for _ in range(2))
        changed = differing(first, second)
        require(not changed, f"{told(component)}: equal generators and arrays gave other weights in {changed}")

    def test_gradients_reach_every_trained_tensor(self, component: Encoding) -> None:
        """The gradient of the outputs reaches every trained tensor, and is finite."""
        for name, gradient in self._gradients(component).items():
            require(
                gradient is not None and bool(gradient.isfinite().all()) and bool(gradient.any()),
                f"{told(component)}: no finite gradient reaches {name}; a tensor that is not trained is a buffer",
            )

    def test_groups_hold_each_parameter_once(self, component: Encoding) -> None:
        """`groups` has every parameter of the network in exactly one group; what it lacks would never be trained."""
        net = self._encoded(component)
        groups = component.groups(net)
        grouped = [id(parameter) for group in groups for parameter in group.parameters]
        lost = [name for name, parameter in net.named_parameters() if id(parameter) not in grouped]
        require(not lost, f"{told(component)}: {lost} are in no group of `groups`")
        known = {id(parameter) for parameter in net.parameters()}
        require(
            len(grouped) == len(set(grouped)) and set(grouped) <= known,
            f"{told(component)}: groups has a parameter twice, or one that is not the network's",
        )
        require(
            all(group.learning_rate > 0 and group.weight_decay >= 0 for group in groups),
            f"{told(component)}: a group has a learning rate that is not positive, or a negative decay",
        )

    def test_stored_numbers_are_those_that_matter(self, component: Encoding) -> None:
        """`stored_numbers` counts every trained number and every evolved one that matters, and nothing twice."""
        net, arrays = self._encoded(component), _arrays(component)
        number = component.stored_numbers(net)
        require(
            isinstance(number, int) and not isinstance(number, bool) and number > 0,
            f"{told(component)}: stored_numbers is {number!r}; it has to be a whole number above 0",
        )
        least = sum(int(one.count_nonzero()) for one in self._gradients(component).values() if one is not None)
        least += self._evolved_numbers(component, arrays)
        most = sum(parameter.numel() for parameter in net.parameters()) + sum(a.size for a in arrays.values())
        most += sum(buffer.numel() for buffer in net.buffers())
        require(
            least <= number <= most,
            f"{told(component)}: stored_numbers is {number}; at least {least} numbers make the network (those that a "
            f"gradient reaches, and evolved ones that change a weight), and there are {most} with all buffers",
        )

    def test_a_network_is_rebuilt_from_its_state(self, component: Encoding) -> None:
        """A network of the same genes that loads another one's state has the same weights."""
        first, second = (self._encoded(component, seed, arrays=_arrays(component)) for seed in (1, 2))
        state = first.state_dict()
        wrong = [name for name, value in state.items() if not isinstance(value, Tensor)]
        require(not wrong, f"{told(component)}: {wrong} of the state are no tensors and cannot be stored")
        second.load_state_dict(state)
        changed = differing(_weights(first), _weights(second))
        require(
            not changed,
            f"{told(component)}: with another network's state the weights {changed} differ; all that is drawn has to "
            "be a parameter, a buffer or an extra state",
        )

    def test_inheritance_keeps_what_evolved(self, component: Encoding) -> None:
        """A child takes over what its parent learnt, and keeps what evolution shapes."""
        parent, child = (self._encoded(component, seed, _arrays(component, seed)) for seed in (1, 2))
        other = self._encoded(component, 2, _arrays(component, 3))
        before = tensors_of(child)
        own = set(differing(before, tensors_of(other)))
        component.inherit(child, parent.state_dict())
        changed = set(differing(before, tensors_of(child)))
        require(
            not own & changed,
            f"{told(component)}: inherit replaced {sorted(own & changed)}, which depend on the child's evolved arrays",
        )
        learnt = {name for name, _ in learnt_tensors(child)} - own
        if not learnt:
            raise skip("nothing but evolved tensors is learnt")
        require(changed, f"{told(component)}: inherit took over nothing of {sorted(learnt)[:4]}")

    def test_training_uses_the_weights(self, component: Encoding) -> None:
        """A layer in training computes what it computes in evaluation, up to rounding."""
        net = self._encoded(component)
        for name, layer in net.named_modules():
            if not isinstance(layer, nn.Linear | nn.Conv2d):
                continue
            side = (layer.in_features,) if isinstance(layer, nn.Linear) else (layer.in_channels, 4, 4)
            inputs = data(64, *side) - 0.5
            with torch.no_grad():
                trained, again, evaluated = (layer.train(mode)(inputs) for mode in (True, True, False))
            if not torch.equal(trained, again):
                raise skip("weights are drawn anew in training")
            distance = float((trained - evaluated).norm() / evaluated.norm())
            require(
                distance < 1e-4,
                f"{told(component)}: {name} gives something else in training than in evaluation; they differ by "
                f"{distance:.2g} of the norm",
            )

    def test_evolved_arrays_matter(self, component: Encoding) -> None:
        """Each evolved array changes a weight, and is not changed itself."""
        arrays = _arrays(component)
        if not arrays:
            raise skip("it declares no evolved arrays")
        plain, others = _weights(self._encoded(component, 0, arrays)), _arrays(component, 1)
        for name, array in arrays.items():
            before = array.copy()
            weights = _weights(self._encoded(component, 0, arrays | {name: others[name]}))
            require(differing(plain, weights), f"{told(component)}: another '{name}' gives the same weights")
            require(np.array_equal(array, before), f"{told(component)} changed the evolved array '{name}' in place")

    def test_arrays_of_a_wider_search_fit(self, component: Encoding) -> None:
        """Where a parameter is searched, an array for its largest value serves smaller ones too."""
        tried = 0
        for name, ranges in _searches(component):
            domains = type(component).evolved_arrays(ranges)
            if domains == _domains(component):
                continue
            arrays = {key: _drawn(domain, 0) for key, domain in domains.items()}
            weights = _weights(self._encoded(component, 0, arrays))
            tried += 1
            for key, weight in weights.items():
                scaled = 3 * weight[0].numel() * float(weight.double().square().mean())
                require(
                    0.3 < scaled < 3,
                    f"{told(component)}: with an array for a search over larger '{name}', the variance of {key} is "
                    f"{scaled:.2g} times 1 / (3 fan_in)",
                )
        if not tried:
            raise skip("no array depends on the range of a whole number")

    def test_a_network_without_weights_is_left_alone(self, component: Encoding) -> None:
        """A network that has no weights to encode, or only small ones, is no error."""
        for layers in ([nn.Flatten()], [nn.Linear(2, 2)]):
            net = nn.Sequential(*layers)
            component.apply(net, _arrays(component), generator())
            component.groups(net)

    def _encoded(self, component: Encoding, seed: int = 0, arrays: Arrays | None = None) -> SpikingNetwork:
        """Return a network whose direct weights, encoding and arrays are drawn from a seed."""
        net = self.network(seed)
        given = _arrays(component, seed) if arrays is None else arrays
        component.apply(net, given, Streams(seed).torch("encoding"))
        return net

    def _gradients(self, component: Encoding) -> dict[str, Tensor | None]:
        """Return the gradients of a random sum of the outputs in training."""
        net = self._encoded(component).train()
        outputs = net(data(32, *IMAGE))
        (outputs * torch.randn(outputs.shape, generator=generator(3))).sum().backward()
        return {name: parameter.grad for name, parameter in net.named_parameters()}

    def _evolved_numbers(self, component: Encoding, arrays: Arrays) -> int:
        """Return how many numbers have to be stored of what evolved: of the array, or of the buffers it becomes.

        Of an array those are counted that change a weight, a whole matrix at a time. Where they become parameters,
        gradients have counted them; where they only choose what a smaller buffer holds, that buffer is enough.
        """
        net, others = self._encoded(component, 0, arrays), _arrays(component, 1)
        plain, number = _weights(net), 0
        for name, array in arrays.items():
            for place in np.ndindex(array.shape[:-2]):
                changed = array.copy()
                changed[place] = others[name][place]
                if differing(plain, _weights(self._encoded(component, 0, arrays | {name: changed}))):
                    number += array[place].size
        own = set(differing(tensors_of(net), tensors_of(self._encoded(component, 0, others))))
        trained = sum(parameter.numel() for name, parameter in net.named_parameters() if name in own)
        buffers = sum(math.ceil(_numbers(buffer)) for name, buffer in net.named_buffers() if name in own)
        return min(max(0, number - trained), buffers) if buffers else max(0, number - trained)


def _numbers(buffer: Tensor) -> float:
    """Return how many numbers of 32 bits a buffer takes; a mask is bits, or the places of what is true."""
    return min(buffer.numel() / 32, int(buffer.sum())) if buffer.dtype == torch.bool else buffer.numel()


def _weights(net: nn.Module) -> dict[str, Tensor]:
    """Return copies of the weights that may be encoded, as the layers use them in evaluation."""
    net.eval()
    names = {id(module): name for name, module in net.named_modules()}
    with torch.no_grad(), parametrize.cached():
        return {f"{names[id(m)]}.{name}": getattr(m, name).detach().clone() for m, name in encodable_weights(net)}


def _domains(component: Encoding) -> Mapping[str, Any]:
    values = {name: getattr(component, name) for name in type(component).model_fields}
    return type(component).evolved_arrays(Ranges(values))


def _arrays(component: Encoding, seed: int = 0) -> Arrays:
    """Return evolved arrays for a component's own parameters."""
    return {name: _drawn(domain, seed) for name, domain in _domains(component).items()}


def _drawn(domain: Any, seed: int) -> Array:
    array: Array = domain.sample(np.random.default_rng(seed))
    return array


def _searches(component: Encoding) -> Iterator[tuple[str, Ranges]]:
    """Yield what the ranges are where one whole number may become twice as large."""
    values = {name: getattr(component, name) for name in type(component).model_fields}
    for name, info in type(component).model_fields.items():
        value = values[name]
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            limits: list[Any] = [limit.le for limit in info.metadata if isinstance(limit, annotated_types.Le)]
            most = min([2 * value, *limits])
            if most > value:
                yield name, Ranges({**values, name: Integer(value, most)})
