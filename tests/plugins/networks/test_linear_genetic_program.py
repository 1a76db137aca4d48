"""Linear genetic programs: introns, registers, repairs, and outputs against a calculation by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from spikefront.components.parts import Parts
from spikefront.errors import InputError
from spikefront.genome import Genome
from spikefront.plugins import load
from spikefront.randomness import Streams
from spikefront.space import ListOf
from spikefront.specification import Specification
from spikefront_plugins.coders.direct import Direct as DirectCoder
from spikefront_plugins.encodings.direct import Direct
from spikefront_plugins.networks._program import BINARY, Instruction, effective
from spikefront_plugins.networks.linear_genetic_program import LinearGeneticProgram
from spikefront_plugins.neurons.lif import LIF
from spikefront_plugins.surrogates.atan import ATan
from spikefront_plugins.synapses.dense import Dense

OPERATIONS = ("conv3", "conv5", "pool", "dense", "skip-add", "concat", "neuron")
REGISTERS = st.integers(0, 3)
INSTRUCTIONS = st.builds(
    Instruction, op=st.sampled_from(OPERATIONS), to=REGISTERS, x=REGISTERS, y=REGISTERS, width=st.integers(1, 5)
)
PROGRAMS = st.lists(INSTRUCTIONS, max_size=12).map(tuple)


def line(op: str, to: int, x: int, y: int = 0, width: int = 3) -> Instruction:
    return Instruction.model_validate({"op": op, "to": to, "x": x, "y": y, "width": width})


def build(program: tuple[Instruction, ...], shape: tuple[int, ...], **parameters: Any) -> nn.Module:
    network = LinearGeneticProgram(program=program, **parameters)
    coder = DirectCoder(steps=2)
    return Parts(network, (LIF(v_threshold=0.4),), ATan(), Dense(), coder, Direct()).build(shape, 3, Streams(7)).eval()


def outputs(network: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = network(2 * torch.rand(4, *shape, generator=torch.Generator().manual_seed(1)))
    return found


def meaning(program: Any) -> Any:
    """Return what register 0 holds at the end as an expression over the input: an execution with symbols."""
    registers: dict[int, Any] = {}
    for one in program:
        x, y = (registers.get(source, "input") for source in (one.x, one.y))
        registers[one.to] = (one.op, one.width, x, y) if one.op in BINARY else (one.op, one.width, x)
    return registers.get(0, "input")


@given(program=PROGRAMS)
@settings(deadline=None, max_examples=200)
def test_effective_instructions_mean_the_same_and_none_of_them_can_go(program):
    kept = effective(program)
    assert meaning(kept) == meaning(program)
    assert all(meaning(kept[:n] + kept[n + 1 :]) != meaning(program) for n in range(len(kept)))


@pytest.mark.parametrize("shape", [(6,), (2, 5), (1, 8, 8), (3, 5, 9), (2, 1, 6)])
@given(program=PROGRAMS, norm=st.booleans(), head=st.sampled_from(["flatten", "average"]))
@settings(deadline=None, max_examples=20)
def test_every_list_of_instructions_is_a_network(shape, program, norm, head):
    found = outputs(build(program, shape, batch_norm=norm, head=head, widest=8), shape)
    assert found.shape == (2, 4, 3)
    assert found.isfinite().all()


PROGRAM = (
    line("conv3", 1, 0),
    line("neuron", 1, 1),
    line("pool", 2, 1),
    line("conv5", 2, 2, width=4),
    line("neuron", 2, 2),
    line("skip-add", 0, 1, 2),
    line("dense", 0, 0),
)


def test_introns_leave_outputs_bit_identical():
    introns = (*PROGRAM[:2], line("conv5", 3, 1), line("concat", 3, 3, 0), *PROGRAM[2:], line("dense", 1, 0))
    assert effective(introns) == effective(PROGRAM) == list(PROGRAM)
    shape = (1, 8, 8)
    assert torch.equal(outputs(build(introns, shape), shape), outputs(build(PROGRAM, shape), shape))
    assert not torch.equal(outputs(build(PROGRAM[:-1], shape), shape), outputs(build(PROGRAM, shape), shape))


def test_names_of_registers_do_not_matter():
    names = {0: 0, 1: 9, 2: 1}
    renamed = [one.model_copy(update={key: names[getattr(one, key)] for key in ("to", "x", "y")}) for one in PROGRAM]
    shape = (1, 8, 8)
    assert torch.equal(outputs(build(tuple(renamed), shape), shape), outputs(build(PROGRAM, shape), shape))


@pytest.mark.parametrize("summands", [(3, 1), (1, 3)])
def test_a_program_over_vectors_by_hand(summands):
    program = (
        line("dense", 1, 0),
        line("concat", 2, 0, 1),
        line("dense", 3, 2, width=2),
        line("skip-add", 0, *summands),
    )
    network = build(program, (4,), batch_norm=False)
    first, second, readout = (one for one in network.modules() if isinstance(one, nn.Linear))
    assert [first.weight.shape, second.weight.shape, readout.weight.shape] == [(3, 4), (2, 7), (3, 3)]
    x = np.array([0.5, -1.0, 2.0, 0.25])

    def affine(layer: nn.Linear, values: np.ndarray) -> np.ndarray:
        return layer.weight.detach().double().numpy() @ values + layer.bias.detach().double().numpy()

    one = affine(first, x)
    three = affine(second, np.concatenate([x, one]))
    expected = affine(readout, one + np.append(three, 0.0))
    with torch.no_grad():
        found = network(torch.tensor(x, dtype=torch.float32)[None])
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-5)


def test_images_of_other_sides_and_channels_are_added_where_the_larger_is_pooled():
    network = build(
        (line("pool", 1, 0), line("conv3", 1, 1, width=2), line("skip-add", 0, 0, 1)), (1, 5, 5), batch_norm=False
    )
    convolution = next(one for one in network.modules() if isinstance(one, nn.Conv2d))
    readout = next(one for one in network.modules() if isinstance(one, nn.Linear))
    x = torch.rand(1, 1, 5, 5, generator=torch.Generator().manual_seed(3))
    small = torch.stack([x[0, 0, r : r + 2, c : c + 2].amax() for r in (0, 2) for c in (0, 2)]).reshape(1, 1, 2, 2)
    total = functional.conv2d(small, convolution.weight, convolution.bias, padding=1)
    total[:, 0] += small[:, 0]
    with torch.no_grad():
        torch.testing.assert_close(network(x)[0], readout(total.flatten(1)), rtol=1e-5, atol=1e-6)


def layers(program: tuple[Instruction, ...], shape: tuple[int, ...], **parameters: Any) -> list[tuple[int, ...]]:
    """Return the shapes of all weights."""
    modules = build(program, shape, **parameters).modules()
    return [tuple(one.weight.shape) for one in modules if isinstance(one, nn.Linear | nn.Conv2d)]


@pytest.mark.parametrize(
    ("program", "shape", "expected"),
    [
        ((line("conv3", 0, 0),), (6,), [(3, 6), (3, 3)]),
        ((line("dense", 0, 0), line("pool", 0, 0), line("conv5", 0, 0)), (1, 4, 4), [(3, 16), (3, 3), (3, 3)]),
        ((line("pool", 0, 0), line("pool", 0, 0), line("pool", 0, 0)), (1, 4, 4), [(3, 1)]),
        ((line("concat", 0, 0, 0), line("concat", 0, 0, 0), line("concat", 0, 0, 0)), (3,), [(3, 12)]),
        ((line("dense", 1, 0), line("concat", 0, 0, 1)), (1, 2, 2), [(3, 4), (3, 7)]),
    ],
    ids=["conv of a vector", "pool and conv of a vector", "pool of a pixel", "too wide", "image and vector"],
)
def test_repairs(program, shape, expected):
    assert layers(program, shape, widest=12) == expected


def document(program: Any) -> dict[str, Any]:
    return {
        "study": {"name": "lgp", "objectives": ["accuracy"]},
        "task": {"use": "digits", "train": 100, "validation": 50},
        "network": {"use": "linear-genetic-program", "program": program},
        "search": {"population": 4, "generations": 1},
    }


def test_a_study_searches_programs_and_writes_them_out():
    each = {"op": {"choice": list(OPERATIONS)}, "to": {"low": 0, "high": 2}, "x": {"low": 0, "high": 2}, "width": 8}
    study = Specification.from_document(document({"low": 2, "high": 5, "each": each}), load())
    study.check()
    domain = study.space["network.program"].domain
    assert isinstance(domain, ListOf)
    value = domain.sample(np.random.default_rng(0))
    genome = Genome({"network.program": value})
    assert Genome.from_json(genome.to_json(), {}) == genome
    network = study.resolve(genome).parts.network
    assert isinstance(network, LinearGeneticProgram)
    assert [one.model_dump() for one in network.program] == [{"y": 0, **one} for one in value]
    fixed = Specification.from_document(study.resolved_document(genome), load())
    assert fixed.resolve(Genome({})).parts.network == network


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ([{"op": "conv4"}], ["network.program.0.op = 'conv4'", "'conv3', 'conv5'"]),
        ([{"op": "pool", "too": 1}], ["network.program.0.too: no such key", "Did you mean 'to'?"]),
        ({"low": 1, "high": 2, "each": {"op": {"choice": ["pool", "pol"]}}}, ["network.program.0.op = 'pol'"]),
        ({"low": 1, "high": 2, "each": {"to": 1}}, ["network.program.0.op: is missing"]),
    ],
)
def test_wrong_programs_are_refused_with_their_place(program, words):
    with pytest.raises(InputError) as caught:
        Specification.from_document(document(program), load())
    assert all(word in f"{caught.value.message} {caught.value.hint}" for word in words), caught.value
