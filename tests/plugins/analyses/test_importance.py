"""Importance of genes: what decides comes first, by every method; conditional genes; what cannot be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikefront.errors import InputError
from spikefront.space import Choice, Gene, Integer, Real, Space
from spikefront.testing._records import study_record
from spikefront_plugins.analyses.importance import Importance

SPACE = Space(
    {
        "a.strong": Gene(Real(0.0, 1.0)),
        "b.weak": Gene(Integer(1, 9)),
        "c.use": Gene(Choice(("x", "y"))),
        "c.only": Gene(Real(0.0, 1.0), "c.use", frozenset({"x"})),
        "z.idle": Gene(Choice((True, False))),
    }
)
METHODS = ("ped-anova", "fanova", "mdi")


def rows(count=150, seed=1):
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        strong, weak, use = float(rng.random()), int(rng.integers(1, 10)), ("x", "y")[int(rng.integers(2))]
        genes = {"a.strong": strong, "b.weak": weak, "c.use": use, "z.idle": bool(rng.integers(2))}
        if use == "x":
            genes["c.only"] = float(rng.random())
        found.append({"generation": number // 10, "accuracy": strong + 0.02 * weak, "energy": 3.0 * weak} | genes)
    return found


def record(found=None):
    return study_record(found or rows(), {"accuracy": "maximize", "energy": "minimize"}, SPACE)


@pytest.mark.parametrize("method", METHODS)
def test_the_gene_that_decides_comes_first_and_shares_make_one(method):
    table = Importance(method=method).table(record())
    assert list(table.columns) == ["objective", "gene", "importance", "evaluations"]
    assert list(table["objective"].unique()) == ["accuracy", "energy"]
    first = table.groupby("objective", sort=False).first()
    assert dict(first["gene"]) == {"accuracy": "a.strong", "energy": "b.weak"}
    assert first["importance"].to_numpy() == pytest.approx([0.8, 0.9], abs=0.2)
    assert table.groupby("objective")["importance"].sum().to_numpy() == pytest.approx(1.0)
    assert set(table["evaluations"]) == {150}


@pytest.mark.parametrize("method", METHODS)
def test_only_ped_anova_tells_of_conditional_genes(method):
    table = Importance(method=method).table(record())
    only = table[table["gene"] == "c.only"]["importance"]
    assert len(only) == 2
    assert only.notna().all() == (method == "ped-anova")


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same(method):
    assert Importance(method=method).table(record()).equals(Importance(method=method).table(record()))


def test_failed_candidates_do_not_count_and_many_are_thinned():
    found = rows(60)
    for row in found[::4]:
        row["accuracy"] = row["energy"] = None
    assert set(Importance().table(record(found))["evaluations"]) == {45}
    assert set(Importance(evaluations=20).table(record(found))["evaluations"]) == {20}


def test_an_objective_that_is_the_same_everywhere_hangs_on_nothing():
    table = Importance().table(record([row | {"energy": 1.0} for row in rows(40)]))
    assert set(table[table["objective"] == "energy"]["importance"]) == {0.0}


def test_too_few_evaluations_and_no_genes_are_told():
    with pytest.raises(InputError, match="has 9 evaluations with all objectives"):
        Importance().table(record(rows(9)))
    with pytest.raises(InputError, match="searches no numbers and no choices"):
        Importance().table(replace(record(), space=Space({})))
