"""A third party's package, installed with pip into an environment of its own: found, named, and used by workers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from throwaway import ROOT, Environment

SAMPLE = ROOT / "tests" / "packages" / "spikefront-sample"


@pytest.mark.timeout(300)
def test_an_installed_package_gives_components_to_a_study_with_workers(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample")  # building leaves files behind
    environment = Environment(tmp_path / "environment")
    environment.install(str(tmp_path / "sample"))

    def spikefront(*arguments: str) -> str:
        return environment.run("-m", "spikefront", *arguments, folder=tmp_path)

    rows = json.loads(spikefront("plugins", "--format", "json"))
    plugins = {row["plugin"]: row for row in rows if row["origin"] == "spikefront-sample"}
    assert set(plugins) == {"sample.activity", "sample.exponential"}  # no word of the module without hooks
    assert {(row["version"], row["state"]) for row in plugins.values()} == {("0.3.1", "in use")}
    assert plugins["sample.exponential"]["components"] == "neuron sample-exponential"

    assert "Front of 'sample'" in spikefront("run", str(SAMPLE / "study.toml"))
    shown = json.loads(spikefront("show", "sample", "--format", "json"))
    assert (shown["state"], shown["evaluations"], shown["failed"]) == ("finished", 4, 0)
    assert "sample-activity (minimize, spikes per step)" in shown["objectives"]
    assert "neuron sample-exponential: sample.exponential 0.3.1" in shown["plugins"]
