"""One evaluation: build, train and measure a candidate. A pure function of the job; a failure is a value."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import json
import math
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from spikefront.components import Context, Fitness, Fitted, Parts, Predictor, Session, Task, Trainer
from spikefront.errors import InputError, NotFiniteError, OutOfMemoryError, PluginError, shown
from spikefront.genome import Genome
from spikefront.job import Evaluation, Failure, FailureKind, Job, Measurement
from spikefront.measure.recorder import record
from spikefront.measure.recording import Recording
from spikefront.plugins import Registry
from spikefront.randomness import Streams
from spikefront.specification import Resolved, Specification

_SIGNS_OF_NO_MEMORY = ("DefaultCPUAllocator", "std::bad_alloc", "Cannot allocate memory")
"""What errors of other types than the usual ones say: of torch, of C++, of the loader of libraries."""


@dataclasses.dataclass(frozen=True)
class _Replicate:
    """What one replicate found."""

    values: Mapping[str, float | None]
    history: list[dict[str, float]]
    samples: int
    recording: Recording
    weights: bytes
    checkpoint: Mapping[str, torch.Tensor]


def evaluate(job: Job, registry: Registry) -> Evaluation:
    """Train and measure a genome; never raises, but for what ends the process.

    Args:
        job: What to evaluate; the result depends on nothing else.
        registry: The plugins of the study.
    """
    start = time.perf_counter()
    try:
        with _threads(job.threads):
            study = _study(job.study, registry)
            replicates = [_replicate(study, job, number) for number in job.replicates]
            result = _combined(job, replicates)
    except (Exception, SystemExit) as error:
        result = Evaluation(job.genome, failure=_failure(error))
    return dataclasses.replace(
        result,
        seconds=time.perf_counter() - start,
        peak_memory=_peak_memory(),
        worker=f"{platform.node()}:{os.getpid()}",
    )


def streams_of(study: Specification, genome: Genome, replicate: int, purpose: str = "search") -> Streams:
    """Return the randomness of one replicate of a candidate; a "retrain" never shares it with a search."""
    return Streams(study.settings.seed).child("candidate", genome.hash, purpose, replicate)


def phenotype_of(resolved: Resolved, weights: bytes, streams: Streams) -> Any:
    """Return a candidate's phenotype with its stored weights (safetensors).

    Raises:
        InputError: The weights are damaged, or belong to another candidate.
    """
    phenotype = resolved.task.build(resolved.parts, streams)
    if isinstance(phenotype, nn.Module):
        try:
            missing, unexpected = phenotype.load_state_dict(load_tensors(weights), strict=False)
        except (SafetensorError, RuntimeError) as error:
            raise InputError(f"weights cannot be used: {error}", "Take those of this candidate.") from error
        lost = sorted(set(missing) - _shared_names(phenotype))
        if unexpected or lost:
            message = f"weights do not fit: missing {lost}, unexpected {unexpected}"
            raise InputError(message, "Take those of this candidate.")
    return phenotype


@functools.lru_cache(maxsize=8)
def _study(text: str, registry: Registry) -> Specification:
    """Read a study that was read before, by who made the job: only other plugins can make a difference."""
    try:
        return Specification.from_document(json.loads(text), registry)
    except InputError as error:
        raise PluginError(f"this worker cannot read the study: {error.message}", error.hint) from error


def _replicate(study: Specification, job: Job, number: int) -> _Replicate:
    """Build, train and measure one replicate; all that inherit start from the same tensors of the same parent."""
    streams = streams_of(study, job.genome, number, job.purpose)
    resolved = study.resolve(job.genome)
    task, parts = resolved.task, resolved.parts
    phenotype, session = task.build(parts, streams), _session(job, number, parts, streams)
    if job.parent and isinstance(phenotype, nn.Module):
        parts.encoding.inherit(phenotype, load_tensors(job.parent))
    fitted = _fitted(resolved.trainer, phenotype, task, session) if job.budget > 0 else Fitted(phenotype)
    with _recording(fitted.phenotype, parts.coder.analog) as recorder:
        metrics = _mapping(task, task.score(fitted.phenotype, "validation", streams))
    recording = recorder(parts.coder.steps)
    context = Context(job.genome, parts, task, fitted, metrics, recording, streams)
    values = {term.name: _measured(term, context) for term in (*study.objectives, *study.columns)}
    for regulariser in study.regularisers:
        elite = dataclasses.replace(context, elite=job.elites.get(regulariser.on))
        values[regulariser.term.name] = _measured(regulariser.term, elite)
    if study.screening and job.budget == study.screening.settings.budget:
        values |= _probed(study.screening.predictor, context)
    checkpoint = fitted.checkpoint if job.budget < 1 else {}
    return _Replicate(values, fitted.history, fitted.samples, recording, _weights(fitted.phenotype), checkpoint)


def _session(job: Job, number: int, parts: Parts, streams: Streams) -> Session:
    """Return the trainer's session of one replicate; the job's checkpoint holds those of all of them."""
    tensors = load_tensors(job.checkpoint) if job.checkpoint else {}
    own = {name.removeprefix(f"{number}/"): value for name, value in tensors.items() if name.startswith(f"{number}/")}
    return Session(parts, streams, job.budget, own or None)


def _fitted(trainer: Trainer, phenotype: Any, task: Task, session: Session) -> Fitted:
    fitted = trainer.fit(phenotype, task, session)
    if not isinstance(fitted, Fitted):
        raise PluginError(f"trainer '{trainer.name}' returned {shown(fitted)}", "`fit` should return a Fitted.")
    return fitted


def _mapping(task: Task, metrics: Any) -> Mapping[str, float]:
    if not isinstance(metrics, Mapping):
        message = f"task '{task.name}' scored {shown(metrics)}"
        raise PluginError(message, "`score` should return metrics by name.")
    return metrics


def _measured(term: Fitness, context: Context) -> float | None:
    value = term.measure(context)
    if value is None:
        return None
    if not isinstance(value, Real):
        message = f"fitness '{term.name}' measured {shown(value)}"
        raise PluginError(message, "`measure` should return a number or None.")
    if not math.isfinite(value):
        raise NotFiniteError(f"fitness '{term.name}' is {value}")
    return float(value)


def _probed(predictor: Predictor, context: Context) -> dict[str, float | None]:
    """Return what a predictor sees in a candidate, by names that `search.screening` knows; None where not finite."""
    seen = predictor.probe(context)
    try:
        probe = [float(value) if math.isfinite(value) else None for value in seen]
    except (TypeError, ValueError):
        message = f"predictor '{predictor.name}' saw {shown(seen)}"
        raise PluginError(message, "`probe` should return numbers.") from None
    if len(probe) == 1:
        return {predictor.name: probe[0]}
    return {f"{predictor.name}.{number}": value for number, value in enumerate(probe)}


def _combined(job: Job, replicates: list[_Replicate]) -> Evaluation:
    first = replicates[0]
    numbered = list(zip(job.replicates, replicates, strict=True))
    checkpoint = {f"{n}/{name}": tensor for n, r in numbered for name, tensor in r.checkpoint.items()}
    return Evaluation(
        job.genome,
        measurements={name: Measurement(tuple(r.values[name] for r in replicates)) for name in first.values},
        history=tuple({"replicate": n, **row} for n, r in numbered for row in r.history),
        recording=dataclasses.asdict(first.recording),
        samples=sum(replicate.samples for replicate in replicates),
        weights=first.weights,
        checkpoint=save_tensors(checkpoint) if checkpoint else b"",
    )


@contextlib.contextmanager
def _recording(phenotype: Any, analog_input: bool) -> Iterator[Any]:
    """Record a network while it is scored; other phenotypes give an empty recording."""
    if not isinstance(phenotype, nn.Module):
        yield lambda steps: Recording()
        return
    with record(phenotype, analog_input) as recorder:
        yield recorder.recording


def _weights(phenotype: Any) -> bytes:
    """Return the tensors of a network, each shared one once; nothing for other phenotypes."""
    if not isinstance(phenotype, nn.Module):
        return b""
    shared = _shared_names(phenotype)
    state = phenotype.state_dict()
    return save_tensors({name: tensor.contiguous() for name, tensor in state.items() if name not in shared})


def _shared_names(module: nn.Module) -> set[str]:
    """Return the names in the state dict that lead to a tensor which an earlier name leads to as well."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    shared: set[str] = set()
    for name, tensor in module.state_dict().items():
        key = (tensor.data_ptr(), tuple(tensor.shape))
        if tensor.numel() and key in seen:
            shared.add(name)
        seen.add(key)
    return shared


def _failure(error: BaseException) -> Failure:
    return Failure(_kind(error), f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def _kind(error: BaseException) -> FailureKind:
    if isinstance(error, NotFiniteError):
        return "not-finite"
    if isinstance(error, PluginError):
        return "plugin"
    return "out-of-memory" if _lacks_memory(error) else "exception"


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    lacking = isinstance(error, MemoryError | OutOfMemoryError | torch.OutOfMemoryError)
    return lacking or any(sign in str(error) for sign in _SIGNS_OF_NO_MEMORY)


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
