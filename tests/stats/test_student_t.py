import math

import mpmath
import numpy
import pytest
import scipy.special
import scipy.stats

from gradlab.stats import regularised_incomplete_beta, student_t_cdf, student_t_quantile

DEGREES = [1, 1.5, 2, 3, 4, 5, 7, 10, 19, 20, 21, 30, 50, 100, 200, 333.3, 500, 999, 1000]
TAILS = [float(tail) for tail in numpy.geomspace(1.001e-10, 0.49, 60)]


def exact_cdf(t: float, df: float) -> mpmath.mpf:
    with mpmath.workdps(40):
        t, df = mpmath.mpf(t), mpmath.mpf(df)
        half, share = mpmath.mpf(1) / 2, df / (df + t * t)
        if abs(t) > 1:
            tail = mpmath.betainc(df / 2, half, 0, share, regularized=True) / 2
            return tail if t < 0 else 1 - tail
        centre = mpmath.betainc(half, df / 2, 0, t * t / (df + t * t), regularized=True) / 2
        return half + mpmath.sign(t) * centre


def exact_quantile_error(t: float, p: float, df: float) -> float:
    """The relative distance of t from the exact quantile, by one Newton step in 40 digits."""
    with mpmath.workdps(40):
        df = mpmath.mpf(df)
        peak = mpmath.gamma((df + 1) / 2) / mpmath.gamma(df / 2) / mpmath.sqrt(df * mpmath.pi)
        density = peak * (1 + mpmath.mpf(t) ** 2 / df) ** (-(df + 1) / 2)
        return abs(float((exact_cdf(t, df) - mpmath.mpf(p)) / density / t))


def check_quantile(quantile) -> None:
    for df in DEGREES:
        for tail in TAILS:
            for p in (tail, 1 - tail):
                assert quantile(p, df) == pytest.approx(scipy.stats.t.ppf(p, df), rel=1e-12, abs=0), (p, df)


def test_quantile_equals_scipy():
    check_quantile(student_t_quantile)


def test_the_normal_quantile_is_told_apart():
    with pytest.raises(AssertionError):
        check_quantile(lambda p, df: scipy.stats.norm.ppf(p))


# Near p = 0.5 scipy's own quantile loses digits (all of them for df = 4), so forty digits decide there.
@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 30, 1000])
def test_quantile_is_exact_near_the_centre_and_in_the_tails(df):
    for distance in (1e-10, 1e-7, 1e-4, 1e-2, 0.2, 0.2501, 0.4, 0.4999, 0.5 - 1e-9):
        for p in (0.5 - distance, 0.5 + distance):
            assert exact_quantile_error(student_t_quantile(p, df), p, df) < 1e-13


@pytest.mark.parametrize("df", DEGREES)
def test_cdf_equals_scipys_incomplete_beta(df):
    for t in (float(t) for t in numpy.geomspace(1e-3, 1e3, 60)):
        # Near t = 0 the share df / (df + t^2) rounds to 1 and takes the oracle's digits along; its complement does not.
        centre = scipy.special.betainc(0.5, df / 2, t * t / (df + t * t)) / 2
        tail = 0.5 - centre if t < 0.5 else scipy.special.betainc(df / 2, 0.5, df / (df + t * t)) / 2
        if tail > 1e-290:
            assert student_t_cdf(-t, df) == pytest.approx(tail, rel=1e-12, abs=0)
        assert student_t_cdf(t, df) == pytest.approx(1 - tail, rel=1e-12, abs=0)


@pytest.mark.parametrize("df", [1, 4, 1000])
def test_cdf_is_exact(df):
    for t in (-8.0, -1.0, -1e-3, -1e-8, 1e-8, 1e-3, 1.0, 8.0):
        exact = exact_cdf(t, df)
        assert abs(float((mpmath.mpf(student_t_cdf(t, df)) - exact) / exact)) < 1e-13


def test_cdf_ends():
    assert student_t_cdf(0.0, 3) == pytest.approx(0.5, rel=1e-15)
    assert student_t_cdf(math.inf, 3) == 1
    assert student_t_cdf(-math.inf, 3) == 0
    assert student_t_cdf(1e200, 1) == 1


def test_closed_forms():
    for p in (1e-12, 1e-3, 0.2, 0.4, 0.7):
        assert student_t_quantile(p, 1) == pytest.approx(-1 / math.tan(math.pi * p), rel=1e-13)
        assert student_t_quantile(p, 2) == pytest.approx((2 * p - 1) / math.sqrt(2 * p * (1 - p)), rel=1e-13)
    assert student_t_quantile(0.5, 9) == 0


@pytest.mark.parametrize("a", [0.5, 1, 2, 5, 10, 50, 250, 500])
@pytest.mark.parametrize("b", [0.5, 1, 2, 5, 10, 50, 250, 500])
def test_incomplete_beta_equals_scipy(a, b):
    for x in [*numpy.geomspace(1e-8, 0.999, 25), *(1 - numpy.geomspace(1e-8, 0.1, 10))]:
        expected = scipy.special.betainc(a, b, x)
        if expected > 1e-290:
            assert regularised_incomplete_beta(a, b, float(x)) == pytest.approx(expected, rel=1e-12, abs=0)


def test_incomplete_beta_ends():
    assert regularised_incomplete_beta(2, 3, 0) == 0
    assert regularised_incomplete_beta(2, 3, 1) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularised_incomplete_beta(0, 1, 0.5), "finite and above 0: got a = 0"),
        (lambda: regularised_incomplete_beta(1, 1, 1.5), r"x in \[0, 1\]: got 1.5"),
        (lambda: student_t_cdf(math.nan, 3), "got nan"),
        (lambda: student_t_cdf(1.0, 0.5), "at least 1: got 0.5"),
        (lambda: student_t_quantile(1.0, 3), r"p in \(1e-100, 1\): got 1.0"),
        (lambda: student_t_quantile(0.9, 0), "at least 1: got 0"),
    ],
)
def test_arguments_out_of_range_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
