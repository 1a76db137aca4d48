"""Networks as graphs of NIR: a walk over the modules that makes nodes, edges, and a line of report for each layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from spikefront.spiking.layers import Folded, NeuronLayer
from spikefront_plugins.encodings._factored import FactoredConv2d, FactoredLinear
from spikefront_plugins.exporters._nir_neurons import Grade, neuron_node
from spikefront_plugins.networks.recurrent import RecurrentLayer
from spikefront_plugins.networks.resnet import Residual

_WEIGHTED = {nn.Linear, nn.Conv2d, FactoredLinear, FactoredConv2d}
_LOOP = "a loop of the graph takes one time step here; NIR leaves its delay to the reader"


@dataclass(frozen=True)
class Layer:
    """What became of one layer.

    Attributes:
        layer: Path of the module in the network.
        module: Its class.
        node: Name of the node that stands for it; empty where none does.
        grade: How well.
        reason: Why.
    """

    layer: str
    module: str
    node: str
    grade: Grade
    reason: str


class Drawing:
    """A graph under construction. Edges that meet in a node are summed, as NIR has it.

    Args:
        network: The network, in evaluation mode.
        shape: Shape of one step's input, without time and batch.
        dt: Length of a time step in the graph's unit of time.

    Attributes:
        nodes: Nodes by name.
        edges: Pairs of names.
        layers: What became of each layer so far.
        shape: Shape of what the last layer gives.
    """

    def __init__(self, network: nn.Module, shape: tuple[int, ...], dt: float) -> None:
        import nir

        self.nodes: dict[str, Any] = {"input": nir.Input(input_type=np.array(shape))}
        self.edges: list[tuple[str, str]] = []
        self.layers: list[Layer] = []
        self.shape = shape
        self._dt = dt
        self._paths = {module: path for path, module in network.named_modules()}
        self._ends: tuple[str, ...] = ("input",)
        self._spikes = False  # whether the last layer gives 0 and 1 only
        self._weighted = ""  # the last node, where it has weights that a normalisation can be folded into

    def graph(self) -> Any:
        """Return the finished graph; types are checked."""
        import nir

        nodes = self.nodes | {"output": nir.Output(output_type=np.array(self.shape))}
        edges = [*self.edges, *((end, "output") for end in self._ends)]
        return nir.NIRGraph(nodes=nodes, edges=edges, metadata={"dt": self._dt})

    def draw(self, module: nn.Module) -> None:
        """Add a module that maps (T, B, ...) to (T, B, ...)."""
        match module:
            case nn.Sequential():
                for child in module:
                    self.draw(child)
            case Folded():
                self._stateless(module.module)
            case NeuronLayer():
                self._neurons(module)
            case RecurrentLayer():
                self._recurrent(module)
            case Residual():
                self._residual(module)
            case _:
                self._unknown(module, torch.zeros(1, 1, *self.shape), 2)

    def _stateless(self, module: nn.Module) -> None:
        """Add a module that maps (N, ...) to (N, ...)."""
        match module:
            case nn.Sequential():
                for child in module:
                    self._stateless(child)
            case nn.Linear() | nn.Conv2d() if type_before_parametrizations(module) in _WEIGHTED:
                self._weights(module)
            case nn.BatchNorm1d() | nn.BatchNorm2d() if self._weighted and module.running_mean is not None:
                self._normalisation(module)
            case nn.MaxPool2d() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d():
                self._pooling(module)
            case nn.Flatten(start_dim=1, end_dim=-1):
                import nir

                self._add(module, nir.Flatten(self._array(self.shape), 0, -1), "the same order of values")
            case nn.Identity() | nn.Dropout():
                self._tell(module, "", "faithful", "does nothing in evaluation")
            case _:
                self._unknown(module, torch.zeros(1, *self.shape), 1)

    def _weights(self, module: nn.Linear | nn.Conv2d) -> None:
        import nir

        weight = _numbers(module.weight)
        why = "weights that the encoding generates, as dense ones" if is_parametrized(module) else "the same weights"
        if isinstance(module, nn.Linear):
            node = nir.Linear(weight) if module.bias is None else nir.Affine(weight, _numbers(module.bias))
        elif module.groups != 1 or module.padding_mode != "zeros" or isinstance(module.padding, str):
            self._unknown(module, torch.zeros(1, *self.shape), 1)
            return
        else:
            bias = np.zeros(len(weight), np.float32) if module.bias is None else _numbers(module.bias)
            node = nir.Conv2d(self.shape[1:], weight, module.stride, module.padding, module.dilation, 1, bias)
        self._weighted = self._add(module, node, why)

    def _normalisation(self, module: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        """Fold y = (x - mean) / sqrt(variance + eps) gamma + beta into the weights before it, in float64."""
        import nir

        name, node = self._weighted, self.nodes[self._weighted]
        mean, variance = (_numbers(tensor, np.float64) for tensor in (module.running_mean, module.running_var))
        gamma, beta = (np.float64(n) if t is None else _numbers(t, np.float64) for t, n in _affine(module))
        scale = gamma / np.sqrt(variance + module.eps)
        wide = scale.reshape(-1, *[1] * (node.weight.ndim - 1))
        bias = (getattr(node, "bias", np.float64(0)) - mean) * scale + beta
        weight, bias = (node.weight * wide).astype(np.float32), bias.astype(np.float32)
        if isinstance(node, nir.Conv2d):
            folded = nir.Conv2d(node.input_shape, weight, node.stride, node.padding, node.dilation, node.groups, bias)
        else:
            folded = nir.Affine(weight, bias)
        self.nodes[name] = folded
        self._tell(module, name, "faithful", f"folded into the weights and the bias of {name}, which rounds once more")

    def _pooling(self, module: nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d) -> None:
        import nir

        settings = _pooling_settings(module, self.shape)
        if settings is None:
            self._unknown(module, torch.zeros(1, *self.shape), 1)
        elif not isinstance(module, nn.MaxPool2d):
            self._add(module, nir.AvgPool2d(*settings), "the same means")
        elif not self._spikes:
            reason = (
                "NIR has no maximum; only that of spikes, behind neurons, can be written, as a sum with a threshold"
            )
            self._unknown(module, torch.zeros(1, *self.shape), 1, reason)
        else:
            reason = "the maximum of spikes is 1 where their sum is above one half"
            self._add(module, nir.SumPool2d(*settings), reason)
            half = nir.Threshold(np.full(self.shape, 0.5, np.float32))
            self._link("threshold", half)
            self._spikes = True

    def _neurons(self, layer: NeuronLayer) -> None:
        node, grade, reason = neuron_node(layer.model, dict(layer.trained.items()), self.shape, self._dt)
        if node is None:
            self._tell(layer, "", grade, reason)
            self._after(spikes=False)
            return
        name = self._link(type(node).__name__.lower(), node)
        self._tell(layer, name, grade, reason)
        self._after(spikes=True)

    def _recurrent(self, layer: RecurrentLayer) -> None:
        self._neurons(layer.neurons)
        neurons, before = self._ends, len(self.layers)
        self.draw(layer.feedback)
        told = self.layers[before:]
        loops = [Layer(t.layer, t.module, t.node, "approximate" if t.node else t.grade, _LOOP) for t in told]
        self.layers[before:] = loops if all(t.node for t in told) else told
        self.edges += [(end, target) for end in self._ends for target in neurons]
        self._ends = neurons
        self._after(spikes=True)

    def _residual(self, module: Residual) -> None:
        start, shape, self._weighted = self._ends, self.shape, ""  # the shortcut is not normalised with the chain
        self.draw(module.chain)
        ends, self._ends, self.shape = self._ends, start, shape
        self._after(spikes=False)
        self.draw(module.shortcut)
        self._ends = (*ends, *self._ends)
        self._after(spikes=False)

    def _unknown(self, module: nn.Module, x: Tensor, lead: int, reason: str = "") -> None:
        """Note a layer that cannot be written; the walk goes on, to name all of them.

        Args:
            module: The layer.
            x: An input of it.
            lead: Number of dimensions before those of a sample.
            reason: Why not.
        """
        name = type_before_parametrizations(module).__name__
        self._tell(module, "", "unsupported", reason or f"NIR has no node for this {name}, or not with its settings")
        with torch.no_grad():
            self.shape = tuple(module(x).shape[lead:])
        self._after(spikes=False)

    def _add(self, module: nn.Module, node: Any, reason: str) -> str:
        """Add the node of a stateless module."""
        with torch.no_grad():
            self.shape = tuple(module(torch.zeros(1, *self.shape)).shape[1:])
        name = self._link(type(node).__name__.lower(), node)
        self._tell(module, name, "faithful", reason)
        self._after(spikes=False)
        return name

    def _link(self, kind: str, node: Any) -> str:
        """Put a node behind the last one, and return its name."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes[name] = node
        self.edges += [(end, name) for end in self._ends]
        self._ends = (name,)
        return name

    def _after(self, spikes: bool) -> None:
        self._spikes, self._weighted = spikes, ""

    def _tell(self, module: nn.Module, node: str, grade: Grade, reason: str) -> None:
        name = module.model.name if isinstance(module, NeuronLayer) else type_before_parametrizations(module).__name__
        self.layers.append(Layer(self._paths[module], name, node, grade, reason))

    @staticmethod
    def _array(values: Iterable[int]) -> npt.NDArray[np.int64]:
        return np.array(list(values))


