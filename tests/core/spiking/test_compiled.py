"""Compiled kernels: when they are used, that they are compiled once, and that nothing depends on them."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from spikefront import NeuronModel, Surrogate
from spikefront.components.surrogate import Scalar
from spikefront.errors import InputError, SpikefrontError
from spikefront.plugins import load
from spikefront.spiking import compiled, compiler
from spikefront.spiking.kernel import Kernel

REGISTRY = load()
SURROGATES = REGISTRY.components("surrogate")
needs_compiler = pytest.mark.skipif(compiler.find_compiler() is None, reason="no C compiler")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let a test see a process that has loaded nothing, and a folder that holds nothing."""
    monkeypatch.setattr(compiled, "_checked", {})
    monkeypatch.setenv("SPIKEFRONT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPIKEFRONT_KERNELS", raising=False)


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the compiler's commands."""
    commands: list[list[str]] = []
    original = compiler._compile
    monkeypatch.setattr(compiler, "_compile", lambda command: commands.append(command) or original(command))
    return commands


def neuron(name: str = "lif", **parameters: Any) -> NeuronModel:
    return REGISTRY.components("neuron")[name](**parameters)


def currents(*shape: int) -> Tensor:
    return (1.5 * torch.randn(shape, generator=torch.Generator().manual_seed(3)) + 0.5).requires_grad_()


def run(model: NeuronModel, x: Tensor, surrogate: Surrogate | None = None) -> list[Tensor]:
    """Return spikes, final state, and the gradients of x and of what is trained."""
    trained = {
        name: value.clone().requires_grad_()
        for name, value in model.trained(tuple(x.shape[2:]), len(x), torch.Generator()).items()
    }
    spikes, end = model.sequence(
        x, model.initial_state(x[0].detach()), trained, surrogate or SURROGATES["atan"](), torch.Generator()
    )
    loss = (spikes * torch.linspace(-1, 1, x.numel()).reshape(x.shape).to(x)).sum() + end[0].sum()
    return [spikes.detach(), *(last.detach() for last in end), *torch.autograd.grad(loss, [x, *trained.values()])]


def is_compiled(model: NeuronModel, x: Tensor, surrogate: Surrogate | None = None) -> bool:
    surrogate = surrogate or SURROGATES["atan"]()
    state = model.initial_state(x[0].detach())
    trained = model.trained(tuple(x.shape[2:]), len(x), torch.Generator())
    spikes, _ = model.sequence(x, state, trained, surrogate, torch.Generator())
    return type(spikes.grad_fn).__name__ == "_CompiledBackward"


def assert_close(found: list[Tensor], expected: list[Tensor]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


@needs_compiler
def test_kernels_are_used_where_there_is_a_compiler() -> None:
    assert is_compiled(neuron(), currents(3, 2, 5))


def test_eager_compiles_nothing(monkeypatch: pytest.MonkeyPatch, compilations: list[list[str]]) -> None:
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "eager")
    assert not is_compiled(neuron(), currents(3, 2, 5))
    assert compilations == []


def test_another_value_of_the_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "compild")
    with pytest.raises(InputError, match=r"compild.*\n.*compiled"):
        run(neuron(), currents(3, 2, 5))


def no_compiler(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(folder))


def failing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    script(monkeypatch, folder, "exit 1")


def idle(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    script(monkeypatch, folder, "exit 0")


def talking_rubbish(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    script(monkeypatch, folder, 'while [ "$1" != -o ]; do shift; done; echo rubbish > "$2"')


def not_a_program(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    path = folder / "cc"
    path.write_bytes(b"\x00\x01\x02")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))


def script(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))


@pytest.mark.parametrize("name", sorted(REGISTRY.components("neuron").keys() - {"noisy-lif"}))  # which has no kernel
@pytest.mark.parametrize("trouble", [no_compiler, failing, idle, talking_rubbish, not_a_program])
def test_without_a_working_compiler_everything_runs(
    name: str, trouble: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "eager")
    x = currents(4, 3, 20)
    expected = run(neuron(name), x)
    trouble(monkeypatch, tmp_path)
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "auto")
    assert all(torch.equal(a, b) for a, b in zip(run(neuron(name), x), expected, strict=True))
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "compiled")
    with pytest.raises(SpikefrontError, match="SPIKEFRONT_KERNELS"):
        run(neuron(name), x)


@needs_compiler
def test_a_folder_that_cannot_be_written_to_is_done_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPIKEFRONT_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "compiled")
    assert is_compiled(neuron(), currents(3, 2, 5))


@needs_compiler
def test_nowhere_to_write_means_plain_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPIKEFRONT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(compiler.tempfile, "tempdir", str(tmp_path / "file"))
    assert not is_compiled(neuron(), currents(3, 2, 5))


@needs_compiler
def test_no_parameter_is_compiled_again(compilations: list[list[str]]) -> None:
    for tau, threshold, alpha in [(2.0, 1.0, 2.0), (3.3, 0.5, 4.0), (7.1, 0.7, 1.0)]:
        run(neuron(tau=tau, v_threshold=threshold), currents(3, 2, 5), SURROGATES["atan"](alpha=alpha))
    for shape in [(1, 1, 1), (6, 2, 3, 4, 5), (2, 7, 400)]:
        run(neuron(), currents(*shape))
    assert len(compilations) == 1


