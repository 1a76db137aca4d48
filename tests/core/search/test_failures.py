"""Failures in groups: one cause, one group."""

from __future__ import annotations

from typing import Any

from spikefront.job import Failure, FailureKind
from spikefront.search.failures import Failed, grouped
from spikefront.search.runner import NEVER_AGAIN

RAISED = """Traceback (most recent call last):
  File "/a/evaluate.py", line 64, in evaluate
    call()
  File "/b/mine.py", line {line}, in score
    raise ValueError
"""
HUNG = 'Stack (most recent call first):\n  File "/b/mine.py", line {line} in score\n'


def failed(kind: FailureKind, message: str, traceback: str = "", candidate: int = 0, **values: Any) -> Failed:
    known: dict[str, Any] = {"again": False, "worker": "host:1", "seconds": 1.0, "peak_memory": 0}
    return Failed(candidate, Failure(kind, message, traceback), **known | values)


def causes(failures: list[Failed]) -> list[list[int]]:
    return [list(group.candidates) for group in grouped(failures)]


def test_errors_of_one_place_and_type_are_one_group() -> None:
    failures = [
        failed("exception", "ValueError: 0.7 is bad", RAISED.format(line=5), 0),
        failed("exception", "ValueError: something else", RAISED.format(line=5), 1),
        failed("exception", "KeyError: 'a'", RAISED.format(line=5), 2),
        failed("exception", "ValueError: 0.7 is bad", RAISED.format(line=6), 3),
        failed("not-finite", "ValueError: 0.7 is bad", RAISED.format(line=5), 4),
    ]
    assert causes(failures) == [[0, 1], [2], [3], [4]]
    assert grouped(failures)[0].first.place == "/b/mine.py:5 score"


def test_what_no_error_ended_is_grouped_by_message_but_for_numbers() -> None:
    failures = [
        failed("time-out", "the evaluation took more than 3 s", HUNG.format(line=5), 3),
        failed("worker-died", "the worker ended with exit code 3", candidate=1),
        failed("time-out", "the evaluation took more than 4.5 s", HUNG.format(line=9), 2),
        failed("worker-died", "the worker was ended by SIGABRT", candidate=4),
    ]
    assert causes(failures) == [[2, 3], [1], [4]]


def test_the_commonest_comes_first_and_a_candidate_is_named_once() -> None:
    died = failed("worker-died", "the worker ended", candidate=7, again=True)
    last = failed("worker-died", f"the worker ended; {NEVER_AGAIN}", candidate=7)
    groups = grouped([failed("plugin", "no"), died, last])
    assert [len(group.failures) for group in groups] == [2, 1]
    assert groups[0].candidates == (7,)


def test_one_with_a_traceback_stands_for_its_group() -> None:
    without, with_it = failed("time-out", "late"), failed("time-out", "late", HUNG.format(line=1))
    assert grouped([without, with_it])[0].first is with_it
    assert grouped([without])[0].first is without


def test_an_empty_message_is_a_reason_too() -> None:
    assert failed("exception", "").reason == ""
    assert failed("exception", "one\ntwo").reason == "one"
