import math

import pytest
import torch
from torch import Tensor

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    ExpandedKernel,
    GroupBase,
    GroupConvolution,
    LiftingConvolution,
    ProductGroup,
    ScaleGroup,
    agreement_basis,
    cyclic,
    exact_taps,
    interpolated,
    scale,
    siren,
)
from gradlab.equivariance.response import response
from gradlab.equivariance.taps import tap_points

GROUPS = [CyclicGroup(4), CyclicGroup(8), DihedralGroup(8), ScaleGroup(3, depth=2),
          ProductGroup(CyclicGroup(4), ScaleGroup(2))]  # fmt: skip
FAMILIES = {
    "default": None,
    "eleven": agreement_basis(dimensions=11),
    "disc": interpolated(),
    "square": interpolated(disc=False),
    "siren": siren(),
}
RECTIFIED = 1 / math.pi


def name(value: object) -> str | None:
    return value.table.name if isinstance(value, GroupBase) else None


def smooth_signal(size: int) -> Tensor:
    """The covariance of white noise blurred until the correlation of two pixels is exp(-distance^2 / 4.5)."""
    points = tap_points(size)
    return torch.exp(-(points[:, None] - points).square().sum(-1) / 4.5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_first_responses_to_smooth_pictures_have_a_variance_of_two(group, family):
    torch.manual_seed(0)
    kernel = ExpandedKernel(group, 5, 16, 128, on_group=False, family=FAMILIES[family])
    copies = kernel().detach().double().flatten(-2)
    variance = torch.einsum("ohit,tu,ohiu->oh", copies, smooth_signal(5), copies).mean()
    assert variance.item() == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_first_responses_to_rectified_features_have_a_mean_square_of_two(group, family):
    torch.manual_seed(0)
    kernel = ExpandedKernel(group, 5, 8, 256, on_group=True, family=FAMILIES[family])
    copies = kernel().detach().double().flatten(-2)
    if family == "siren":  # its weights are shared by the elements, whose features count as alike
        copies = copies.sum(3, keepdim=True)
    signal = RECTIFIED + (1 - RECTIFIED) * smooth_signal(5)
    power = torch.einsum("ohijt,tu,ohiju->oh", copies, signal, copies).mean()
    assert power.item() == pytest.approx(2, rel=0.15)


def test_taps_answer_to_anything_alike():
    family = exact_taps(cyclic(4), 5)
    assert response(family, None) == pytest.approx(25)
    assert response(family, None, cyclic(4).offsets, 4) == pytest.approx(100)


def test_elements_beyond_the_range_do_not_answer():
    group = scale(3, depth=2)
    family = exact_taps(group, 1)
    assert response(family, None, group.offsets, 2) == pytest.approx((2 + 2 + 1) / 3)


def test_the_rule_for_white_noise_would_be_far_off():
    """Smooth kernels answer to smooth pictures 2.8 times as strongly as to white noise."""
    family = agreement_basis()(cyclic(8), 5)
    assert family.resampling is not None
    assert response(family, family.resampling) > 2 * family.resampling.square().sum((1, 2)).mean()


def test_responses_stay_of_one_size_through_five_layers():
    """Of pictures with power 1 / frequency^2; the rule for white noise lets them grow."""
    torch.manual_seed(0)
    group = CyclicGroup(8)
    axis = torch.fft.fftfreq(24)
    frequency = (axis[:, None].square() + torch.fft.rfftfreq(24).square()).sqrt().clamp(min=1 / 24)
    x = torch.fft.irfft2(torch.fft.rfft2(torch.randn(16, 1, 24, 24)) / frequency)
    x = (x - x.mean()) / x.std()
    with torch.no_grad():
        x = LiftingConvolution(group, 1, 8, 5, padding=2)(x)
        for _ in range(4):
            assert 0.5 < x.square().mean() < 4
            x = GroupConvolution(group, 8, 8, 5, padding=2)(x.relu())
    assert 0.5 < x.square().mean() < 4
