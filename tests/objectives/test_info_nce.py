"""InfoNCE against a double loop in float64, and named mistakes that the loop tells apart."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from gradlab.objectives import info_nce, info_nce_loss, positive_positions, ranking


def drawn(images: int = 5, numbers: int = 4, seed: int = 0) -> Tensor:
    return torch.randn(2 * images, numbers, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(features: Tensor, temperature: float) -> float:
    """The paper's equation 1, anchor by anchor."""
    rows = features.tolist()
    norms = [math.sqrt(sum(number**2 for number in row)) for row in rows]
    total = 0.0
    for i in range(len(rows)):
        j = (i + len(rows) // 2) % len(rows)
        cosines = [sum(a * b for a, b in zip(rows[i], row, strict=True)) / norms[i] / norm
                   for row, norm in zip(rows, norms, strict=True)]  # fmt: skip
        others = sum(math.exp(cosines[k] / temperature) for k in range(len(rows)) if k != i)
        total -= math.log(math.exp(cosines[j] / temperature) / others)
    return total / len(rows)


def cosines_of(features: Tensor) -> Tensor:
    directions = F.normalize(features, dim=1)
    return directions @ directions.T


def without(diagonal: Tensor) -> Tensor:
    return diagonal.masked_fill(torch.eye(len(diagonal), dtype=torch.bool), -torch.inf)


def opposite(count: int, shift: int | None = None) -> Tensor:
    return (torch.arange(count) + (count // 2 if shift is None else shift)) % count


def no_mask(features: Tensor, temperature: float) -> Tensor:
    """Wrong: an anchor is among its own negatives."""
    return F.cross_entropy(cosines_of(features) / temperature, opposite(len(features)))


def neighbours_as_pairs(features: Tensor, temperature: float) -> Tensor:
    """Wrong: the positive of row i is taken to be row i + 1."""
    return F.cross_entropy(without(cosines_of(features)) / temperature, opposite(len(features), 1))


def times_temperature(features: Tensor, temperature: float) -> Tensor:
    """Wrong: the temperature multiplies."""
    return F.cross_entropy(without(cosines_of(features)) * temperature, opposite(len(features)))


def softmax_over_rows(features: Tensor, temperature: float) -> Tensor:
    """Wrong for one half: the second views are not anchors."""
    half = len(features) // 2
    return F.cross_entropy(without(cosines_of(features))[:half] / temperature, opposite(len(features))[:half])


def normalised_over_the_batch(features: Tensor, temperature: float) -> Tensor:
    """Wrong: every column has length 1, not every feature."""
    directions = F.normalize(features, dim=0)
    return F.cross_entropy(without(directions @ directions.T) / temperature, opposite(len(features)))


def check_is_the_loop(loss) -> None:
    for images, temperature in [(1, 0.5), (2, 0.07), (5, 0.5), (8, 2.0)]:
        features = drawn(images, seed=images)
        assert float(loss(features, temperature)) == pytest.approx(by_loops(features, temperature), abs=1e-12)


def test_is_the_double_loop():
    check_is_the_loop(info_nce_loss)


@pytest.mark.parametrize(
    "wrong", [no_mask, neighbours_as_pairs, times_temperature, softmax_over_rows, normalised_over_the_batch]
)
def test_mistakes_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_is_the_loop(wrong)


def test_the_gradient_is_that_of_finite_differences():
    features = drawn(3).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: info_nce_loss(z, 0.2), (features,))


def test_lengths_do_not_matter_and_views_may_be_swapped():
    features = drawn()
    loss = info_nce_loss(features, 0.1)
    longer = features * torch.linspace(0.1, 7, 10).double().unsqueeze(1)
    torch.testing.assert_close(info_nce_loss(longer, 0.1), loss)
    torch.testing.assert_close(info_nce_loss(features.roll(5, 0), 0.1), loss)


def test_a_network_that_says_the_same_of_everything_knows_nothing():
    """The loss is log(2N - 1), and no positive counts as found, whatever rounding does to equal cosines."""
    collapsed = drawn(1, 128)[:1].float().expand(64, -1) * torch.linspace(0.5, 2, 64).unsqueeze(1)
    assert info_nce_loss(collapsed, 0.07).item() == pytest.approx(math.log(63), abs=1e-4)
    assert positive_positions(collapsed).tolist() == [63] * 64
    assert ranking(positive_positions(collapsed))["top5_accuracy"].sum() == 0
    cosines = without(cosines_of(collapsed))
    counted_by_larger_ones = 1 + (cosines > cosines.gather(1, opposite(64).unsqueeze(1))).sum(1)
    assert (counted_by_larger_ones <= 5).sum() > 5, "wrong: ties, and rounding, in favour of the positive"


def test_positions_are_those_of_a_sorted_list():
    features = drawn(6)
    cosines = without(cosines_of(features))
    expected = [sorted(row.tolist(), reverse=True).index(row[(i + 6) % 12].item()) + 1 for i, row in enumerate(cosines)]
    assert positive_positions(features).tolist() == expected
    assert len(set(expected)) > 3


def test_for_training_it_gives_sums_over_the_images():
    views, model = drawn(6), nn.Linear(4, 3).double()
    loss, sums = info_nce(model, views, torch.zeros(6), temperature=0.2)
    positions = positive_positions(model(views))
    torch.testing.assert_close(loss, info_nce_loss(model(views), 0.2))
    assert sums["top1_accuracy"] / 6 == pytest.approx((positions == 1).double().mean().item())
    assert sums["top5_accuracy"] / 6 == pytest.approx((positions <= 5).double().mean().item())
    assert sums["mean_position"] / 6 == pytest.approx(positions.double().mean().item())
    assert not any(value.requires_grad for value in sums.values())


def test_a_stack_of_batches_is_one_after_another():
    stack = torch.stack([drawn(4, seed=seed) for seed in range(3)])
    losses = vmap(lambda features: info_nce_loss(features, 0.3))(stack)
    torch.testing.assert_close(losses, torch.stack([info_nce_loss(features, 0.3) for features in stack]))


@pytest.mark.parametrize("temperature", [0.0, -0.1])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match=f"the temperature must be positive: got {temperature}"):
        info_nce_loss(drawn(), temperature)
