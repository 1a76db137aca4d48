"""Hooks: each provides one kind, each kind has one, and all that comes through them is described."""

import json
import re

import pytest

from spikefront import hookspecs
from spikefront.components import KINDS
from spikefront.hookspecs import HOOKS
from spikefront.plugins import load
from spikefront.sources import Sources
from spikefront.study_parts import COMPONENT_SECTIONS

HOOK_NAMES = {name for name in vars(hookspecs) if name.startswith("spikefront_")}
COMPONENTS = [
    component
    for kind in KINDS
    for component in load().components(kind).values()
    if "spikefront_" in component.__module__
]


def test_every_hook_provides_a_kind_and_every_kind_has_a_hook():
    assert set(HOOKS) == HOOK_NAMES - {"spikefront_defaults", "spikefront_commands", "spikefront_views"}
    assert sorted(HOOKS.values()) == sorted(KINDS)
    assert all(contract.kind == kind for kind, contract in KINDS.items())


@pytest.mark.parametrize("name", sorted(HOOK_NAMES))
def test_every_hook_says_what_to_return(name):
    assert re.match(r"(Return|Add) \w.*\.$", getattr(hookspecs, name).__doc__, re.DOTALL)


def test_all_built_in_plugins_load():
    registry = load(Sources())
    assert {plugin.name: plugin.reason for plugin in registry.plugins if plugin.reason} == {}
    assert {kind for kind in KINDS if not registry.components(kind)} <= {"analysis"}
    assert all(registry.default(kind) in registry.components(kind) for kind in KINDS if registry.defaults(kind))


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda cls: f"{cls.kind}-{cls.name}")
def test_every_component_is_described(component):
    assert component.__doc__
    assert component.__doc__ != component.__base__.__doc__
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", component.name)
    undescribed = [name for name, field in component.model_fields.items() if not field.description]
    assert not undescribed


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda cls: f"{cls.kind}-{cls.name}")
def test_every_component_comes_back_from_its_json(component):
    required = {name for name, field in component.model_fields.items() if field.is_required()}
    if not required:
        made = component()
        text = json.dumps(made.model_dump(mode="json"), allow_nan=False)
        assert component.model_validate_json(text, strict=True) == made
        if component.kind in COMPONENT_SECTIONS:
            assert hash(made) == hash(component())
