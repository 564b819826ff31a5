"""What every statistic asks of its numbers before it says anything about them."""

import math
from collections.abc import Iterable

from gradlab.errors import UsageError


def finite_values(values: Iterable[float], *, what: str = "value") -> tuple[float, ...]:
    """Returns the values as floats, once each is known to be finite and there is at least one.

    Raises:
        UsageError: there is no value, or one is infinite or not a number.
    """
    numbers = tuple(float(value) for value in values)
    if not numbers:
        raise UsageError(f"no {what}: a statistic needs at least one")
    for position, number in enumerate(numbers):
        if not math.isfinite(number):
            raise UsageError(f"{what} at position {position} is {number}: a statistic needs finite numbers")
    return numbers


def require_confidence(confidence: float) -> None:
    """Raises the error for a confidence that is not a share.

    Raises:
        UsageError: `confidence` is not in (0, 1).
    """
    if not 0 < confidence < 1:
        raise UsageError(f"confidence is a share in (0, 1), such as 0.95: got {confidence}")
