import math

import pytest

from gradlab.report.wording import (
    duration,
    interval_text,
    is_share,
    larger_is_better,
    metric_label,
    metric_title,
    number,
    seed_list,
    value_text,
)


@pytest.mark.parametrize(
    ("metric", "larger"),
    [
        ("test_accuracy", True),
        ("test_elbo", True),
        ("test_importance_weighted_elbo", True),
        ("test_kl", None),
        ("test_log_likelihood", True),
        ("test_negative_log_likelihood", False),
        ("test_loss", False),
        ("test_error_rate", False),
        ("test_error", False),
        ("test_wiggle", None),
        ("test_glossiness", None),
    ],
)
def test_the_better_side_follows_from_the_name(metric, larger):
    assert larger_is_better(metric) is larger


def test_shares_are_known_by_name():
    assert is_share("test_accuracy")
    assert not is_share("test_loss")


@pytest.mark.parametrize(
    ("metric", "label", "title"),
    [
        ("test_accuracy", "test accuracy", "Test accuracy"),
        ("test_elbo", "test ELBO", "Test ELBO"),
        ("test_kl", "test KL divergence", "Test KL divergence"),
        ("log_px", "log p(x|z)", "Log p(x|z)"),
        ("test_elbow_klaxon", "test elbow klaxon", "Test elbow klaxon"),
    ],
)
def test_metrics_are_called_by_their_names(metric, label, title):
    assert metric_label(metric) == label
    assert metric_title(metric) == title


def test_numbers_and_intervals():
    assert number(0.98765, percent=True) == "98.77 %"
    assert number(-1234.0) == "−1,234"
    assert number(math.nan) == "not finite"
    assert interval_text(0.98, 0.955159, 1.004841, percent=True) == "98.0 % [95.5, 100.5]"
    assert interval_text(0.5, None, None) == "0.5"
    assert interval_text(0.5, 0.5, 0.5, percent=True) == "50.00 % on every seed"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 s"), (9.96, "10.0 s"), (42.4, "42 s"), (200.4, "3 min 20 s"), (7260, "2 h 1 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_seeds_and_values_are_told_in_words():
    assert seed_list([2, 0, 1]) == "0 to 2"
    assert seed_list([0, 3]) == "0, 3"
    assert value_text({"a": None, "b": [1, True, 0.10000000001], "c": {}}) == "b 1, yes, 0.1, c none"
