"""What the pages read: read-only, cached until something new is recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pandas as pd
import streamlit as st

from spikefront.cli.options import DATABASE_VARIABLE
from spikefront.components import Fitness
from spikefront.plugins import Registry, load
from spikefront.search.failures import Group, failures_of, grouped
from spikefront.search.record import recorded_specification
from spikefront.search.screening import Standing, recorded_standings
from spikefront.sources import Sources
from spikefront.storage import (
    DEFAULT_DATABASE,
    Database,
    EvaluationDetail,
    EvaluationRow,
    Holder,
    StudyObjective,
    StudyRow,
    frames,
    queries,
    tags,
)
from spikefront_app.comparing import Final, final
from spikefront_app.course import Box, course_table
from spikefront_app.plugin import label_of
from spikefront_app.standing import growth
from spikefront_app.takehome import study_file


def database_url() -> str:
    """Return the database that the app shows."""
    return os.environ.get(DATABASE_VARIABLE, DEFAULT_DATABASE)


def read_studies() -> list[StudyRow]:
    """Return all studies, the newest first; never cached, so that what is running shows.

    Raises:
        StorageError: The database cannot be read.
    """
    with Database.read_only(database_url()) as database:
        return sorted(queries.studies(database), key=lambda row: row.created_at, reverse=True)


def read_holder(study: StudyRow) -> Holder | None:
    """Return the process that searches a study, or did so last."""
    with Database.read_only(database_url()) as database:
        return queries.holder(database, study.name)


def read_evaluations(study: StudyRow) -> pd.DataFrame:
    """Return a row for each evaluation of a search: see `spikefront.storage.frames.evaluations`.

    It is shared by all sessions: copy it before you change it. Of a study that goes on, only what is new is read.
    """
    held = _held(database_url(), study.name, str(study.created_at))
    with held.lock:
        if held.table is None or held.version != _version(study):
            with Database.read_only(database_url()) as database:
                held.table = frames.evaluations(database, study.name, held.table)
            held.version = _version(study)
        return held.table


@dataclass
class _Held:
    """A table that grows, and the version of the study that it is up to."""

    table: pd.DataFrame | None = None
    version: str = ""
    lock: Lock = field(default_factory=Lock)


@st.cache_resource(show_spinner=False, max_entries=16)
def _held(url: str, study: str, created: str) -> _Held:
    return _Held()


def read_genes(study: StudyRow, numbers: Collection[int]) -> pd.DataFrame:
    """Return the genes of some evaluations of a search, a list as text; not to be changed.

    See `spikefront.storage.frames.genes`. They never change, and all of a large study are as slow to read as they are
    many, so whoever needs a few asks for these.
    """
    return _genes(database_url(), study.name, str(study.created_at), tuple(sorted(set(numbers))))


def read_candidate(study: StudyRow, number: int) -> EvaluationDetail:
    """Return one evaluation with all but its weights.

    Raises:
        StorageError: There is no such candidate.
    """
    return _candidate(database_url(), study.name, number, _version(study))


def read_shortlist(study: StudyRow) -> list[int]:
    """Return the candidates that somebody put on the shortlist, by number."""
    with Database.read_only(database_url()) as database:
        return tags.tagged(database, study.name)


def write_shortlist(study: StudyRow, numbers: list[int]) -> None:
    """Let exactly these candidates be on the shortlist: the only thing that the app writes.

    Raises:
        StorageError: The database cannot be written.
    """
    with Database.open(database_url()) as database:
        tags.set_tagged(database, study.name, numbers)


def specification(study: StudyRow) -> dict[str, Any]:
    """Return what the study file said, as plain values."""
    document: dict[str, Any] = json.loads(study.specification)
    return document


def _version(study: StudyRow) -> str:
    """Return what differs as soon as something new is recorded."""
    return f"{study.created_at} {study.updated_at} {study.evaluations}"


@st.cache_resource(show_spinner=False, max_entries=8)
def _genes(url: str, study: str, created: str, numbers: tuple[int, ...]) -> pd.DataFrame:
    with Database.read_only(url) as database:
        table = frames.genes(database, study, numbers)
    lists = [str(path) for path in table if table[path].dtype == object]
    return table.assign(**{path: table[path].map(_label) for path in lists})


@st.cache_resource(show_spinner=False, max_entries=64)
def _candidate(url: str, study: str, number: int, version: str) -> EvaluationDetail:
    with Database.read_only(url) as database:
        return queries.evaluation(database, study, number)


def _label(value: Any) -> Any:
    """Return a gene's value for tables and figures: a list as text, one of tables as their number."""
    if not isinstance(value, list):
        return value
    return f"{len(value)} entries" if value and isinstance(value[0], dict) else " ".join(map(str, value))


def database_label() -> str:
    """Return the database that the app shows, without its password."""
    return label_of(database_url())


