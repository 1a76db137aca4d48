"""Pages of the app in Streamlit's test runner, and what they plot."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

import spikefront_app

MAIN = Path(spikefront_app.__file__).with_name("main.py")


def page(name: str = "front", **query: str) -> AppTest:
    """Return a page that was looked at once, with a query string."""
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params.update(query)
    if name != "front":
        app.switch_page(f"screens/{name}.py")
    return app.run()


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the figures of a page as plotly's JSON."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(values: Any) -> list[float]:
    """Return a column of a figure, which plotly sends as base64 where it is long."""
    if not isinstance(values, dict):
        return list(values)
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
