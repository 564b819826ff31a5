import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.errors import UsageError
from gradlab.stats.checks import finite_values, require_confidence


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53), min_size=1))
def test_finite_values_pass_as_floats_in_their_order(values):
    found = finite_values(values)
    assert found == tuple(values)
    assert all(type(value) is float for value in found)


def test_values_may_come_from_an_iterator():
    assert finite_values(value / 2 for value in (1, 2)) == (0.5, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_value_that_is_not_finite_is_named(bad):
    with pytest.raises(UsageError, match=re.escape(f"test_accuracy of 'a' at position 1 is {bad}")):
        finite_values([0.5, bad, math.nan], what="test_accuracy of 'a'")


def test_no_value_is_refused():
    with pytest.raises(UsageError, match="no difference: a statistic needs at least one"):
        finite_values([], what="difference")


@pytest.mark.parametrize("confidence", [0.95, 0.5, 1e-9, 1 - 1e-9])
def test_shares_are_confidences(confidence):
    require_confidence(confidence)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.1, math.nan, math.inf])
def test_other_numbers_are_no_confidences(confidence):
    with pytest.raises(UsageError, match=re.escape(f"confidence is a share in (0, 1), such as 0.95: got {confidence}")):
        require_confidence(confidence)
