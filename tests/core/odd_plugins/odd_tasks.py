"""A plugin for tests: a simulation without a network, whose candidates behave in every way that candidates do."""

import math
import os
import signal
import sys
import time
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from spikefront import Fitness, Task, hookimpl
from spikefront.errors import NotFiniteError
from spikefront.space import Tensor

Behaviour = Literal[
    "well",
    "raise",
    "nan",
    "text",
    "nothing",
    "diverge",
    "memory",
    "allocate",
    "hoard",
    "sleep",
    "exit",
    "exit-0",
    "abort",
    "kill",
    "system-exit",
]
LITTLE, MUCH = 1 << 28, 3 << 30  # bytes
ODD = ("raise", "nan", "text", "sleep", "hoard", "abort")


def behave(how):
    match how:
        case "raise":
            raise ValueError("this candidate is odd")
        case "diverge":
            raise NotFiniteError("it diverged")
        case "memory":
            raise MemoryError
        case "allocate":
            torch.empty(10**16)
        case "hoard":
            hoard = []
            while len(hoard) * LITTLE < MUCH:  # stops by itself where nothing else stops it
                hoard.append(torch.empty(LITTLE, dtype=torch.uint8))
        case "sleep":
            time.sleep(600)
        case "exit":
            os._exit(3)
        case "exit-0":
            os._exit(0)
        case "abort":
            os.abort()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "system-exit":
            sys.exit(1)


class Target(Task):
    """Evolved numbers that should come close to 1, 2, 3."""

    name: ClassVar[str] = "target"

    behaviour: Behaviour = "well"

    @classmethod
    def evolved_arrays(cls, ranges):
        return {"place": Tensor((3,), 1.0)}

    def build(self, parts, streams):
        return parts.arrays["task"]["place"]

    def score(self, phenotype, split, streams):
        behave(self.behaviour)
        noise = streams.numpy("noise").normal(0, 0.1)
        distance = float(np.abs(phenotype - np.array([1, 2, 3])).sum())
        if self.behaviour == "nothing":
            return None
        return {"distance": {"nan": math.nan, "text": "near"}.get(self.behaviour, distance), "noise": noise}


class Lottery(Task):
    """Three in ten candidates are odd, each in one of six ways."""

    name: ClassVar[str] = "lottery"

    draw: float = Field(0.0, ge=0, lt=1, description="from 0.7 on odd")
    a: float = Field(0.5, ge=0, le=1, description="a trade-off")
    pause: float = Field(0.0, ge=0, description="seconds that a candidate takes")

    def build(self, parts, streams):
        return self

    def score(self, phenotype, split, streams):
        time.sleep(self.pause)
        behave(odd(self.draw))
        value = "near" if odd(self.draw) == "text" else math.nan if odd(self.draw) == "nan" else self.a
        return {"distance": value, "noise": 1 - self.a + 0.1 * self.draw}


def odd(draw):
    """Return how a candidate of the lottery behaves."""
    return "well" if draw < 0.7 else ODD[min(int((draw - 0.7) / 0.05), 5)]


class Metric(Fitness):
    """A metric of the task."""

    direction: ClassVar[str] = "minimize"

    def measure(self, context):
        return context.metrics[self.name]


class Distance(Metric):
    """How far from the target."""

    name: ClassVar[str] = "distance"


class NoisyReading(Metric):
    """A random number of the replicate."""

    name: ClassVar[str] = "noise"


class Novelty(Fitness):
    """Distance from the elite."""

    name: ClassVar[str] = "novelty"
    direction: ClassVar[str] = "maximize"
    uses_elite: ClassVar[bool] = True

    def measure(self, context):
        if context.elite is None:
            return None
        return float(np.abs(context.genome["task.place"] - context.elite["task.place"]).sum())


@hookimpl
def spikefront_tasks():
    return [Target, Lottery]


@hookimpl
def spikefront_fitness():
    return [Distance, NoisyReading, Novelty]
