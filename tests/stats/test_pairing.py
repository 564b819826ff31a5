import math
from dataclasses import replace

import numpy
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import UsageError
from gradlab.stats import compare, compare_all

# Accuracies of 10,000 test images: ties are frequent, which is the hard case for floating-point counting.
accuracies = st.integers(0, 10_000).map(lambda correct: correct / 10_000)
paired = st.lists(st.tuples(accuracies, accuracies), min_size=1, max_size=9)
steady = settings(deadline=None, derandomize=True, max_examples=60)


def our_p(treatment, baseline):
    return compare(treatment, baseline).p_value


def half_of_it(treatment, baseline):
    return our_p(treatment, baseline) / 2


def unpaired(treatment, baseline):
    return scipy.stats.ttest_ind(treatment, baseline).pvalue


def check_false_alarms(p_value) -> None:
    """Both arms share their seeds' luck and differ by noise alone; 5 % of the p-values may be at most 0.05."""
    source = numpy.random.default_rng(11)
    luck = source.normal(0.9, 0.02, (2000, 1, 10))
    arms = luck + source.normal(0.0, 0.01, (2000, 2, 10))
    rate = numpy.mean([p_value(first, second) <= 0.05 for first, second in arms])
    assert abs(rate - 0.05) <= 0.01


def test_false_alarms_are_as_rare_as_promised():
    check_false_alarms(our_p)


@pytest.mark.parametrize("wrong", [half_of_it, unpaired])
def test_wrong_tests_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_false_alarms(wrong)


@pytest.mark.parametrize("n", [2, 3, 6, 10])
def test_equals_scipy(n):
    first, second = numpy.random.default_rng(n).normal(0.9, 0.02, (2, n))
    found = compare(first, second)
    expected = scipy.stats.permutation_test(
        (first, second),
        lambda a, b, axis: numpy.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=numpy.inf,
        vectorized=True,
    )
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    interval = scipy.stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-11)


@steady
@given(paired)
def test_swapping_the_arms_turns_the_result(pairs):
    first, second = zip(*pairs, strict=True)
    there, back = compare(first, second), compare(second, first)
    assert there.mean_difference == -back.mean_difference
    assert there.p_value == back.p_value
    assert (there.wins, there.ties, there.losses) == (back.losses, back.ties, back.wins)
    if there.n > 1:
        assert (there.low, there.high) == (-back.high, -back.low)


@steady
@given(paired, st.integers(-20_000, 20_000))
def test_a_shift_of_both_arms_changes_nothing(pairs, shift):
    first, second = zip(*pairs, strict=True)
    moved = compare([value + shift / 10_000 for value in first], [value + shift / 10_000 for value in second])
    found = compare(first, second)
    assert (found.p_value, found.wins, found.ties) == (moved.p_value, moved.wins, moved.ties)
    assert found.mean_difference == pytest.approx(moved.mean_difference, abs=1e-15 * 10)


@steady
@given(paired, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(pairs, random):
    shuffled = pairs[:]
    random.shuffle(shuffled)
    found, other = (compare(*zip(*some, strict=True)) for some in (pairs, shuffled))
    assert (found.p_value, found.mean_difference, found.low) == (other.p_value, other.mean_difference, other.low)


@steady
@given(paired)
def test_no_p_value_beats_the_smallest(pairs):
    found = compare(*zip(*pairs, strict=True))
    assert found.smallest_p <= found.p_value <= 1
    assert found.wins + found.ties + found.losses == found.n


def test_mappings_meet_on_their_common_seeds():
    found = compare({3: 0.5, 1: 0.7, 8: 0.9}, {1: 0.6, 3: 0.6, 5: 0.1})
    assert (found.n, found.seeds, found.left_out) == (2, (1, 3), (5, 8))
    assert (found.wins, found.ties, found.losses) == (1, 0, 1)
    assert found.mean_difference == pytest.approx(0.0, abs=1e-16)
    assert found.p_value == 1


@pytest.mark.parametrize(("share", "low", "high"), [(True, -1.0, 1.0), (False, -5.32, 6.12)])
def test_differences_of_shares_end_at_minus_1_and_1(share, low, high):
    arms = {"base": [0.1, 0.6], "other": [0.95, 0.55]}  # half width 12.706 * 0.9 / 2 around 0.4
    (found,) = compare_all(arms, baseline="base", share=share)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))
    assert found == replace(compare_all(arms, baseline="base")[0], low=found.low, high=found.high)


def test_equal_arms_have_p_1():
    for n in (1, 6, 25):
        found = compare([0.3] * n, [0.3] * n)
        assert (found.p_value, found.ties, found.significant) == (1.0, n, False)


def test_losses_are_won_by_the_smaller():
    found = compare([0.1, 0.2, 0.9], [0.3, 0.4, 0.5], larger_is_better=False)
    assert (found.wins, found.losses) == (2, 1)


def test_many_seeds_draw_their_flips():
    first, second = numpy.random.default_rng(12).normal(0.0, 1.0, (2, 30))
    found = compare(first + 2, second, generator=numpy.random.default_rng(13), resamples=999)
    assert found.p_value == pytest.approx(1 / 1000)
    assert found.smallest_p == 2.0**-29


def test_a_family_is_adjusted_together():
    base = {seed: 0.5 + 0.01 * seed for seed in range(7)}
    better = {seed: value + 0.1 for seed, value in base.items()}
    mixed = {seed: value + 0.1 * (-1) ** seed for seed, value in base.items()}
    found = compare_all({"better": better, "base": base, "mixed": mixed}, baseline="base")
    assert [comparison.names for comparison in found] == [("better", "base"), ("mixed", "base")]
    assert found[0].p_adjusted == 2 * found[0].p_value == found[0].smallest_p_adjusted
    assert found[1].p_adjusted == found[1].p_value
    assert [comparison.significant for comparison in found] == [True, False]


def test_adjustment_can_take_significance_away():
    base = [0.0] * 6
    one = [1.0] * 6
    assert compare(one, base).significant
    found = compare_all({"base": base, "one": one, "two": one}, baseline="base")
    assert not any(comparison.significant for comparison in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare([1.0, 2.0, 3.0], [1.0, 2.0]), "a has 3 values and b has 2: seed 2 and later have no partner"),
        (lambda: compare({0: 1.0, 2: 1.0}, {1: 1.0}), "no seed in common: a has seeds 0, 2, b has seeds 1"),
        (lambda: compare({0: 1.0}, {}), "b has no seeds"),
        (lambda: compare({0: 1.0}, [1.0]), "only one of them says which seed is which"),
        (lambda: compare({0: 1.0, 4: math.nan}, {0: 1.0}), "a has no finite value for seeds 4"),
        (lambda: compare([1.0], [math.inf], names=("CNN", "MLP")), "value of MLP at position 0 is inf"),
        (lambda: compare([], []), "no value of a: a statistic needs at least one"),
        (lambda: compare([1.0], [1.0], confidence=1.0), r"share in \(0, 1\)"),
        (lambda: compare_all({"mlp": [1.0]}, baseline="mlb"), "unknown baseline arm 'mlb': did you mean 'mlp'"),
    ],
)
def test_what_cannot_be_paired_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
