"""One tree of random streams: study -> algorithm, and study -> (genome, replicate) -> named streams."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


class Streams:
    """A node of the tree. The same path from the same seed always gives the same numbers.

    There is no global generator in Spikefront; whoever draws gets one of these, or a generator made by one.
    """

    def __init__(self, seed: int, path: tuple[int, ...] = ()) -> None:
        self.seed = seed
        self.path = path

    def child(self, *names: str | int) -> Streams:
        """Return the node below this one that these names lead to."""
        return Streams(self.seed, (*self.path, *(_number(name) for name in names)))

    def sequence(self) -> np.random.SeedSequence:
        """Return this node as a numpy seed sequence."""
        return np.random.SeedSequence(self.seed, spawn_key=self.path)

    def integer(self, *names: str | int) -> int:
        """Return a seed in [0, 2**31) for a library that wants a number."""
        return int(self.child(*names).sequence().generate_state(1)[0] >> 1)

    def numpy(self, *names: str | int) -> np.random.Generator:
        """Return a fresh numpy generator for a named stream."""
        return np.random.default_rng(self.child(*names).sequence())

    def torch(self, *names: str | int) -> torch.Generator:
        """Return a fresh CPU torch generator for a named stream."""
        state = self.child(*names).sequence().generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def _number(name: str | int) -> int:
    if isinstance(name, int):
        return name
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
