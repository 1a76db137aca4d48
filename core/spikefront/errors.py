"""The errors that Spikefront raises: one tree, each with a sentence that says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class SpikefrontError(Exception):
    """Base of all errors of ours.

    Args:
        message: One sentence that says what is wrong, with the place and the value.
        hint: One sentence that says what is allowed or what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(SpikefrontError):
    """Something that a user gave us is wrong; nothing was written."""


class StudyFileError(InputError):
    """A study file, or a `--set` on top of it, is wrong."""


class PluginError(SpikefrontError):
    """A plugin cannot be used, or a component that a study needs is not there."""


class DataError(InputError):
    """A data set is missing or is not what it should be."""


class StorageError(InputError):
    """A database cannot be opened, is not ours, or does not hold what was asked for."""


class LeaseError(StorageError):
    """Another process searches the study, or has taken it over."""


class NotFiniteError(SpikefrontError):
    """A loss or a measurement became NaN or infinite."""


class OutOfMemoryError(SpikefrontError):
    """A candidate needs more memory than there is, or than it may take."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint with the closest known name and all that is allowed.

    Args:
        name: What was found.
        known: What is allowed.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    guess = f"Did you mean '{close[0]}'? " if close else ""
    return f"{guess}Allowed: {', '.join(names) or 'nothing here'}."


def shown(value: Any, most: int = 80) -> str:
    """Return a value as it stands in a message: at most so many characters, without line breaks."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."
