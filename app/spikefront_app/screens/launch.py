"""Page: check a study, save it, start it, watch it."""

from pathlib import Path

import streamlit as st

from spikefront.errors import SpikefrontError
from spikefront.specification import Specification
from spikefront_app import launching, toml
from spikefront_app.checking import decoded, in_words, specification_of
from spikefront_app.form import study_form
from spikefront_app.reading import database_url, registry
from spikefront_app.watching import watch
from spikefront_app.widgets import choose, heading, how_to_read, show_error, switch, warn_of_stale

HERE = Path.cwd()
SOURCES = ("File", "Text", "Form")


def text_of_file() -> str:
    """Let choose a study file of the working folder, and return what it says."""
    files = launching.study_files(HERE)
    if not files:
        st.info(f"There is no study file in {HERE / launching.FOLDER}. Write one as text, or with the form.")
        return ""
    name = choose("Study file", files, "file", hint=f"In {HERE / launching.FOLDER}.")
    text = decoded((HERE / launching.FOLDER / name).read_bytes())
    with st.expander("What it says"):
        st.code(text, language="toml", wrap_lines=True)
        st.button("Edit as text", on_click=edit, args=(text,))
    return text


def text_of_text() -> str:
    """Let paste or upload a study file, and return what it says."""
    uploaded = st.file_uploader("Upload a study file", type="toml", max_upload_size=1)
    if uploaded and st.session_state.get("uploaded") != uploaded.file_id:
        st.session_state["uploaded"] = uploaded.file_id
        st.session_state["text"] = decoded(uploaded.getvalue())
    return st.text_area(
        "Study file", height=360, key="text", persist_state="session", placeholder="[study]\nname = ..."
    )


def text_of_form() -> str:
    """Let fill in the form, and return the study file that it makes."""
    how_to_read(
        "What the form lacks is written in the text, by 'Edit as text' below: folders of plugins of the study's own "
        "(study.plugins), and the schedule of a regulariser that ends early (until)."
    )
    text = toml.dumps(study_form(registry()))
    with st.expander("The study file"):
        st.code(text, language="toml", wrap_lines=True)
        st.button("Edit as text", on_click=edit, args=(text,))
    return text


def edit(text: str) -> None:
    """Go on with a text."""
    st.session_state["text"] = text
    st.session_state["source"] = "Text"


def checked(text: str) -> Specification:
    """Return the study that a text describes, and say what it does."""
    specification = specification_of(text, registry(), HERE / launching.FOLDER)
    st.success(in_words(specification), icon=":material/check:")
    return specification


def launch(text: str, specification: Specification) -> None:
    """Show the buttons that check, save and start a study, and do what they say."""
    file = st.session_state["file"] if source == "File" else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = file or st.text_input("Save as", f"{specification.name}.toml", help=f"In {HERE / launching.FOLDER}.")
        overwrite = not file and switch("Overwrite", "overwrite")
        save = not file and st.button("Save", icon=":material/save:")
        check = st.button("Check data", icon=":material/rule:", help="Whether data are there and fit the networks.")
        begin = st.button("Save and start" if not file else "Start", icon=":material/rocket_launch:", type="primary")
    if check or begin:
        with st.spinner("Looking at the data"):
            specification.check()
        if check:
            st.success("The data are there, and each network fits them.")
    if save or begin:
        path = launching.target(HERE, name) if file else launching.save(HERE, name, text, overwrite)
        if save:
            st.success(f"Saved as {path}.")
    if begin:
        launched = launching.start(path, specification.name, database_url())
        st.session_state["watch"] = specification.name
        st.success(f"Started as process {launched.process.pid}. It goes on when this page is closed.")


heading("Launch", "Write a study, check it, save it, start it, watch it.")
warn_of_stale("source", "source", SOURCES)
source = st.segmented_control("From", SOURCES, default="File", required=True, key="source", bind="query-params")
read = {"File": text_of_file, "Text": text_of_text, "Form": text_of_form}
with st.container():
    try:
        written = read[source or "File"]()
        if written.strip():
            launch(written, checked(written))
    except SpikefrontError as error:
        show_error(error)
watch()
