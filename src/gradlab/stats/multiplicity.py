"""Several tests at once."""

from collections.abc import Sequence

from gradlab.errors import UsageError


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values adjusted for having made all these tests, in the order given, each in [0, 1].

    Rejecting where the adjusted value is at most alpha keeps the chance of any false rejection at most alpha, however
    the tests depend on each other.

    Raises:
        UsageError: a p-value is not in [0, 1].

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise UsageError(f"p-values lie in [0, 1]: got {list(p_values)}")
    order = sorted(range(len(p_values)), key=lambda position: p_values[position])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = largest
    return adjusted
