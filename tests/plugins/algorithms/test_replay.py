"""What every registered algorithm keeps to: it is a function of the seed and of what it was told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from search_problems import ALGORITHMS, BREEDERS, SPACES, Search, all_hashes, hashes, losses, run

from spikefront.components import Told

IN_A_PROCESS = """
import json, sys
from search_problems import Search, hashes, run
print(json.dumps({name: hashes(run(Search(name).start(), 4)) for name in sys.argv[1:]}))
"""


def sometimes_failing(genome):
    return None if int(genome.hash, 16) % 3 == 0 else losses(genome)


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("evaluate", [losses, sometimes_failing, lambda genome: None, lambda genome: (1.0, 1.0)])
def test_replay_into_a_fresh_engine_gives_the_same_asks(name, evaluate):
    search = Search(name)
    recorded = run(search.start(), 8, evaluate)
    assert [len(generation) for generation in recorded] == [search.population] * 8
    fresh = search.start()
    for generation in recorded:
        proposals = fresh.ask()
        assert [vars(proposal) for proposal in proposals] == [vars(proposal) for proposal, _ in generation]
        fresh.tell([told for _, told in generation])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_searches_side_by_side_do_not_disturb_each_other(name):
    alone = hashes(run(Search(name).start(), 4))
    first, second = Search(name).start(), Search(name, seed=9).start()
    beside = []
    for _ in range(4):
        beside += run(first, 1)
        run(second, 1)
    assert hashes(beside) == alone


@pytest.mark.parametrize("name", ALGORITHMS)
def test_seeds_and_losses_matter(name):
    first, other = (all_hashes(run(Search(name, seed=seed).start(), 4)) for seed in (1, 2))
    assert not set(first) & set(other)
    turned = all_hashes(run(Search(name).start(), 4, lambda genome: tuple(-loss for loss in losses(genome))))
    assert turned[:8] == first[:8]
    assert (turned == first) == (name in {"random", "cluster-suppression"})  # which goes by weights


def test_another_process_gives_the_same_asks():
    here = {name: hashes(run(Search(name).start(), 4)) for name in ALGORITHMS}
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    there = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, *ALGORITHMS],
        env={**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_is_asked_lies_in_the_space(name):
    search = Search(name)
    space = SPACES.get(name)
    for generation in run(search.start(), 5):
        for proposal, _ in generation:
            genome = proposal.genome
            assert ("shift" in genome) == (genome.get("use") == "shifted")
            if space is not None:
                assert set(genome) <= set(space)
                assert all(space[path].domain.contains(value) for path, value in genome.items())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_losses_that_are_not_finite_do_not_break_a_search(name):
    engine = Search(name).start()
    proposals = engine.ask()
    results = [None, (float("nan"), 1.0), (float("inf"), 0.0)] + [(1.0, 2.0)] * (len(proposals) - 3)
    engine.tell([Told(p.genome, loss) for p, loss in zip(proposals, results, strict=True)])
    assert len(engine.ask()) == len(proposals)


@pytest.mark.parametrize("name", [*BREEDERS, "tpe", "sep-cma-es"])
def test_every_search_beats_its_own_first_generation(name):
    history = run(Search(name, population=12).start(), 15)
    sums = [[sum(told.losses) for _, told in generation] for generation in history]
    assert sum(sorted(sums[-1])[:6]) < sum(sorted(sums[0])[:6])


def test_importing_the_plugins_does_not_import_the_libraries():
    code = (
        "import sys; import spikefront.plugins as p; p.load(); print({'pymoo', 'optuna', 'cmaes'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
