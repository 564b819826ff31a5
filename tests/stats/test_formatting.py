import pytest

from gradlab.stats import Summary, format_interval, summarise
from gradlab.stats.formatting import decimals_for


def summary(mean, low, high, *, n=3, confidence=0.95):
    return Summary((mean,) * n, n, mean, None, low, high, confidence, "t")


@pytest.mark.parametrize(
    ("given", "percent", "text"),
    [
        (summary(0.9862, 0.9841, 0.9883), True, "98.62 % [98.41, 98.83] (n = 3)"),
        (summary(0.9862, 0.98, 0.9924), True, "98.6 % [98.0, 99.2] (n = 3)"),
        (summary(0.5, 0.2, 0.8, n=2), True, "50 % [20, 80] (n = 2)"),
        (summary(1.23456, 1.2, 1.28), False, "1.23 [1.20, 1.28] (n = 3)"),
        (summary(0.5, 0.5, 0.5), True, "50.00 % on every seed (n = 3)"),
        (summary(-1e-9, -0.1, 0.1), False, "0.00 [-0.10, 0.10] (n = 3)"),
        (summary(123456.0, 120000.0, 126912.0), False, "123456 [120000, 126912] (n = 3)"),
        (summary(0.9862, 0.9841, 0.9883, confidence=0.99), True, "98.62 % [98.41, 98.83] (n = 3, 99 % interval)"),
        (summarise([0.9862]), True, "98.62 % (n = 1, no interval)"),
        (summarise([0.034567]), False, "0.03457 (n = 1, no interval)"),
        (summarise([0.0]), False, "0.00 (n = 1, no interval)"),
        (summarise([0.05]), True, "5.00 % (n = 1, no interval)"),
        (summarise([1e-15]), False, "0.000000000000 (n = 1, no interval)"),
        (summary(0.0, 0.0, 0.0), False, "0.00 on every seed (n = 3)"),
    ],
)
def test_digits_follow_the_interval(given, percent, text):
    assert format_interval(given, percent=percent) == text


def test_digits_can_be_asked_for():
    assert format_interval(summary(0.98621, 0.98414, 0.98828), percent=True, digits=3).startswith("98.621 % [98.414,")
    assert format_interval(summarise([0.98621]), percent=False, digits=1) == "1.0 (n = 1, no interval)"


# The rule's own examples: 0.827 +- 0.119 keeps two digits, 0.827 +- 0.367 one; 950 to 999 round up to 1000.
@pytest.mark.parametrize(
    ("half_width", "places"),
    [
        (0.119, 2),
        (0.354, 2),
        (0.355, 1),
        (0.367, 1),
        (0.949, 1),
        (0.95, 1),
        (0.99, 1),
        (1.0, 1),
        (4.0, 0),
        (1e-3, 4),
        (1e-11, 12),
        (1e-15, 12),
    ],
)
def test_rounding_rule(half_width, places):
    assert decimals_for(half_width) == places
