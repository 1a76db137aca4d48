"""The fixtures that plugin authors get, and the suites as they run in an author's own tests."""

import subprocess
import sys

import pytest

from spikefront.testing import NeuronContract, checks_of

pytest_plugins = ["pytester"]

NEURON = '''
from pydantic import Field

from spikefront import ThresholdNeuron, hookimpl


class Mine(ThresholdNeuron):
    """A neuron that leaks by a share: h_t = (1 - leak) v_{t-1} + x_t."""

    name = "mine"

    leak: float = Field(0.1, ge=0, lt=1, description="share of the potential that is lost in a step")

    def step(self, x, state, trained, spike):
        s, v = self.fire((1 - self.leak) * state[0] + x, spike)
        return s, (v,)


@hookimpl
def spikefront_neurons():
    return [Mine]
'''


def run(pytester, *options):
    """Run pytest with the plugin in another process, as an author would."""
    return pytester.runpytest_subprocess("-p", "pytest_spikefront", "-p", "no:cacheprovider", "-W", "error", *options)


def test_an_author_derives_suites(pytester):
    """One component keeps its contract; the other one fails with sentences."""
    pytester.makepyfile(mine=NEURON, broken=NEURON.replace("return s, (v,)", "return s.transpose(0, 1), (v,)"))
    pytester.makepyfile(
        """
        import broken
        import mine
        import pytest
        from spikefront.testing import NeuronContract

        class TestMine(NeuronContract):
            @pytest.fixture(params=["hard", "soft"])
            def component(self, request):
                return mine.Mine(leak=0.2, reset=request.param)

        class TestBroken(NeuronContract):
            @pytest.fixture
            def component(self):
                return broken.Mine()
        """
    )
    result = run(pytester, "--tb=line")
    checks = len(checks_of(NeuronContract)) - 1  # neurons that share nothing skip one
    result.assert_outcomes(passed=3 * checks - 2, failed=2, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*neuron 'mine': currents (9, 4, 24) torch.float32 gave spikes (9, 24, 4)*",
            "FAILED *::TestBroken::test_shapes_and_types_are_kept*",
        ]
    )


def test_the_fixtures_work(pytester):
    pytester.makepyfile(mine=NEURON)
    pytester.makepyfile(
        """
        import mine
        import pytest
        from spikefront import NeuronModel
        from spikefront.errors import PluginError
        from spikefront.search.coordinator import Search
        from spikefront.sources import Sources
        from spikefront.specification import Specification
        from spikefront.storage import queries

        def test_a_study_runs(spikefront_study, spikefront_database, spikefront_registry):
            spikefront_study["neuron"] = {"use": "mine", "leak": {"low": 0.1, "high": 0.5}}
            registry = spikefront_registry(mine)
            specification = Specification.from_document(spikefront_study, registry)
            Search(specification, spikefront_database).run()
            rows = queries.evaluations(spikefront_database, "digits-small")
            assert len(rows) == 8
            assert not any(row.failure for row in rows)

        def test_the_study_is_a_fresh_copy(spikefront_study):
            assert spikefront_study["neuron"]["use"] == "lif"

        @pytest.mark.parametrize("given", [mine, "mine", mine.Mine])
        def test_the_registry_has_what_is_given(spikefront_registry, given):
            assert spikefront_registry(given).get(NeuronModel, "mine").name == "mine"
            registry = spikefront_registry()
            assert "mine" not in registry.components("neuron")
            assert "lif" in registry.components("neuron")
            assert not [plugin for plugin in registry.plugins if plugin.origin != "spikefront"]

        def test_a_broken_plugin_is_told(spikefront_registry):
            class Nameless(mine.Mine):
                name = "Not A Name"

            with pytest.raises(PluginError, match="Not A Name"):
                spikefront_registry(Nameless)
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=6)


def test_the_plugin_imports_nothing_heavy():
    code = "import sys, pytest_spikefront; print({'torch', 'pydantic', 'sqlalchemy', 'spikefront'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_the_suites_do_not_import_pytest():
    code = "import sys, spikefront.testing; print('pytest' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["spikefront_study", "spikefront_database", "spikefront_registry"])
def test_fixtures_are_described(name):
    import pytest_spikefront

    assert getattr(pytest_spikefront, name).__doc__
