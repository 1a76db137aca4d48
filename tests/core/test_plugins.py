"""The registry: broken plugins are set aside with their true reason, the rest works."""

import importlib
import os
import sys
import threading

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from spikefront import plugins
from spikefront.components import Coder, Network, NeuronModel
from spikefront.discovery import find
from spikefront.errors import InputError, PluginError
from spikefront.plugins import load
from spikefront.sources import Sources

GOOD = '''
from spikefront import Coder, hookimpl

class Silence(Coder):
    """Nothing."""
    name = "NAME"
    def encode(self, data, generator):
        return data.new_zeros((self.steps, *data.shape))

@hookimpl
def spikefront_coders():
    return [Silence]
'''


def good(name: str) -> str:
    return GOOD.replace("NAME", name)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new).replace("NAME", "broken")


BROKEN = {
    "import": ("import nothing_of_this_name", ["ModuleNotFoundError", "nothing_of_this_name", "broken.py:1"]),
    "syntax": ("def", ["SyntaxError", "broken.py"]),
    "exit": ("import sys\nsys.exit(3)", ["SystemExit: 3", "broken.py:2"]),
    "division": ("\n1 / 0", ["ZeroDivisionError", "broken.py:2"]),
    "no-hook": ("x = 1", ["@spikefront.hookimpl"]),
    "unmarked": (changed("@hookimpl", ""), ["@spikefront.hookimpl"]),
    "misspelled": (changed("spikefront_coders", "spikefront_codres"), ["'spikefront_codres'", "'spikefront_coders'?"]),
    "arguments": (changed("spikefront_coders()", "spikefront_coders(session)"), ["spikefront_coders", "'session'"]),
    "required": (changed("spikefront_coders()", "spikefront_coders(*, cli)"), ["TypeError", "cli"]),
    "other-kind": (changed("spikefront_coders", "spikefront_neurons"), ["Silence", "not a subclass of NeuronModel"]),
    "instance": (changed("[Silence]", "[Silence()]"), ["not a subclass of Coder"]),
    "abstract": (changed("def encode", "def decode"), ["coder 'broken' lacks encode"]),
    "nameless": (changed('name = "NAME"', ""), ["Silence has no class attribute 'name'"]),
    "wrong-direction": (
        "from spikefront import Fitness, hookimpl\nclass F(Fitness):\n  name = 'f'\n  direction = 'minimise'\n"
        "  def measure(self, context): return 1.0\n"
        "@hookimpl\ndef spikefront_fitness(): return [F]",
        ["F: the class attribute direction = 'minimise' should be 'minimize' or 'maximize'"],
    ),
    "unannotated": (changed("    def encode", "    level = 3\n    def encode"), ["PydanticUserError", "broken.py:4"]),
    "bad-name": (changed('"NAME"', '"My_Coder"'), ["'My_Coder'", "hyphens"]),
    "number-name": (changed('"NAME"', "3"), ["name 3"]),
    "taken-name": (changed('"NAME"', '"direct"'), ["coder 'direct' is provided by plugin 'spikefront.coders.direct'"]),
    "twice": (changed("[Silence]", "[Silence, Silence]"), ["coder 'broken' is provided twice"]),
    "call": (changed("[Silence]", "[Silence][1]"), ["IndexError", "broken.py:12"]),
    "exit-in-call": (changed("return [Silence]", "raise SystemExit(5)"), ["SystemExit: 5", "broken.py:12"]),
    "none": (changed("return [Silence]", "pass"), ["'spikefront_coders' returned None", "list of classes"]),
    "class": (changed("[Silence]", "Silence"), ["'spikefront_coders' returned <class", "list of classes"]),
    "text": (changed("[Silence]", "'Silence'"), ["'spikefront_coders' returned 'Silence'"]),
    "no-direction": (
        "from spikefront import Fitness, hookimpl\nclass F(Fitness):\n  name = 'f'\n"
        "  def measure(self, context): return 1.0\n"
        "@hookimpl\ndef spikefront_fitness(): return [F]",
        ["F has no class attribute 'direction'"],
    ),
    "defaults-kind": (good("broken") + "@hookimpl\ndef spikefront_defaults(): return {'codre': ('x',)}", ["'coder'?"]),
    "defaults-none": (good("broken") + "@hookimpl\ndef spikefront_defaults(): pass", ["returned None"]),
    "defaults-text": (good("broken") + "@hookimpl\ndef spikefront_defaults(): return {'coder': 'x'}", ["coder is 'x'"]),
    "views-none": (good("broken") + "@hookimpl\ndef spikefront_views(): pass", ["returned None", "a list of View"]),
    "views-functions": (good("broken") + "@hookimpl\ndef spikefront_views(): return [print]", ["'spikefront_views'"]),
    "views-call": (good("broken") + "@hookimpl\ndef spikefront_views(): 1 / 0", ["ZeroDivisionError"]),
    "views-name": (
        good("broken")
        + "from spikefront.views import View\n"
        + "@hookimpl\ndef spikefront_views(): return [View('My page', 'Mine', print)]",
        ["'My page' of a page", "'spike-trains'"],
    ),
    "defaults-call": (good("broken") + "@hookimpl\ndef spikefront_defaults(): 1 / 0", ["ZeroDivisionError"]),
}


