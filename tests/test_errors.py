import contextlib
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab import errors
from gradlab.errors import (
    DataUnavailableError,
    DivergedError,
    FileError,
    GradlabError,
    InterruptedRunError,
    UsageError,
    unknown,
)

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GradlabError)]
NAMES = ["mnist", "fashion-mnist", "cifar10", "cifar100", "stl10", "digits"]
UNLIKE = ["mnist", "cifar10", "digits", "lenet", "logistic_regression"]


def test_exit_codes_are_the_documented_ones():
    codes = {GradlabError: 70, UsageError: 2, DataUnavailableError: 69, FileError: 74, DivergedError: 1}
    assert {kind: kind.exit_code for kind in codes} == codes
    assert set(KINDS) == set(codes)


def test_the_exit_code_of_an_interruption_is_the_signal_s():
    assert InterruptedRunError("stopped", exit_code=143).exit_code == 143
    assert InterruptedRunError("stopped", exit_code=130).exit_code == 130


def test_an_interruption_passes_code_that_takes_every_exception_for_its_own():
    """A signal in the middle of an import, of decoding or of tracing is not the failure of what was interrupted."""
    with pytest.raises(InterruptedRunError), contextlib.suppress(Exception):
        raise InterruptedRunError("stopped", exit_code=130)


@pytest.mark.parametrize(
    ("kind", "builtin"), [(UsageError, ValueError), (FileError, OSError), (DivergedError, ArithmeticError)]
)
def test_library_users_can_catch_the_builtin_kind(kind, builtin):
    with pytest.raises(builtin, match=r"^one line$"):
        raise kind("one line")


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_is_the_text(kind):
    assert str(kind("what happened: 3 of 4")) == "what happened: 3 of 4"
    assert isinstance(kind(""), GradlabError)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("minst", "mnist"), ("MNIST", "mnist"), ("fashion_mnist", "fashion-mnist"), ("Cifar-10", "cifar10")],
)
def test_the_nearest_name_is_offered(given, nearest):
    message = str(unknown("dataset", given, NAMES, where="gradlab data list"))
    assert message == f"unknown dataset '{given}': did you mean '{nearest}'? (see gradlab data list)"


def test_without_a_near_name_all_are_listed():
    assert str(unknown("dataset", "imagenet", ["a", "b"])) == "unknown dataset 'imagenet': known: a, b"


def test_names_that_are_equally_near_are_all_offered():
    message = str(unknown("experiment", "practical", ["practical1", "practical2", "vit"]))
    assert message == "unknown experiment 'practical': did you mean 'practical1' or 'practical2'?"


def test_known_names_may_be_an_iterator():
    assert "known: a, b" in str(unknown("model", "zzz", iter(["a", "b"])))


def test_it_is_a_usage_error_that_is_returned_not_raised():
    assert isinstance(unknown("flag", "--sede", ["--seeds"]), UsageError)


@given(name=st.sampled_from(UNLIKE), position=st.integers(0, 30), letter=st.sampled_from("abcxyz_-"))
def test_one_wrong_letter_leads_back_to_the_name(name, position, letter):
    slipped = name[: position % len(name)] + letter + name[position % len(name) + 1 :]
    assert f"did you mean '{name}'?" in str(unknown("name", slipped, UNLIKE))
