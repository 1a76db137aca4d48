"""Binary content: arrays as safetensors, and checks that what is read is what was written. Nothing is unpickled."""

from __future__ import annotations

import hashlib

from safetensors import SafetensorError
from safetensors.numpy import load, save

from spikefront.errors import InputError, StorageError
from spikefront.genome import Genome


def sha256(content: bytes) -> str:
    """Return the checksum of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack_arrays(genome: Genome) -> bytes | None:
    """Return a genome's arrays as safetensors; None where it has none."""
    return save(dict(genome.arrays)) if genome.arrays else None


def unpack_genome(expected: str, text: str, arrays: bytes | None) -> Genome:
    """Put a genome together from its parts and check it against its hash.

    Raises:
        StorageError: The parts are damaged.
    """
    damaged = StorageError(
        f"genome {expected[:12]} is damaged: its content does not match its hash",
        "Restore the database from a copy, or run the study again under another name.",
    )
    try:
        genome = Genome.from_json(text, load(arrays) if arrays else {})
    except (InputError, SafetensorError, ValueError) as error:
        raise damaged from error
    if genome.hash != expected:
        raise damaged
    return genome


def checked_weights(expected: str, content: bytes, study: str, number: int) -> bytes:
    """Return weights if they match their checksum.

    Raises:
        StorageError: They are damaged.
    """
    if sha256(content) != expected:
        raise StorageError(
            f"the weights of candidate {number} of study '{study}' are damaged: their checksum does not match",
            "Restore the database from a copy, or train the candidate again with `spikefront retrain`.",
        )
    return content
