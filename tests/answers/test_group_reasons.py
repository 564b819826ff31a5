"""The reasons are told from layers, so that layers that break them are told apart."""

import pytest
import torch

from gradlab.answers import group_reasons
from gradlab.equivariance import CyclicGroup, GroupConvolution, LiftingConvolution, interpolated

ACCURACY = {"test_accuracy": [0.5, 0.5]}


@pytest.fixture
def run(make_run):
    return make_run("group_equivariance", {"CNN": ACCURACY, "D4": ACCURACY}, kernel_size=3)


def test_one_convolution_over_all_copies_is_many(run):
    (told,) = group_reasons.why_lifting(run)
    assert "8 copies of 8 kernels are 64 output channels" in told
    assert told.endswith(
        "For D4, one convolution over all of them and 8 convolutions, one a copy, give the same numbers."
    )


def test_copies_in_another_order_are_told_apart(run, monkeypatch):
    right = LiftingConvolution.forward
    monkeypatch.setattr(LiftingConvolution, "forward", lambda layer, x: right(layer, x).roll(1, 2))
    (told,) = group_reasons.why_lifting(run)
    assert "one a copy, differ by" in told


def test_folding_is_the_sum_over_the_group(run):
    (told,) = group_reasons.why_group(run)
    assert "8 channels on 8 elements are 64 channels" in told
    assert told.endswith("the sum over the elements written out give the same numbers.")


def test_folding_in_another_order_is_told_apart(run, monkeypatch):
    wrong = lambda layer, x: layer._convolve(x.transpose(1, 2).flatten(1, 2))  # noqa: E731
    monkeypatch.setattr(GroupConvolution, "forward", wrong)
    (told,) = group_reasons.why_group(run)
    assert "written out differ by" in told


def test_a_run_without_a_group_is_answered_for_the_handbook_s(make_run):
    run = make_run("group_equivariance", {"CNN": ACCURACY}, kernel_size=3)
    assert "For C4," in next(group_reasons.why_lifting(run))


def test_what_is_drawn_elsewhere_stays_as_it_was(run):
    before = torch.get_rng_state()
    list(group_reasons.why_group(run))
    assert torch.equal(torch.get_rng_state(), before)


def test_other_groups_have_their_numbers(run):
    reflections, magnifications, errors = group_reasons.other_groups(run)
    assert "in D4, 24 of 64 products change" in reflections, "D4 has 5 classes, so 8 x 5 pairs commute"
    assert "1 of 3 scales leaves the range" in magnifications
    assert "with 3 x 3 taps" in errors
    assert ": D4 none; S3 " in errors
    assert "S3 none" not in errors


def test_interpolation_is_far_behind_the_basis_where_the_grid_is_left(run):
    errors, _, basis = group_reasons.interpolation(run)
    assert ": C4 none with the handbook's interpolation, none with the agreement basis, none with a small" in errors
    assert "the 4 of 9 kernels whose copies for C8 agree best" in basis
    eighths = [group_reasons.lifting_error(CyclicGroup(8), 5, family) for family in (interpolated(disc=False), None)]
    assert eighths[0] > 0.1 > 10 * eighths[1] > 0


def test_the_cost_is_counted_by_hand(run):
    table, cost = group_reasons.several_dimensions(run)
    assert table.endswith("largest error of a group convolution over its elements: none.")
    assert f"C4 (1 number an element, order 4) {4 * 9} weights, {4 * 4 * 9} multiplications" in cost
    assert f"D4 (2 numbers an element, order 8) {8 * 9} weights, {8 * 8 * 9} multiplications" in cost
    assert "C4xS3 (2 numbers an element, order 12)" in cost


def test_a_group_axis_that_stays_is_seen(monkeypatch):
    right = GroupConvolution.forward
    monkeypatch.setattr(GroupConvolution, "forward", lambda layer, x: right(layer, x).flip(2))
    assert group_reasons.group_error(CyclicGroup(4), 3) > 0.1
