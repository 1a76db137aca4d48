"""Errors: one tree, a message with a hint, the closest known name, values that fit in a line."""

import pytest

from spikefront import errors
from spikefront.errors import DataError, InputError, SpikefrontError, StorageError, StudyFileError, did_you_mean, shown


def test_all_errors_are_of_one_tree():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(cls, SpikefrontError) for cls in classes if issubclass(cls, Exception))
    assert all(issubclass(cls, InputError) for cls in (StudyFileError, DataError, StorageError))


def test_an_error_says_what_is_wrong_and_what_to_do():
    error = SpikefrontError("a.b = 1: is wrong", "Use 2.")
    assert (error.message, error.hint, str(error)) == ("a.b = 1: is wrong", "Use 2.", "a.b = 1: is wrong\nUse 2.")
    assert str(SpikefrontError("alone")) == "alone"


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("tua", ["tau", "reset"], "Did you mean 'tau'? Allowed: reset, tau."),
        ("xyz", ["tau", "reset", "tau"], "Allowed: reset, tau."),
        ("tau", [], "Allowed: nothing here."),
        ("x" * 1_000_000, ["tau"], "Allowed: tau."),
    ],
)
def test_the_closest_name(name, known, hint):
    assert did_you_mean(name, known) == hint


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), ("a\nb", r"'a\nb'"), ("x" * 100, "'" + "x" * 79 + "..."), ([1, 2], "[1, 2]")]
)
def test_values_fit_in_a_line(value, text):
    assert shown(value) == text
