import numpy
import pytest
import scipy.stats

from gradlab.errors import UsageError
from gradlab.stats import bca_interval


def scipys(values, statistic, seed, confidence, resamples):
    return scipy.stats.bootstrap(
        (values,),
        statistic,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=numpy.random.default_rng(seed),
    ).confidence_interval


def percentile_interval(values, statistic=numpy.mean, *, generator, confidence=0.95, resamples=9999):
    values = numpy.asarray(values)
    indices = generator.integers(0, values.size, (resamples, values.size))
    tail = (1 - confidence) / 2
    return tuple(numpy.quantile(statistic(values[indices], axis=-1), [tail, 1 - tail]))


def check_equals_scipy(interval) -> None:
    source = numpy.random.default_rng(5)
    for seed, (n, confidence, statistic) in enumerate(
        [(3, 0.95, numpy.mean), (10, 0.95, numpy.mean), (40, 0.9, numpy.mean), (15, 0.99, numpy.std)]
    ):
        values = source.exponential(size=n)
        ours = interval(values, statistic, generator=numpy.random.default_rng(seed), confidence=confidence)
        assert ours == pytest.approx(tuple(scipys(values, statistic, seed, confidence, 9999)), rel=1e-12)


def test_equals_scipy():
    check_equals_scipy(bca_interval)


def test_the_percentile_interval_is_told_apart():
    with pytest.raises(AssertionError):
        check_equals_scipy(percentile_interval)


def test_equal_values_give_a_point():
    assert bca_interval([0.7] * 5, generator=numpy.random.default_rng(0)) == (0.7, 0.7)


def test_a_jackknife_that_never_moves_has_no_acceleration():
    low, high = bca_interval(
        [1.0, 2.0, 2.0, 2.0, 2.0, 3.0], numpy.median, generator=numpy.random.default_rng(0), confidence=0.99
    )
    assert low < 2 < high


def distinct(sample, axis):
    return 1 + numpy.count_nonzero(numpy.diff(numpy.sort(sample, axis=axis), axis=axis), axis=axis)


def test_a_statistic_that_resampling_only_lowers_has_no_such_interval():
    with pytest.raises(UsageError, match="all 500 resamples lie on one side of the statistic"):
        bca_interval(numpy.arange(30), distinct, generator=numpy.random.default_rng(0), resamples=500)


def test_too_little_is_refused():
    with pytest.raises(UsageError, match="needs 2 values and 1 resample: got 1 and 9999"):
        bca_interval([1.0], generator=numpy.random.default_rng(0))