@pytest.mark.parametrize(("source", "fragments"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_set_aside(tmp_path, source, fragments):
    (tmp_path / "broken.py").write_text(source)
    (tmp_path / "fine.py").write_text(good("fine"))
    modules = set(sys.modules)
    registry = load(Sources((str(tmp_path),)))
    broken, fine = registry.plugins[-2:]
    told = f"{broken.reason} {broken.remedy}"
    assert all(fragment in told for fragment in fragments), told
    assert "\n" not in told
    assert broken.remedy.endswith(".")
    assert broken.state == "set aside"
    assert broken.components == ()
    assert (fine.reason, fine.state, fine.hooks) == ("", "in use", ("spikefront_coders",))
    assert {"direct", "fine"} <= set(registry.components("coder"))
    assert "broken" not in registry.components("coder")
    assert registry.default("coder") == "direct"
    registry.add_commands(typer.Typer())
    if fragments[0].startswith(("Module", "Syntax", "SystemExit: 3")):
        assert not any("broken" in name for name in set(sys.modules) - modules)


def test_good_files_beside_each_other(tmp_path):
    """Files of one name in two folders, helpers that begin with an underscore, files that are no Python."""
    for folder, name in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "plugin.py").write_text(good(name))
        (tmp_path / folder / "_helper.py").write_text("1 / 0")
        (tmp_path / folder / "notes.txt").write_text("1 / 0")
    registry = load(Sources((str(tmp_path / "a"), str(tmp_path / "b"))))
    assert [plugin.components for plugin in registry.plugins[-2:]] == [(("coder", "one"),), (("coder", "two"),)]
    one, two = registry.components("coder")["one"], registry.components("coder")["two"]
    assert one.__module__ != two.__module__
    assert sys.modules[one.__module__].Silence is one
    provider = registry.provider("coder", "one")
    assert (provider.origin, provider.version) == (str(tmp_path / "a"), "")
    assert provider is registry.plugins[-2]


def test_the_same_file_twice_is_one_plugin(tmp_path):
    (tmp_path / "plugin.py").write_text(good("once"))
    registry = load(Sources((str(tmp_path), f"{tmp_path}/.")))
    assert "already" in registry.plugins[-1].reason
    assert registry.provider("coder", "once").reason == ""


def test_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match="gone: no such folder of plugins"):
        load(Sources((str(tmp_path / "gone"),)))


