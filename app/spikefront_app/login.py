"""Logins by Streamlit's own OpenID Connect, where the folder of the app has `.streamlit/secrets.toml` with [auth]."""

from __future__ import annotations

import os

import streamlit as st

USERS_VARIABLE = "SPIKEFRONT_USERS"


def require_login() -> None:
    """Let nobody on who has not logged in, where logins are set up; the page ends here for all others."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return
    if not st.user.get("is_logged_in", False):
        st.title("Spikefront")
        st.button("Log in", on_click=st.login, type="primary")
        st.stop()
    if not is_allowed(str(st.user.get("email") or ""), os.environ.get(USERS_VARIABLE, "")):
        st.error(f"{st.user.get('email')} may not look at this app.")
        st.info(f"Whoever runs it can add the address to {USERS_VARIABLE}.")
        st.button("Log out", on_click=st.logout)
        st.stop()
    st.sidebar.button("Log out", on_click=st.logout, icon=":material/logout:")


def is_allowed(email: str, users: str) -> bool:
    """Tell whether somebody may look.

    Args:
        email: Address that the provider vouches for.
        users: Addresses, or domains as "@example.org", with commas between; empty for all that the provider lets in.
    """
    known = [name.strip().lower() for name in users.split(",") if name.strip()]
    mine = email.lower()
    return not known or any(mine == name or (name.startswith("@") and mine.endswith(name)) for name in known)
