"""What leaves the app of a candidate: a study file that tries it again, commands, and the shortlist as CSV or JSON."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from collections.abc import Mapping

import pandas as pd

from spikefront.genome import Genome
from spikefront.specification import Specification
from spikefront_app import toml

_SEARCH = {"algorithm": "random", "population": 2, "evaluations": 1}


def study_file(study: Specification, number: int, genome: Genome) -> str:
    """Return a study file (TOML) that trains and measures one candidate with all of its settings, and nothing else.

    Args:
        study: The study that it is of.
        number: Its number there.
        genome: The candidate.
    """
    document = study.resolved_document(genome)
    name = f"{study.name[:80]}-{number}"
    kept = {key: value for key, value in document["search"].items() if key == "reference"}
    document = {**document, "study": {**document["study"], "name": name}, "search": {**_SEARCH, **kept}}
    arrays = ", ".join(genome.arrays)
    drawn = f"# Its evolved arrays ({arrays}) do not fit in here, and are drawn anew.\n" if arrays else ""
    return (
        f"# Candidate {number} of study '{study.name}': its settings, every one fixed. One candidate is trained.\n"
        f"# Random numbers are its own, so that values differ as those of two seeds do.\n{drawn}"
        f"# The very network: spikefront export {study.name} {number} --to DIR\n\n"
        f"{toml.dumps(document)}"
    )


def commands(study: str, number: int, database: str) -> dict[str, str]:
    """Return commands about a candidate, by what they do."""
    where = f"{shlex.quote(study)} {number} --db {shlex.quote(database)}"
    folder = shlex.quote(f"{study}-{number}")
    return {
        "Train again with five fresh seeds": f"spikefront retrain {where} --seeds 5",
        "Score on the test split": f"spikefront test {where}",
        "Write the network to a folder": f"spikefront export {where} --to {folder}",
    }


def as_zip(files: Mapping[str, str]) -> bytes:
    """Return text files, by their names, as one ZIP file; equal files make equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def as_csv(rows: pd.DataFrame) -> str:
    """Return candidates as CSV, a row each."""
    return rows.to_csv(index=False)


def as_json(study: str, rows: pd.DataFrame) -> str:
    """Return candidates as JSON: the study's name, and an object for each; what is missing is null."""
    records = json.loads(rows.to_json(orient="records", date_format="iso", double_precision=15))
    return json.dumps({"study": study, "candidates": records}, indent=2)
