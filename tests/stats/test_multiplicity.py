import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import UsageError
from gradlab.stats import holm


def bonferroni(p_values):
    return [min(1.0, len(p_values) * p) for p in p_values]


def without_running_maximum(p_values):
    order = sorted(p_values)
    return [min(1.0, (len(order) - order.index(p)) * p) for p in p_values]


def check_worked_example(adjust) -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, and the last may not fall below 0.06.
    assert adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_worked_example():
    check_worked_example(holm)


@pytest.mark.parametrize("wrong", [bonferroni, without_running_maximum])
def test_wrong_adjustments_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_worked_example(wrong)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), max_size=8))
def test_lies_between_the_p_value_and_bonferroni_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= b for p, a, b in zip(p_values, adjusted, bonferroni(p_values), strict=True))
    by_p = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_one_test_is_left_alone():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(UsageError, match=r"p-values lie in \[0, 1\]"):
        holm([0.5, p])
