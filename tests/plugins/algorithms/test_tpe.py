"""The tree-structured Parzen estimator: domains, conditions, failures."""

import optuna
import pytest
from search_problems import MIXED, Search, all_hashes, run

from spikefront.errors import InputError
from spikefront.space import Choice, Gene, Integer, Real, Space

SPACE = Space(
    {
        "shift": Gene(Integer(1, 5), "use", frozenset({"shifted"})),  # before the gene that it depends on
        "use": Gene(Choice(("plain", "shifted"))),
        "widths": Gene(Choice(((16, 32), (32, 64), None))),
        "n": Gene(Integer(3, 10, 4)),
        "big": Gene(Integer(1, 4096, 3, log=True)),
        "x": Gene(Real(-1.0, 1.0)),
        "fixed": Gene(Real(2.0, 2.0)),
    }
)


def loss(genome):
    return (abs(genome["x"] - 0.5) + abs(genome.get("shift", 9) - 2),)


def test_arrays_are_refused():
    with pytest.raises(InputError, match="cannot search 'm', an array or a list"):
        Search("tpe", space=MIXED).start()


@pytest.mark.parametrize("objectives", [1, 2])
def test_every_domain_and_condition_is_honoured(objectives):
    search = Search("tpe", space=SPACE, objectives=objectives)
    seen = set()
    for generation in run(search.start(), 6, lambda genome: loss(genome) * objectives):
        for proposal, _ in generation:
            genome = proposal.genome
            assert set(genome) == set(SPACE) - (set() if genome["use"] == "shifted" else {"shift"})
            assert all(SPACE[path].domain.contains(value) for path, value in genome.items())
            seen.add(genome["use"])
    assert seen == {"plain", "shifted"}


def test_it_learns_a_conditional_optimum():
    history = run(Search("tpe", space=SPACE, objectives=1).start(), 15, loss)
    last = [proposal.genome for generation in history[-4:] for proposal, _ in generation]
    assert sum(genome["use"] == "shifted" for genome in last) > 0.8 * len(last)
    assert min(told.losses[0] for generation in history for _, told in generation) < 0.1


def test_only_failures_leave_it_random():
    asked = all_hashes(run(Search("tpe").start(), 5, lambda genome: None))
    assert len(set(asked)) == 40


def test_nothing_is_announced(caplog, capsys):
    verbosity = optuna.logging.get_verbosity()
    run(Search("tpe").start(), 2, lambda genome: None)
    assert capsys.readouterr() == ("", "")
    assert not caplog.records
    assert optuna.logging.get_verbosity() == verbosity
