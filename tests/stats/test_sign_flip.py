import itertools
from fractions import Fraction

import numpy
import pytest
import scipy.stats

from gradlab.stats import sign_flip
from gradlab.stats.sign_flip import pairs_needed, sign_flip_p_value, smallest_p_value


def scipys(differences):
    return scipy.stats.permutation_test(
        (differences, numpy.zeros_like(differences)),
        lambda first, second, axis: numpy.mean(first - second, axis=axis),
        permutation_type="samples",
        n_resamples=numpy.inf,
        vectorized=True,
    ).pvalue


def one_sided(differences, **options):
    signs = numpy.array(list(itertools.product((1, -1), repeat=len(differences))))
    return float(numpy.mean(signs @ differences >= numpy.sum(differences) * (1 - 1e-13)))


def hits_over_draws(differences, *, generator, resamples=9999):
    signs = generator.choice([-1, 1], (resamples, len(differences)))
    return float(numpy.mean(numpy.abs(signs @ differences) >= abs(numpy.sum(differences)) * (1 - 1e-13)))


def check_equals_scipy(p_value) -> None:
    source = numpy.random.default_rng(4)
    for n in range(2, 11):
        for differences in (source.normal(0.3, 1.0, n), source.integers(-3, 4, n).astype(float)):
            assert p_value(differences) == pytest.approx(scipys(differences), rel=1e-12)


def check_never_zero(p_value) -> None:
    p = p_value(numpy.full(40, 0.5), generator=numpy.random.default_rng(0), resamples=999)
    assert p == pytest.approx(1 / 1000)


def test_equals_scipys_two_sided_exact_test():
    check_equals_scipy(sign_flip_p_value)


def test_a_one_sided_p_is_told_apart():
    with pytest.raises(AssertionError):
        check_equals_scipy(one_sided)


def test_an_estimate_counts_the_observed_flip():
    check_never_zero(sign_flip_p_value)


def test_hits_over_draws_is_told_apart():
    with pytest.raises(AssertionError):
        check_never_zero(hits_over_draws)


def test_ties_between_accuracies_survive_rounding():
    """Fractions of 10,000 images tie exactly; their floating differences do not, and must be counted as ties."""
    source = numpy.random.default_rng(7)
    misled = 0
    for _ in range(40):
        first, second = source.integers(9800, 9830, (2, 7))
        exact = [Fraction(int(a) - int(b), 10_000) for a, b in zip(first, second, strict=True)]
        sums = [
            abs(sum(s * d for s, d in zip(flip, exact, strict=True))) for flip in itertools.product((1, -1), repeat=7)
        ]
        expected = sum(value >= sums[0] for value in sums) / len(sums)
        rounded = first / 10_000 - second / 10_000
        assert sign_flip_p_value(rounded, tolerance=16 * 2.3e-16) == expected
        misled += sign_flip_p_value(rounded) != expected
    assert misled > 0, "without the tolerance some p-value must come out wrong, or this test shows nothing"


def test_estimate_is_near_the_exact_value(monkeypatch):
    differences = numpy.random.default_rng(8).normal(0.4, 1.0, 14)
    exact = sign_flip_p_value(differences)
    monkeypatch.setattr(sign_flip, "MOST_EXACT", 8)
    estimate = sign_flip_p_value(differences, generator=numpy.random.default_rng(9), resamples=20_000)
    assert estimate != exact
    assert abs(estimate - exact) < 4 * (exact * (1 - exact) / 20_000) ** 0.5


def test_the_estimate_repeats_without_a_generator():
    differences = numpy.random.default_rng(10).normal(0.2, 1.0, 25)
    assert sign_flip_p_value(differences) == sign_flip_p_value(differences)


def test_twenty_pairs_are_counted_in_full():
    assert sign_flip_p_value(numpy.ones(20)) == 2.0**-19


def test_of_twenty_one_pairs_flips_are_drawn():
    assert sign_flip_p_value(numpy.ones(21), resamples=99) == 1 / 100 > 2.0**-20


def test_no_difference_is_no_evidence():
    assert sign_flip_p_value([0.0, 0.0, 0.0]) == 1
    assert sign_flip_p_value([0.0] * 30) == 1


def test_smallest_p_is_reached_by_equal_differences():
    for n in (1, 2, 5, 6, 12):
        assert sign_flip_p_value([1.0] * n) == smallest_p_value(n) == 2 / 2**n


def test_six_pairs_are_needed_for_five_percent():
    assert pairs_needed(0.05) == 6
    assert pairs_needed(0.01) == 8
    assert pairs_needed(0.0625) == 5
    assert pairs_needed(1.0) == 1