def _affine(module: nn.BatchNorm1d | nn.BatchNorm2d) -> list[tuple[Tensor | None, float]]:
    """Return gamma and beta, each with what it is where there is none."""
    return [(module.weight, 1.0), (module.bias, 0.0)]


def _pooling_settings(
    module: nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d, shape: tuple[int, ...]
) -> list[npt.NDArray[np.int64]] | None:
    """Return kernel, stride and padding, each (height, width); None where NIR has no such pooling."""
    if isinstance(module, nn.AdaptiveAvgPool2d):
        sides = np.array(shape[1:])
        return [sides, sides, np.zeros(2, np.int64)] if module.output_size in {1, (1, 1)} else None
    plain = not module.ceil_mode and _pair(module.padding).max() == 0
    if isinstance(module, nn.MaxPool2d):
        plain = plain and _pair(module.dilation).max() == 1 and not module.return_indices
    else:
        plain = plain and module.divisor_override is None
    return [_pair(side) for side in (module.kernel_size, module.stride, module.padding)] if plain else None


def _pair(value: Any) -> npt.NDArray[np.int64]:
    return np.broadcast_to(np.array(value, np.int64), (2,)).copy()


def _numbers(tensor: Any, dtype: Any = np.float32) -> npt.NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().numpy().astype(dtype))
