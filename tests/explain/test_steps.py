"""What steps are called."""

import pytest

from gradlab.explain.steps import Step


@pytest.mark.parametrize(
    ("variable", "code", "operation", "title"),
    [
        ("b", "a ** 2", "x^k", "b = a ** 2"),
        ("b", "", "x^k", "b = x^k"),
        ("", "a ** 2", "x^k", "a ** 2"),
        ("", "", "", "unknown operation FooBackward0"),
    ],
)
def test_titles_take_the_best_that_is_known(variable, code, operation, title):
    step = Step(number=1, node="FooBackward0", variable=variable, code=code, line=None, operation=operation, outputs=(),
                arriving=(), flows=(), notes=())  # fmt: skip
    assert step.title == title