def install(tmp_path, monkeypatch, point: str, **files: str) -> None:
    """Make a distribution `shelf` 1.2.3 with the package `shelf_plugins` and an entry point."""
    metadata = tmp_path / "shelf-1.2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.2.3\n")
    (metadata / "entry_points.txt").write_text(f"[spikefront]\nshelf = {point}\n")
    for name, source in {"__init__": "", **files}.items():
        path = tmp_path / "shelf_plugins" / f"{name.replace('__below__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.partition(".")[0] == "shelf_plugins"]:
        monkeypatch.delitem(sys.modules, name)


def shelf(registry: plugins.Registry) -> dict[str, plugins.Plugin]:
    return {plugin.name: plugin for plugin in registry.plugins if plugin.origin == "shelf"}


def fresh(sources: Sources) -> plugins.Registry:
    return load.__wrapped__(sources)


def test_all_modules_of_an_installed_package(tmp_path, monkeypatch):
    files = {"one": good("one"), "sub__below____init__": "", "sub__below__two": good("two")}
    install(tmp_path, monkeypatch, "shelf_plugins", **files, helper="x = 1", _hidden="1 / 0", bad="1 / 0")
    registry = fresh(Sources())
    found = shelf(registry)
    assert set(found) == {"shelf.one", "shelf.sub.two", "shelf.bad"}
    assert found["shelf.sub.two"].components == (("coder", "two"),)
    assert "ZeroDivisionError" in found["shelf.bad"].reason
    assert registry.provider("coder", "one").version == "1.2.3"
    assert not shelf(fresh(Sources(others=False)))


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("shelf_plugins.one", ""),
        ("shelf_plugins.gone", "ModuleNotFoundError"),
        ("nothing_installed.here", "ModuleNotFoundError"),
        ("shelf_plugins.stops", "SystemExit: 9"),
    ],
)
def test_an_entry_point_to_a_module(tmp_path, monkeypatch, point, reason):
    install(tmp_path, monkeypatch, point, one=good("one"), stops="raise SystemExit(9)")
    registry = fresh(Sources())
    assert list(shelf(registry)) == ["shelf"]
    assert shelf(registry)["shelf"].reason.startswith(reason)
    assert bool(reason) != ("one" in registry.components("coder"))


def test_plugins_named_by_code(tmp_path, monkeypatch):
    (tmp_path / "plugin_by_code.py").write_text(good("by-code"))
    monkeypatch.syspath_prepend(tmp_path)
    registry = load(Sources(modules=("plugin_by_code", "no_such_plugin")))
    assert [(plugin.name, plugin.origin) for plugin in registry.plugins[-2:]] == [
        ("plugin_by_code", "code"),
        ("no_such_plugin", "code"),
    ]
    assert "by-code" in registry.components("coder")
    assert "ModuleNotFoundError" in registry.plugins[-1].reason
    assert registry.plugins[-1].remedy == "Install no_such_plugin: the plugin needs it."


def test_the_same_sources_give_the_same_registry(tmp_path):
    sources = Sources((str(tmp_path),))
    assert load(sources) is load(Sources((str(tmp_path),)))
    assert load(sources) is not load()
    assert [found.name for found in find(Sources())] == [found.name for found in find(sources)]


@pytest.mark.parametrize(
    ("contract", "name", "fragments"),
    [
        (NeuronModel, "lfi", ["unknown neuron 'lfi'", "Did you mean 'lif'?", "izhikevich"]),
        (Network, "", ["unknown network ''", "mlp"]),
        (Coder, "x" * 10_000, ["unknown coder 'xxx", "direct"]),
    ],
)
def test_unknown_components(contract, name, fragments):
    with pytest.raises(PluginError) as caught:
        load().get(contract, name)
    assert all(fragment in str(caught.value) for fragment in fragments)
    assert len(str(caught.value)) < 1000


