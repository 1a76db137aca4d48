"""Calls into code that is not ours, bounded in time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class HangError(Exception):
    """A call did not come back in time."""


def bounded(function: Callable[[], T], seconds: float) -> T:
    """Return what a function returns.

    It runs in a thread of its own. One that takes too long is told to end, which it does as soon as it runs Python
    again; nobody waits for it.

    Raises:
        HangError: It did not come back in time. All other errors are the function's own.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    thread = Thread(target=run, daemon=True, name="bounded")
    thread.start()
    thread.join(seconds)
    if not future.done():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        raise HangError(f"it did not come back within {seconds:g} s")
    return future.result()
