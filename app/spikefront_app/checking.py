"""Checking a study file as text, as the program does before it runs one."""

from __future__ import annotations

import tomllib
from pathlib import Path

from spikefront.errors import InputError, StudyFileError
from spikefront.plugins import Registry
from spikefront.specification import Specification


def specification_of(text: str, registry: Registry, folder: Path) -> Specification:
    """Return the study that a text describes.

    Args:
        text: A study file.
        registry: Known components.
        folder: Where the file stands; its folders of plugins are relative to it.

    Raises:
        SpikefrontError: What `spikefront run` would say of it.
    """
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StudyFileError(f"not valid TOML: {error}", "Strings need quotes; see https://toml.io.") from None
    return Specification.from_document(document, registry, folder)


def decoded(content: bytes) -> str:
    """Return an uploaded file as text.

    Raises:
        InputError: It is no text.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError("the file is no text", "Choose a study file, which is TOML in UTF-8.") from None


def in_words(specification: Specification) -> str:
    """Return what a study does, in a sentence."""
    budget, space = specification.budget, specification.space
    objectives = ", ".join(term.name for term in specification.objectives)
    searched = f"{len(space)} gene{'s' if len(space) > 1 else ''}" if len(space) else "nothing that is searched"
    return (
        f"'{specification.name}': {budget.total:,} candidates in {budget.last_generation:,} generations by "
        f"{specification.algorithm.name}, {searched}, for {objectives}."
    )
