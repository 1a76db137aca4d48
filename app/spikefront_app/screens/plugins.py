"""Page: what is loaded, what was set aside, and the documentation of each component."""

import inspect
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import streamlit as st

from spikefront.components import Component
from spikefront.describe import parameters, summary
from spikefront.hookspecs import HOOKS
from spikefront.plugins import Plugin
from spikefront_app.reading import registry
from spikefront_app.widgets import choose, choose_several, heading

STATES = ("in use", "set aside", "disabled")


def fits(plugin: Plugin) -> bool:
    """Tell whether a plugin is asked for."""
    provided = [word for component in plugin.components for word in component]
    words = " ".join([plugin.name, plugin.origin, plugin.reason, *plugin.hooks, *provided]).lower()
    kinds_fit = not kinds or any(kind in kinds for kind, _ in plugin.components)
    states_fit = not states or plugin.state in states
    return states_fit and kinds_fit and all(word in words for word in text.lower().split())


def flowing(text: str) -> str:
    """Return a docstring whose paragraphs are one line each, so that they wrap as wide as the page; the rest stays."""
    lines: list[str] = []
    for line in text.splitlines():
        prose = line[:1].isalnum() and bool(lines) and lines[-1][:1].isalnum()
        lines[-1:] = [f"{lines[-1]} {line}"] if prose else [*lines[-1:], line]
    return "\n".join(lines)


def show_listing(plugins: list[Plugin]) -> None:
    """Show a row for each plugin."""
    rows = [
        {
            "plugin": plugin.name,
            "state": plugin.state,
            "components": ", ".join(f"{kind} {name}" for kind, name in plugin.components),
            "hooks": ", ".join(hook.removeprefix("spikefront_") for hook in plugin.hooks),
            "version": plugin.version,
            "from": plugin.origin,
        }
        for plugin in plugins
    ]
    pinned = {"plugin": st.column_config.TextColumn(pinned=True, width=250)}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=pinned, height=min(36 * len(rows) + 38, 400))


def show_component(component: type[Component], plugin: Plugin) -> None:
    """Show what a component is, its parameters, and where it comes from."""
    kind, name = component.kind, component.name
    st.subheader(f"{kind} '{name}'")
    st.write(summary(component))
    rest = inspect.cleandoc(component.__doc__ or "").partition("\n\n")[2]
    if rest:
        st.code(flowing(rest), language=None, wrap_lines=True)
    rows = [asdict(parameter) for parameter in parameters(component)]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config={"name": st.column_config.Column(pinned=True)})
    else:
        st.caption("It has no parameters.")
    hook = next(hook for hook, provided in HOOKS.items() if provided == kind)
    version = f" {plugin.version}" if plugin.version else ""
    st.caption(f"Class {component.__name__}, by hook {hook} of plugin {plugin.name} ({plugin.origin}{version}).")
    try:
        file = Path(inspect.getsourcefile(component) or "")
        source = inspect.getsource(component)
    except (OSError, TypeError):
        st.caption("Its source is not at hand.")
        return
    with st.expander(f"Source: {file}"):
        st.code(source, wrap_lines=True)


heading("Plugins", "What was loaded when the app started, what was set aside and why, and what each component is.")
known = registry()
counts = {state: sum(plugin.state == state for plugin in known.plugins) for state in STATES}
st.write(", ".join(f"{count} {state}" for state, count in counts.items()) + ". After a change, start the app again.")
for plugin in known.plugins:
    if plugin.reason:
        st.warning(f"**{plugin.name}**: {plugin.reason}\n\n{plugin.remedy}", icon=":material/block:")
first, second, third = st.columns([2, 1, 1], vertical_alignment="bottom")
with first:
    text = st.text_input("Filter", key="plugin", bind="query-params", type="search", placeholder="lif, encodings")
with second:
    kinds = choose_several("Kind", list(HOOKS.values()), "kind", placeholder="All")
with third:
    states = choose_several("State", STATES, "plugin-state", placeholder="All")
shown = [plugin for plugin in known.plugins if fits(plugin)]
if not shown:
    st.info("No plugin fits. Take words out of the filter.")
    st.stop()
show_listing(shown)
options = [f"{kind} {name}" for plugin in shown for kind, name in plugin.components if not kinds or kind in kinds]
if options:
    kind, _, name = choose("Component", sorted(options), "component").partition(" ")
    show_component(known.components(kind)[name], known.provider(kind, name))
