"""The handbook's, the cheat-sheet's and the slides' gradients."""

import pytest

from gradlab.explain.examples import EXAMPLES, explain_example
from gradlab.explain.telling import agrees

GRADIENTS = {
    "handbook": {"x": "[1.333, 2, 2.667]"},
    "cheatsheet": {"x": "[[4.5, 4.5], [4.5, 4.5]]"},
    "cheatsheet_sum": {"my_tensor": "[[2, 2, 2], [2, 2, 2]]"},
    "slides": {"w": "[7, 1]", "x": "[5, 3]"},
    "broadcast": {"bias": "[21, 18]"},
    "detach": {"x": "[1, 2]"},
    "second_order": {"x": "[6, 12]"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_gradients_are_the_known_ones_and_all_formulas_hold(name):
    told = explain_example(name, jacobian=True)
    found = {leaf.name: leaf.gradient.numbers for leaf in told.leaves}
    assert name not in GRADIENTS or found == GRADIENTS[name]
    for step in told.steps:
        assert step.operation
        for flow in step.flows:
            assert agrees(flow)
            assert flow.jacobian.product_error < 1e-6
            assert flow.jacobian.difference_error is None or flow.jacobian.difference_error < 1e-6


def test_the_cheat_sheet_s_intermediate_gradient_is_kept():
    told = explain_example("cheatsheet")
    step = next(step for step in told.steps if step.variable == "y")
    assert step.arriving[0].numbers == "[[4.5, 4.5], [4.5, 4.5]]"
    assert any("y.grad keeps g" in note for note in step.notes)


def test_the_cut_is_named():
    assert "frozen was cut off by detach()" in str(explain_example("detach"))


def test_the_logits_receive_softmax_minus_one_hot():
    import math

    told = explain_example("classifier")
    (step,) = [step for step in told.steps if step.variable == "logits"]
    share = 1 / (1 + math.exp(0.6 + 0.95))
    assert step.arriving[0].numbers.startswith(f"[[{-share / 2:.4g}, {share / 2:.4g}]")


def test_code_is_told_as_it_was_written():
    told = explain_example("handbook")
    assert [step.title for step in told.steps] == ["y = mean(c)", "c = b + 3", "b = a ** 2", "a = x + 2"]