def read_growth(study: StudyRow) -> list[float]:
    """Return the hypervolume of a study as it grew; of a long one, anew for every fiftieth part of its evaluations."""
    seen = study.evaluations - study.evaluations % max(1, study.evaluations // 50)
    done = study.state != "running"
    version = f"{study.created_at} {seen} {done} {study.reference is not None}"
    return _growth(database_url(), study.name, version, study)


def registry() -> Registry:
    """Return the plugins that were loaded when the app started.

    Raises:
        InputError: A folder of plugins is not there.
    """
    return load(Sources.here())


@st.cache_resource(show_spinner=False, max_entries=1000)
def _growth(url: str, study: str, version: str, _study: StudyRow) -> list[float]:
    return growth(read_evaluations(_study), _study)


def read_left_front(study: StudyRow) -> pd.Series[float]:
    """Return when each candidate left the front: see `spikefront.storage.frames.left_front`; not to be changed."""
    return _left_front(database_url(), study.name, _version(study), study)


@st.cache_resource(show_spinner=False, max_entries=8)
def _left_front(url: str, study: str, version: str, _study: StudyRow) -> pd.Series[float]:
    return frames.left_front(read_evaluations(_study), _study.objectives)


def read_units(study: StudyRow) -> dict[str, str]:
    """Return the unit of each fitness term that is known here, by name; "1" is none."""
    known = _known_units() | {objective.name: objective.unit for objective in study.objectives}
    return known | {"seconds": "s"}


@st.cache_resource(show_spinner=False)
def _known_units() -> dict[str, str]:
    terms = load(Sources.here()).components(Fitness.kind)
    return {name: str(getattr(term, "unit", "1")) for name, term in terms.items()}


def read_study_file(study: StudyRow, number: int) -> str:
    """Return a study file (TOML) of one candidate: see `spikefront_app.takehome.study_file`.

    Raises:
        StorageError: There is no such candidate.
        PluginError: The study needs a plugin that is not here.
    """
    genome = read_candidate(study, number).genome
    return study_file(recorded_specification(study, load(Sources.here())), number, genome)


def read_asks(study: StudyRow) -> pd.DataFrame:
    """Return a row for each genome asked for: see `spikefront.storage.frames.asks`; not to be changed."""
    return _asks(database_url(), study.name, _version(study))


def read_retrainings(study: StudyRow, number: int) -> list[EvaluationRow]:
    """Return all that came of training a candidate again, in order; never cached."""
    with Database.read_only(database_url()) as database:
        return queries.retrainings(database, study.name, number)


@st.cache_resource(show_spinner=False, max_entries=2)  # the parents of 50,000 candidates take 20 MB
def _asks(url: str, study: str, version: str) -> pd.DataFrame:
    with Database.read_only(url) as database:
        return frames.asks(database, study)


def read_study(name: str) -> StudyRow:
    """Return how a study stands now; never cached.

    Raises:
        StorageError: There is no such study any more.
    """
    with Database.read_only(database_url()) as database:
        return queries.study(database, name)


def read_work(study: StudyRow) -> pd.DataFrame:
    """Return when which worker was busy: see `spikefront.storage.frames.work`."""
    table = read_evaluations(study)
    with Database.read_only(database_url()) as database:
        return frames.work(database, study.name, table)


def read_failures(study: StudyRow) -> list[Group]:
    """Return what went wrong, tries that were made again included, by kind and cause, the commonest first."""
    return _failures(database_url(), study.name, _version(study))


def read_standings(study: StudyRow) -> tuple[Standing, ...]:
    """Return how the score of a study's screening stood at first and after each generation; nothing without one."""
    return _standings(database_url(), study.name, _version(study))


def read_course(
    study: StudyRow, indicator: str, objectives: tuple[StudyObjective, ...] | None = None, box: Box | None = None
) -> pd.DataFrame:
    """Return how an indicator of the front went: see `spikefront_app.course.course_table`; not to be changed.

    Args:
        study: The study.
        indicator: What is asked for.
        objectives: Those that the front is taken over; by default the study's.
        box: Ideal and reference by objective; by default the study's.
    """
    box = box or study.reference
    chosen = objectives or study.objectives
    names = tuple(objective.name for objective in chosen)
    ends = tuple((name, *box[name]) for name in names) if box else ()
    return _course(database_url(), study.name, _version(study), indicator, names, ends, study, chosen)


def read_final(study: StudyRow, objectives: tuple[StudyObjective, ...]) -> Final:
    """Return what a study ended with, or has by now, over some of its objectives; not to be changed."""
    names = tuple(objective.name for objective in objectives)
    return _final(database_url(), study.name, _version(study), names, study, objectives)


@st.cache_resource(show_spinner=False, max_entries=8)
def _failures(url: str, study: str, version: str) -> list[Group]:
    with Database.read_only(url) as database:
        return grouped(failures_of(database, study))


@st.cache_resource(show_spinner=False, max_entries=8)
def _standings(url: str, study: str, version: str) -> tuple[Standing, ...]:
    with Database.read_only(url) as database:
        return recorded_standings(database, study)


@st.cache_resource(show_spinner=False, max_entries=256)
def _course(
    url: str,
    study: str,
    version: str,
    indicator: str,
    names: tuple[str, ...],
    ends: tuple[tuple[str, float, float], ...],
    _study: StudyRow,
    _objectives: tuple[StudyObjective, ...],
) -> pd.DataFrame:
    box = {name: (ideal, reference) for name, ideal, reference in ends}
    return course_table(read_evaluations(_study), _objectives, indicator, _study.created_at, box)


@st.cache_resource(show_spinner=False, max_entries=256)
def _final(
    url: str,
    study: str,
    version: str,
    names: tuple[str, ...],
    _study: StudyRow,
    _objectives: tuple[StudyObjective, ...],
) -> Final:
    return final(_study, read_evaluations(_study), _objectives)