def test_an_unknown_component_may_be_in_a_plugin_that_was_set_aside(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(PluginError, match=r"Plugins set aside: .*broken\.py \(ZeroDivisionError"):
        load(Sources((str(tmp_path),))).get(Coder, "mine")


def test_plugins_have_the_first_word_on_defaults(tmp_path):
    hook = "@hookimpl\ndef spikefront_defaults(): return {'coder': ['mine', 'not-there', 'direct']}"
    (tmp_path / "mine.py").write_text(good("mine") + hook)
    registry = load(Sources((str(tmp_path),)))
    assert registry.defaults("coder") == ("mine", "direct")
    assert registry.default("neuron") == load().default("neuron") == "lif"
    assert load().default("predictor") == ""


def test_commands_that_fail_do_not_stop_the_program(tmp_path):
    hook = "@hookimpl\ndef spikefront_commands(cli):\n    "
    (tmp_path / "bad.py").write_text(good("bad") + hook + "cli.nothing")
    (tmp_path / "nice.py").write_text(good("nice") + hook + "cli.command()(spikefront_commands)")
    registry = load(Sources((str(tmp_path),)))
    cli = typer.Typer()
    registry.add_commands(cli)
    assert "spikefront_commands" in [command.callback.__name__ for command in cli.registered_commands]
    reasons = [plugin.reason for plugin in registry.plugins[-2:]]
    assert reasons[0].startswith("its commands were left out: AttributeError")
    assert reasons[1] == ""


def test_nothing_of_a_plugin_that_was_set_aside_stays(tmp_path):
    hooks = "@hookimpl\ndef spikefront_commands(cli): cli.command()(spikefront_commands)\n"
    hooks += "@hookimpl\ndef spikefront_defaults(): return {'coder': ['latency']}\n"
    (tmp_path / "broken.py").write_text(changed("[Silence]", "[Silence, 3]") + hooks)
    registry = load(Sources((str(tmp_path),)))
    cli = typer.Typer()
    registry.add_commands(cli)
    assert "not a subclass of Coder" in registry.plugins[-1].reason
    assert "spikefront_commands" not in [command.callback.__name__ for command in cli.registered_commands]
    assert registry.default("coder") == "direct"


@given(text=st.text(max_size=30))
@settings(deadline=None, max_examples=50)
def test_any_name_is_known_or_refused(text):
    known = load().components("neuron")
    if text in known:
        assert load().get(NeuronModel, text) is known[text]
    else:
        with pytest.raises(PluginError):
            load().get(NeuronModel, text)


HANGS = {
    "import": "import time\nwhile True:\n    time.sleep(0.01)\n",
    "hook": changed("return [Silence]", "import time\n    while True:\n        time.sleep(0.01)"),
    "defaults": good("broken") + "@hookimpl\ndef spikefront_defaults():\n    while True:\n        pass\n",
}


@pytest.mark.parametrize("source", HANGS.values(), ids=HANGS)
def test_a_plugin_that_hangs_is_set_aside_and_ends(tmp_path, monkeypatch, source):
    (tmp_path / "broken.py").write_text(source)
    (tmp_path / "fine.py").write_text(good("fine"))
    monkeypatch.setattr(plugins, "PATIENCE", 1.0)
    registry = load(Sources((str(tmp_path),)))
    broken, fine = registry.plugins[-2:]
    assert broken.reason == "it did not come back within 1 s"
    assert "SPIKEFRONT_DISABLE" in broken.remedy
    assert fine.state == "in use"
    assert "broken" not in registry.components("coder")
    for thread in [thread for thread in threading.enumerate() if thread.name == "bounded"]:
        thread.join(5)
        assert not thread.is_alive()


def test_a_command_that_hangs_is_left_out(tmp_path, monkeypatch):
    hook = "@hookimpl\ndef spikefront_commands(cli):\n    while True:\n        pass\n"
    (tmp_path / "slow.py").write_text(good("slow") + hook)
    registry = load(Sources((str(tmp_path),)))
    monkeypatch.setattr(plugins, "PATIENCE", 0.2)
    registry.add_commands(typer.Typer())
    assert registry.plugins[-1].reason == "its commands were left out: it did not come back within 0.2 s"
    assert registry.plugins[-1].state == "in use"


def test_workers_do_not_import_what_was_set_aside(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "fine.py").write_text(good("fine"))
    sources = load(Sources((str(tmp_path),))).usable_sources
    assert sources.disabled == (str(tmp_path / "broken.py"),)
    assert [plugin.state for plugin in load(sources).plugins[-2:]] == ["disabled", "in use"]


@pytest.mark.parametrize("name", ["mine", "mine.py", "{folder}/mine.py"])
def test_a_disabled_file_is_not_imported(tmp_path, monkeypatch, name):
    (tmp_path / "mine.py").write_text("raise SystemExit('imported')")
    monkeypatch.setenv("SPIKEFRONT_DISABLE", f"other, {name.format(folder=tmp_path)}")
    registry = load(Sources.here([tmp_path]))
    assert registry.plugins[-1].state == "disabled"
    assert registry.plugins[-1].reason == ""
    with pytest.raises(PluginError, match=r"Disabled plugins: .*mine\.py"):
        registry.get(Coder, "mine")


@pytest.mark.parametrize("name", ["shelf", "shelf.one"])
def test_a_disabled_distribution_or_module_is_not_imported(tmp_path, monkeypatch, name):
    install(tmp_path, monkeypatch, "shelf_plugins", one="1 / 0", two=good("two"))
    registry = fresh(Sources(disabled=(name,)))
    assert {plugin.name: plugin.state for plugin in shelf(registry).values()} == (
        {"shelf": "disabled"} if name == "shelf" else {"shelf.one": "disabled", "shelf.two": "in use"}
    )
    assert ("shelf_plugins" in sys.modules) is (name == "shelf.one")


def test_no_plugins_but_our_own(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "shelf_plugins", one="1 / 0")
    (tmp_path / "mine.py").write_text("1 / 0")
    monkeypatch.setenv("SPIKEFRONT_NO_PLUGINS", "1")
    registry = fresh(Sources.here([tmp_path]))
    assert {plugin.origin for plugin in registry.plugins} == {"spikefront"}
    assert "lif" in registry.components("neuron")


def test_places_of_the_environment_come_first_and_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEFRONT_PLUGINS", os.pathsep.join([str(tmp_path / "a"), "b", ""]))
    folders = (str(tmp_path / "a"), os.path.abspath("b"), str(tmp_path / "c"))
    assert Sources.here([tmp_path / "c", tmp_path / "a"]).folders == folders


VIEW = """
from spikefront import hookimpl
from spikefront.views import View

@hookimpl
def spikefront_views():
    return [View(name, name.title(), print) for name in NAMES]
"""


def test_pages_for_the_app(tmp_path):
    (tmp_path / "a.py").write_text(VIEW.replace("NAMES", "('mine', 'spike-trains')"))
    (tmp_path / "b.py").write_text(VIEW.replace("NAMES", "()"))
    registry = load(Sources((str(tmp_path),)))
    assert [(view.name, view.title, view.render) for view in registry.views] == [
        ("mine", "Mine", print),
        ("spike-trains", "Spike-Trains", print),
    ]
    assert [plugin.state for plugin in registry.plugins[-2:]] == ["in use", "in use"]
    assert registry.plugins[-1].hooks == ("spikefront_views",)


@pytest.mark.parametrize("files", [{"a": "('mine',)", "b": "('other', 'mine')"}, {"a": "()", "b": "('mine', 'mine')"}])
def test_a_second_page_of_one_name_sets_its_plugin_aside(tmp_path, files):
    for name, names in files.items():
        (tmp_path / f"{name}.py").write_text(VIEW.replace("NAMES", names))
    registry = load(Sources((str(tmp_path),)))
    second = registry.plugins[-1]
    assert (second.state, second.reason, second.remedy) == ("set aside", "there is a page 'mine' already", "Rename it.")
    assert [view.name for view in registry.views] == (["mine"] if "mine" in files["a"] else [])
