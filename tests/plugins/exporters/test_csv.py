"""The exporter `csv`: what pandas reads back is what was recorded."""

from __future__ import annotations

import dataclasses
import json
import math

import pandas as pd
from exported_things import SPACE, genes_of, record

from spikefront_plugins.exporters.csv import TABLE, Table


def read(path):
    return pd.read_csv(path, float_precision="round_trip", keep_default_na=False, na_values=[""])


def test_every_number_comes_back_exactly(tmp_path):
    study = record()
    (path,) = Table().export(study, tmp_path)
    assert path == tmp_path / TABLE
    table = read(path)
    assert list(table["id"]) == [row.number for row in study.evaluations]
    for (_, found), row in zip(table.iterrows(), study.evaluations, strict=True):
        for name, column in {"accuracy": "objectives", "energy": "objectives", "spikes": "measurements"}.items():
            mean = row.mean(name)
            assert math.isnan(found[f"{column}.{name}"]) if mean is None else found[f"{column}.{name}"] == mean
        error = row.measurements["accuracy"].standard_error if row.measurements else None
        told = found["standard_errors.accuracy"]
        assert math.isnan(told) if error is None else told == error
        assert found["genome_hash"] == row.genome.hash
        assert found["genome.neuron.tau"] == row.genome["neuron.tau"]
        assert found["genome.mixed.b"] == row.genome["mixed.b"]
        assert json.loads(found["genome.network.hidden"]) == row.genome["network.hidden"]
        assert found["on_front"] == row.on_front
        assert pd.Timestamp(found["finished_at"]) == row.finished_at


def test_what_is_not_there_is_empty_and_failures_have_their_kind(tmp_path):
    study = record()
    table = read(Table().export(study, tmp_path)[0])
    assert list(table["failure"].dropna()) == ["not-finite"]
    assert table.loc[2, ["objectives.accuracy", "objectives.energy", "measurements.spikes"]].isna().all()
    for (_, found), row in zip(table.iterrows(), study.evaluations, strict=True):
        there = {path for path in SPACE if not pd.isna(found[f"genome.{path}"])}
        assert there == set(row.genome)
        if "encoding.interactions" in row.genome:
            assert found["genome.encoding.interactions"] == "array 2 x 3"
    assert sum(len(genes_of(row.genome)) for row in study.evaluations) > 0


def test_parents_lead_to_rows(tmp_path):
    table = read(Table().export(record(), tmp_path)[0])
    parents = [parent for cell in table["parents"].dropna() for parent in cell.split()]
    assert parents
    assert set(parents) <= set(table["genome_hash"])


def test_a_study_without_evaluations_is_a_head(tmp_path):
    (path,) = Table().export(record(0), tmp_path)
    assert len(read(path)) == 0
    assert "genome.neuron.tau" in path.read_text()


def test_text_with_commas_quotes_and_line_ends(tmp_path):
    study = record(1)
    (row,) = study.evaluations
    odd = 'a,"b"\nc; ü'
    genome = type(row.genome)({**row.genome, "encoding.use": odd})
    odd_study = dataclasses.replace(study, evaluations=(dataclasses.replace(row, genome=genome),))
    assert read(Table().export(odd_study, tmp_path)[0]).loc[0, "genome.encoding.use"] == odd
