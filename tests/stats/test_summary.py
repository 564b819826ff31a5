import math

import numpy
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import UsageError
from gradlab.stats import bca_interval, student_t_quantile, summarise

numbers = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=12)


def with_ddof_0(values):
    half = student_t_quantile(0.975, len(values) - 1) * numpy.std(values) / math.sqrt(len(values))
    return numpy.mean(values) - half, numpy.mean(values) + half


def with_normal_quantile(values):
    half = 1.959963984540054 * numpy.std(values, ddof=1) / math.sqrt(len(values))
    return numpy.mean(values) - half, numpy.mean(values) + half


def ours(values):
    summary = summarise(values)
    return summary.low, summary.high


def check_equals_scipy(interval) -> None:
    source = numpy.random.default_rng(1)
    for n in (2, 3, 5, 10, 100):
        values = source.normal(0.98, 0.01, size=n)
        expected = scipy.stats.t.interval(0.95, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
        assert interval(values) == pytest.approx(expected, rel=1e-12)


def check_coverage(interval) -> None:
    samples = numpy.random.default_rng(2).normal(3.0, 2.0, size=(2000, 3))
    held = sum(low <= 3.0 <= high for low, high in map(interval, samples))
    assert abs(held / 2000 - 0.95) <= 0.015


@pytest.mark.parametrize("check", [check_equals_scipy, check_coverage])
def test_t_interval(check):
    check(ours)


@pytest.mark.parametrize("check", [check_equals_scipy, check_coverage])
@pytest.mark.parametrize("wrong", [with_ddof_0, with_normal_quantile])
def test_wrong_intervals_are_told_apart(check, wrong):
    with pytest.raises(AssertionError):
        check(wrong)


def test_fields_of_a_worked_example():
    summary = summarise([1.0, 2.0, 3.0, 4.0])
    assert (summary.n, summary.mean, summary.values) == (4, 2.5, (1.0, 2.0, 3.0, 4.0))
    assert summary.std == pytest.approx(math.sqrt(5 / 3), rel=1e-15)
    assert summary.as_json() == {
        "values": [1.0, 2.0, 3.0, 4.0],
        "n": 4,
        "mean": 2.5,
        "std": summary.std,
        "ci95": [summary.low, summary.high],
    }


def test_another_confidence_is_not_called_ci95():
    assert "ci99" in summarise([1.0, 2.0], confidence=0.99).as_json()


def test_one_value_has_no_spread():
    summary = summarise([0.5])
    assert (summary.mean, summary.std, summary.low, summary.high) == (0.5, None, None, None)
    assert summary.as_json()["ci95"] is None


@pytest.mark.parametrize("method", ["t", "bca"])
def test_equal_values_have_a_point(method):
    summary = summarise([0.1] * 3, method=method, generator=numpy.random.default_rng(0))
    assert (summary.mean, summary.std, summary.low, summary.high) == (0.1, 0.0, 0.1, 0.1)


def test_bca_is_the_bootstrap_of_the_mean():
    values = [0.1, 0.4, 0.5, 0.9]
    summary = summarise(values, method="bca", generator=numpy.random.default_rng(3), resamples=999)
    assert (summary.low, summary.high) == bca_interval(values, generator=numpy.random.default_rng(3), resamples=999)
    assert summary.method == "bca"


@settings(deadline=None, derandomize=True)
@given(numbers, st.randoms(use_true_random=False))
def test_order_does_not_matter(values, random):
    shuffled = values[:]
    random.shuffle(shuffled)
    first, second = summarise(values), summarise(shuffled)
    assert (first.mean, first.std, first.low, first.high) == (second.mean, second.std, second.low, second.high)


@settings(deadline=None, derandomize=True)
@given(numbers)
def test_higher_confidence_is_wider_and_holds_the_mean(values):
    narrow, wide = summarise(values, confidence=0.9), summarise(values, confidence=0.99)
    assert wide.low <= narrow.low <= narrow.mean <= narrow.high <= wide.high


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, "no value: a statistic needs at least one"),
        ([1.0, math.nan], {}, "value at position 1 is nan"),
        ([math.inf], {}, "value at position 0 is inf"),
        ([1.0], {"confidence": 95}, r"share in \(0, 1\), such as 0.95: got 95"),
        ([1.0], {"method": "z"}, "unknown interval method 'z': known: t, bca"),
        ([1.0], {"method": "bca"}, "give it a numpy.random.Generator"),
    ],
)
def test_bad_input_is_refused(values, options, message):
    with pytest.raises(UsageError, match=message):
        summarise(values, **options)


def test_the_interval_of_a_share_ends_at_0_and_1():
    free, cut = (summarise([0.99, 1.0, 0.97], share=share) for share in (False, True))
    assert free.high is not None
    assert free.high > 1
    assert (cut.low, cut.high) == (free.low, 1.0)
    low = summarise([0.0, 0.01], share=True)
    assert low.low == 0.0
    assert low.high == summarise([0.0, 0.01]).high


def test_no_other_interval_is_cut():
    assert summarise([0.4, 0.5, 0.6], share=True) == summarise([0.4, 0.5, 0.6])
    assert summarise([1.0, 3.0]).low == pytest.approx(-10.706, abs=1e-3)
    assert summarise([0.5], share=True).low is None
