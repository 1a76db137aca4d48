"""Which studies belong together, and what of them can be compared. Pure functions."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from spikefront.storage import StudyObjective, StudyRow


def set_up(study: StudyRow) -> str:
    """Return what a study's specification says but for name, seed and where it runs."""
    document = json.loads(study.specification)
    rest = {key: value for key, value in document.items() if key != "execution"}
    rest["study"] = {key: value for key, value in document.get("study", {}).items() if key not in {"name", "seed"}}
    return json.dumps(rest, sort_keys=True)


def grouped_by_set_up(studies: Sequence[StudyRow]) -> dict[str, list[StudyRow]]:
    """Return studies of one set-up together, by the beginning that their names share."""
    groups: dict[str, list[StudyRow]] = defaultdict(list)
    for study in studies:
        groups[set_up(study)].append(study)
    return named(list(groups.values()))


def named(groups: Sequence[Sequence[StudyRow]]) -> dict[str, list[StudyRow]]:
    """Return groups that are not empty by a name each: the beginning that the names of their studies share."""
    found: dict[str, list[StudyRow]] = {}
    for group in filter(None, groups):
        names = [study.name for study in group]
        name = (_beginning(names) if len(names) > 1 else names[0]) or f"{names[0]} and others"
        found[name if name not in found else f"{name}, {len(found) + 1}"] = list(group)
    return found


def _beginning(names: Sequence[str]) -> str:
    """Return what names begin with, without what counts seeds: "gee" of "gee-seed1" and "gee-seed2"."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in same)
    return re.sub(r"([-_.](seed|s))?[-_.\d]*$", "", shared)


def common_objectives(studies: Sequence[StudyRow]) -> tuple[list[StudyObjective], list[str]]:
    """Return the objectives that mean the same in all studies, and a sentence about each that does not."""
    seen: dict[str, list[tuple[StudyObjective, str]]] = defaultdict(list)
    for study in studies:
        given = _terms(study)
        for objective in study.objectives:
            seen[objective.name].append((objective, given.get(objective.name, "")))
    common, sentences = [], []
    for name, kinds in seen.items():
        if len(kinds) < len(studies):
            without = next(study.name for study in studies if name not in {o.name for o in study.objectives})
            sentences.append(f"{name} cannot be compared: '{without}' does not search for it.")
        elif len(set(kinds)) > 1:
            sentences.append(f"{name} cannot be compared: the studies give it other parameters or another unit.")
        else:
            common.append(kinds[0][0])
    return common, sentences


def _terms(study: StudyRow) -> dict[str, str]:
    """Return the parameters of each objective, as they were given."""
    given = json.loads(study.specification).get("study", {}).get("objectives", [])
    tables = [entry if isinstance(entry, dict) else {"use": entry} for entry in given]
    return {str(table.get("use")): json.dumps(table, sort_keys=True) for table in tables}


def differing_tasks(studies: Sequence[StudyRow]) -> list[str]:
    """Return the names of the tasks, if there is more than one."""
    names = {_task(json.loads(study.specification)) for study in studies}
    return sorted(names) if len(names) > 1 else []


def _task(document: Mapping[str, Any]) -> str:
    task = document.get("task", "")
    return str(task.get("use") if isinstance(task, dict) else task)