@needs_compiler
def test_another_process_finds_the_library(
    compilations: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = run(neuron("plif"), currents(3, 2, 5))
    durations = []
    for _ in range(5):
        monkeypatch.setattr(compiled, "_checked", {})
        start = time.perf_counter()
        again = run(neuron("plif"), currents(3, 2, 5))
        durations.append(time.perf_counter() - start)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert len(compilations) == 1
    assert min(durations) < 0.05
    assert [path.suffix for path in (tmp_path / "cache" / "kernels").iterdir()] == [".so"]


@needs_compiler
def test_a_damaged_library_is_made_again(
    compilations: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = "int answer(void) { return 42; }"
    assert compiler.load(source).answer() == 42
    (path,) = (tmp_path / "cache" / "kernels").iterdir()
    monkeypatch.setenv("SPIKEFRONT_CACHE", str(tmp_path / "other"))
    (tmp_path / "other" / "kernels").mkdir(parents=True)
    (tmp_path / "other" / "kernels" / path.name).write_text("rubbish")
    assert compiler.load(source).answer() == 42
    assert len(compilations) == 2


PROCESS = """
import torch
from spikefront.plugins import load
registry = load()
model, surrogate = registry.components("neuron")["lif"](), registry.components("surrogate")["atan"]()
x = torch.linspace(-1, 3, 600).reshape(4, 3, 50).requires_grad_()
spikes, _ = model.sequence(x, model.initial_state(x[0]), {}, surrogate, torch.Generator())
(spikes * x.detach()).sum().backward()
print(spikes.sum().item(), x.grad.double().sum().item())
"""


@needs_compiler
def test_two_processes_may_compile_at_once(tmp_path: Path) -> None:
    environment = os.environ | {"SPIKEFRONT_KERNELS": "compiled", "SPIKEFRONT_CACHE": str(tmp_path / "shared")}
    command = [sys.executable, "-c", PROCESS]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert len(list((tmp_path / "shared" / "kernels").iterdir())) == 1


@needs_compiler
def test_threads_of_a_process_may_run_at_once() -> None:
    expected, found = run(neuron("alif"), currents(3, 2, 50)), []
    threads = [threading.Thread(target=lambda: found.append(run(neuron("alif"), currents(3, 2, 50)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(a, b) for result in found for a, b in zip(result, expected, strict=True))
    assert len(found) == 4


@needs_compiler
@pytest.mark.parametrize("name", ["plif", "cuba-lif"])
def test_results_do_not_depend_on_the_number_of_threads(name: str) -> None:
    x = currents(4, 9, 4001)
    assert x.numel() > compiled.LEAST
    one = run(neuron(name), x)
    torch.set_num_threads(2)
    try:
        two = run(neuron(name), x)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("name", REGISTRY.components("neuron"))
def test_a_batch_may_be_empty(name: str) -> None:
    spikes, *_ = run(neuron(name), torch.empty(4, 0, 7).requires_grad_())
    assert spikes.shape == (4, 0, 7)


@pytest.mark.parametrize("name", REGISTRY.components("neuron"))
def test_types_that_no_kernel_is_for_run_in_plain_torch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "compiled")
    model, x = neuron(name), currents(3, 2, 5).detach().bfloat16().requires_grad_()
    assert not is_compiled(model, x)
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "auto")
    mixed = model.initial_state(x[0].detach().double())
    spikes, _ = model.sequence(
        x.float(), mixed, model.trained((5,), len(x), torch.Generator()), SURROGATES["atan"](), torch.Generator()
    )
    assert spikes.shape == x.shape


@needs_compiler
@pytest.mark.parametrize("name", REGISTRY.components("neuron"))
def test_either_output_may_be_unused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x, gradients = neuron(name), currents(3, 2, 40), []
    for mode in ("eager", "compiled"):
        monkeypatch.setenv("SPIKEFRONT_KERNELS", mode)
        spikes, end = model.sequence(
            x,
            model.initial_state(x[0].detach()),
            model.trained((40,), len(x), torch.Generator()),
            SURROGATES["atan"](),
            torch.Generator(),
        )
        parts = [part for part in (spikes, *end) if part.requires_grad]
        gradients.append([torch.autograd.grad(part.sum(), x, retain_graph=True)[0] for part in parts])
    assert_close(gradients[1], gradients[0])


@needs_compiler
def test_nothing_is_kept_without_gradients() -> None:
    with torch.no_grad():
        spikes, (v,) = neuron().sequence(
            currents(3, 2, 5), (torch.zeros(2, 5),), {}, SURROGATES["atan"](), torch.Generator()
        )
    assert not spikes.requires_grad
    assert not v.requires_grad


@needs_compiler
def test_currents_that_were_overwritten_are_noticed() -> None:
    x = currents(3, 2, 5) * 1
    spikes, _ = neuron().sequence(x, (torch.zeros(2, 5),), {}, SURROGATES["atan"](), torch.Generator())
    x.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        spikes.sum().backward()


class Unscaled(Surrogate):
    """A surrogate without a scalar form."""

    name = "unscaled"

    def derivative(self, v: Tensor) -> Tensor:
        return 1 / (1 + v.abs()) ** 2

    def primitive(self, v: Tensor) -> Tensor:
        return v / (1 + v.abs())


class Wrong(Unscaled):
    """A surrogate whose scalar form is another function."""

    def scalar(self) -> Scalar:
        return Scalar("1 / (1 + magnitude(v))", {})


class NotC(Unscaled):
    """A surrogate whose scalar form does not compile."""

    def scalar(self) -> Scalar:
        return Scalar("1 / (1 + abs2(v)) ** 2", {})


@pytest.mark.parametrize("surrogate", [Unscaled(), Wrong(), NotC()], ids=lambda surrogate: type(surrogate).__name__)
def test_surrogates_without_a_right_scalar_form_run_in_plain_torch(surrogate: Surrogate) -> None:
    x = currents(4, 2, 30)
    assert not is_compiled(neuron(), x, surrogate)
    gradient = run(neuron(), x, surrogate)[2]
    assert torch.equal(gradient, run(neuron(), x, Unscaled())[2])


@needs_compiler
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 7.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SURROGATES)
def test_the_scalar_form_is_the_derivative(
    name: str, dtype: torch.dtype, alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step of an `if` neuron from zero: the gradient is the surrogate at x - 1, near, far and very far away."""
    monkeypatch.setenv("SPIKEFRONT_KERNELS", "compiled")
    surrogate = SURROGATES[name](alpha=alpha)
    far = torch.tensor([-1e30, -1e4, -50.0, 50.0, 1e4, 1e30], dtype=torch.float64)
    x = torch.cat([torch.linspace(-4, 6, 1003, dtype=torch.float64), far]).to(dtype).reshape(1, 1, -1).requires_grad_()
    spikes, _ = neuron("if").sequence(x, (torch.zeros_like(x[0]),), {}, surrogate, torch.Generator())
    (gradient,) = torch.autograd.grad(spikes.sum(), x)
    expected = surrogate.derivative((x - 1).detach()).to(dtype)
    tolerance = {torch.float32: 1e-6, torch.float64: 1e-14}[dtype]
    torch.testing.assert_close(gradient, expected, rtol=2 * tolerance, atol=tolerance)


@pytest.mark.parametrize(("gradient", "right"), [("d_v * x", True), ("d_v", False)])
@needs_compiler
def test_a_kernel_may_have_further_inputs(gradient: str, right: bool) -> None:
    """v = v + x e, s = 0, with an e for each step and neuron that all samples have."""
    kernel = Kernel(("v",), "v = v + x * e; s = 0;", (), f"d_x = d_v * e; d_e = {gradient};", {}, inputs=("e",))

    def plain(x: Tensor, state: tuple[Tensor, ...], e: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        (v,) = state
        for current, factor in zip(x, e, strict=True):
            v = v + current * factor
        return x * 0, (v,)

    x, e = currents(4, 3, 150), currents(4, 150)
    spread = e[:, None].expand(x.shape)
    _, (v,) = compiled.run(kernel, x, (torch.zeros(3, 150),), SURROGATES["atan"](), plain, inputs=(spread,))
    assert (type(v.grad_fn).__name__ == "_CompiledBackward") == right
    torch.testing.assert_close(v, (x * e[:, None]).sum(0))
    weights = torch.linspace(-1, 1, v.numel()).reshape(v.shape)
    d_x, d_e = torch.autograd.grad((v * weights).sum(), [x, e])
    torch.testing.assert_close(d_x, e[:, None].detach() * weights)
    torch.testing.assert_close(d_e, (x.detach() * weights).sum(1))


def adding(step: str, adjoint: str) -> Kernel:
    """Return a kernel for v = v + x, s = 0."""
    return Kernel(("v",), step, (), adjoint, {})


@pytest.mark.parametrize(
    ("step", "adjoint", "right"),
    [
        ("v = v + x; s = 0;", "d_x = d_v;", True),
        ("v = v + x * 2; s = 0;", "d_x = d_v;", False),
        ("v = v + x; s = 1;", "d_x = d_v;", False),
        ("v = v + x; s = 0;", "d_x = 2 * d_v;", False),
        ("v = v + x; s = nothing;", "d_x = d_v;", False),
    ],
)
@needs_compiler
def test_a_kernel_that_does_not_equal_plain_torch_is_not_used(step: str, adjoint: str, right: bool) -> None:
    def plain(x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        (v,) = state
        for current in x:
            v = v + current
        return x * 0, (v,)

    x = currents(1, 2, 9)
    spikes, (v,) = compiled.run(adding(step, adjoint), x, (torch.zeros(2, 9),), SURROGATES["atan"](), plain)
    assert torch.equal(v, x[0])
    assert (type(v.grad_fn).__name__ == "_CompiledBackward") == right
    assert spikes.sum() == 0
