import copy
import io
import math

import pytest
import torch

from gradlab.equivariance import (
    CyclicGroup,
    DihedralGroup,
    ExpandedKernel,
    default_family,
    grid_preserving,
    interpolated,
    transformed,
)

GROUPS = [CyclicGroup(2), CyclicGroup(4), CyclicGroup(6), CyclicGroup(8), DihedralGroup(1), DihedralGroup(4),
          DihedralGroup(8)]  # fmt: skip


def name(value: object) -> str | None:
    return value.table.name if hasattr(value, "table") else None


def kernel(group, size=5, on_group=True, family=None, seed=0) -> ExpandedKernel:
    torch.manual_seed(seed)
    return ExpandedKernel(group, size, 2, 3, on_group=on_group, family=family)


@pytest.mark.parametrize("family", [None, interpolated(), interpolated(disc=False)], ids=["default", "disc", "square"])
@pytest.mark.parametrize("on_group", [False, True])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("group", GROUPS, ids=name)
def test_the_filter_constraint_holds_bit_for_bit_where_the_grid_is_kept(group, size, on_group, family):
    """The kernel moved by s h is the kernel moved by h, moved by s."""
    made = kernel(group, size, on_group, family)()
    for s in grid_preserving(group.table, size).tolist():
        for h in range(group.table.order):
            moved = transformed(group.table, s, made[:, h], on_group=on_group)
            assert torch.equal(made[:, group.table.product[s, h]], moved)


@pytest.mark.parametrize("wrong", ["roll", "flip", "transposed table"])
def test_wrong_samplers_break_the_constraint(wrong):
    group, made = CyclicGroup(4), kernel(CyclicGroup(4))
    index = made.index.view(4, 2, 4, 25)
    broken = {"roll": index.roll(1, -1), "flip": index.flip(-1), "transposed table": index.transpose(0, 2)}[wrong]
    made.index.copy_(broken.flatten())
    copies = made()
    moved = [transformed(group.table, 1, copies[:, h], on_group=True) for h in range(4)]
    at_identity = torch.equal(copies[:, 0], made.weight.view(3, 2, 4, 5, 5))
    assert not (at_identity and all(torch.equal(copies[:, (h + 1) % 4], moved[h]) for h in range(4)))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(4)], ids=name)
def test_exact_kernels_have_full_rank_and_the_weight_at_the_identity(group, size):
    made = ExpandedKernel(group, size, 1, 1, on_group=True)
    order = group.table.order
    assert torch.equal(made()[:, 0], made.weight.view(1, 1, order, size, size))
    numbers = order * size**2
    reads = torch.zeros(order * numbers, numbers)
    reads[torch.arange(order * numbers), made.index] = 1
    assert torch.linalg.matrix_rank(reads) == numbers


def by_hand(weight: torch.nn.Parameter) -> None:
    with torch.no_grad():
        weight.mul_(2)


def through_data(weight: torch.nn.Parameter) -> None:
    weight.data.mul_(2)


def by_a_fused_optimizer(weight: torch.nn.Parameter) -> None:
    """Fused optimisers leave the version counter of the weights as it was."""
    weight.grad = torch.ones_like(weight)
    before = weight._version
    torch.optim.AdamW([weight], fused=True).step()
    assert weight._version == before


@pytest.mark.parametrize("change", [by_hand, through_data, by_a_fused_optimizer])
@pytest.mark.parametrize("group", [CyclicGroup(4), CyclicGroup(8)], ids=name)
def test_kept_copies_follow_every_change_of_the_weights(group, change):
    made = kernel(group).eval()
    with torch.no_grad():
        first = made()
        assert made() is first
    change(made.weight)
    with torch.no_grad():
        assert not torch.equal(made(), first)
        assert torch.equal(made(), made._expanded())


def test_copies_made_under_autocast_are_not_kept():
    made = kernel(CyclicGroup(8)).eval()
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            made()
        assert made().dtype == torch.float32
        with torch.autocast("cpu", torch.bfloat16):
            assert made().dtype == torch.bfloat16


def test_kept_copies_follow_what_is_loaded_and_the_precision():
    made = kernel(CyclicGroup(8)).eval()
    with torch.no_grad():
        made()
        made.load_state_dict({"weight": torch.zeros_like(made.weight)})
        assert not made().any()
        assert made.double()().dtype == torch.float64


def test_gradients_flow_in_evaluation_twice():
    made = kernel(CyclicGroup(8)).eval()
    with torch.no_grad():
        made()
    for _ in range(2):
        made.weight.grad = None
        made().square().sum().backward()
        assert made.weight.grad is not None
        assert made.weight.grad.isfinite().all()


def test_it_copies_saves_and_loads_like_any_module():
    made = kernel(CyclicGroup(8)).eval()
    with torch.no_grad():
        made()
    twin = copy.deepcopy(made)
    assert torch.equal(twin(), made())
    assert list(made.state_dict()) == list(made.train().state_dict()) == ["weight"]
    buffer = io.BytesIO()
    torch.save(made, buffer)
    with torch.no_grad():
        twin.weight.zero_()
        assert not torch.equal(twin(), made())


def test_another_precision_is_computed_anew():
    made = kernel(CyclicGroup(8))
    exact = made.family.resampling
    assert exact is not None
    assert made.resampling is not None
    assert not torch.equal(made.resampling.double(), exact)
    other = kernel(CyclicGroup(8))
    assert torch.equal(made.half().double().resampling, exact)
    assert other().dtype == torch.float32


def test_the_default_is_exact_where_it_can_be():
    assert default_family(DihedralGroup(4).table, 3).resampling is None
    family = default_family(CyclicGroup(8).table, 5)
    assert 0 < family.error <= 0.04
    assert 0.04 < default_family(CyclicGroup(8).table, 3).error <= 0.065
    assert default_family(CyclicGroup(8).table, 3).dimensions == 4
    assert math.isfinite(family.error)
    assert "error=" in repr(kernel(CyclicGroup(8)))
