"""Student's t distribution and the incomplete beta function it rests on, in double precision."""

import math
from collections.abc import Callable
from functools import lru_cache

_CONVERGED = 1e-16
_MOST_TERMS = 100_000
_MOST_NEWTON_STEPS = 200
_SMALLEST_TAIL = 1e-100


def regularised_incomplete_beta(a: float, b: float, x: float) -> float:
    """Returns I_x(a, b), the distribution function of a Beta(a, b) variable at `x`, in [0, 1].

    Args:
        a: first shape, above 0.
        b: second shape, above 0.
        x: where to evaluate, in [0, 1].

    Raises:
        ValueError: an argument lies outside its range.

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction) and 8.17.4 (symmetry).
    """
    if not (0 < a < math.inf and 0 < b < math.inf):
        raise ValueError(f"the shapes of a beta distribution are finite and above 0: got a = {a}, b = {b}")
    if not 0 <= x <= 1:
        raise ValueError(f"the incomplete beta function takes x in [0, 1]: got {x}")
    return math.exp(_log_incomplete_beta(a, b, x, 1 - x))


def student_t_cdf(t: float, df: float) -> float:
    """Returns P(T <= t) for Student's t with `df` degrees of freedom, in [0, 1].

    Args:
        t: any number, infinities included.
        df: degrees of freedom, at least 1.

    Raises:
        ValueError: `t` is not a number, or `df` is below 1 or infinite.

    Source: NIST Digital Library of Mathematical Functions, 8.17; Abramowitz and Stegun, 26.7.1.
    """
    _require_degrees_of_freedom(df)
    if math.isnan(t):
        raise ValueError("Student's t needs a number: got nan")
    tail = math.exp(_log_tail(abs(t), df))
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=4096)
def student_t_quantile(p: float, df: float) -> float:
    """Returns the t with P(T <= t) = p for Student's t with `df` degrees of freedom.

    Args:
        p: probability, above 1e-100 and below 1.
        df: degrees of freedom, at least 1.

    Raises:
        ValueError: `p` or `df` lies outside its range.

    Source: Newton's method on the logarithm of the area against the logarithm of t. Both areas used here are concave
    in log t, so that Newton's steps from the bounds below approach the root from one side and cannot overshoot.
    """
    _require_degrees_of_freedom(df)
    if not _SMALLEST_TAIL < p < 1:
        raise ValueError(f"Student's t quantile takes p in (1e-100, 1): got {p}")
    if p == 0.5:
        return 0.0
    # For p >= 0.5 the subtraction is exact, so no digit of a tail near 1 is lost.
    tail = min(p, 1 - p)
    size = _size_from_centre(0.5 - tail, df) if tail > 0.25 else _size_from_tail(tail, df)
    return math.copysign(size, p - 0.5)


def _require_degrees_of_freedom(df: float) -> None:
    if not 1 <= df < math.inf:
        raise ValueError(f"Student's t takes finite degrees of freedom of at least 1: got {df}")


def _shares(t: float, df: float) -> tuple[float, float]:
    """Returns df / (df + t^2) and t^2 / (df + t^2), each to full relative precision and without overflow."""
    ratio = t / math.sqrt(df)
    if ratio <= 1:
        return 1 / (1 + ratio * ratio), ratio * ratio / (1 + ratio * ratio)
    inverse = 1 / ratio
    return inverse * inverse / (1 + inverse * inverse), 1 / (1 + inverse * inverse)


def _log_tail(t: float, df: float) -> float:
    """Returns log P(T > t) for t >= 0."""
    x, y = _shares(t, df)
    return math.log(0.5) + _log_incomplete_beta(df / 2, 0.5, x, y)


def _log_centre(t: float, df: float) -> float:
    """Returns log P(0 < T < t) for t > 0."""
    x, y = _shares(t, df)
    return math.log(0.5) + _log_incomplete_beta(0.5, df / 2, y, x)


def _log_density_at_zero(df: float) -> float:
    return math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)


def _size_from_tail(tail: float, df: float) -> float:
    """Returns the t > 0 whose upper tail is `tail`, from the upper bound that the power-law tail gives."""
    log_tail = math.log(tail)
    log_t = (_log_density_at_zero(df) + (df - 1) / 2 * math.log(df) - log_tail) / df
    return _newton(log_t, log_tail, df, area=_log_tail, direction=-1)


def _size_from_centre(centre: float, df: float) -> float:
    """Returns the t > 0 with P(0 < T < t) = `centre`, from the lower bound that the density's peak gives."""
    log_centre = math.log(centre)
    return _newton(log_centre - _log_density_at_zero(df), log_centre, df, area=_log_centre, direction=1)


def _newton(
    log_t: float, log_target: float, df: float, *, area: Callable[[float, float], float], direction: int
) -> float:
    for _ in range(_MOST_NEWTON_STEPS):
        t = math.exp(log_t)
        log_area = area(t, df)
        # t times the density is exactly the prefactor of the incomplete beta function.
        log_slope = _log_prefactor(df / 2, 0.5, *_shares(t, df)) - log_area
        step = direction * (log_target - log_area) * math.exp(-log_slope)
        log_t += step
        if abs(step) < 1e-9:  # the step after this one would be of the order of its square
            break
    return math.exp(log_t)


def _log_incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """Returns log I_x(a, b) given both x and y = 1 - x, so that neither is lost to rounding."""
    if x == 0:
        return -math.inf
    if y == 0:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return math.log1p(-math.exp(_log_prefactor(b, a, y, x) + math.log(_continued_fraction(b, a, y) / b)))
    return _log_prefactor(a, b, x, y) + math.log(_continued_fraction(a, b, x) / a)


def _log_prefactor(a: float, b: float, x: float, y: float) -> float:
    """Returns log(x^a y^b / B(a, b)).

    Differences of log-gammas lose three digits once a shape reaches a few hundred. Stirling's leading terms cancel on
    paper instead, and log1p keeps what is left near x = a / (a + b).
    """
    excess = x * b - y * a
    log_powers = a * _log_ratio(excess / a, x * ((a + b) / a)) + b * _log_ratio(-excess / b, y * ((a + b) / b))
    log_scale = 0.5 * (math.log(a) + math.log(b / (a + b)) - math.log(2 * math.pi))
    return log_powers + log_scale + _stirling_rest(a + b) - _stirling_rest(a) - _stirling_rest(b)


def _log_ratio(ratio_less_one: float, ratio: float) -> float:
    return math.log1p(ratio_less_one) if abs(ratio_less_one) < 0.5 else math.log(ratio)


def _stirling_rest(z: float) -> float:
    """Returns log Gamma(z) less Stirling's (z - 1/2) log z - z + log(2 pi) / 2 (DLMF 5.11.1)."""
    if z < 10:
        return math.lgamma(z) - (z - 0.5) * math.log(z) + z - 0.5 * math.log(2 * math.pi)
    coefficients = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
    inverse_square = 1 / (z * z)
    rest = 0.0
    for coefficient in reversed(coefficients):
        rest = rest * inverse_square + coefficient
    return rest / z


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Returns the continued fraction of DLMF 8.17.22 by the modified Lentz method; x at most (a + 1) / (a + b + 2)."""
    numerator, denominator = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = denominator
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            denominator = 1 / (1 + term * denominator)
            numerator = 1 + term / numerator
            change = numerator * denominator
            fraction *= change
        if abs(change - 1) <= _CONVERGED:
            break
    return fraction
